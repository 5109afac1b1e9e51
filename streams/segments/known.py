"""What everything is as of a count of the engine's: so that it need not be asked for.

What a look found is everything as of the count before it. If no insert was under way meanwhile, it
is nothing more either, and what is handed on after that count makes everything as of a later one.
"""

import threading
import time

from streams.segments.changes import Changes, Count
from streams.segments.handed import Came, Handed
from tracer.segments import Segments


class Known:
    """One thread looks at a time and says what it found; any may ask."""

    def __init__(self, changes: Changes) -> None:
        self._handed = Handed(changes)
        self._lock = threading.Lock()
        self._ready: tuple[Count, Segments] | None = None
        self._base: tuple[Count, Segments] | None = None
        self._found_at = float("-inf")
        self.last: Segments | None = None  # what was there at last; None: not everything was held

    def at(self, count: Count | None) -> Segments | None:
        """Everything at that count. None: only a look can say."""
        ready, base = self._ready, self._base
        if count is None:
            return None
        if ready is not None and ready[0].same(count):
            return ready[1]
        came = None if base is None else self._handed.between(base[0], count)
        if base is None or came is None:
            return None
        now = Segments([*base[1].every, *(one.segment for one in came)])
        with self._lock:
            if self._base is base:  # nobody has looked meanwhile
                self._ready, self.last = (count, now), now
        return now

    def is_ready(self, count: Count) -> bool:
        """Whether `at` has made it."""
        ready = self._ready
        return ready is not None and ready[0].same(count)

    @property
    def age_s(self) -> float:
        """How long ago a look has found something."""
        return time.monotonic() - self._found_at

    def came(self, count: Count | None) -> list[Came] | None:
        """What was handed on since the last look until that count. None: not everything was."""
        base = self._base
        return None if base is None or count is None else self._handed.between(base[0], count)

    def found(self, count: Count | None, now: Segments, *, quiet: bool) -> None:
        """A look has found this after that count; `quiet`: and no insert was under way."""
        ready = None if count is None else (count, now)
        base = ready if quiet else None
        with self._lock:
            self._ready, self.last, self._base = ready, now, base
        if base is not None:
            self._handed.forget(count)
        self._found_at = time.monotonic()

    def otherwise(self, before: Segments, now: Segments) -> None:
        """What a look has found is now held in other segments."""
        with self._lock:
            base, ready = self._base, self._ready
            if base is not None and base[1] is before:
                self._base, self._ready = (base[0], now), None
            elif ready is not None and ready[1] is before:
                self._ready = ready[0], now
            if self.last is before:
                self.last = now

    def doubt(self) -> None:
        """A look found something else."""
        with self._lock:
            self._ready = self._base = None

    def nothing(self) -> None:
        """Not everything is held."""
        with self._lock:
            self._ready = self._base = self.last = None
        self._handed.forget()

    @property
    def rows(self) -> int:
        """How many scans are held of what was handed on."""
        return self._handed.rows
