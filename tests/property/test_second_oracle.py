"""F2 the slow, obvious way: every F1's stays from their first exposure on, against everybody's."""

from collections import defaultdict
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from schemas.ids import person_bits, person_text
from tests.property import oracle
from tests.property.test_tracer_oracle import (
    BEGIN,
    STEP,
    a_case,
    at,
    by_need,
    crowd,
    ground_and_answers,
    ms,
    scans_frame,
    ten_days,
)
from tests.unit.test_contacts import FakeEngine
from tracer.documents import contact_documents
from tracer.fetch import second_from, trace_from
from tracer.queries import Scans
from tracer.ruleset import load_rule_sets
from tracer.second import MOST_DAYS, First, Met, firsts_of

F2_RULES = next(r for r in load_rule_sets() if r.id == "vn-2021-07-30")
TIERS = oracle.TIERS


def expected(
    city: oracle.City, case: int, firsts: list[First], now: int
) -> dict[int, tuple[str, float, set[int]]]:
    """person → (tier, minutes, through whom), of those who are called."""
    stays = oracle.stays(city)
    since = {first.person: ms(first.since) for first in firsts}
    met: dict[int, list[tuple[str, int, int, int]]] = defaultdict(list)
    for mine in stays:
        if mine.person not in since:
            continue
        begin = since[mine.person]
        until = min(now, begin + MOST_DAYS * 86_400_000)
        for theirs in stays:
            if theirs.person in since or theirs.person == case or theirs.place != mine.place:
                continue
            start = max(mine.start, theirs.start, begin)
            end = min(mine.end, theirs.end, until)
            if start < end:
                tier = oracle.tier_of(city, mine.place)
                met[theirs.person].append((tier, start, end, mine.person))
    found = {}
    for person, times in met.items():
        tier = min((t for t, *_ in times), key=TIERS.index)
        near = [(start, end) for t, start, end, _ in times if t != "same_time_only"]
        covered = {m for start, end in near for m in range(start, end, 1000)}
        minutes = len(covered) / 60  # all times of a crowd are whole seconds
        if tier != "same_time_only":
            found[person] = tier, minutes, {first for *_, first in times}
    return found


@pytest.mark.parametrize("seed", range(16))
def test_second_contacts_are_the_oracles(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if seed % 2:  # in many lots, and a long meeting in several questions
        monkeypatch.setattr("tracer.queries.HOURS_PER_QUERY", 9)
    city = crowd(5000 + seed, 60)
    city = replace(city, answers=[])
    ground, _ = ground_and_answers(city)
    now = BEGIN + 99 * STEP
    some = 0
    for person in sorted({scan.person for scan in city.scans})[:3]:
        case = a_case(person, date(2021, 11, 30), at(BEGIN + 70 * STEP))
        rest = (ground, F2_RULES, at(now))
        engine = Scans(FakeEngine(scans_frame(city)))
        first_run = trace_from(engine, case, *rest)
        firsts, left_out = firsts_of(contact_documents(first_run))
        assert left_out == 0
        step = {"person": case.person, "case": case.id}
        second = second_from(engine, step, firsts, *rest)
        assert second == second_from(engine, step, firsts, by_need(city), F2_RULES, at(now))
        said: dict[int, Any] = {
            person_bits(d["person"]): (
                d["tier"],
                pytest.approx(d["minutes"], abs=0.02),
                {person_bits(p) for p in d["through"]},
            )
            for d in second.contacts
        }
        assert expected(city, person, firsts, now) == said
        some += len(said)
        for document in second.contacts:
            case_step, first_place, first, place, last = document["path"]
            assert case_step == step
            assert last == {"person": document["person"]}
            assert first["person"] in document["through"]
            [followed] = [f for f in firsts if person_text(f.person) == first["person"]]
            assert first_place in [met.step for met in followed.met]
            assert first_place["start"] <= place["start"], "whom they met before is nobody's F2"
            assert place["start"] < place["end"]
    assert some or seed, "the first crowd has F2s"


@pytest.mark.parametrize("seed", range(6))
def test_who_is_read_around_one_meeting_is_a_second_contact_by_no_other(seed: int) -> None:
    city = ten_days(100 + seed)
    ground, _ = ground_and_answers(city)
    now = BEGIN + 960 * STEP
    first = First(min(scan.person for scan in city.scans), (Met(at(BEGIN), 1.0, {}),))
    engine = Scans(FakeEngine(scans_frame(city)))
    found = second_from(engine, {"person": None}, [first], ground, F2_RULES, at(now))
    said = {person_bits(d["person"]): d["minutes"] for d in found.contacts}
    minutes = {person: about[1] for person, about in expected(city, 0, [first], now).items()}
    assert said == {person: pytest.approx(value, abs=0.02) for person, value in minutes.items()}
    assert len(said) > 20
