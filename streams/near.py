"""Persons who were near an open case: which of a batch's scans are theirs.

Each has times of their own: a scan a week after somebody met the case changes nothing of that.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from streams.columns import I64, U64, Mask
from streams.matches import Sieve, matches
from tracer.sought import Sought, sought, together

NOBODY: Final = sought([], 0, 0)
_TIMES: Final = 16


class Near:
    """By case (a number), persons and when a scan of theirs matters.

    Who is added while scans flow is kept apart, in a few sorted parts each many times as large as
    the next: every look goes through all parts, and to add some must not sort all. Not thread-safe.
    """

    def __init__(self) -> None:
        self._known: dict[int, Sought] = {}
        self._of_known: _Entries | None = None  # made when it is first asked for
        self._added: list[_Entries] = []
        self._sieve = Sieve(NOBODY.person)

    def put(self, case: int, near: Sought) -> None:
        """The persons of a case, in place of those it had. Who was added of late stays: their
        scans may be younger than what was read to find these."""
        self._known[case] = near
        self._of_known = None

    def of(self, case: int) -> Sought:
        """The persons of a case."""
        return together([self._known.get(case, NOBODY), *(e.of(case) for e in self._added)])

    def add(self, case: I64, near: Sought) -> None:
        """More persons, each to the case beside; one may be there several times."""
        new = ~self._has(case, near)
        if not new.any():
            return
        self._added.append(_Entries.of_each(case[new], _only(near, new)))
        while len(self._added) > 1 and len(self._added[-2]) < _TIMES * len(self._added[-1]):
            self._added[-2:] = [_Entries.joined(self._added[-2:])]
        self._sieve.add(near.person[new])
        if self._sieve.full:
            self._of_known = None

    def drop(self, case: int) -> None:
        """Nobody is near it any more."""
        self._known.pop(case, None)
        self._added = [e for e in (e.without(case) for e in self._added) if len(e)]
        self._of_known = None

    def touched(self, person: U64, at: I64) -> set[int]:
        """The cases near which one of these persons was, if the scan's time matters to it."""
        cases: set[int] = set()
        for entries, rows, found in self._found(person):
            matters = entries.near.start[found] <= at[rows]
            matters &= at[rows] <= entries.near.end[found]
            cases.update(np.unique(entries.case[found[matters]]).tolist())
        return cases

    def _has(self, case: I64, near: Sought) -> Mask:
        has = np.zeros(len(case), bool)
        for entries, rows, found in self._found(near.person):
            same = entries.case[found] == case[rows]
            same &= entries.near.start[found] <= near.start[rows]
            same &= near.end[rows] <= entries.near.end[found]
            has[rows[same]] = True
        return has

    def _found(self, person: U64) -> "Iterable[tuple[_Entries, I64, I64]]":
        if self._of_known is None:
            self._of_known = _Entries.joined(
                [NOT_ONE, *(_Entries.of_one(c, near) for c, near in self._known.items())]
            )
            parts = [self._of_known, *self._added]
            self._sieve = Sieve(np.concatenate([part.near.person for part in parts]))
        maybe = self._sieve.rows(person)
        for entries in (self._of_known, *self._added) if len(maybe) else ():
            for rows, found in matches(entries.near.person, person[maybe]):
                yield entries, maybe[rows], found


@dataclass(frozen=True)
class _Entries:
    """Persons, rising, one perhaps several times; of each the case and the times."""

    case: I64
    near: Sought

    @classmethod
    def of_one(cls, case: int, near: Sought) -> "_Entries":
        return cls(np.full(len(near), case, np.int64), near)

    @classmethod
    def of_each(cls, case: I64, near: Sought) -> "_Entries":
        order = np.argsort(near.person, kind="stable")
        return cls(case[order], _only(near, order))

    @classmethod
    def joined(cls, some: "Iterable[_Entries]") -> "_Entries":
        columns = [(e.case, e.near.person, e.near.start, e.near.end) for e in some]
        case, person, start, end = (np.concatenate(parts) for parts in zip(*columns, strict=True))
        return cls.of_each(case, Sought(person, start, end))

    def __len__(self) -> int:
        return len(self.case)

    def of(self, case: int) -> Sought:
        return _only(self.near, self.case == case)

    def without(self, case: int) -> "_Entries":
        kept = self.case != case
        return _Entries(self.case[kept], _only(self.near, kept))


def _only(near: Sought, rows: Mask | I64) -> Sought:
    return Sought(near.person[rows], near.start[rows], near.end[rows])


NOT_ONE: Final = _Entries.of_one(0, NOBODY)
