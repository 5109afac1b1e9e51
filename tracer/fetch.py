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
from typing import Final

import polars as pl

from schemas.cases import Case
from schemas.ids import person_bits
from tracer.clocks import slow_clocks
from tracer.documents import Document
from tracer.frames import SCANS, empty
from tracer.ground import MINUTE, Grounds
from tracer.hours import Span
from tracer.identity import Same, as_one, every_id, ids_of, same_of
from tracer.parameters import Parameters
from tracer.parts import parts_that_count
from tracer.queries import Scans, milliseconds
from tracer.ruleset import RuleSet, Text
from tracer.second import First, Second, first_stays, second_contacts
from tracer.stated import answers_of, bits_of, stays_of_case
from tracer.stays import stays
from tracer.tiers import TIER_OF, called
from tracer.trace import TraceResult, at_least_one, trace_chunks
from tracer.window import window_of

_BEFORE_RETENTION: Final = Text(
    vi="Thời kỳ lây truyền bắt đầu trước khi lượt quét được lưu: phần đầu không còn dữ liệu.",
    en="The window begins before what retention keeps: its first part has no scans any more.",
)


@dataclass(frozen=True)
class Fetched:
    """The case's own scans and the parts of its stays that count; the candidates (64 bits); their
    scans, part by part, on demand; what is to be said of the clocks at its places."""

    itinerary: pl.DataFrame
    case_stays: pl.DataFrame
    candidates: list[int]
    chunks: Iterator[pl.DataFrame]
    clocks: tuple[Text, ...] = ()

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


def fetch(scans: Scans, case: Case, ground: Grounds, rule_set: RuleSet, now: datetime) -> Fetched:
    """The scans that decide who met the case: its own, and those of everyone at its places.

    Raises what the client raises.
    """
    margin = _margin(ground.parameters)
    own, case_stays = _own(scans, case, ground, rule_set, now)
    if case_stays.is_empty():
        return Fetched(own, case_stays, [], iter(()))
    meetings = _meetings(case_stays, ground)
    there = _there(scans, meetings, ground.parameters)
    candidates = _candidates(there, case, meetings)
    first, last = _first_and_last(case_stays)
    chunks = _of(scans, candidates, first - margin, last + margin, same_of(case))
    return Fetched(own, case_stays, candidates, chunks, slow_clocks(there))


def to_watch(
    scans: Scans, case: Case, ground: Grounds, rule_set: RuleSet, now: datetime
) -> ToWatch:
    """Where and when new scans may change the case's trace, and of whom any scan may.

    Raises what the client raises.
    """
    _, case_stays = _own(scans, case, ground, rule_set, now)
    meetings = _meetings(case_stays, ground)
    if meetings.is_empty():
        return ToWatch(meetings, [], (0, 0))
    present = _candidates(_there(scans, meetings, ground.parameters), case, meetings)
    near = every_id(present, same_of(case))
    longest = ground.parameters.max_stay_minutes * MINUTE
    first, last = _first_and_last(case_stays)
    return ToWatch(meetings, near, (first - longest, last + longest))


def second_from(
    scans: Scans,
    case: Document,
    firsts: list[First],
    ground: Grounds,
    rule_set: RuleSet,
    now: datetime,
    same: Same | None = None,
) -> Second:
    """The F2s of these F1s on what ClickHouse holds; see `second_contacts`.

    `same`: of `identity.same_of`. Raises what the client raises.
    """
    same = same or {}
    margin = _margin(ground.parameters)
    since = min((milliseconds(first.since) for first in firsts), default=0)
    until = milliseconds(now) + margin
    theirs = _of(scans, [f.person for f in firsts], since - margin, until, same)
    found = pl.concat(at_least_one(theirs))
    counted = first_stays(firsts, stays(found, ground), now)
    own = {first.person for first in firsts} | (
        {person_bits(p)} if (p := case["person"]) else set()
    )
    chunks: Iterator[pl.DataFrame] = iter(())
    # nobody is named whom only a gate or an open place brings near
    where = counted["place"]
    near = counted.filter(ground.at(where).of(where, *TIER_OF).select(called()).to_series())
    if not near.is_empty():
        meetings = _meetings(near, ground)
        there = as_one(_there(scans, meetings, ground.parameters), same)
        present = _could_meet(there, meetings)
        others = [person for person in present if person not in own]
        first, last = _first_and_last(counted)
        chunks = _of(scans, others, first - margin, last + margin, same)
    return second_contacts(case, firsts, counted, chunks, ground, rule_set)


def trace_from(
    scans: Scans, case: Case, ground: Grounds, rule_set: RuleSet, now: datetime
) -> TraceResult:
    """The trace of `case` on what ClickHouse holds; memory is bounded by a part of its scans.

    Raises what `trace` and the client raise.
    """
    fetched = fetch(scans, case, ground, rule_set, now)
    own, chunks = fetched.itinerary, fetched.chunks
    result = trace_chunks(case, own, chunks, ground, rule_set, now, case_stays=fetched.case_stays)
    notes = [*result.notes, *fetched.clocks]
    if scans.retained_from is not None and result.window.start < scans.retained_from:
        notes.append(_BEFORE_RETENTION)
    return replace(result, notes=tuple(notes))


def _margin(parameters: Parameters) -> int:
    return 2 * parameters.max_stay_minutes * MINUTE + parameters.double_tap_seconds * 1000


def _own(
    scans: Scans, case: Case, ground: Grounds, rule_set: RuleSet, now: datetime
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The case's scans; the parts of its stays that count, of these and of what was stated."""
    own = empty(SCANS)
    if case.person is not None:
        window, margin = window_of(case, rule_set, now), _margin(ground.parameters)
        begin, end = milliseconds(window.start) - margin, milliseconds(window.end) + margin
        ids = [case.person, *(entry.person for entry in case.same if entry.of == case.person)]
        every = [scans.itinerary(one, begin, end) for one in ids]
        own = as_one(pl.concat(every), same_of(case))
    case_stays = stays_of_case(case, own, ground, answers_of(case))
    return own, parts_that_count(case_stays, case, rule_set, now)


def _first_and_last(parts: pl.DataFrame) -> tuple[int, int]:
    """When the first of these parts of stays begins and the last ends, milliseconds UTC."""
    first, last = (parts[column].dt.timestamp("ms").to_list() for column in ("from", "to"))
    return min(first), max(last)


def _candidates(there: pl.DataFrame, case: Case, meetings: pl.DataFrame) -> list[int]:
    """The persons (rising) who could have met the case."""
    present = _could_meet(as_one(there, same_of(case)), meetings)
    # who said how long they stayed may have stayed longer than any rule would say
    answered = answers_of(case)["person"].to_list()
    return sorted({*present, *answered} - {bits_of(case)})


def _of(
    scans: Scans, persons: list[int], start: int, end: int, same: Same
) -> Iterator[pl.DataFrame]:
    """All scans of these persons, part by part; who has several ids is whole in one part."""
    plain, joined = ids_of(persons, same)
    yield from scans.of(plain, start, end)
    if joined:
        parts = scans.of(joined, start, end, persons_per_part=len(joined))
        yield from (as_one(part, same) for part in parts)


def _there(scans: Scans, meetings: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """Everybody's scans at the places and hours of the meetings."""
    return scans.at(_spans(meetings, parameters.max_stay_minutes * MINUTE))


def _spans(meetings: pl.DataFrame, longest: int) -> list[Span]:
    """Where to look for who came or went, each place and time once."""
    spans: list[Span] = []
    rows = meetings.select("place", "from", "to").sort("place", "from")
    for place, start, end in rows.iter_rows():
        begin, until = start - longest, end + longest
        if spans and spans[-1].place == place and begin <= spans[-1].end:
            spans[-1] = Span(place, spans[-1].start, max(spans[-1].end, until))
        else:
            spans.append(Span(place, begin, until))
    return spans


def _meetings(case_stays: pl.DataFrame, ground: Grounds) -> pl.DataFrame:
    """Place, `from`, `to` and `reach` of the case's stays, in milliseconds, and `near`.

    `near`: the longest an interval there can be, unless an own scan out ends it.
    """
    longest = ground.parameters.max_stay_minutes * MINUTE
    here = ground.at(case_stays["place"])
    ridden = pl.col("place").is_in(here.trips["place"].unique().implode())
    return case_stays.hstack(here.of(case_stays["place"], "reach", "bound")).select(
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
