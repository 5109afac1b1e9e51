"""What the duplicate window remembers of ids it does not hold whole: 32 bits of each.

Enough to say of almost every new id that it did not come before. One that may have is asked from
ClickHouse, so a chance agreement costs a question and never a scan.
"""

from typing import Final

import numpy as np

from streams.columns import U64, Mask
from streams.kernels import window as kernel

_FULL: Final = 0.5
_PAGE: Final = 1024  # slots in the smallest page of memory


class Generation:
    """Up to `room` fingerprints, in memory that never grows."""

    def __init__(self, room: int) -> None:
        size = 1024
        while room > _FULL * size:
            size *= 2
        self._slots = np.zeros(size, np.uint32)  # 0 is free
        self._room = room
        self._count = 0
        self._taken = 0  # slots whose memory is resident, if no id made it so
        self.newest_ms = 0  # no id in here was scanned later

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return self._slots.nbytes if self._count else self._slots[: self._taken].nbytes

    def take(self, share: float) -> None:
        """Make so much of its memory resident, before ids need it."""
        upto = min(len(self._slots), int(share * len(self._slots)))
        if upto > self._taken:
            self._slots[self._taken : upto : _PAGE] |= 0  # written, or it is no page of ours
            self._taken = upto

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
        kernel.remember(self._slots, hashes)
        self._count += len(hashes)
        self.newest_ms = max(self.newest_ms, newest_ms)

    def look_for(self, hashes: U64, found: Mask) -> None:
        """Say yes in `found` for ids that may be in here; the others are certainly not."""
        if self._count:
            kernel.may_hold(self._slots, hashes, found)


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

    def take(self, share: float) -> None:
        """Have so much of its memory, of the younger first.

        Were it left to the ids, which go anywhere in it, all partitions of a worker would want a
        gigabyte in the same second: scans waited three for it.
        """
        self._younger.take(2 * share)
        self._older.take(2 * share - 1)

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
        """Which ids may be in here; the others are certainly not."""
        found = np.zeros(len(hashes), bool)
        for generation in (self._younger, self._older):
            generation.look_for(hashes, found)
        return found
