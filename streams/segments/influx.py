"""How many scans come."""

import time
from collections.abc import Sequence
from typing import Final

from streams.segments.parts import Part, rows_of

BUSY: Final = 50_000.0  # scans a second: then what comes is left to ClickHouse


class Influx:
    """How many rows have come from one look to the next."""

    def __init__(self) -> None:
        self._at, self._rows, self._high = time.monotonic(), 0, False

    def is_high(self, active: Sequence[Part]) -> bool:
        """Whether more than a city's scans come, over a second at least."""
        now, rows = time.monotonic(), rows_of(active)
        if now - self._at >= 1.0 or not self._rows:
            self._high = self._rows > 0 and rows - self._rows > BUSY * (now - self._at)
            self._at, self._rows = now, rows
        return self._high
