"""From a case to the scans its trace needs, and to its trace: the core with its queries.

How far to look follows from the rules of `tracer.stays`: an interval is at most
`max_stay_minutes` long, so what touches a moment begins at most that long before it, and its
end is known from scans at most that long after its beginning. Twice that long on both sides,
so that a `pass` inside a stay is recognised as one and stays show where they begin and end.
Exposures are those of a trace over all scans; only the far end of a stay that several
intervals carry on beyond that margin, and its confidence, may be another.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import polars as pl

from schemas.cases import Case
from schemas.ids import person_bits
from tracer.documents import Document
from tracer.ends import MINUTE, with_place
from tracer.frames import PLACES, SCANS, empty, shaped
from tracer.parameters import Parameters
from tracer.parts import parts_that_count
from tracer.queries import BEGINNING, Client, Span, itinerary, milliseconds, scans_at, scans_of
from tracer.ruleset import RuleSet, Text
from tracer.second import First, Second, first_stays, second_contacts
from tracer.stated import answers_of, bits_of, stays_of_case
from tracer.stays import stays
from tracer.trace import TraceResult, trace_chunks
from tracer.window import Window, window_of

_BEFORE_RETENTION: Final = Text(
    vi="Thời kỳ lây truyền bắt đầu trước khi lượt quét được lưu: phần đầu không còn dữ liệu.",
    en="The window begins before what retention keeps: its first part has no scans any more.",
)


@dataclass(frozen=True)
class Fetched:
    """The case's own scans and the parts of its stays that count; the candidates (64 bits); their
    scans, part by part, on demand."""

    itinerary: pl.DataFrame
    case_stays: pl.DataFrame
    candidates: list[int]
    chunks: Iterator[pl.DataFrame]

    def scans(self) -> pl.DataFrame:
        """Everything as one frame. Only for few candidates; it uses up `chunks`."""
        return pl.concat([self.itinerary, *self.chunks])


@dataclass(frozen=True)
class ToWatch:
    """`meetings`: place, from, to, reach, near (ms): see `_meetings`. `near`: persons (64 bits,
    rising) who could have met the case; `around`: when a scan of theirs may end a stay there."""

    meetings: pl.DataFrame
    near: list[int]
    around: tuple[int, int]


def fetch(
    client: Client,
    case: Case,
    places: pl.DataFrame,
    trips: pl.DataFrame,
    parameters: Parameters,
    rule_set: RuleSet,
    now: datetime,
    retained_from: datetime | None,
    settings: dict[str, Any] | None = None,
) -> Fetched:
    """The scans that decide who met the case: its own, and those of everyone at its places.

    Nothing scanned before `retained_from` is read (None: no retention). `settings` go to
    ClickHouse with each query. Raises what the client raises.
    """
    earliest = _earliest(retained_from)
    margin = _margin(parameters)
    own = _own_scans(client, case, window_of(case, rule_set, now), parameters, earliest, settings)
    case_stays = _counted(case, own, places, trips, parameters, rule_set, now)
    if case_stays.is_empty():
        return Fetched(own, case_stays, [], iter(()))
    meetings = _meetings(case_stays, places, trips, parameters)
    candidates = _candidates(client, case, meetings, parameters, earliest, settings)
    first = case_stays["from"].dt.timestamp("ms").to_list()
    last = case_stays["to"].dt.timestamp("ms").to_list()
    begin = max(min(first) - margin, earliest)
    chunks = scans_of(client, candidates, begin, max(last) + margin, settings)
    return Fetched(own, case_stays, candidates, chunks)


def to_watch(
    client: Client,
    case: Case,
    places: pl.DataFrame,
    trips: pl.DataFrame,
    parameters: Parameters,
    rule_set: RuleSet,
    now: datetime,
    retained_from: datetime | None,
    settings: dict[str, Any] | None = None,
) -> ToWatch:
    """Where and when new scans may change the case's trace, and of whom any scan may.

    Raises what the client raises.
    """
    earliest = _earliest(retained_from)
    own = _own_scans(client, case, window_of(case, rule_set, now), parameters, earliest, settings)
    counted = _counted(case, own, places, trips, parameters, rule_set, now)
    meetings = _meetings(counted, places, trips, parameters)
    if meetings.is_empty():
        return ToWatch(meetings, [], (0, 0))
    near = _candidates(client, case, meetings, parameters, earliest, settings)
    longest = parameters.max_stay_minutes * MINUTE
    first, last = min(meetings["from"].to_list()), max(meetings["to"].to_list())
    return ToWatch(meetings, near, (first - longest, last + longest))


def second_from(
    client: Client,
    case: Document,
    firsts: list[First],
    places: pl.DataFrame,
    trips: pl.DataFrame,
    parameters: Parameters,
    rule_set: RuleSet,
    now: datetime,
    retained_from: datetime | None,
    settings: dict[str, Any] | None = None,
) -> Second:
    """The F2s of these F1s on what ClickHouse holds; see `second_contacts`.

    Raises what the client raises.
    """
    earliest, margin = _earliest(retained_from), _margin(parameters)
    since = min((milliseconds(first.since) for first in firsts), default=0)
    begin, end = max(since - margin, earliest), milliseconds(now) + margin
    scans = list(scans_of(client, [f.person for f in firsts], begin, end, settings))
    of_firsts = stays(pl.concat([empty(SCANS), *scans]), places, trips, parameters)
    counted = first_stays(firsts, of_firsts, now)
    own = {first.person for first in firsts} | (
        {person_bits(p)} if (p := case["person"]) else set()
    )
    chunks: Iterator[pl.DataFrame] = iter(())
    if not counted.is_empty():
        meetings = _meetings(counted, places, trips, parameters)
        longest = parameters.max_stay_minutes * MINUTE
        present = _could_meet(
            scans_at(client, _spans(meetings, longest, earliest), settings), meetings
        )
        others = [person for person in present if person not in own]
        first, last = (counted[c].dt.timestamp("ms").to_list() for c in ("from", "to"))
        chunks = scans_of(
            client, others, max(min(first) - margin, earliest), max(last) + margin, settings
        )
    return second_contacts(case, firsts, counted, chunks, places, trips, parameters, rule_set)


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
    fetched = fetch(client, case, places, trips, parameters, rule_set, now, retained_from, settings)
    rest = (places, trips, parameters, rule_set, now)
    own, chunks = fetched.itinerary, fetched.chunks
    result = trace_chunks(case, own, chunks, *rest, case_stays=fetched.case_stays)
    if retained_from is not None and result.window.start < retained_from:
        return replace(result, notes=(*result.notes, _BEFORE_RETENTION))
    return result


def _earliest(retained_from: datetime | None) -> int:
    return BEGINNING if retained_from is None else milliseconds(retained_from)


def _margin(parameters: Parameters) -> int:
    return 2 * parameters.max_stay_minutes * MINUTE + parameters.double_tap_seconds * 1000


def _own_scans(
    client: Client,
    case: Case,
    window: Window,
    parameters: Parameters,
    earliest: int,
    settings: dict[str, Any] | None,
) -> pl.DataFrame:
    if case.person is None:
        return empty(SCANS)
    begin = max(milliseconds(window.start) - _margin(parameters), earliest)
    end = milliseconds(window.end) + _margin(parameters)
    return itinerary(client, case.person, begin, end, settings)


def _counted(
    case: Case,
    own: pl.DataFrame,
    places: pl.DataFrame,
    trips: pl.DataFrame,
    parameters: Parameters,
    rule_set: RuleSet,
    now: datetime,
) -> pl.DataFrame:
    """The parts of the case's stays that count, of its own scans and what was stated."""
    all_stays = stays_of_case(case, own, places, trips, parameters, answers_of(case))
    return parts_that_count(all_stays, case, rule_set, now)


def _candidates(
    client: Client,
    case: Case,
    meetings: pl.DataFrame,
    parameters: Parameters,
    earliest: int,
    settings: dict[str, Any] | None,
) -> list[int]:
    """The persons (rising) who could have met the case."""
    longest = parameters.max_stay_minutes * MINUTE
    spans = _spans(meetings, longest, earliest)
    present = _could_meet(scans_at(client, spans, settings), meetings)
    # who said how long they stayed may have stayed longer than any rule would say
    answered = answers_of(case)["person"].to_list()
    return sorted({*present, *answered} - {bits_of(case)})


def _spans(meetings: pl.DataFrame, longest: int, earliest: int) -> list[Span]:
    """Where to look for who came or went, each place and time once."""
    spans: list[Span] = []
    rows = meetings.select("place", "from", "to").sort("place", "from")
    for place, start, end in rows.iter_rows():
        begin, until = max(start - longest, earliest), end + longest
        if spans and spans[-1].place == place and begin <= spans[-1].end:
            spans[-1] = Span(place, spans[-1].start, max(spans[-1].end, until))
        else:
            spans.append(Span(place, begin, until))
    return spans


def _meetings(
    case_stays: pl.DataFrame, places: pl.DataFrame, trips: pl.DataFrame, parameters: Parameters
) -> pl.DataFrame:
    """Place, `from`, `to` and `reach` of the case's stays, in milliseconds, and `near`.

    `near`: the longest an interval there can be, unless an own scan out ends it.
    """
    longest = parameters.max_stay_minutes * MINUTE
    with_reach = with_place(case_stays, shaped(places, PLACES, "places"), parameters)
    ridden = pl.col("place").is_in(trips["place"].unique().implode())
    return with_reach.select(
        "place",
        pl.col("from").dt.timestamp("ms"),
        pl.col("to").dt.timestamp("ms"),
        "reach",
        near=pl.when(ridden).then(longest).otherwise(pl.max_horizontal("reach", "bound")),
    )


def _could_meet(scans: pl.DataFrame, meetings: pl.DataFrame) -> list[int]:
    """The persons (rising) of whom a stay can meet one of the case's.

    They opened one there `near` before or during it; or went out during it or at most `reach`
    after; or opened one before its end and went out after its beginning.
    """
    t, out = pl.col("t"), pl.col("out")
    start, end = pl.col("from"), pl.col("to")
    met = (
        scans.join(meetings.with_row_index("meeting"), on="place")
        .group_by("meeting", "person")
        .agg(
            opened_near=(~out & t.is_between(start - pl.col("near"), end)).any(),
            went_out=(out & t.is_between(start, end + pl.col("reach"))).any(),
            opened=(~out & (t <= end)).any(),
            out_later=(out & (t >= start)).any(),
        )
        .filter(
            pl.col("opened_near") | pl.col("went_out") | (pl.col("opened") & pl.col("out_later"))
        )
    )
    return met["person"].unique().sort().to_list()
