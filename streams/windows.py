"""Place-windows of open cases: which of a batch's scans may matter to one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from streams.columns import I64, Mask
from streams.matches import matches

U32 = npt.NDArray[np.uint32]

_MOST_PLACES: Final = 1 << 22  # a city has some hundred thousand; of more, several share bounds
_NEVER: Final = np.iinfo(np.int64).max


@dataclass(frozen=True)
class PlaceWindow:
    """A place and an interval of an open case, ms since 1970 UTC, the end excluded.

    `before`: ms by which somebody may have entered sooner and still be there; `after`: by which
    a scan out may come later of somebody whose entry nobody scanned; `longest`: by which somebody
    may have entered sooner if a scan out says that they were there so long.
    """

    place: int
    begin: int
    end: int
    before: int = 0
    after: int = 0
    longest: int = 0


def table_of(windows: Iterable[PlaceWindow]) -> I64:
    """(n, 6): place, begin, end; with `before` and `after`, from when and until when; and from when
    with a scan out."""
    return np.array([_row(window) for window in windows], np.int64).reshape(-1, 6)


def _row(w: PlaceWindow) -> tuple[int, ...]:
    first = w.begin - max(w.before, w.longest)
    return w.place, w.begin, w.end, w.begin - w.before, w.end + w.after, first


class Windows:
    """All windows, rising by place; `case`: whose each is, a number.

    Nearly all scans are at places that are watched, and later than anything that matters there:
    these are told from the others by one look at their place.
    """

    def __init__(self, tables: Iterable[tuple[int, I64]]) -> None:
        tables = list(tables)
        rows = np.concatenate([table_of(()), *(table for _, table in tables)])
        case = np.repeat([number for number, _ in tables], [len(table) for _, table in tables])
        order = np.lexsort((rows[:, 1], rows[:, 0]))
        place, self.begin, self.end, self.early, self.late, self.first = rows[order].T
        self.case: I64 = case.astype(np.int64)[order]
        self._place: U32 = place.astype(np.uint32)
        self._by_out = self.first < self.early
        of_case = _at(self.case, self._place)
        self._by_case = np.argsort(of_case, kind="stable")
        self._of_case = of_case[self._by_case]
        # by a place's low bits: from when to until when a scan there can matter
        size = min(1 << int(place.max(initial=0)).bit_length(), _MOST_PLACES)
        self._bits = np.uint32(size - 1)
        self._from, self._until = np.full(size, _NEVER), np.full(size, -_NEVER)
        np.minimum.at(self._from, self._place & self._bits, self.first)
        np.maximum.at(self._until, self._place & self._bits, self.late)

    def gone_by(self, window: I64, at: I64) -> Mask:
        """Of each window, whether somebody who came then is there at its beginning only if a scan
        out says so; never where that does not count."""
        reach = self.late[window] - self.end[window]
        result: Mask = self._by_out[window] & (at + reach <= self.begin[window])
        return result

    def reached(self, case: I64, place: U32, at: I64) -> Mask:
        """Of each case, whether a scan out at the place, then, may say of somebody who came long
        before a window that they were still there."""
        found = np.zeros(len(case), bool)
        for rows, nth in matches(self._of_case, _at(case, place)):
            begin, first = (some[self._by_case[nth]] for some in (self.begin, self.first))
            those = (begin < at[rows]) & (at[rows] < 2 * begin - first)
            found[rows[those & self._by_out[self._by_case[nth]]]] = True
        return found

    def around(self, place: U32, at: I64) -> Iterator[tuple[I64, I64]]:
        """(scan, window) of scans at the window's place between `first` and `late`, included."""
        here = place & self._bits
        near = np.flatnonzero((self._from[here] <= at) & (at <= self._until[here]))
        for rows, windows in matches(self._place, place[near]):
            scans = near[rows]
            timely = (self.first[windows] <= at[scans]) & (at[scans] <= self.late[windows])
            yield scans[timely], windows[timely]


def _at(case: I64, place: U32) -> I64:
    return (case << 32) | place
