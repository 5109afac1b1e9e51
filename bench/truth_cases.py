"""The cases of `truyvet bench truth`, and what each method proposes for them.

truyvet's answer is `tracer.trace.trace`, whole. A baseline differs in its stays only: the parts
that count, the exposures and everything after are the same functions of the tracer.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import polars as pl

from bench.truth_city import City, Setting, answers_of, scans_of
from bench.truth_rules import BASELINES, stays_by_rule
from schemas.cases import Case, CaseStatus
from schemas.clock import LOCAL
from schemas.ids import person_bits, person_text
from schemas.places import Place
from sim.truth import true_contacts
from tracer.exposures import exposures
from tracer.ground import Ground
from tracer.parameters import Parameters
from tracer.parts import parts_that_count
from tracer.places import ground_at
from tracer.ruleset import RuleSet
from tracer.trace import trace
from tracer.window import Window, window_of

OURS: Final = "truyvet"
METHODS: Final = (OURS, *BASELINES)
ONSET_DAYS_AGO: Final = 3
QUARTER_HOUR: Final = 15.0

# What counts as a contact, in the truth and in every answer alike. The first is the table's.
MEASURES: Final[Mapping[str, tuple[str, str]]] = {
    "anyone": ("cùng điểm quét, trừ cổng", "a person at the same place and time, gates aside"),
    "quarter_hour": ("từ 15 phút tại một điểm", "fifteen minutes or more at one place"),
    "call_list": ("danh sách gọi", "on the call list: closed places only"),
    "with_gates": ("kể cả cổng", "gates too"),
    "person_and_place": ("người và điểm quét", "person and place, not person alone"),
}


@dataclass(frozen=True)
class Counts:
    """Of one case: proposed and real, proposed only, real only."""

    hit: int
    wrong: int
    missed: int

    @classmethod
    def of(cls, found: set[object], true: set[object]) -> "Counts":
        """Of two sets."""
        return cls(len(found & true), len(found - true), len(true - found))


Scores = Mapping[str, Mapping[str, Counts]]  # by method and measure


@dataclass(frozen=True)
class Scene:
    """A city as scanned in one setting."""

    city: City
    setting: Setting
    scans: pl.DataFrame
    known: Sequence[Place]
    answers: pl.DataFrame

    def ground(self, parameters: Parameters) -> Ground:
        """What traces here stand on."""
        return ground_at(self.known, parameters)


def scene_of(city: City, setting: Setting) -> Scene:
    """What the tracer is given. The city's dwell must be that of the setting."""
    known = city.registered(setting)
    return Scene(
        city,
        setting,
        scans_of(city, setting),
        known,
        answers_of(city, setting),
    )


def cases_of(city: City, count: int, rules: RuleSet) -> list[Case]:
    """People who were somewhere in their window, drawn from the city's seed."""
    probe = _case(0, city.until)
    window = window_of(probe, rules, city.until)
    inside = (pl.col("start") < window.end) & (pl.col("end") > window.start)
    somewhere = city.visits.filter(inside & ~pl.col("place").is_in(city.gates))
    people = somewhere["person"].unique().sort()
    order = np.random.default_rng([city.seed, 24]).permutation(len(people))[:count]
    return [_case(person, city.until) for person in people.gather(order).to_list()]


def _case(person: int, until: datetime) -> Case:
    return Case(
        id=f"truth-{person_text(person)}",
        status=CaseStatus.CONFIRMED,
        person=person_text(person),
        onset=until.astimezone(LOCAL).date() - timedelta(days=ONSET_DAYS_AGO),
        ward="w",
        registered_at=until,
        registered_by="bench",
    )


def bits_of(case: Case) -> int:
    """The person of one of these cases."""
    assert case.person is not None
    return person_bits(case.person)


def proposed(
    scene: Scene, cases: Sequence[Case], parameters: Parameters, rules: RuleSet
) -> Iterator[tuple[Case, Window, pl.DataFrame]]:
    """Each case with its window and truyvet's exposures."""
    ground = scene.ground(parameters)
    for case in cases:
        result = trace(case, scene.scans, ground, rules, scene.city.until, scene.answers)
        yield case, result.window, result.exposures


@dataclass(frozen=True)
class Answered:
    """A case with truyvet's exposures, and every method's counts."""

    case: Case
    exposures: pl.DataFrame
    scores: Scores


def answered(
    scene: Scene, cases: Sequence[Case], parameters: Parameters, rules: RuleSet
) -> Iterator[Answered]:
    """What every method says of each case, in order."""
    others, ground = stays_by_rule(scene.scans), scene.ground(parameters)
    for case, window, found in proposed(scene, cases, parameters, rules):
        person = bits_of(case)
        truth = true_contacts(scene.city.visits, person, window.start, window.end)
        scores = {OURS: _compared(found, truth, scene.city)}
        for name, stays in others.items():
            own = stays.filter(pl.col("person") == person)
            mine = parts_that_count(own, case, rules, scene.city.until)
            there = stays.filter(pl.col("place").is_in(mine["place"].unique().implode()))
            theirs = exposures(mine, there, ground, rules)
            scores[name] = _compared(theirs, truth, scene.city)
        yield Answered(case, found, scores)


def _compared(found: pl.DataFrame, truth: pl.DataFrame, city: City) -> dict[str, Counts]:
    together = found.group_by("person", "place").agg(pl.col("minutes").sum())
    return {
        measure: Counts.of(_contacts(together, measure, city), _contacts(truth, measure, city))
        for measure in MEASURES
    }


def _contacts(rows: pl.DataFrame, measure: str, city: City) -> set[object]:
    """Who is a contact by a measure; people, or people with the place."""
    if measure == "with_gates":
        return set(rows["person"])
    rows = rows.filter(~pl.col("place").is_in(city.gates))
    if measure == "quarter_hour":
        rows = rows.filter(pl.col("minutes") >= QUARTER_HOUR)
    elif measure == "call_list":
        rows = rows.filter(pl.col("place").is_in(city.called))
    if measure == "person_and_place":
        return set(rows.select("person", "place").rows())
    return set(rows["person"])
