"""From a case to the scans its trace needs, and to its trace: the core with its queries.

How far to look follows from the rules of `tracer.stays`: an interval is at most
`max_stay_minutes` long, so what touches a moment begins at most that long before it, and its
end is known from scans at most that long after its beginning. Twice that long before, so that
a `pass` inside a stay is recognised as one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from schemas.cases import Case
from schemas.ids import person_bits
from tracer.ends import MINUTE, with_place
from tracer.exposures import in_window
from tracer.frames import PLACES, shaped
from tracer.parameters import Parameters
from tracer.queries import BEGINNING, Client, Span, itinerary, milliseconds, persons_at, scans_of
from tracer.ruleset import RuleSet
from tracer.stays import stays
from tracer.trace import TraceResult, trace_chunks
from tracer.window import Window, window_of


@dataclass(frozen=True)
class Fetched:
    """The case's own scans; the candidates (64 bits); their scans, part by part, on demand."""

    itinerary: pl.DataFrame
    candidates: list[int]
    chunks: Iterator[pl.DataFrame]

    def scans(self) -> pl.DataFrame:
        """Everything as one frame. Only for few candidates; it uses up `chunks`."""
        return pl.concat([self.itinerary, *self.chunks])


def fetch(
    client: Client,
    case: Case,
    window: Window,
    places: pl.DataFrame,
    trips: pl.DataFrame,
    parameters: Parameters,
    retained_from: datetime | None,
    settings: dict[str, Any] | None = None,
) -> Fetched:
    """The scans that decide who met the case: its own, and those of everyone at its places.

    Nothing scanned before `retained_from` is read (None: no retention). `settings` go to
    ClickHouse with each query. Raises what the client raises.
    """
    earliest = BEGINNING if retained_from is None else milliseconds(retained_from)
    longest = parameters.max_stay_minutes * MINUTE
    lookback = 2 * longest + parameters.double_tap_seconds * 1000

    def from_(moment: int) -> int:
        return max(moment - lookback, earliest)

    begin, end = milliseconds(window.start), milliseconds(window.end)
    own = itinerary(client, case.person, from_(begin), end + longest, settings)
    case_stays = in_window(stays(own, places, trips, parameters), window)
    if case_stays.is_empty():
        return Fetched(own, [], iter(()))
    spans = _spans(case_stays, places, parameters, earliest)
    own_person = person_bits(case.person)
    candidates = [p for p in persons_at(client, spans, settings) if p != own_person]
    first = case_stays["from"].dt.timestamp("ms").to_list()
    last = case_stays["to"].dt.timestamp("ms").to_list()
    chunks = scans_of(client, candidates, from_(min(first)), max(last) + longest, settings)
    return Fetched(own, candidates, chunks)


def trace_from(
    client: Client,
    case: Case,
    places: pl.DataFrame,
    trips: pl.DataFrame,
    parameters: Parameters,
    rule_set: RuleSet,
    now: datetime,
    retained_from: datetime | None,
    settings: dict[str, Any] | None = None,
) -> TraceResult:
    """The trace of `case` on what ClickHouse holds; memory is bounded by a part of its scans.

    Raises what `trace` and the client raise.
    """
    window = window_of(case, rule_set.window, now)
    fetched = fetch(client, case, window, places, trips, parameters, retained_from, settings)
    own, chunks = fetched.itinerary, fetched.chunks
    return trace_chunks(case, own, chunks, places, trips, parameters, rule_set, now)


def _spans(
    case_stays: pl.DataFrame, places: pl.DataFrame, parameters: Parameters, earliest: int
) -> list[Span]:
    """Where and when a scan can belong to a stay that meets the case's.

    An opening: up to the longest stay before. A scan out whose entry nobody recorded: up to
    the place's `reach` after.
    """
    longest = parameters.max_stay_minutes * MINUTE
    with_reach = with_place(case_stays, shaped(places, PLACES, "places"), parameters)
    rows = with_reach.select(
        "place",
        pl.col("from").dt.timestamp("ms") - longest,
        pl.col("to").dt.timestamp("ms") + pl.col("reach"),
    ).iter_rows()
    return [Span(place, max(start, earliest), end) for place, start, end in rows]
