"""Persons who were near an open case: which of a batch's scans are theirs."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from streams.columns import I64, U64

NOBODY: Final[U64] = np.zeros(0, np.uint64)
_SIEVE: Final = np.uint64((1 << 20) - 1)
_FRESH_MOST: Final = 2_000
Around = tuple[int, int]


class Near:
    """By case, the persons and the times between which a scan of theirs matters (ms, included).

    Who is added while scans flow is kept apart while there are few, so that the sorted whole is
    not made anew for each. Not thread-safe.
    """

    def __init__(self) -> None:
        self._known: dict[str, U64] = {}
        self._fresh: dict[str, set[int]] = {}
        self._around: dict[str, Around] = {}
        self._of_known: _Index | None = None
        self._of_fresh: _Index | None = None

    def put(self, case: str, persons: U64, around: Around) -> None:
        """The persons of a case, in place of those it had. Who was added of late stays: their
        scans may be younger than what was read to find these."""
        self._known[case] = np.unique(persons.astype(np.uint64))
        self._around[case] = around
        self._of_known = self._of_fresh = None

    def of(self, case: str) -> list[int]:
        """The persons of a case."""
        return [*self._known[case].tolist(), *self._fresh.get(case, ())]

    def add(self, case: str, persons: U64) -> None:
        """More persons of a case."""
        known = self._known[case]
        new = persons[~np.isin(persons, known)] if len(known) else persons
        fresh = self._fresh.setdefault(case, set())
        before = len(fresh)
        fresh.update(new.tolist())
        if len(fresh) > before:
            self._of_fresh = None
        if len(fresh) > _FRESH_MOST:
            self.put(case, np.union1d(known, _array(self._fresh.pop(case))), self._around[case])

    def drop(self, case: str) -> None:
        """Nobody is near it any more."""
        self._known.pop(case)
        self._fresh.pop(case, None)
        del self._around[case]
        self._of_known = self._of_fresh = None

    def touched(self, person: U64, at: I64) -> set[str]:
        """The cases near which one of these persons was, if the scan's time matters to it."""
        if self._of_known is None:
            self._of_known = _Index(self._known, self._around)
        if self._of_fresh is None:
            fresh = {case: _array(persons) for case, persons in self._fresh.items()}
            self._of_fresh = _Index(fresh, self._around)
        return self._of_known.touched(person, at) | self._of_fresh.touched(person, at)


class _Index:
    """Persons of all cases, sorted; most of a batch's scans are told from them by a few bits."""

    def __init__(self, persons: Mapping[str, U64], around: Mapping[str, Around]) -> None:
        self._cases = sorted(persons)
        parts = [persons[case] for case in self._cases]
        every = np.concatenate([NOBODY, *parts])
        owners = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        order = np.argsort(every, kind="stable")
        self._persons, self._owners = every[order], owners[order]
        times = np.array([around[case] for case in self._cases], np.int64).reshape(-1, 2)
        self._from, self._until = times.T
        self._sieve = np.zeros(int(_SIEVE) + 1, bool)
        self._sieve[(every & _SIEVE).astype(np.int64)] = True

    def touched(self, person: U64, at: I64) -> set[str]:
        if not len(self._persons):
            return set()
        rows = np.flatnonzero(self._sieve[(person & _SIEVE).astype(np.int64)])
        low = np.searchsorted(self._persons, person[rows], "left")
        count = np.searchsorted(self._persons, person[rows], "right") - low
        rows, low, count = rows[count > 0], low[count > 0], count[count > 0]
        entry = np.repeat(low - np.cumsum(count) + count, count) + np.arange(count.sum())
        owner, when = self._owners[entry], np.repeat(at[rows], count)
        matters = (self._from[owner] <= when) & (when <= self._until[owner])
        return {self._cases[k] for k in np.unique(owner[matters])}


def _array(persons: set[int]) -> U64:
    return np.array(sorted(persons), np.uint64)
