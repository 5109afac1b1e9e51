"""Persons whose scans a trace needs, each in a time of their own.

A candidate met the case on a day or two: what they scanned a week away decides nothing. The table
is partitioned by week, and to look a person up in a week costs the same whether they scanned there
or not, so each is looked for only in the weeks that their time touches.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np

from tracer.columns import I64, NONE, U64, Mask, first_to_last, rows_in

_DAY_MS: Final = 86_400_000
_MOST_WEEKS: Final = 100


@dataclass(frozen=True)
class Sought:
    """`person`, 64 bits, rising; of each, scans in [`start`, `end`], milliseconds UTC."""

    person: U64
    start: I64
    end: I64

    def __len__(self) -> int:
        return len(self.person)

    def part(self, begin: int, until: int) -> "Sought":
        """Persons `begin` to `until`."""
        return Sought(self.person[begin:until], self.start[begin:until], self.end[begin:until])

    def since(self, earliest: int) -> "Sought":
        """The same, nothing of it before `earliest`."""
        return Sought(self.person, np.maximum(self.start, earliest), self.end)

    def without(self, persons: Iterable[int]) -> "Sought":
        """All but these."""
        kept = ~np.isin(self.person, np.array(list(persons), np.uint64))
        return Sought(self.person[kept], self.start[kept], self.end[kept])

    def has(self, person: U64, t: I64) -> Mask:
        """Which scans of these persons (milliseconds UTC) are in their times."""
        row = np.searchsorted(self.person, person)
        found: Mask = (self.start[row] <= t) & (t <= self.end[row])
        return found

    def covers(self, person: U64, start: I64, end: I64) -> Mask:
        """Of each of these persons and times (milliseconds UTC), whether all of that time is in
        theirs; not of somebody who is not sought."""
        row = rows_in(self.person, person)
        found: Mask = (row != NONE) & (self.start[row] <= start) & (end <= self.end[row])
        return found

    def weeks(self) -> "list[Week] | None":
        """All weeks that these times touch; none if there are more than anybody keeps."""
        if not len(self):
            return []
        first, last = int(_week(self.start).min()), int(_week(self.end).max())
        return [Week(n) for n in range(first, last + 1)] if last - first < _MOST_WEEKS else None

    def of_week(self, week: "Week") -> U64:
        """The persons whose times touch it."""
        return self.person[(_week(self.start) <= week.number) & (week.number <= _week(self.end))]


@dataclass(frozen=True)
class Week:
    """A partition of `scans`: `toMonday(scanned_at)`, in UTC. `number` 0 has 1970-01-01."""

    number: int

    @property
    def partition_id(self) -> str:
        """As `system.parts` has it."""
        # 1970-01-01 was a Thursday
        return f"{date(1970, 1, 1) + timedelta(days=7 * self.number - 3):%Y%m%d}"

    @property
    def begin(self) -> int:
        """Its first millisecond since 1970 UTC."""
        return (7 * self.number - 3) * _DAY_MS

    @property
    def end(self) -> int:
        """Its last."""
        return Week(self.number + 1).begin - 1


def sought(persons: Sequence[int] | U64, start: int, end: int) -> Sought:
    """All of these, each once, in the same time."""
    person = np.unique(np.asarray(persons, np.uint64))
    return Sought(person, np.full(len(person), start), np.full(len(person), end))


NOBODY: Final = sought([], 0, 0)


def together(some: Sequence[Sought]) -> Sought:
    """All that is in any of them; who is in several, from the first to the last of their times."""
    some = [NOBODY, *some]
    columns = zip(*((one.person, one.start, one.end) for one in some), strict=True)
    return Sought(*first_to_last(*map(np.concatenate, columns)))


def _week(t: I64) -> I64:
    week: I64 = (t // _DAY_MS + 3) // 7
    return week
