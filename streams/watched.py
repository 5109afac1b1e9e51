"""What a worker knows of an open case: where and when it was, who was near, whose it is."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np

from streams.columns import I64, U64
from streams.near import NOBODY
from streams.windows import PlaceWindow, table_of
from tracer.identity import Same, every_id

NOWHERE: Final = np.empty((0, 3), np.int64)


@dataclass(frozen=True)
class Watched:
    """An open case with its place-windows. `person`: None of place-time points alone. `visited`:
    (n, 3), a place and from when to when (ms) other facts about it may make another stay there.

    `near`: persons who were at its places about then; `around`: between which times (ms, both
    included) a scan of theirs anywhere may change their stay there. `far`: persons who came so
    long before that only a scan out there would say that they were still there. `same`: whose
    another id is, the case's or a contact's. `excluded`: who is no contact whatever scans say, by
    every id: no alert names them.
    """

    case: str
    version: int
    person: int | None
    windows: tuple[PlaceWindow, ...]
    near: U64 = field(default_factory=lambda: NOBODY)
    around: tuple[int, int] = (0, 0)
    far: U64 = field(default_factory=lambda: NOBODY)
    same: Same = field(default_factory=dict)
    excluded: frozenset[int] = frozenset()
    visited: I64 = field(default_factory=lambda: NOWHERE)

    @cached_property
    def ids(self) -> frozenset[int]:
        """All ids of its person."""
        return frozenset(() if self.person is None else every_id([self.person], self.same))

    @cached_property
    def nobody(self) -> frozenset[int]:
        """All ids of whom no alert is about."""
        return self.ids | frozenset(every_id(self.excluded, self.same))

    def whole(self, persons: U64) -> U64:
        """These, and every other id of theirs."""
        if not self.same:
            return persons
        return np.array(every_id(persons.tolist(), self.same), np.uint64)

    @cached_property
    def table(self) -> I64:
        """Its windows, see `windows.table_of`."""
        return table_of(self.windows)
