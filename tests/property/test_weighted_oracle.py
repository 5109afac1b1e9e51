"""Weighted minutes in crowds against plain Python, straight from the rule of `tracer.warning`."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest

from tests.property import oracle
from tests.property.test_tracer_oracle import (
    BEGIN,
    STEP,
    a_case,
    at,
    crowd,
    ground_and_answers,
    ms,
    scans_frame,
)
from tests.unit.test_contacts import FakeEngine
from tracer.fetch import trace_from
from tracer.queries import Scans
from tracer.ruleset import load_rule_sets
from tracer.trace import trace

RULES = next(r for r in load_rule_sets() if r.id == "cwa-2021")
assert RULES.warning is not None
RULE = RULES.warning
TEN, DAY = 10 * 60_000, 86_400_000


def interval(stay: oracle.Stay) -> tuple[int, int] | None:
    """Of a stay of the case, in milliseconds; None if it is dropped."""
    length = stay.end - stay.start
    if length < TEN:
        return None
    late = stay.end + min(length, 3 * TEN)
    units = int(Fraction(late - stay.start, TEN) + Fraction(1, 2))
    first, last = stay.start // TEN, late // TEN
    if (first + 1) * TEN - stay.start >= late - last * TEN:
        return first * TEN, (first + units) * TEN
    return (last + 1 - units) * TEN, (last + 1) * TEN


def weighted(city: oracle.City, case: int, onset: date, now: int) -> dict[int, float]:
    """Of everyone who shares an interval with the case on a day that weighs: the heaviest day."""
    everyone = oracle.stays(city)
    days: dict[tuple[int, int], Fraction] = defaultdict(Fraction)
    for mine in everyone:
        warning = interval(mine) if mine.person == case else None
        if warning is None:
            continue
        for day in range(warning[0] // DAY, (warning[1] - 1) // DAY + 1):
            today = date(1970, 1, 1) + timedelta(days=day)
            level = RULE.from_onset.get((today - onset).days, 1)
            weight = Fraction(str(RULE.weights[level - 1]))
            if weight == 0 or (at(now).date() - today).days > RULE.max_age_days:
                continue
            for theirs in everyone:
                if theirs.person == case or theirs.place != mine.place:
                    continue
                start = max(warning[0], theirs.start, day * DAY)
                end = min(warning[1], theirs.end, (day + 1) * DAY)
                if start < end:
                    minutes = int(Fraction(end - start, 60_000) + Fraction(1, 2))
                    days[theirs.person, day] += minutes * weight
    heaviest: dict[int, float] = {}
    for (person, _), weight in days.items():
        heaviest[person] = max(heaviest.get(person, 0.0), float(weight))
    return heaviest


@pytest.mark.parametrize("seed", range(30))
def test_weighted_minutes_in_a_crowd_are_the_oracles(seed: int) -> None:
    city = crowd(3000 + seed, 40)
    ground, answers = ground_and_answers(city)
    now = BEGIN + (50 + 40 * (seed % 3)) * STEP * 4
    for person in sorted({scan.person for scan in city.scans})[:3]:
        onset = date(2021, 11, 30) + timedelta(days=seed % 7 - 3)
        case = a_case(person, onset, None)
        result = trace(case, scans_frame(city), ground, RULES, at(now), answers)
        found = {row["person"]: row for row in result.contacts.iter_rows(named=True)}
        expected = weighted(city, person, onset, now)
        assert found.keys() == expected.keys()
        for other, weight in expected.items():
            assert found[other]["weighted"] == pytest.approx(weight, abs=1e-6)
            category = "high" if weight >= 10 else "low" if weight > 0 else "none"
            assert found[other]["category"] == category


@pytest.mark.parametrize("seed", range(8))
def test_what_the_queries_fetch_is_enough_for_warnings(seed: int) -> None:
    city = crowd(4000 + seed, 80)
    city = replace(city, answers=[])
    ground, _ = ground_and_answers(city)
    scans = scans_frame(city)
    for person in sorted({scan.person for scan in city.scans})[:3]:
        case, now = a_case(person, date(2021, 11, 30), None), at(BEGIN + 99 * STEP)
        rest = (ground, RULES, now)
        everything = trace(case, scans, *rest).contacts
        fetched = trace_from(Scans(FakeEngine(scans)), case, *rest).contacts
        columns = ["person", "minutes", "weighted", "category"]
        assert fetched.select(columns).equals(everything.select(columns))


def test_the_crowds_have_every_category() -> None:
    seen = set()
    for seed in range(30):
        city = crowd(3000 + seed, 40)
        person = min(scan.person for scan in city.scans)
        weights = weighted(city, person, date(2021, 11, 30), ms(datetime(2021, 12, 2, tzinfo=UTC)))
        seen |= {"high" if w >= 10 else "low" if w > 0 else "none" for w in weights.values()}
    assert {"high", "low"} <= seen
