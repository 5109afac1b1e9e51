"""The first pass: which venues there are, from when to when, and what cannot be used."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from console.importer.rows import CheckIn, Refused

_EXAMPLES: Final = 3
_TOLD_EVERY: Final = 5_000


@dataclass
class Venue:
    """What the first row that says so says of a place."""

    enclosed: bool | None = None
    small: bool | None = None


@dataclass
class Survey:
    """What a pass has seen. Grows with the venues and the reasons, not with the rows."""

    rows: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[Refused]] = field(default_factory=dict)
    venues: dict[str, Venue] = field(default_factory=dict)
    earliest_ms: int | None = None
    latest_ms: int | None = None

    @property
    def good(self) -> int:
        """Rows that can be published."""
        return self.rows - self.refused.total()

    def take(self, row: CheckIn | Refused) -> None:
        """One more row."""
        self.rows += 1
        if isinstance(row, Refused):
            self.refused[row.reason.value] += 1
            shown = self.examples.setdefault(row.reason.value, [])
            if len(shown) < _EXAMPLES:
                shown.append(row)
            return
        venue = self.venues.get(row.place)
        if venue is None:
            venue = self.venues[row.place] = Venue()
        if venue.enclosed is None:
            venue.enclosed = row.enclosed
        if venue.small is None:
            venue.small = row.small
        if self.latest_ms is None or row.time_ms > self.latest_ms:
            self.latest_ms = row.time_ms
        if self.earliest_ms is None or row.time_ms < self.earliest_ms:
            self.earliest_ms = row.time_ms


def survey_of(rows: Iterable[CheckIn | Refused], on_progress: Callable[[], None]) -> Survey:
    """The whole file, once."""
    survey = Survey()
    for row in rows:
        survey.take(row)
        if survey.rows % _TOLD_EVERY == 0:
            on_progress()
    return survey
