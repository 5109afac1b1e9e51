"""How many scans come."""

import time
from collections import deque
from collections.abc import Sequence
from typing import Final

from streams.segments.parts import Part, rows_of

BUSY: Final = 50_000.0  # scans a second: then what comes is left to ClickHouse
_OVER_S: Final = 10.0  # what 20,000 a second pile up in a pause of ten seconds is not so many
_STILL_S: Final = 1.0


class Influx:
    """How many rows have come from one look to another."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, int]] = deque()  # when, and how many rows there were

    def is_high(self, active: Sequence[Part]) -> bool:
        """Whether more than a city's scans come, over ten seconds at least, and still."""
        now, rows = time.monotonic(), rows_of(active)
        self._looks.append((now, rows))
        while len(self._looks) > 1 and now - self._looks[1][0] >= _OVER_S:
            self._looks.popleft()
        return all(self._came(now, rows, seconds) for seconds in (_OVER_S, _STILL_S))

    def _came(self, now: float, rows: int, seconds: float) -> bool:
        """Whether so many did since the last look that was so long ago."""
        for at, before in reversed(self._looks):
            if now - at >= seconds:
                return rows - before > BUSY * (now - at)
        return False
