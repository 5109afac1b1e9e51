"""Scan to queryable, to the millisecond: from the broker's append to the acknowledged insert."""

import threading
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

    def note(self, appended_ms: I64, acknowledged_ms: int) -> I64:
        """Note one batch; returns its delays in ms."""
        delays = acknowledged_ms - appended_ms
        with self._lock:
            self._batches.append(delays)
        return delays

    def reset(self) -> None:
        """Begin to measure anew."""
        with self._lock:
            self._batches.clear()

    def summary(self) -> dict[str, float]:
        """Count, p50, p99 and the longest, in ms."""
        with self._lock:
            batches = list(self._batches)
        if not batches:
            return {"count": 0}
        delays = np.concatenate(batches)
        p50, p99 = np.percentile(delays, [50, 99])
        return {
            "count": len(delays),
            "p50_ms": round(float(p50), 1),
            "p99_ms": round(float(p99), 1),
            "max_ms": float(delays.max()),
        }
