"""Persons of whom something is known for an open case: which of a batch's scans are theirs.

Who was near it is one such list; who came long before it another.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from streams.columns import I64, U64, Mask
from streams.matches import Sieve, matches

NOBODY: Final[U64] = np.zeros(0, np.uint64)
_TIMES: Final = 16
_NOBODYS: Final = -1
Around = tuple[int, int]


class Near:
    """By case (a number), the persons and the times between which a scan of theirs matters (ms,
    included).

    Cases open and close, and persons are added, while scans flow, and none of it may sort all: so
    persons are kept in a few sorted parts, each many times as large as the next, and every look
    goes through all parts. A person's entry has the number of the list it is of; a list that is
    another's or nobody's any more loses its number at once and its entries when their part is
    sorted anew. Not thread-safe.
    """

    def __init__(self) -> None:
        self._lists: dict[int, _List] = {}
        self._around = np.zeros((64, 2), np.int64)  # by case
        self._case_of = np.zeros(64, np.int64)  # by list
        self._next = 0
        self._parts: list[_Entries] = []
        self._gone = 0  # entries of lists that are no more
        self._sieve = Sieve(NOBODY)

    def __len__(self) -> int:
        """How many entries it keeps, one for each person and case; some of lists that are gone."""
        return sum(map(len, self._parts))

    def put(self, case: int, persons: U64, around: Around) -> None:
        """The persons of a case, in place of those it had. Who was added of late stays: their
        scans may be younger than what was read to find these."""
        before = self._lists.get(case, _NO_LIST)
        known, late = persons.astype(np.uint64), np.concatenate([NOBODY, *before.added])
        its = _List(self._next, np.unique(known), [np.setdiff1d(late, known)])
        self._next += 1
        self.drop(case)
        self._lists[case] = its
        self._around = _at_least(self._around, case)
        self._case_of = _at_least(self._case_of, its.number)
        self._around[case], self._case_of[its.number] = around, case
        whole = its.persons()
        self._enter(_Entries(whole, np.full(len(whole), its.number)))

    def of(self, case: int) -> U64:
        """The persons of a case, rising."""
        return self._lists.get(case, _NO_LIST).persons()

    def add(self, case: I64, person: U64) -> None:
        """More persons, each to the case beside that was put before."""
        new = ~self._has(case, person)
        if not new.any():
            return
        pairs = np.unique(np.stack([person[new], case[new].astype(np.uint64)], axis=1), axis=0)
        some, whose = pairs[:, 0].copy(), pairs[:, 1].astype(np.int64)
        number = np.zeros(len(some), np.int64)
        for one in np.unique(whose).tolist():
            theirs = whose == one
            self._lists[one].added.append(some[theirs])
            number[theirs] = self._lists[one].number
        self._enter(_Entries(some, number))

    def drop(self, case: int) -> None:
        """Nobody is near it any more."""
        its = self._lists.pop(case, None)
        if its is None:
            return
        self._case_of[its.number] = _NOBODYS
        self._gone += len(its)
        if 2 * self._gone > len(self):
            self._join(len(self._parts))
            self._sift()

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

    def _found(self, person: U64) -> Iterator[tuple[I64, I64]]:
        """(row, case) of each person and each case they are near."""
        maybe = self._sieve.rows(person)
        if not len(maybe):
            return
        for entries in self._parts:
            for rows, found in matches(entries.person, person[maybe]):
                case = self._case_of[entries.list[found]]
                those = case != _NOBODYS
                yield maybe[rows[those]], case[those]

    def _enter(self, entries: "_Entries") -> None:
        if not len(entries):
            return
        self._parts.append(entries)
        while len(self._parts) > 1 and len(self._parts[-2]) < _TIMES * len(self._parts[-1]):
            self._join(2)
        self._sieve.add(entries.person)
        if self._sieve.full:
            self._sift()

    def _join(self, last: int) -> None:
        """The last parts to one, without the entries of lists that are gone."""
        some = self._parts[-last:]
        person = np.concatenate([part.person for part in some])
        number = np.concatenate([part.list for part in some])
        there = self._case_of[number] != _NOBODYS
        self._gone -= int(len(there) - there.sum())
        person, number = person[there], number[there]
        order = np.argsort(person, kind="stable")  # of sorted parts: they are merged
        self._parts[-last:] = [_Entries(person[order], number[order])] if len(order) else []

    def _sift(self) -> None:
        self._sieve = Sieve(np.concatenate([NOBODY, *(part.person for part in self._parts)]))


@dataclass(frozen=True)
class _List:
    """The persons of a case: who was put, rising, and who was added since, nobody twice."""

    number: int
    known: U64
    added: list[U64]

    def __len__(self) -> int:
        return sum(map(len, (self.known, *self.added)))

    def persons(self) -> U64:
        """All, rising."""
        return np.sort(np.concatenate([self.known, *self.added]))


_NO_LIST: Final = _List(_NOBODYS, NOBODY, [])


@dataclass(frozen=True)
class _Entries:
    """Persons, rising, each with the number of a list."""

    person: U64
    list: I64

    def __len__(self) -> int:
        return len(self.person)


def _at_least(column: I64, row: int) -> I64:
    """The column, or a longer one that has such a row."""
    while row >= len(column):
        column = np.concatenate([column, np.zeros_like(column)])
    return column
