"""What is held, and what it was asked: to say whether what has come changes an answer."""

from collections.abc import Callable, Sequence
from typing import Final

import polars as pl

from tracer.columns import U64
from tracer.hours import Span
from tracer.segments import Segments
from tracer.sought import Sought

_MOST_COMPARED: Final = 1_000_000  # rows; to look through more takes as long as to ask again


class Noted(Segments):
    """The same scans. For one who asks, from any of their threads."""

    def __init__(self, held: Segments) -> None:
        super().__init__(held.every)
        self._questions: list[Callable[[Segments], pl.DataFrame]] = []

    def scans(self, wanted: Sought, *, trips: bool = True) -> pl.DataFrame:
        """As `Segments.scans`."""
        self._questions.append(lambda some: some.scans(wanted, trips=trips))
        return super().scans(wanted, trips=trips)

    def visits(
        self, spans: Sequence[Span], *, details: bool = True, persons: U64 | None = None
    ) -> pl.DataFrame:
        """As `Segments.visits`."""
        self._questions.append(lambda some: some.visits(spans, details=details, persons=persons))
        return super().visits(spans, details=details, persons=persons)

    def as_in(self, now: Segments) -> bool:
        """Whether it is certain that everything that was asked has the same answer there: what
        came says of it what is said by what went, which mostly is nothing."""
        here, there = set(self.every), set(now.every)
        went, came = Segments(here - there), Segments(there - here)
        if len(went) + len(came) > _MOST_COMPARED:
            return False
        return here == there or all(_same(ask(went), ask(came)) for ask in self._questions)


def _same(some: pl.DataFrame, others: pl.DataFrame) -> bool:
    """The same rows, in any order."""
    if some.height != others.height:
        return False
    return some.is_empty() or _in_order(some).equals(_in_order(others))


def _in_order(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.sort(rows.columns)
