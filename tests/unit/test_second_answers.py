"""F2 agrees with the run it comes from: what people answered when asked, and who is an F1."""

from datetime import timedelta

import polars as pl
import pytest

from schemas.ids import person_bits
from tests.unit.test_contacts import (
    A_CASE,
    ALICE,
    BOB,
    CASE,
    CLINIC,
    DAY,
    GROUND,
    HALL,
    NOW,
    ROOM,
    SQUARE,
    STORE,
    FakeEngine,
    visits,
)
from tests.unit.test_stated import A, B, at, with_
from tracer.documents import contact_documents
from tracer.fetch import second_from, trace_from
from tracer.queries import Scans
from tracer.ruleset import load_rule_sets
from tracer.second import MOST_FIRST, firsts_of
from tracer.stated import answers_of

F2_RULES = next(r for r in load_rule_sets() if r.id == "vn-2021-07-30")
MET = ((CASE, ROOM, 0, 60), (ALICE, ROOM, 10, 40))


def second(*rows: tuple[int, int, float, float], **lists: object) -> dict[int, float]:
    """Minutes of each F2; nobody scans out of the hall."""
    hall_out = (pl.col("place") == HALL) & (pl.col("direction") == "out")
    scans = Scans(FakeEngine(visits(*MET, *rows).filter(~hall_out)))
    case = with_(**lists)
    firsts, _ = firsts_of(contact_documents(trace_from(scans, case, GROUND, F2_RULES, NOW)))
    origin = {"person": case.person, "case": case.id}
    found = second_from(
        scans, origin, firsts, GROUND, F2_RULES, NOW, answers=answers_of(case)
    ).contacts
    return {person_bits(contact["person"]): contact["minutes"] for contact in found}


def answer(person: str, begin: float, end: float) -> dict[str, object]:
    return {"person": person, "place": HALL, "begin": at(begin), "end": at(end)}


def test_a_first_contact_who_says_when_they_left_is_nowhere_afterwards() -> None:
    rows = (ALICE, HALL, 100, 100), (BOB, HALL, 130, 130)
    assert second(*rows) == {BOB: 210}  # four hours, where nothing is known
    assert second(*rows, answers=[answer(A, 100, 150)]) == {BOB: 20}
    assert second(*rows, answers=[answer(A, 100, 120)]) == {}


def test_who_says_they_stayed_longer_than_any_rule_would_is_found() -> None:
    rows = (ALICE, HALL, 100, 100), (BOB, HALL, -200, -200)
    assert second(*rows) == {}
    assert second(*rows, answers=[answer(B, -200, 150)]) == {BOB: 50}


def test_the_path_goes_forward_in_time() -> None:
    """She met the case for five minutes in the morning, and for an hour the next day; him between
    the two. What came after is in no path to him."""
    day = 24 * 60
    city = visits(
        (CASE, ROOM, 0, 5), (ALICE, ROOM, -200, 0), (ALICE, HALL, 400, 460), (BOB, HALL, 420, 450),
        (CASE, CLINIC, day, day + 60), (ALICE, CLINIC, day, day + 60),
    )  # fmt: skip
    # nobody scanned her out of the room, so that is less sure than the next day
    city = city.filter((pl.col("place") != ROOM) | (pl.col("direction") == "in"))
    scans, rest = Scans(FakeEngine(city)), (GROUND, F2_RULES, NOW)
    documents = contact_documents(trace_from(scans, A_CASE, *rest))
    firsts, _ = firsts_of(documents)
    [alice] = firsts
    assert [met.step["place"] for met in alice.met] == [ROOM, CLINIC]
    origin = {"person": A_CASE.person, "case": A_CASE.id}
    [bob] = second_from(scans, origin, firsts, *rest).contacts
    places = [step["place"] for step in bob["path"] if "place" in step]
    times = [step["start"] for step in bob["path"] if "start" in step]
    assert (places, times) == ([ROOM, HALL], sorted(times))
    sure = min(alice.met[0].confidence, alice.met[1].confidence)
    assert bob["confidence"] < sure * 1.0001 < alice.met[1].confidence


def test_who_was_at_a_market_with_the_case_is_followed_from_when_they_were_near() -> None:
    city = visits(
        (CASE, SQUARE, 0, 60), (ALICE, SQUARE, 0, 60), (ALICE, HALL, 100, 160),
        (BOB, HALL, 100, 160), (CASE, ROOM, 200, 260), (ALICE, ROOM, 200, 260),
    )  # fmt: skip
    scans, rest = Scans(FakeEngine(city)), (GROUND, F2_RULES, NOW)
    documents = contact_documents(trace_from(scans, A_CASE, *rest))
    firsts, _ = firsts_of(documents)
    assert [first.since for first in firsts] == [DAY + timedelta(minutes=200)]
    origin = {"person": A_CASE.person, "case": A_CASE.id}
    assert second_from(scans, origin, firsts, *rest).contacts == []


def test_more_than_are_named_are_counted_and_days_end(monkeypatch: pytest.MonkeyPatch) -> None:
    day = 24 * 60
    met = [(1_000 + n, HALL, 110, 120) for n in range(5)]
    late = [(ALICE, CLINIC, d * day, d * day + 60) for d in (13, 15)]
    late += [(2_000 + d, CLINIC, d * day, d * day + 60) for d in (13, 15)]
    city = visits(*MET, (ALICE, HALL, 100, 130), *met, *late)
    scans, rest = Scans(FakeEngine(city)), (GROUND, F2_RULES, NOW + timedelta(days=20))
    firsts, _ = firsts_of(contact_documents(trace_from(scans, A_CASE, *rest)))
    origin = {"person": A_CASE.person, "case": A_CASE.id}
    every = second_from(scans, origin, firsts, *rest)
    named = {person_bits(contact["person"]) for contact in every.contacts}
    assert named == {*range(1_000, 1_005), 2_013}, "the fifteenth day is not followed"
    monkeypatch.setattr("tracer.second.MOST_SECOND", 2)
    some = second_from(scans, origin, firsts, *rest)
    assert (some.contacts, some.left_out) == (every.contacts[:2], 4)


def test_an_f1_who_is_not_followed_is_nobodys_f2() -> None:
    """A market has more F1s than are followed, and they were all with each other."""
    met = [(1_000 + n, ROOM, 10, 40) for n in range(MOST_FIRST + 3)]
    scans = Scans(FakeEngine(visits((CASE, ROOM, 0, 20), *met, (BOB, ROOM, 30, 50))))
    rest = (GROUND, F2_RULES, NOW)
    documents = contact_documents(trace_from(scans, with_(), *rest))
    firsts, left_out = firsts_of(documents)
    assert left_out == 3
    apart = {person_bits(document["person"]) for document in documents}
    origin = {"person": A_CASE.person, "case": A_CASE.id}
    found = second_from(scans, origin, firsts, *rest, apart=apart).contacts
    assert [contact["person"] for contact in found] == [B]


def test_each_f2_is_looked_for_in_the_weeks_in_which_they_met(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And counts with what they shared anywhere, also where nobody is called for having been; the
    minutes are of where one is."""
    monkeypatch.setattr("tracer.queries._FEW_PERSONS", 0)  # whom it costs nothing to look for
    carl, dora, days = 400, 500, 24 * 60
    met_again = 6 * days  # the next week
    city = visits(
        *MET,
        (ALICE, HALL, 100, 130), (BOB, HALL, 90, 140), (carl, HALL, 110, 120),
        (ALICE, SQUARE, met_again, met_again + 60), (BOB, SQUARE, met_again + 40, met_again + 90),
        (dora, SQUARE, met_again, met_again + 60), (carl, STORE, met_again, met_again + 60),
    )  # fmt: skip
    engine = FakeEngine(city)
    documents = contact_documents(trace_from(Scans(engine), A_CASE, GROUND, F2_RULES, NOW))
    engine.queries.clear()
    origin = {"person": A_CASE.person, "case": A_CASE.id}
    later = NOW + timedelta(days=9)
    found = second_from(
        Scans(engine), origin, firsts_of(documents)[0], GROUND, F2_RULES, later
    ).contacts
    shared = {person_bits(one["person"]): (one["minutes"], one["exposures"]) for one in found}
    assert shared == {BOB: (30, 2), carl: (10, 1)}
    next_week = [query for query in engine.queries if "20220110" in query]
    assert any(str(BOB) in query for query in next_week)
    assert not any(str(carl) in query or str(dora) in query for query in next_week)


def test_an_f2_with_two_ids_counts_with_both() -> None:
    card, again = 301, 6 * 24 * 60
    city = visits(
        *MET,
        (ALICE, HALL, 100, 130), (BOB, HALL, 90, 140),
        (ALICE, SQUARE, again, again + 60), (card, SQUARE, again + 40, again + 90),
    )  # fmt: skip
    scans = Scans(FakeEngine(city))
    documents = contact_documents(trace_from(scans, A_CASE, GROUND, F2_RULES, NOW))
    origin = {"person": A_CASE.person, "case": A_CASE.id}
    rest = (origin, firsts_of(documents)[0], GROUND, F2_RULES, NOW + timedelta(days=9))
    for same, shared in ((None, {BOB: 1}), ({card: BOB}, {BOB: 2}), ({BOB: card}, {card: 2})):
        found = second_from(scans, *rest, same=same).contacts
        assert {person_bits(one["person"]): one["exposures"] for one in found} == shared
