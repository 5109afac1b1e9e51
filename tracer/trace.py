"""A case's answer: who may have been exposed, where, how long, by which clause, how sure.

Pure: the same case, scans, ground (places, trips, parameters), rule-set and `now` give the same
result, whatever the order of the rows.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

import numpy as np
import polars as pl

from schemas.cases import Case
from schemas.ids import person_bits
from tracer.companions import Companions
from tracer.contacts import contacts
from tracer.entry_notes import entry_notes
from tracer.exposures import exposures, ordered_by
from tracer.facts import codes_of, facts_of
from tracer.frames import NO_SCANS, SCANS, shaped, stacked
from tracer.ground import Grounds
from tracer.identity import as_one, by_person, same_of
from tracer.long_stays import long_stays
from tracer.older import NOTHING, Older, without
from tracer.parameters import Parameters
from tracer.parts import parts_that_count
from tracer.ruleset import RuleSet, Text
from tracer.sought import Sought
from tracer.stated import answers_of, bits_of, stays_of_case
from tracer.stays import stays
from tracer.struck import Revoked
from tracer.window import Window, window_of
from tracer.window_notes import window_notes


@dataclass(frozen=True)
class TraceResult:
    """What a run found, and what it used.

    `case_stays`: of the case, the parts that count (`parts_that_count`); `exposures` and
    `contacts`: see the functions of these names, without those an officer has excluded;
    `ruled_out`: the excluded who have exposures; `offsets`: the highest Kafka offset used, by
    partition; `notes`: what has to be said beside every view of the result; `companions`: who came
    with some, as far as scans say so; `ground`, `revoked`: what it stood on.
    """

    case: Case
    window: Window
    parameters: Parameters
    rule_set: RuleSet
    case_stays: pl.DataFrame
    exposures: pl.DataFrame
    contacts: pl.DataFrame
    ruled_out: list[int]
    offsets: dict[int, int]
    notes: tuple[Text, ...]
    companions: Companions = field(default_factory=dict)
    ground: Grounds | None = None
    revoked: Sequence[Revoked] = ()

    @cached_property
    def facts(self) -> dict[str, str]:
        """Of the case's places and of the codes that have struck scans, see `tracer.facts`."""
        of_places = {} if self.ground is None else facts_of(self.case_stays, self.ground)
        return of_places | codes_of(self.revoked)

    @cached_property
    def people(self) -> Case:
        """The case, with what officers entered of people by person and not by id."""
        return by_person(self.case)


def trace(
    case: Case,
    scans: pl.DataFrame,
    ground: Grounds,
    rule_set: RuleSet,
    now: datetime,
    answers: pl.DataFrame | None = None,
) -> TraceResult:
    """The trace of `case` in `scans`, which hold the case's own and everybody else's.

    Shapes: `tracer.frames`; `now` with its zone. Raises ValueError if a frame has not its shape
    or the case has neither onset nor sampling date.
    """
    scans = as_one(shaped(scans, SCANS, "scans"), same_of(case))
    bits = bits_of(case)
    mine = pl.lit(False) if bits is None else pl.col("person") == bits
    itinerary, rest = scans.filter(mine), scans.filter(~mine)
    answers = answers_of(case) if answers is None else answers
    own = stays_of_case(case, itinerary, ground, answers)
    parts = parts_that_count(own, case, rule_set, now)
    chunks = [_concerned(rest, parts)]
    result = trace_chunks(case, itinerary, chunks, ground, rule_set, now, answers, parts)
    return replace(result, offsets=_offsets(scans))


def trace_chunks(
    case: Case,
    itinerary: pl.DataFrame,
    chunks: Iterable[pl.DataFrame],
    ground: Grounds,
    rule_set: RuleSet,
    now: datetime,
    answers: pl.DataFrame | None = None,
    case_stays: pl.DataFrame | None = None,
    older: Older = NOTHING,
    wanted: Sought | None = None,
) -> TraceResult:
    """As `trace`, with the case's scans apart and the others' in parts of whole persons, all ids
    of one read as one (`identity.as_one`).

    One part is held at a time, so that memory is bounded by the largest part and the result.
    `case_stays`: the parts of these scans' stays that count, where they are known already.
    `older`: of the others, stays whose scans are gone. `wanted`: when the others' scans were read,
    see `exposures`.
    """
    window = window_of(case, rule_set, now)
    answers = answers_of(case) if answers is None else answers
    if case_stays is None:
        own = stays_of_case(case, itinerary, ground, answers)
        case_stays = parts_that_count(own, case, rule_set, now)
    notes = (  # while the others' scans are being read
        *_of_rules(rule_set),
        *window_notes(case, rule_set, window),
        *entry_notes(case, case_stays, window),
        *_of_places(case_stays, ground),
        *long_stays(itinerary, ground),
    )
    highest = [older.offsets, _offsets(itinerary)]
    found = []
    if not older.others.is_empty():
        found.append(exposures(case_stays, older.others, ground, rule_set, now=now))
    for chunk in at_least_one(chunks):
        theirs = without(stays(chunk, ground, answers), older.others)
        found.append(exposures(case_stays, theirs, ground, rule_set, wanted, now))
        highest.append(_offsets(chunk))
    every = ordered_by(stacked(found), "person", "start", "place", "end")
    left, ruled_out = _without_excluded(every, case)
    return TraceResult(
        case=case,
        window=window,
        parameters=ground.parameters,
        rule_set=rule_set,
        case_stays=case_stays,
        exposures=left,
        contacts=contacts(left, rule_set, ground.parameters),
        ruled_out=ruled_out,
        offsets=_highest(highest),
        notes=notes,
        ground=ground,
    )


def at_least_one(chunks: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The chunks, or one without scans where there is none: something to make a result of."""
    none = True
    for chunk in chunks:
        none = False
        yield chunk
    if none:
        yield NO_SCANS


def _concerned(scans: pl.DataFrame, case_stays: pl.DataFrame) -> pl.DataFrame:
    """All scans of those who have one at a place of the case: nobody else can meet it there."""
    there = scans.filter(pl.col("place").is_in(case_stays["place"].unique().implode()))
    return scans.filter(pl.col("person").is_in(there["person"].unique().implode()))


def _without_excluded(exposures: pl.DataFrame, case: Case) -> tuple[pl.DataFrame, list[int]]:
    """The exposures of all but those whom an officer has excluded; who of them has some."""
    excluded = sorted({person_bits(entry.person) for entry in by_person(case).excluded})
    if not excluded:
        return exposures, []
    out = pl.col("person").is_in(pl.Series(excluded, dtype=pl.UInt64).implode())
    return exposures.filter(~out), exposures.filter(out)["person"].unique().sort().to_list()


def _offsets(scans: pl.DataFrame) -> dict[int, int]:
    """The highest offset of each partition that these scans came by."""
    partition, offset = (scans[c].to_numpy() for c in ("kafka_partition", "kafka_offset"))
    there = np.bincount(partition)
    highest = np.zeros(len(there), np.uint64)
    np.maximum.at(highest, partition, offset)
    return {number: int(highest[number]) for number in np.flatnonzero(there).tolist()}


def _highest(offsets: Iterable[dict[int, int]]) -> dict[int, int]:
    """The highest of each partition, by partition."""
    pairs = sorted(pair for some in offsets for pair in some.items())
    return dict(pairs)  # of one partition the last, which is the highest


def _of_rules(rule_set: RuleSet) -> list[Text]:
    notes = [Text(vi=later.vi, en=later.en) for later in rule_set.known_later]
    notes += [] if rule_set.clauses or rule_set.warning else [rule_set.co_presence]
    return [*notes, *rule_set.missing]


def _of_places(case_stays: pl.DataFrame, ground: Grounds) -> list[Text]:
    unknown = ground.at(case_stays["place"]).unknown(case_stays["place"])
    if not unknown:
        return []
    listed = ", ".join(str(place) for place in unknown)
    return [
        Text(
            vi=f"Chưa có thông tin về điểm quét {listed}: xếp vào mức có mặt cùng thời điểm.",
            en=f"Nothing is known about place {listed}: ranked as there at the same time only.",
        )
    ]
