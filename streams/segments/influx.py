"""How many scans come."""

import time
from collections import deque
from collections.abc import Sequence
from typing import Final

from streams.segments.parts import Part, rows_of

BUSY: Final = 50_000.0  # scans a second: then what comes is left to ClickHouse
_OVER_S: Final = 10.0  # longer than what has piled up behind a worker's pause takes to come


class Influx:
    """How many rows have come from one look to another."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, int]] = deque()  # when, and how many rows there were

    def is_high(self, active: Sequence[Part]) -> bool:
        """Whether more than a city's scans come, over ten seconds at least."""
        now, rows = time.monotonic(), rows_of(active)
        self._looks.append((now, rows))
        while len(self._looks) > 1 and now - self._looks[1][0] >= _OVER_S:
            self._looks.popleft()
        at, before = self._looks[0]
        return now - at >= _OVER_S and rows - before > BUSY * (now - at)
