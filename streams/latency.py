"""Scan to queryable, to the millisecond: from the broker's append to the acknowledged insert."""

import threading
import time
from collections import deque
from typing import Final

import numpy as np

from streams.columns import I64

_BATCHES_KEPT: Final = 20_000


class Latencies:
    """The delays of the newest batches; bounded. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._batches: deque[I64] = deque(maxlen=_BATCHES_KEPT)
        self._records = 0
        self._begun: float | None = None
        self._ended = 0.0

    def begin(self) -> None:
        """Work has come in: the first call since the start, or since `reset`, starts the clock."""
        if self._begun is None:
            self._begun = time.monotonic()

    def note(self, appended_ms: I64, acknowledged_ms: int) -> I64:
        """Note one batch; returns its delays in ms."""
        delays = acknowledged_ms - appended_ms
        with self._lock:
            self._batches.append(delays)
            self._records += len(delays)
            self._ended = time.monotonic()
        return delays

    def reset(self) -> None:
        """Begin to measure anew."""
        with self._lock:
            self._batches.clear()
            self._records, self._begun = 0, None

    def summary(self) -> dict[str, float]:
        """p50, p99 and longest delay in ms over the newest `count`; `records` in `seconds`."""
        with self._lock:
            batches, records = list(self._batches), self._records
            seconds = self._ended - (self._begun or self._ended)
        if not batches:
            return {"count": 0, "records": 0}
        delays = np.concatenate(batches)
        p50, p99 = np.percentile(delays, [50, 99])
        return {
            "count": len(delays),
            "records": records,
            "seconds": round(seconds, 3),
            "p50_ms": round(float(p50), 1),
            "p99_ms": round(float(p99), 1),
            "max_ms": float(delays.max()),
        }
