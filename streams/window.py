"""The duplicate window: which (person, event id) were seen, where, and with what content.

An open-addressing table. Keys are compared whole, never by hash alone: a false duplicate would be a
lost scan. Rows of one batch meet each other here too, the earlier one wins.

A partition keeps its newest ids whole, and of many more that they came (`past`). A row that may
have come before the whole ones is for ClickHouse to tell: `unsure` says which. So memory is
bounded by settings and no retry is missed, however late. After a start the newest ids are there
at once and older ones are remembered one stretch after the other, while scans are judged.
"""

import threading
from typing import Final

import numpy as np

from streams.columns import I64, U64, Mask
from streams.kernels import window as kernel
from streams.keys import Keys
from streams.past import Past

_MOST_FULL: Final = 0.6
_OFFSET_MASK: Final = np.uint64((1 << 48) - 1)


class Table:
    """Keys in the order they came; more than `most` of them (0 is no limit) spill into the past.

    The past holds `past` ids, at least half of them the newest that were spilt.
    """

    def __init__(self, salt: int, most: int = 0, past: int = 0) -> None:
        self._salt = np.uint64(salt)
        self._most = most
        self._past_room = max(1, past // 2)
        self._slots = np.full(1024, kernel.FREE, np.int32)
        self._entries = np.zeros((512, kernel.COLUMNS), np.uint64)
        self._count = 0
        self._past: Past | None = None

    def __len__(self) -> int:
        return self._count

    @property
    def nbytes(self) -> int:
        """Memory held."""
        past = 0 if self._past is None else self._past.nbytes
        return self._slots.nbytes + self._entries.nbytes + past

    @property
    def horizon_ms(self) -> int:
        """Keys scanned before this are not all known here."""
        return 0 if self._past is None else self._past.horizon_ms

    def in_past(self, hashes: U64) -> Mask:
        """Which keys, by their hashes, may have been spilt."""
        if self._past is None:
            return np.zeros(len(hashes), bool)
        return self._past.may_hold(hashes)

    def add(self, keys: Keys, hashes: U64 | None = None) -> tuple[Mask, U64, U64]:
        """Enter what is new; of the rest, origin and content of the one that was first.

        `hashes`: of `Keys.hashes` with this table's salt, where they are known. Returns (new,
        origin, content), each of shape (n,).
        """
        n = len(keys)
        if hashes is None:
            hashes = keys.hashes(int(self._salt))
        self._make_room(n)
        self._take_memory(self._count + n)
        new, origin, content = np.empty(n, bool), np.empty(n, np.uint64), np.empty(n, np.uint64)
        keys = keys.as_kernels_want()
        self._count = kernel.enter(
            self._slots, self._entries, self._count, keys.event_hi, keys.event_lo, keys.person,
            keys.content, keys.origin, hashes, new, origin, content,
        )  # fmt: skip
        return new, origin, content

    def spill(self, below: int, newest_ms: int) -> None:
        """When there are too many, move the older half out; only offsets below `below` may go.

        `newest_ms` bounds when any of them was scanned.
        """
        if not self._most or self._count <= self._most:
            return
        half = self._count - self._most // 2
        offsets = self._entries[:half, kernel.ORIGIN] & _OFFSET_MASK
        stay = offsets >= np.uint64(below)
        going = int(stay.argmax()) if stay.any() else half
        if going < self._most // 4:  # too few to be worth seating the rest anew
            return
        gone = np.empty(going, np.uint64)
        kernel.hash_entries(self._entries, self._salt, gone)
        self._its_past().add(gone, newest_ms)
        self._count -= going
        self._entries = self._entries[going : going + self._count].copy()
        self._seat(_slots_for(self._count))

    def _take_memory(self, keys: int) -> None:
        """The past's, in the measure in which keys come, or it is wanted all at once. A town that
        never has a quarter of the keys takes none."""
        least = self._most // 4
        if self._most and keys > least:
            self._its_past().take((keys - least) / (self._most - least))

    def takes_older(self, more: int) -> bool:
        """Whether `remember` may be called with so many."""
        return more <= self._past_room if self._past is None else self._past.takes_older(more)

    def remember(self, hashes: U64, newest_ms: int) -> None:
        """Know of these, which came before all that are here, that they came."""
        self._its_past().add_older(hashes, newest_ms)

    def _its_past(self) -> Past:
        if self._past is None:
            self._past = Past(self._past_room)
        return self._past

    def _make_room(self, more: int) -> None:
        needed = self._count + more
        if needed > len(self._entries):
            room = max(needed, len(self._entries) * 3 // 2)
            entries = np.zeros((room, kernel.COLUMNS), np.uint64)
            entries[: self._count] = self._entries[: self._count]
            self._entries = entries
        if needed > _MOST_FULL * len(self._slots):
            self._seat(_slots_for(needed))

    def _seat(self, size: int) -> None:
        """All keys anew in so many slots."""
        self._slots = np.full(size, kernel.FREE, np.int32)
        kernel.seat(self._slots, self._entries, self._count, self._salt)


def _slots_for(keys: int) -> int:
    size = 1024
    while keys > _MOST_FULL * size:
        size *= 2
    return size


class Window:
    """The keys kept for one partition: about `ids` of them whole, of `past` that they came.

    `written` is for its owner to move on: rows of offsets below it are in ClickHouse, and no
    other may leave the window. Keys scanned before `horizon_ms` are not all known. Thread-safe.
    """

    def __init__(self, ids: int, past: int, salt: int, horizon_ms: int = 0) -> None:
        self._table = Table(salt, ids, past)
        self._lock = threading.Lock()
        self.salt = salt
        self._horizon_ms = horizon_ms
        self._newest_ms = 0
        self._last: tuple[Keys, U64] | None = None
        self.written = 0

    def __len__(self) -> int:
        return len(self._table)

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return self._table.nbytes

    @property
    def horizon_ms(self) -> int:
        """Keys scanned before this (ms since 1970, UTC) are not all known here."""
        return max(self._horizon_ms, self._table.horizon_ms)

    def unsure(self, keys: Keys, scanned_ms: I64) -> Mask:
        """Which rows may have come before without `add` knowing."""
        with self._lock:
            result: Mask = scanned_ms < self.horizon_ms
            return result | self._table.in_past(self._hashes(keys))

    def add(self, keys: Keys, scanned_ms: I64) -> tuple[Mask, U64, U64]:
        """As `Table.add`."""
        with self._lock:
            self._newest_ms = max(self._newest_ms, int(scanned_ms.max(initial=0)))
            answer = self._table.add(keys, self._hashes(keys))
            self._last = None
            self._table.spill(self.written, self._newest_ms)
        return answer

    def has_room_for(self, more: int) -> bool:
        """Whether so many may be remembered."""
        with self._lock:
            return self._table.takes_older(more)

    def remember(self, keys: Keys, begin_ms: int) -> bool:
        """Know of these that they came: all that were scanned from `begin_ms` to the horizon.

        False, and nothing is done, where they are more than there is room for.
        """
        with self._lock:
            if not self._table.takes_older(len(keys)):
                return False
            self._table.remember(keys.hashes(self.salt), self._horizon_ms)
            self._horizon_ms = begin_ms
        return True

    def _hashes(self, keys: Keys) -> U64:
        """Hashed once for the question and the entry that follows it."""
        if self._last is None or self._last[0] is not keys:
            self._last = keys, keys.hashes(self.salt)
        return self._last[1]
