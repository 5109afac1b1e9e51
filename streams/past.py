"""What the duplicate window remembers of ids it does not hold whole: 32 bits of each.

Enough to say of almost every new id that it did not come before. One that may have is asked from
ClickHouse, so a chance agreement costs a question and never a scan.
"""

from typing import Final

import numpy as np

from streams.columns import U64, Mask

_U32 = np.ndarray[tuple[int], np.dtype[np.uint32]]
_FULL: Final = 0.5
_HIGH: Final = np.uint64(32)


class Generation:
    """Up to `room` fingerprints, in memory that is taken at once and never grows."""

    def __init__(self, room: int) -> None:
        size = 1024
        while room > _FULL * size:
            size *= 2
        self._slots = np.full(size, 0, np.uint32)  # 0 is free; written, so that it is resident
        self._room = room
        self._count = 0
        self.newest_ms = 0  # no id in here was scanned later

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return self._slots.nbytes

    def takes(self, more: int) -> bool:
        """Whether there is room for so many more."""
        return self._count + more <= self._room

    def clear(self) -> None:
        """Forget all."""
        self._slots.fill(0)
        self._count = 0
        self.newest_ms = 0

    def add(self, hashes: U64, newest_ms: int) -> None:
        """Enter ids by their hashes; none of them was scanned after `newest_ms`."""
        slots, mask = self._slots, len(self._slots) - 1
        at, mark = _places(hashes, mask)
        while len(at):
            free = slots[at] == 0
            slots[at[free]] = mark[free]
            left = slots[at] != mark  # taken, before or by another of these
            at, mark = (at[left] + 1) & mask, mark[left]
        self._count += len(hashes)
        self.newest_ms = max(self.newest_ms, newest_ms)

    def may_hold(self, hashes: U64) -> Mask:
        """Which ids may be in here; the others are certainly not."""
        found = np.zeros(len(hashes), bool)
        if not self._count:
            return found
        slots, mask = self._slots, len(self._slots) - 1
        at, mark = _places(hashes, mask)
        rows = np.arange(len(hashes))
        while len(rows):
            here = slots[at]
            same = here == mark
            found[rows[same]] = True
            on = ~same & (here != 0)
            rows, at, mark = rows[on], (at[on] + 1) & mask, mark[on]
        return found


class Past:
    """Two generations of `room` ids: when the younger is full the older is forgotten.

    What was forgotten was scanned before `horizon_ms`, so whoever asks about an id scanned
    earlier cannot be answered here.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._younger, self._older = Generation(room), Generation(room)
        self.horizon_ms = 0

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return self._younger.nbytes + self._older.nbytes

    def add(self, hashes: U64, newest_ms: int) -> None:
        """As `Generation.add`."""
        for begin in range(0, len(hashes), self._room):
            some = hashes[begin : begin + self._room]
            if not self._younger.takes(len(some)):
                if self._older.newest_ms:
                    self.horizon_ms = max(self.horizon_ms, self._older.newest_ms + 1)
                self._older.clear()
                self._younger, self._older = self._older, self._younger
            self._younger.add(some, newest_ms)

    def takes_older(self, more: int) -> bool:
        """Whether `add_older` may be called with so many: nothing was forgotten, and room is."""
        return not self.horizon_ms and self._older.takes(more)

    def add_older(self, hashes: U64, newest_ms: int) -> None:
        """Enter ids that came before all that are here, none scanned after `newest_ms`."""
        assert self.takes_older(len(hashes))
        self._older.add(hashes, newest_ms)

    def may_hold(self, hashes: U64) -> Mask:
        """As `Generation.may_hold`."""
        return self._younger.may_hold(hashes) | self._older.may_hold(hashes)


def _places(hashes: U64, mask: int) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], _U32]:
    """Where each begins to look, and its mark, which is never 0."""
    mark = (hashes >> _HIGH).astype(np.uint32) | np.uint32(1)
    return (hashes & np.uint64(mask)).astype(np.int64), mark
