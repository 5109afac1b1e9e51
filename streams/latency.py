"""Scan to queryable, to the millisecond: from the broker's append to the acknowledged insert."""

import threading
import time
from typing import Final

import numpy as np

from streams.columns import I64

_MOST_MS: Final = 600_000  # ten minutes and more are one number


class Latencies:
    """How many records took how many ms, since the start or `reset`. Thread-safe; a fixed size."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = np.zeros(_MOST_MS + 1, np.int64)
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
        # most records of a batch share a few moments of arrival
        values, counts = np.unique(np.clip(delays, 0, _MOST_MS), return_counts=True)
        with self._lock:
            self._counts[values] += counts
            self._records += len(delays)
            self._ended = time.monotonic()
        return delays

    def reset(self) -> None:
        """Begin to measure anew."""
        with self._lock:
            self._counts[:] = 0
            self._records, self._begun = 0, None

    def summary(self) -> dict[str, float]:
        """p50, p99 and longest delay in ms of all records; `records` in `seconds`."""
        with self._lock:
            seconds = self._ended - (self._begun or self._ended)
            if not self._records:
                return {"count": 0, "records": 0}
            upto = np.cumsum(self._counts)
            p50, p99, longest = np.searchsorted(upto, np.ceil(upto[-1] * np.array([0.5, 0.99, 1])))
            return {
                "count": int(upto[-1]),
                "records": self._records,
                "seconds": round(seconds, 3),
                "p50_ms": float(p50),
                "p99_ms": float(p99),
                "max_ms": float(longest),
            }
