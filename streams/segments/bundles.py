"""What is in memory, put together, so that a trace searches little of it.

What came is held as it came, part by part: a part's file takes the place of its own rows and of no
others. To search each of them would take a trace a quarter of its time. So they are searched in
bundles, which have the rows once more; one of which something is no more is undone, and what is
left of it put together anew.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import chain
from typing import Final, NamedTuple

from tracer.segment import Segment, joined

_MOST: Final = 12  # of a week that are searched
_TINY: Final = 20_000  # rows: there is no reason to wait with so few
_LARGE: Final = 1_000_000  # rows of one that others are added to: meanwhile each takes 230 bytes


class Bundle(NamedTuple):
    """A segment with the rows of these."""

    whole: Segment
    of: frozenset[Segment]


class Bundles:
    """One thread puts together; any may ask meanwhile."""

    def __init__(self) -> None:
        self._bundles: Sequence[Bundle] = ()

    def over(self, segments: Iterable[Segment]) -> list[Segment]:
        """Fewer, with the rows of these."""
        return [one.whole for one in _bundles_of(self._bundles, segments)]

    def whole(self, segments: Collection[Segment]) -> Segment:
        """One of all of these, which are of one week."""
        those = frozenset(segments)
        there = next((one.whole for one in self._bundles if one.of == those), None)
        return joined(list(segments)) if there is None else there

    def instead(self, old: Collection[Segment], new: Segment) -> None:
        """From now on one is held for these."""
        gone = frozenset(old)
        self._bundles = [
            Bundle(one.whole, one.of - gone | {new}) if gone <= one.of else one
            for one in self._bundles
        ]

    def gathered(self, segments: Iterable[Segment]) -> bool:
        """Put some of these together; whether there was reason to. Nobody waits for it."""
        bundles = _bundles_of(self._bundles, segments)
        some = _to_be_one(bundles)
        if some:
            whole = joined([one.whole for one in some])
            of = frozenset(chain.from_iterable(one.of for one in some))
            bundles = [*(one for one in bundles if one not in some), Bundle(whole, of)]
        self._bundles = [one for one in bundles if len(one.of) > 1]
        return bool(some)


def _bundles_of(bundles: Iterable[Bundle], segments: Iterable[Segment]) -> list[Bundle]:
    """Those that are whole, and each that is in none of them."""
    left = set(segments)
    whole = [one for one in bundles if one.of <= left]
    left.difference_update(*(one.of for one in whole))
    return [*whole, *(Bundle(one, frozenset([one])) for one in left)]


def _to_be_one(bundles: Iterable[Bundle]) -> list[Bundle]:
    """The smallest of a week that has many: two, and while the next is no larger than those are
    together, so that a row is put together anew a few times only."""
    weeks = defaultdict(list)
    for one in bundles:
        weeks[one.whole.partition].append(one)
    for week in weeks.values():
        week.sort(key=lambda one: len(one.whole))
        rows = sum(len(one.whole) for one in week[:2])
        if len(week) > _MOST or (len(week) > 1 and rows <= _TINY):
            some = week[:2]
            for one in week[2:]:
                if len(one.whole) > rows or len(one.whole) + rows > _LARGE:
                    break
                some.append(one)
                rows += len(one.whole)
            return some
    return []
