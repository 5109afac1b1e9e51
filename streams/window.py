"""The duplicate window: which (person, event id) were seen, where, and with what content.

Open-addressing tables, probed for a whole batch at a time. Which table holds a key depends on the
key alone, so that it meets itself whatever time it claims. Keys are compared whole, never by hash
alone: a false duplicate would be a lost scan. Rows of one batch meet each other here too, the
earlier one wins.

A partition keeps its newest ids whole, and of many more that they came (`past`). A row that may
have come before the whole ones is for ClickHouse to tell: `unsure` says which. So memory is
bounded by settings and no retry is missed, however late. After a start the newest ids are there
at once and older ones are remembered one stretch after the other, while scans are judged.
"""

import threading
from typing import Final

import numpy as np

from streams.columns import I64, U64, Mask
from streams.keys import TABLES, Keys, Sorted
from streams.past import Past

_EMPTY: Final = -1
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
        self._slots = np.full(1024, _EMPTY, np.int32)
        self._entries = np.zeros((5, 512), np.uint64)  # as the fields of Keys
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
        if hashes is None:
            hashes = keys.hashes(self._salt)
        self._make_room(len(keys))
        base = self._count
        mask = len(self._slots) - 1
        self._write(base, keys)
        entries = self._entries
        at = (hashes & np.uint64(mask)).astype(np.int64)
        entry_of = np.full(len(keys), _EMPTY, np.int64)  # the entry that holds the row's key
        pending = np.arange(len(keys))
        while len(pending):
            here = at[pending]
            free = self._slots[here] == _EMPTY
            # the first of the batch to reach a free slot gets it: numpy keeps the last write,
            # so they are written last to first
            claims = pending[free][::-1]
            self._slots[at[claims]] = (base + claims).astype(np.int32)
            holder = self._slots[here].astype(np.int64)
            mine = base + pending
            same = (
                (entries[0, holder] == entries[0, mine])
                & (entries[1, holder] == entries[1, mine])
                & (entries[2, holder] == entries[2, mine])
            )
            entry_of[pending[same]] = holder[same]
            pending = pending[~same]
            at[pending] = (at[pending] + 1) & mask
        new = entry_of == base + np.arange(len(keys))
        content, origin = entries[3, entry_of], entries[4, entry_of]
        self._compact(base, np.flatnonzero(new), at)
        return new, origin, content

    def _compact(self, base: int, new: I64, at: I64) -> None:
        """Close the gaps that rows already known left among the new entries."""
        kept = len(new)
        if kept and new[-1] != kept - 1:
            self._entries[:, base : base + kept] = self._entries[:, base + new]
            self._slots[at[new]] = base + np.arange(kept, dtype=np.int32)
        self._count = base + kept

    def spill(self, below: int, newest_ms: int) -> None:
        """When there are too many, move the older half out; only offsets below `below` may go.

        `newest_ms` bounds when any of them was scanned.
        """
        if not self._most or self._count <= self._most:
            return
        half = self._count - self._most // 2
        offsets = self._entries[4, :half] & _OFFSET_MASK
        stay = offsets >= np.uint64(below)
        going = int(stay.argmax()) if stay.any() else half
        if going < self._most // 4:  # too few to be worth seating the rest anew
            return
        e = self._entries[:, :going]
        gone = Keys(e[0], e[1], e[2], e[3], e[4])
        self._its_past().add(gone.hashes(self._salt), newest_ms)
        self._count -= going
        self._entries = self._entries[:, going : going + self._count].copy()
        self._seat(_slots_for(self._count))

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

    def _write(self, base: int, keys: Keys) -> None:
        end = base + len(keys)
        columns = (keys.event_hi, keys.event_lo, keys.person, keys.content, keys.origin)
        for row, column in enumerate(columns):
            self._entries[row, base:end] = column

    def _make_room(self, more: int) -> None:
        needed = self._count + more
        if needed > self._entries.shape[1]:
            room = max(needed, self._entries.shape[1] * 3 // 2)
            entries = np.zeros((5, room), np.uint64)
            entries[:, : self._count] = self._entries[:, : self._count]
            self._entries = entries
        if needed > _MOST_FULL * len(self._slots):
            self._seat(_slots_for(needed))

    def _seat(self, size: int) -> None:
        """All keys anew in so many slots."""
        self._slots = np.full(size, _EMPTY, np.int32)
        e = self._entries[:, : self._count]
        known = Keys(e[0], e[1], e[2], e[3], e[4])
        at = (known.hashes(self._salt) & np.uint64(size - 1)).astype(np.int64)
        pending = np.arange(self._count)
        while len(pending):  # all keys differ: only free slots matter
            free = pending[self._slots[at[pending]] == _EMPTY]
            self._slots[at[free]] = free
            pending = pending[self._slots[at[pending]] != pending]
            at[pending] = (at[pending] + 1) & (size - 1)


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
        self._tables = [Table(salt, -(-ids // TABLES), past // TABLES) for _ in range(TABLES)]
        self._lock = threading.Lock()
        self.salt = salt
        self._horizon_ms = horizon_ms
        self._newest_ms = 0
        self._last: tuple[Keys, Sorted] | None = None
        self.written = 0

    def __len__(self) -> int:
        return sum(len(table) for table in self._tables)

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return sum(table.nbytes for table in self._tables)

    @property
    def horizon_ms(self) -> int:
        """Keys scanned before this (ms since 1970, UTC) are not all known here."""
        return max(self._horizon_ms, *(table.horizon_ms for table in self._tables))

    def unsure(self, keys: Keys, scanned_ms: I64) -> Mask:
        """Which rows may have come before without `add` knowing."""
        with self._lock:
            result: Mask = scanned_ms < self.horizon_ms
            by_table = self._sorted(keys)
            for number, table in enumerate(self._tables):
                rows, _, hashes = by_table.part(number)
                result[by_table.order[rows]] |= table.in_past(hashes)
        return result

    def add(self, keys: Keys, scanned_ms: I64) -> tuple[Mask, U64, U64]:
        """As `Table.add`, each key in the table that is its own."""
        n = len(keys)
        self._newest_ms = max(self._newest_ms, int(scanned_ms.max(initial=0)))
        new, origin, content = np.zeros(n, bool), np.zeros(n, np.uint64), np.zeros(n, np.uint64)
        with self._lock:
            by_table = self._sorted(keys)
            self._last = None
            for number, table in enumerate(self._tables):
                rows, some, hashes = by_table.part(number)
                if len(some):
                    to = by_table.order[rows]
                    new[to], origin[to], content[to] = table.add(some, hashes)
                    table.spill(self.written, self._newest_ms)
        return new, origin, content

    def has_room_for(self, more: int) -> bool:
        """Whether so many may be remembered, as far as can be told without their keys."""
        with self._lock:
            return all(table.takes_older(more // TABLES) for table in self._tables)

    def remember(self, keys: Keys, begin_ms: int) -> bool:
        """Know of these that they came: all that were scanned from `begin_ms` to the horizon.

        False, and nothing is done, where they are more than there is room for.
        """
        with self._lock:
            by_table = Sorted.of(keys, self.salt)
            parts = [(t, by_table.part(number)[2]) for number, t in enumerate(self._tables)]
            if not all(table.takes_older(len(hashes)) for table, hashes in parts):
                return False
            for table, hashes in parts:
                table.remember(hashes, self._horizon_ms)
            self._horizon_ms = begin_ms
        return True

    def _sorted(self, keys: Keys) -> Sorted:
        """Sorted once for the question and the entry that follows it."""
        if self._last is None or self._last[0] is not keys:
            self._last = keys, Sorted.of(keys, self.salt)
        return self._last[1]
