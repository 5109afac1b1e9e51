"""The core against the slow oracle, on thousands of tiny cities with many ties."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.cases import Case, CaseStatus
from schemas.ids import person_text
from tests.property import oracle
from tests.unit.test_contacts import FakeEngine
from tracer.documents import to_documents, to_json
from tracer.fetch import trace_from
from tracer.frames import ANSWERS, PLACES, SCANS, TRIPS
from tracer.ground import Ground, GroundByNeed, ground_of
from tracer.parameters import Parameters, load_parameters
from tracer.queries import Scans
from tracer.ruleset import RuleSet, load_rule_sets
from tracer.stays import stays
from tracer.trace import TraceResult, trace, trace_chunks

DEFAULTS = load_parameters()
RULES = next(r for r in load_rule_sets() if r.id == "vn-2021-12-29")
BEGIN = int(datetime(2021, 11, 28, 15, tzinfo=UTC).timestamp() * 1000)  # 22:00 local
PERSONS, PLACE_IDS = (1, 2, 2**64 - 1), (10, 11, 12)
# Steps of a coarse grid: with the parameters below, ties and exact limits are frequent.
STEP = 15 * 60_000
NEAR = 60_000
RIDES = (0, STEP, 8 * STEP, 70 * STEP)

times = st.builds(
    lambda step, near: BEGIN + step * STEP + near * NEAR,
    st.integers(0, 110),
    st.sampled_from([0, 0, 0, 1, 2, 3]),
)
directions = st.sampled_from(["in", "in", "out", "pass"])
raw_scan = st.tuples(
    st.sampled_from(PERSONS),
    st.sampled_from((*PLACE_IDS, 10, 99)),
    times,
    directions,
    st.sampled_from([None, None, "t1", "t2"]),
    st.integers(0, 1),
)


@st.composite
def cities(draw: st.DrawFn) -> oracle.City:
    raw = draw(st.lists(raw_scan, max_size=14))
    offsets = draw(st.permutations(range(len(raw))))
    scans = [
        oracle.Scan(
            person, place, t, direction, partition, offsets[i], trip,
        )
        for i, (person, place, t, direction, trip, partition) in enumerate(raw)
    ]  # fmt: skip
    places = {
        place: oracle.Place(
            place,
            draw(st.sampled_from(["office", "hospital", "supermarket"])),
            draw(st.booleans()),
            draw(st.booleans()),
            draw(st.sampled_from([False, False, True])),
            draw(st.sampled_from([None, 0, 6 * 60, 17 * 60 + 15, 23 * 60])),
            draw(st.sampled_from([None, 30, 45, 90, 600])),
            draw(st.sampled_from([None, None, *PLACE_IDS])),
            draw(st.sampled_from([None, 0, 6 * 60])),
            draw(st.sampled_from([None, "health", "education"])),
        )
        for place in PLACE_IDS
    }
    took = st.sampled_from(RIDES)
    trip = st.tuples(st.sampled_from((*PLACE_IDS, 99)), st.sampled_from(["t1", "t2"]), times, took)
    answer = st.builds(
        oracle.Answer, st.sampled_from(PERSONS), st.sampled_from(PLACE_IDS), times, times
    )
    longest = draw(st.sampled_from([120, 240, 960]))
    parameters = Parameters.model_validate(
        DEFAULTS.model_dump()
        | {
            "max_stay_minutes": longest,
            "max_long_stay_minutes": draw(st.sampled_from([None, 960, 1500])),
            "cap_minutes": draw(st.sampled_from([30, 60, 120])),
            "within_usual": draw(st.sampled_from([1.0, 1.5, 1.3])),
            "double_tap_seconds": draw(st.sampled_from([0, 60, 120])),
        }
    )
    return oracle.City(
        scans,
        places,
        draw(st.lists(trip, max_size=6)),
        draw(st.lists(answer, max_size=3)),
        parameters,
    )


def at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms // 1000, UTC) + timedelta(milliseconds=ms % 1000)


def scans_frame(city: oracle.City) -> pl.DataFrame:
    rows = [
        (s.person, s.place, at(s.t), s.direction, s.partition, s.offset, s.trip) for s in city.scans
    ]
    return pl.DataFrame(rows, schema=dict(SCANS), orient="row")


def frames_of(city: oracle.City) -> tuple[pl.DataFrame, pl.DataFrame]:
    places = [
        (
            p.id,
            p.id,
            p.kind,
            p.sector,
            p.enclosed,
            p.small,
            p.gate,
            p.opens,
            p.closes,
            p.usual,
            p.within,
        )
        for p in city.places.values()
    ]
    trips = [(place, trip, at(t - took), at(t)) for place, trip, t, took in city.arrivals]
    return (
        pl.DataFrame(places, schema=dict(PLACES), orient="row"),
        pl.DataFrame(trips, schema=dict(TRIPS), orient="row"),
    )


def by_need(city: oracle.City) -> GroundByNeed:
    """The same ground, of which a trace reads what it comes to; nothing twice."""
    places, trips = frames_of(city)
    seen: set[int] = set()

    def read(wanted: list[int]) -> tuple[pl.DataFrame, pl.DataFrame]:
        assert wanted
        assert not seen & set(wanted)
        there = set(wanted)
        while inside := {p.id for p in city.places.values() if p.within in there} - there:
            there |= inside
        seen.update(there)
        known = pl.col("place").is_in(pl.Series(sorted(there), dtype=pl.UInt32).implode())
        return places.filter(known), trips.filter(known)

    return GroundByNeed(city.parameters, read)


def ground_and_answers(city: oracle.City) -> tuple[Ground, pl.DataFrame]:
    answers = [(a.person, a.place, at(a.start), at(a.end)) for a in city.answers]
    return ground_of(*frames_of(city), city.parameters), pl.DataFrame(
        answers, schema=dict(ANSWERS), orient="row"
    )


def ms(moment: datetime) -> int:
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))


def evidence(scan: oracle.Scan | None) -> tuple[int | None, int | None]:
    return (None, None) if scan is None else (scan.partition, scan.offset)


def stay_tuple(stay: oracle.Stay, parameters: Parameters) -> tuple[Any, ...]:
    return (
        at(stay.start),
        at(stay.end),
        stay.started,
        stay.ended,
        stay.confidence(parameters),
        *evidence(stay.opening),
        *evidence(stay.closing),
    )


def crowd(seed: int, persons: int) -> oracle.City:
    """Many people, each with a handful of scans on the grid: thousands of cases in one call."""
    r = Random(seed)

    def moment() -> int:
        return BEGIN + r.randrange(110) * STEP + r.choice([0, 0, 0, 1, 2, 3]) * NEAR

    names = r.sample(range(1, 2**63), persons)
    scans: list[oracle.Scan] = []
    for person in names:
        pool = r.sample([*PLACE_IDS, 99], r.randint(1, 4))
        for _ in range(r.randint(1, 12)):
            direction = r.choice(["in", "in", "out", "pass"])
            trip = r.choice([None, None, "t1", "t2"])
            offset = len(scans) * 7919 % 65_521  # unique, in no order of time
            partition = r.randrange(2)
            scan = oracle.Scan(person, r.choice(pool), moment(), direction, partition, offset, trip)
            scans.append(scan)
            if r.random() < 0.05:  # the same, by another partition
                scans.append(replace(scan, partition=1 - partition, offset=offset + 65_521))
    places = {
        place: oracle.Place(
            place,
            r.choice(["office", "hospital", "office", "hotel"]),
            r.random() < 0.7,
            r.random() < 0.5,
            r.random() < 0.2,
            r.choice([None, 0, 6 * 60, 17 * 60 + 15, 23 * 60]),
            r.choice([None, 30, 45, 90, 600]),
            r.choice([None, None, *PLACE_IDS]),
            r.choice([None, 0, 6 * 60]),
            "health" if place % 2 else "home_affairs",
        )
        for place in PLACE_IDS
    }
    parameters = DEFAULTS.model_dump() | {
        "max_stay_minutes": r.choice([120, 240, 960]),
        "max_long_stay_minutes": r.choice([None, 960, 1500]),
        "cap_minutes": r.choice([30, 60, 120]),
        "within_usual": r.choice([1.0, 1.5, 1.3]),
        "double_tap_seconds": r.choice([0, 60, 120]),
    }
    return oracle.City(
        scans,
        places,
        [
            (r.choice(PLACE_IDS), r.choice(["t1", "t2"]), moment(), r.choice(RIDES))
            for _ in range(r.choice([4, 12]))
        ],
        [answer for _ in range(persons // 2) for answer in two_answers(r, names, moment)],
        Parameters.model_validate(parameters),
    )


def two_answers(
    r: Random, names: list[int], moment: Callable[[], int]
) -> tuple[oracle.Answer, oracle.Answer]:
    """The same question answered twice, now and then from the same moment on."""
    person, place, start = r.choice(names), r.choice(PLACE_IDS), BEGIN + r.randrange(20) * STEP
    again = start if r.random() < 0.5 else moment()
    return (
        oracle.Answer(person, place, start, moment()),
        oracle.Answer(person, place, again, moment()),
    )


def check_stays(city: oracle.City, order: Random) -> None:
    ground, answers = ground_and_answers(city)
    shuffled = list(city.scans)
    order.shuffle(shuffled)
    scans = scans_frame(oracle.City(shuffled, {}, [], [], city.parameters))
    found = stays(scans, ground, answers)
    assert found.rows() == [
        (s.person, s.place, *stay_tuple(s, city.parameters)) for s in oracle.stays(city)
    ]


@pytest.mark.parametrize("seed", range(30))
def test_stays_of_a_crowd_are_the_oracles(seed: int) -> None:
    check_stays(crowd(seed, 150), Random(seed))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(cities(), st.randoms(use_true_random=False))
def test_stays_are_the_oracles(city: oracle.City, random: Random) -> None:
    check_stays(city, random)


@pytest.mark.parametrize("seed", range(30))
def test_contacts_in_a_crowd_are_the_oracles(seed: int) -> None:
    city = crowd(1000 + seed, 40)
    for person in sorted({scan.person for scan in city.scans})[:3]:
        check_trace(city, person, 29, BEGIN + 90 * STEP, BEGIN + 80 * STEP)


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(cities(), st.sampled_from(PERSONS), st.sampled_from([29, 30]), times, times)
def test_exposures_and_contacts_are_the_oracles(
    city: oracle.City, person: int, onset: int, isolated: int, now: int
) -> None:
    check_trace(city, person, onset, isolated, now)


def traced(city: oracle.City, case: Case, now: datetime) -> TraceResult:
    ground, answers = ground_and_answers(city)
    scans = scans_frame(city)
    return trace(case, scans, ground, RULES, now, answers)


def check_trace(city: oracle.City, person: int, onset: int, isolated: int, now: int) -> None:
    case = a_case(person, date(2021, 11, onset) + timedelta(days=1), at(isolated))
    result = traced(city, case, at(now))
    assert result.window.start == datetime(2021, 11, onset - 2, 17, tzinfo=UTC)
    window = ms(result.window.start), max(ms(result.window.start), min(isolated, now))
    assert window[1] == ms(result.window.end)
    assert result.exposures["weighted"].is_null().all()
    assert result.contacts["category"].is_null().all()
    expected = oracle.exposures(city, person, window, RULES, now)
    assert result.exposures.drop("band", "weighted", "case_person").rows() == [
        (
            e.person, e.place, at(e.start), at(e.end), e.minutes, e.tier, e.clauses,
            e.questions, e.confidence,
            *stay_tuple(e.case_stay, city.parameters), *stay_tuple(e.their_stay, city.parameters),
        )
        for e in expected
    ]  # fmt: skip
    assert result.contacts.drop("band", "weighted", "category").rows() == [
        (
            c.person, c.tier, c.tier != "same_time_only", c.minutes, c.exposures, at(c.last),
            c.confidence, in_order(c.clauses, RULES), in_order(c.questions, RULES),
        )
        for c in oracle.contacts(expected)
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_what_the_queries_fetch_is_enough(seed: int) -> None:
    city = crowd(2000 + seed, 80)
    city = replace(city, answers=[])
    ground, _ = ground_and_answers(city)
    scans = scans_frame(city)
    met = ["person", "place", "start", "end", "minutes", "tier", "clauses", "questions"]
    for person in sorted({scan.person for scan in city.scans})[:3]:
        case, now = a_case(person, date(2021, 11, 30), at(BEGIN + 70 * STEP)), at(BEGIN + 99 * STEP)
        rest = (ground, RULES, now)
        everything = trace(case, scans, *rest).exposures
        fetched = trace_from(Scans(FakeEngine(scans)), case, *rest).exposures
        assert fetched.select(met).equals(everything.select(met))
        needed = trace_from(Scans(FakeEngine(scans)), case, by_need(city), RULES, now)
        assert needed.exposures.equals(fetched)
        if city.parameters.max_stay_minutes == 960:
            assert fetched.equals(everything)


def ten_days(seed: int) -> oracle.City:
    """Short places and long ones; the case, the lowest number, is always somewhere, and everybody
    else comes twice, as far apart as what is read around one meeting goes."""
    r = Random(seed)
    ids = range(10, 14)
    places = {
        place: oracle.Place(
            place, "office", True, r.random() < 0.5, False, None, r.choice([30, 1440])
        )
        for place in ids
    }
    scans: list[oracle.Scan] = []

    def visit(person: int, begin: int, steps: int) -> None:
        place = r.choice(ids)
        for direction, t in (("in", begin), ("out", begin + steps * STEP)):
            scans.append(oracle.Scan(person, place, t, direction, 0, len(scans), None))

    case, *others = sorted(r.sample(range(1, 2**63), 200))
    for step in range(0, 960, 16):
        visit(case, BEGIN + step * STEP, r.randrange(1, 16))
    for person in others:
        begin = BEGIN + r.randrange(900) * STEP
        visit(person, begin, r.choice([1, 2, 4]))
        visit(person, begin + r.randrange(24, 44) * STEP, r.choice([1, 2, 4]))
    changed = {"max_stay_minutes": 240, "max_long_stay_minutes": 1500, "cap_minutes": 120}
    parameters = Parameters.model_validate(DEFAULTS.model_dump() | changed)
    return oracle.City(scans, places, [], [], parameters)


@pytest.mark.parametrize("seed", range(12))
def test_what_is_read_around_one_meeting_is_judged_at_no_other(seed: int) -> None:
    city = ten_days(seed)
    ground, _ = ground_and_answers(city)
    scans = scans_frame(city)
    case = a_case(min(scan.person for scan in city.scans), date(2021, 12, 2), None)
    now = at(BEGIN + 960 * STEP)
    everything = trace(case, scans, ground, RULES, now).exposures
    fetched = trace_from(Scans(FakeEngine(scans)), case, ground, RULES, now).exposures
    assert everything.height > 20
    assert fetched.equals(everything)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(cities(), st.sampled_from(PERSONS))
def test_parts_and_row_order_change_no_byte(city: oracle.City, person: int) -> None:
    case, now = a_case(person, date(2021, 11, 30), None), at(BEGIN + 200 * STEP)
    ground, answers = ground_and_answers(city)
    whole = scans_frame(city)
    rest = (ground, RULES, now, answers)
    parts = [whole.filter(person=p).reverse() for p in PERSONS if p != person]
    one = trace(case, whole, *rest)
    many = trace_chunks(case, whole.filter(person=person), parts, *rest)
    assert to_json(to_documents(one)) == to_json(to_documents(many))
    needed = trace(case, whole, by_need(city), RULES, now, answers)
    assert to_json(to_documents(one)) == to_json(to_documents(needed)), "places read by need"


def a_case(person: int, onset: date, isolated_at: datetime | None) -> Case:
    return Case(
        id="c1",
        status=CaseStatus.CONFIRMED,
        person=person_text(person),
        onset=onset,
        isolated_at=isolated_at,
        ward="w",
        registered_at=datetime(2022, 1, 1, tzinfo=UTC),
        registered_by="o",
    )


def in_order(ids: set[str], rules: RuleSet) -> list[str]:
    order = [clause.id for clause in rules.clauses] + [q.id for q in rules.questions]
    return sorted(ids, key=order.index)
