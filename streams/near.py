"""Persons of whom something is known for an open case: which of a batch's scans are theirs.

Who was near it is one such list; who came long before it another.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from streams.columns import I64, U64, Mask
from streams.matches import Sieve, matches

NOBODY: Final[U64] = np.zeros(0, np.uint64)
_TIMES: Final = 16
Around = tuple[int, int]


class Near:
    """By case (a number), the persons and the times between which a scan of theirs matters (ms,
    included).

    Who is added while scans flow is kept apart, in a few sorted parts each many times as large as
    the next: every look goes through all parts, and to add some must not sort all. Not thread-safe.
    """

    def __init__(self) -> None:
        self._known: dict[int, U64] = {}
        self._around = np.zeros((64, 2), np.int64)  # by case
        self._of_known: _Entries | None = None  # made when it is first asked for
        self._added: list[_Entries] = []
        self._sieve = Sieve(NOBODY)

    def put(self, case: int, persons: U64, around: Around) -> None:
        """The persons of a case, in place of those it had. Who was added of late stays: their
        scans may be younger than what was read to find these."""
        while case >= len(self._around):
            self._around = np.concatenate([self._around, np.zeros_like(self._around)])
        self._around[case] = around
        self._known[case] = known = np.unique(persons.astype(np.uint64))
        self._keep(lambda added: (added.case != case) | ~np.isin(added.person, known))
        self._of_known = None

    def of(self, case: int) -> U64:
        """The persons of a case."""
        added = [entries.person[entries.case == case] for entries in self._added]
        return np.unique(np.concatenate([self._known.get(case, NOBODY), *added]))

    def add(self, case: I64, person: U64) -> None:
        """More persons, each to the case beside that was put before."""
        new = ~self._has(case, person)
        if not new.any():
            return
        pairs = np.unique(np.stack([person[new], case[new].astype(np.uint64)], axis=1), axis=0)
        self._added.append(_Entries(pairs[:, 0].copy(), pairs[:, 1].astype(np.int64)))
        while len(self._added) > 1 and len(self._added[-2]) < _TIMES * len(self._added[-1]):
            self._added[-2:] = [_Entries.joined(self._added[-2:])]
        self._sieve.add(pairs[:, 0])
        if self._sieve.full:
            self._of_known = None

    def drop(self, case: int) -> None:
        """Nobody is near it any more."""
        self._known.pop(case, None)
        self._keep(lambda added: added.case != case)
        self._of_known = None

    def touched(self, person: U64, at: I64) -> set[int]:
        """The cases near which one of these persons was, if the scan's time matters to it."""
        return {
            number for _, case in self.timely(person, at) for number in np.unique(case).tolist()
        }

    def timely(self, person: U64, at: I64) -> Iterator[tuple[I64, I64]]:
        """(row, case) of each person and each case they are near, if the scan's time matters."""
        for rows, case in self._found(person):
            since, until = self._around[case].T
            those = (since <= at[rows]) & (at[rows] <= until)
            yield rows[those], case[those]

    def _has(self, case: I64, person: U64) -> Mask:
        has = np.zeros(len(case), bool)
        for rows, theirs in self._found(person):
            has[rows[case[rows] == theirs]] = True
        return has

    def _keep(self, wanted: Callable[["_Entries"], Mask]) -> None:
        kept = (entries.only(wanted(entries)) for entries in self._added)
        self._added = [entries for entries in kept if len(entries)]

    def _found(self, person: U64) -> Iterator[tuple[I64, I64]]:
        """(row, case) of each person and each case they are near."""
        if self._of_known is None:
            known = (_Entries(p, np.full(len(p), c, np.int64)) for c, p in self._known.items())
            self._of_known = _Entries.joined([_NOT_ONE, *known])
            parts = [self._of_known, *self._added]
            self._sieve = Sieve(np.concatenate([part.person for part in parts]))
        maybe = self._sieve.rows(person)
        if not len(maybe):
            return
        for entries in (self._of_known, *self._added):
            for rows, found in matches(entries.person, person[maybe]):
                yield maybe[rows], entries.case[found]


@dataclass(frozen=True)
class _Entries:
    """Persons, rising, each with a case."""

    person: U64
    case: I64

    @classmethod
    def joined(cls, some: "Iterable[_Entries]") -> "_Entries":
        columns = [(entries.person, entries.case) for entries in some]
        person, case = (np.concatenate(parts) for parts in zip(*columns, strict=True))
        order = np.argsort(person, kind="stable")  # of sorted parts: they are merged
        return cls(person[order], case[order])

    def __len__(self) -> int:
        return len(self.person)

    def only(self, rows: Mask) -> "_Entries":
        return _Entries(self.person[rows], self.case[rows])


_NOT_ONE: Final = _Entries(NOBODY, np.zeros(0, np.int64))
