"""What everything is as of a count of the engine's: so that it need not be asked for.

What a look found is everything as of the count before it. If no insert was under way meanwhile, it
is nothing more either, and what is handed on after that count makes everything as of a later one.
"""

import time

from streams.segments.changes import Changes, Count
from streams.segments.handed import Came, Handed
from tracer.segments import Segments


class Known:
    """One thread looks at a time and says what it found; any may ask."""

    def __init__(self, changes: Changes) -> None:
        self._handed = Handed(changes)
        self._ready: tuple[Count | None, Segments] | None = None
        self._base: tuple[Count, Segments] | None = None
        self._based_at = float("-inf")
        self.last: Segments | None = None  # what was there at last; None: not everything was held

    def at(self, count: Count | None) -> Segments | None:
        """Everything at that count. None: only a look can say."""
        if count is None or self.is_ready(count):
            ready = self._ready
            return None if count is None or ready is None else ready[1]
        base = self._base
        came = None if base is None else self._handed.between(base[0], count)
        if base is None or came is None:
            return None
        now = Segments([*base[1].every, *(one.segment for one in came)])
        if self._base is base:  # nobody has looked meanwhile
            self._ready, self.last = (count, now), now
        return now

    def is_ready(self, count: Count) -> bool:
        """Whether `at` has made it."""
        ready = self._ready
        return ready is not None and ready[0] is not None and ready[0].same(count)

    @property
    def age_s(self) -> float:
        """How long ago a look has found something."""
        return time.monotonic() - self._based_at

    def came(self, count: Count | None) -> list[Came] | None:
        """What was handed on since the last look until that count. None: not everything was."""
        base = self._base
        return None if base is None or count is None else self._handed.between(base[0], count)

    def found(self, count: Count | None, now: Segments, *, quiet: bool) -> None:
        """A look has found this after that count; `quiet`: and no insert was under way."""
        self._ready, self.last = (count, now), now
        if quiet and count is not None:
            self._base = count, now
        self._based_at = time.monotonic()

    def otherwise(self, now: Segments) -> None:
        """The rows of the last look are in other segments."""
        if self._base is not None:
            self._base, self._ready = (self._base[0], now), None
        elif self._ready is not None:
            self._ready = self._ready[0], now
        if self.last is not None:
            self.last = now

    def doubt(self) -> None:
        """A look found something else."""
        self._ready = self._base = None

    def nothing(self) -> None:
        """Not everything is held."""
        self._ready = self._base = self.last = None
