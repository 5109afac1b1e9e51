"""Places of which something else is said than before, and which open cases that concerns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from tracer.columns import I64, NONE, first_to_last, rows_in


@dataclass(frozen=True)
class Changed:
    """`place`, rising; of each, in what time stays may be others than before, from `begin` to `end`
    (milliseconds since 1970 UTC, both included)."""

    place: I64
    begin: I64
    end: I64

    def __len__(self) -> int:
        return len(self.place)

    def concerns(self, visited: npt.NDArray[np.int64]) -> bool:
        """Whether somebody's visits, (n, 3): place, begin, end, are at one of them then."""
        place, begin, end = visited.T
        row = rows_in(self.place, place)
        there = row != NONE
        row = row[there]
        return bool(((self.begin[row] <= end[there]) & (begin[there] <= self.end[row])).any())


_NONE: Final = Changed(*(np.empty(0, np.int64) for _ in range(3)))


def changed(place: npt.NDArray[np.integer], begin: I64, end: I64) -> Changed:
    """Each place once, from the first to the last of its times."""
    # of one type with what is looked up in it, which else were copied for each
    return Changed(*first_to_last(place.astype(np.int64), begin, end))


def together(some: Sequence[Changed]) -> Changed:
    """All of them."""
    columns = zip(*((c.place, c.begin, c.end) for c in (_NONE, *some)), strict=True)
    return changed(*map(np.concatenate, columns))
