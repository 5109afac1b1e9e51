"""From a case to the scans its trace needs, and to its trace: the core with its queries.

How far to look follows from the rules of `tracer.stays`: an interval is at most as long as the
longest at its place, so what touches a moment begins at most that long before it, and its end
is known from scans at most that long after its beginning. Twice that long on both sides, so
that a `pass` inside a stay is recognised as one and stays show where they begin and end.
Exposures are those of a trace over all scans; only the far end of a stay that several
intervals carry on beyond that margin, and its confidence, may be another.

That holds but for chains longer than the margin, which begin with a scan that is not read. Of
passes less than a stay apart every other one may open (rule 6), and which ones depends on the
first: days of nothing but passes, where a usual stay is long, may give other exposures. And a
warning of a stay that began before the margin is rounded from another moment.
"""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from schemas.cases import Case
from schemas.ids import person_bits
from tracer.answered import NO_VISITS
from tracer.carried import carried
from tracer.clocks import slow_clocks
from tracer.columns import milliseconds
from tracer.companions import Companions, companions_of
from tracer.documents import Document
from tracer.frames import NO_ANSWERS, NO_SCANS, stacked
from tracer.ground import Grounds
from tracer.identity import Same, as_one, every_id, ids_of, same_of
from tracer.meetings import around, could_meet, could_still_meet, margin_of, meetings, spans_of
from tracer.older import NOTHING, with_older
from tracer.parts import parts_that_count
from tracer.queries import Scans
from tracer.ruleset import RuleSet, Text
from tracer.second import First, Second, first_stays, second_contacts
from tracer.sought import NOBODY, Sought, sought, together
from tracer.stated import answers_of, bits_of, stays_of_case
from tracer.stays import stays
from tracer.tiers import TIER_OF, called
from tracer.trace import TraceResult, at_least_one, trace_chunks
from tracer.versions import Version
from tracer.visited import visited
from tracer.window import window_of
from tracer.window_notes import BEFORE_RETENTION


@dataclass(frozen=True)
class Fetched:
    """The case's own scans and the parts of its stays that count; the candidates, and when scans of
    theirs decide whether they met it; these scans, part by part, on demand; what is to be said of
    the clocks at its places; who came with companions."""

    itinerary: pl.DataFrame
    case_stays: pl.DataFrame
    wanted: Sought
    chunks: Iterator[pl.DataFrame]
    clocks: tuple[Text, ...] = ()
    companions: Companions = field(default_factory=dict)

    def scans(self) -> pl.DataFrame:
        """Everything as one frame. Only for few candidates; it uses up `chunks`."""
        return pl.concat([self.itinerary, *self.chunks])


@dataclass(frozen=True)
class ToWatch:
    """`windows`: place, from, to; by how much sooner somebody may have come, by how much later have
    gone out who is added by it, and by how much sooner have come who is added by a scan out (ms).
    `near`: persons (64 bits, rising) who could have met the case; `far`: who came so long before
    it that only a scan out would say that they were still there; `around`: when a scan of theirs
    may end a stay. `visited`: of the function of that name.

    That about scans out is so only of places where whoever was there is called."""

    windows: list[tuple[int, int, int, int, int, int]]
    near: list[int]
    far: list[int]
    around: tuple[int, int]
    visited: npt.NDArray[np.int64]


def fetch(
    scans: Scans,
    case: Case,
    ground: Grounds,
    rule_set: RuleSet,
    now: datetime,
    older: pl.DataFrame = NOTHING.case,
) -> Fetched:
    """The scans that decide who met the case: its own, and those of everyone at its places.

    `older`: stays of the case whose scans are gone. Raises what the client raises.
    """
    own = scans.counted(_itinerary(scans, case, ground, rule_set, now))
    case_stays = _counting(own, case, ground, rule_set, now, older)
    if case_stays.is_empty():
        return Fetched(own, case_stays, NOBODY, iter(()))
    met = meetings(case_stays, ground)
    there = list(_there(scans, met, details=True))
    wanted = _candidates(there, case, met)
    chunks = _of(scans, wanted, same_of(case), ground, met)
    seen = stacked(there or [NO_VISITS])
    beside = companions_of(as_one(seen, same_of(case)))
    return Fetched(own, case_stays, wanted, chunks, slow_clocks(seen), beside)


def to_watch(
    scans: Scans, case: Case, ground: Grounds, rule_set: RuleSet, now: datetime
) -> ToWatch:
    """Where and when new scans may change the case's trace, and of whom any scan may. Where it is
    now, until it would go by the rules of stays: whoever comes meets it there.

    Raises what the client raises.
    """
    everything = _itinerary(scans, case, ground, rule_set, now)
    been = visited(everything, case, ground)
    ahead = timedelta(milliseconds=ground.longest)
    case_stays = _counting(scans.counted(everything), case, ground, rule_set, now, ahead=ahead)
    met = meetings(case_stays, ground)
    if met.is_empty():
        return ToWatch([], [], [], (0, 0), been)
    same = same_of(case)
    there = list(_there(scans, met))
    present = _candidates(there, case, met).person.tolist()
    close = _close(met, ground)
    counted = met.filter(close)
    far = [could_still_meet(as_one(lot, same), counted).tolist() for lot in there]
    others = set(itertools.chain(*far)) - {bits_of(case)}
    by_out = pl.when(close).then("longest").otherwise(0).alias("by_out")
    windows = met.select("place", "from", "to", "near", "reach", by_out).rows()
    near, far_ids = every_id(present, same), every_id(others, same)
    return ToWatch(windows, near, far_ids, around(met, "longest"), been)


def second_from(
    scans: Scans,
    case: Document,
    firsts: list[First],
    ground: Grounds,
    rule_set: RuleSet,
    now: datetime,
    same: Same | None = None,
    answers: pl.DataFrame | None = None,
    apart: Iterable[int] = (),
) -> Second:
    """The F2s of these F1s on what ClickHouse holds; see `second_contacts`.

    `same`: of `identity.same_of`; `answers`: of `stated.answers_of`, what the stays of the trace
    that found the F1s were told; `apart`: the F1s who are not followed, nobody's F2 either (64
    bits). Each F2 is read around their own meetings, as the contacts of a trace are. Raises what
    the client raises.
    """
    same = same or {}
    answers = NO_ANSWERS if answers is None else answers
    margin = margin_of(ground.longest, ground.parameters)
    until = milliseconds(now) + margin
    followed = [sought([f.person], milliseconds(f.since) - margin, until) for f in firsts]
    theirs = _whole(scans, together(followed), same)
    found = stacked(at_least_one(theirs))
    counted = first_stays(firsts, stays(found, ground, answers), now)
    own = {first.person for first in firsts} | set(apart)
    own |= {person_bits(p)} if (p := case["person"]) else set()
    chunks: Iterator[pl.DataFrame] = iter(())
    wanted = NOBODY
    met = meetings(counted, ground)
    # nobody is named whom only a gate or an open place brings near
    close = _close(met, ground)
    if close.any():
        near = _near(scans, met, close, same)
        wanted = together([near, _answered(answers, met)]).without(own)
        chunks = _of(scans, wanted, same, ground, met)
    return second_contacts(case, firsts, counted, chunks, ground, rule_set, answers, wanted, now)


def trace_from(
    scans: Scans,
    case: Case,
    ground: Grounds,
    rule_set: RuleSet,
    now: datetime,
    earlier: Iterable[Version] = (),
) -> TraceResult:
    """The trace of `case` on what ClickHouse holds; memory is bounded by a part of its scans.

    `earlier`: its runs, the newest first, of which those stays count whose scans are gone. Raises
    what `trace` and the client raise.
    """
    older = carried(earlier, scans.retained_from, case)
    fetched = fetch(scans, case, ground, rule_set, now, older.case)
    result = trace_chunks(
        case, fetched.itinerary, fetched.chunks, ground, rule_set, now,
        case_stays=fetched.case_stays, older=older, wanted=fetched.wanted,
    )  # fmt: skip
    notes = [*result.notes, *fetched.clocks]
    if scans.retained_from is not None and result.window.start < scans.retained_from:
        notes.append(BEFORE_RETENTION)
    beside = {**older.companions, **fetched.companions}
    return replace(result, notes=tuple(notes), companions=beside, revoked=scans.revoked)


def _itinerary(
    scans: Scans, case: Case, ground: Grounds, rule_set: RuleSet, now: datetime
) -> pl.DataFrame:
    """The case's scans around its window, those, too, that do not count."""
    if case.person is None:
        return NO_SCANS
    window = window_of(case, rule_set, now)
    margin = margin_of(ground.longest, ground.parameters)
    begin, end = milliseconds(window.start) - margin, milliseconds(window.end) + margin
    ids = [case.person, *(entry.person for entry in case.same if entry.of == case.person)]
    every = [scans.itinerary(one, begin, end) for one in ids]
    return as_one(stacked(every), same_of(case))


def _counting(
    own: pl.DataFrame,
    case: Case,
    ground: Grounds,
    rule_set: RuleSet,
    now: datetime,
    older: pl.DataFrame = NOTHING.case,
    ahead: timedelta = timedelta(0),
) -> pl.DataFrame:
    """The parts that count of the case's stays, of these scans of its own and of what is stated."""
    case_stays = with_older(stays_of_case(case, own, ground, answers_of(case)), older)
    return parts_that_count(case_stays, case, rule_set, now, ahead)


def _close(met: pl.DataFrame, ground: Grounds) -> pl.Series:
    """Which meetings are at places where whoever was there is called."""
    return called(ground.at(met["place"]).of(met["place"], *TIER_OF))


def _candidates(there: Iterable[pl.DataFrame], case: Case, met: pl.DataFrame) -> Sought:
    """The persons who could have met the case, and when their scans decide it."""
    own = bits_of(case)
    found = together([_present(there, met, same_of(case)), _answered(answers_of(case), met)])
    return found.without([] if own is None else [own])


def _answered(answers: pl.DataFrame, met: pl.DataFrame) -> Sought:
    """Who said how long they stayed may have stayed longer than any rule would say."""
    return sought(answers["person"].to_list(), *around(met, "margin"))


def _near(scans: Scans, met: pl.DataFrame, close: pl.Series, same: Same) -> Sought:
    """Who could meet one of the meetings that are `close`, and when any meeting at all: whoever was
    near counts with what they shared anywhere."""
    here, elsewhere = met.filter(close), met.filter(~close)
    near = _present(_there(scans, here), here, same)
    ids = np.array(every_id(near.person.tolist(), same), np.uint64)
    spans = spans_of(elsewhere) if len(ids) else []
    theirs = scans.at(spans, details=False, persons=ids)
    return together([near, _present(theirs, elsewhere, same)])


def _present(there: Iterable[pl.DataFrame], met: pl.DataFrame, same: Same) -> Sought:
    """Who could meet one of these meetings, and when; a lot that is still to come is read while
    the one before is looked at."""
    return together([could_meet(as_one(lot, same), met) for lot in there])


def _of(
    scans: Scans, persons: Sought, same: Same, ground: Grounds, met: pl.DataFrame
) -> Iterator[pl.DataFrame]:
    """The scans that decide when these persons were at the meetings, part by part.

    Trips are read if a meeting is on one, or around one: no other stay's end is told by them.
    """
    trips = bool(ground.at(met["place"]).of(met["place"], "ridden")["ridden"].any())
    return _whole(scans, persons, same, trips=trips)


def _whole(
    scans: Scans, persons: Sought, same: Same, *, trips: bool = True
) -> Iterator[pl.DataFrame]:
    """All scans of these persons, part by part, the first of which is asked for at once; who has
    several ids is whole in one part."""
    _, joined = ids_of(persons.person.tolist(), same)
    if not joined:
        return scans.of(persons, trips=trips)
    theirs = sought(joined, int(persons.start.min()), int(persons.end.max()))
    others = scans.of(persons.without(joined), trips=trips)
    later = (scans.of(some, persons_per_part=len(joined), trips=trips) for some in [theirs])
    return itertools.chain(others, (as_one(part, same) for parts in later for part in parts))


def _there(scans: Scans, met: pl.DataFrame, *, details: bool = False) -> Iterator[pl.DataFrame]:
    """Everybody's scans at the places and hours of the meetings, in lots; a meeting is whole in
    one, and so is what decides who could meet it."""
    return scans.at(spans_of(met), details=details)
