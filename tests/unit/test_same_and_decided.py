"""Two ids of one person are one in a trace, and an officer's decision is a change of the run."""

from datetime import date
from random import Random
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from schemas.cases import Case
from schemas.ids import person_text
from streams.alerts import change_alerts
from tests.property.test_tracer_oracle import (
    BEGIN,
    RULES,
    STEP,
    a_case,
    at,
    crowd,
    ground_and_answers,
    scans_frame,
)
from tests.unit.test_contacts import ALICE, BOB, CASE, GROUND, HALL, NOW, ROOM, FakeEngine, visits
from tests.unit.test_stated import MET, A, B, difference, document, with_
from tracer.documents import to_documents, to_json
from tracer.fetch import fetch, to_watch, trace_from
from tracer.identity import as_one, ids_of, same_of
from tracer.queries import Scans
from tracer.trace import trace
from tracer.versions import Version, changes

C = person_text(CASE)


def joined(case: Case, pairs: dict[int, int]) -> Case:
    same = [{"person": person_text(one), "of": person_text(of)} for one, of in pairs.items()]
    return Case.model_validate(case.model_dump() | {"same": same})


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_trace_of_scans_that_bear_one_id(seed: int) -> None:
    city = crowd(3000 + seed, 60)
    r = Random(seed)
    persons = sorted({scan.person for scan in city.scans})
    r.shuffle(persons)
    me, pairs = persons[0], dict(zip(persons[1:21], [persons[0], *persons[21:40]], strict=True))
    case = a_case(me, date(2021, 11, 30), at(BEGIN + 70 * STEP))
    ground, _ = ground_and_answers(city)
    scans, now = scans_frame(city), at(BEGIN + 99 * STEP)
    both = joined(case, pairs)
    expected = trace(case, as_one(scans, pairs), ground, RULES, now)
    found = trace(both, scans, ground, RULES, now)
    assert found.exposures.equals(expected.exposures)
    assert found.contacts.equals(expected.contacts)
    assert not set(found.contacts["person"]) & set(pairs)
    fetched = trace_from(Scans(FakeEngine(scans)), both, ground, RULES, now)
    met = ["person", "place", "start", "end", "minutes", "tier"]
    assert fetched.exposures.select(met).equals(expected.exposures.select(met))


def test_a_stay_that_neither_id_has_alone() -> None:
    rows = visits((CASE, ROOM, 200, 260), (ALICE, ROOM, 0, 700))
    card = pl.col("direction") == "out"
    alices = pl.col("person") == ALICE
    scans = rows.with_columns(
        person=pl.when(alices & card).then(BOB).otherwise("person").cast(pl.UInt64)
    )
    case = joined(with_(), {BOB: ALICE})
    [alice] = to_documents(trace(case, scans, GROUND, RULES, NOW))["contacts"]
    assert (alice["person"], alice["minutes"]) == (A, 60)
    assert alice["exposures"][0]["stay"]["end_provenance"] == "scan_out"
    engine = Scans(FakeEngine(scans))
    assert trace_from(engine, case, GROUND, RULES, NOW).contacts["minutes"].to_list() == [60]
    watched = to_watch(engine, case, GROUND, RULES, NOW)
    assert set(watched.near) == {ALICE, BOB}


def test_the_cases_own_card_is_the_case() -> None:
    rows = (*MET, (BOB, ROOM, 0, 60), (BOB, HALL, 100, 130), (ALICE, HALL, 100, 120))
    before = document(with_(), *rows)
    assert [c["person"] for c in before["contacts"]] == [B, A]
    after = document(joined(with_(), {BOB: CASE}), *rows)
    [alice] = after["contacts"]
    assert (alice["person"], alice["minutes"]) == (A, 50)
    assert after["same"] == [{"person": B, "of": C}]
    assert difference(before, after) == {
        A: ("changed", ("same_person",)),
        B: ("withdrawn", ("same_person",)),
    }


def test_an_answer_of_one_id_is_the_persons() -> None:
    answer = {"person": B, "place": ROOM, "begin": "2022-01-05T00:00:00.000Z"}
    answer |= {"end": "2022-01-05T01:00:00.000Z"}
    case = with_(answers=[answer], same=[{"person": B, "of": A}])
    scans = visits(*MET)
    engine = Scans(FakeEngine(scans))
    assert fetch(engine, case, GROUND, RULES, NOW).candidates == [ALICE]


def test_who_has_several_ids_is_asked_for_whole() -> None:
    same = {11: 1, 12: 1, 14: 4}
    assert ids_of([3, 1, 2], same) == ([2, 3], [1, 11, 12])
    assert ids_of([], same) == ([], [])
    assert dict(same_of(joined(with_(), {BOB: ALICE}))) == {BOB: ALICE}


@pytest.mark.parametrize(
    "same",
    [
        [{"person": A, "of": B}, {"person": B, "of": C}],
        [{"person": A, "of": B}, {"person": A, "of": C}],
        [{"person": A, "of": A}],
        [{"person": C, "of": A}],
    ],
)
def test_ids_that_contradict_each_other_are_refused(same: list[dict[str, str]]) -> None:
    with pytest.raises(ValidationError, match="same"):
        with_(same=same)


def version(decided: list[dict[str, str]], *rows: tuple[int, int, float, float]) -> Version:
    found = document(with_(decided=decided), *rows)
    return Version(found, found["contacts"])


NONE = [{"person": A, "classification": "NO_CONTACT"}]
F1 = [{"person": A, "classification": "CONFIRMED"}]
TWO = (*MET, (BOB, ROOM, 20, 40))


def test_whom_an_officer_has_ruled_out_comes_last_with_what_was_found() -> None:
    out = version(NONE, *TWO)
    assert [(c["person"], c["rank"], c["call"]) for c in out.contacts] == [
        (B, 1, True),
        (A, 2, False),
    ]
    assert out.contacts[1]["decided"] == "NO_CONTACT"
    assert out.contacts[1]["exposures"]
    assert out.summary["contacts_by_tier"]["same_small_enclosed"] == 1
    assert out.summary["ruled_out"] == [A]
    assert version(F1, *TWO).contacts[0]["decided"] == "CONFIRMED"


def test_a_decision_is_a_difference_and_so_is_taking_it_back() -> None:
    plain, out, f1 = (version(d, *TWO) for d in ([], NONE, F1))

    def said(before: Version, after: Version) -> list[Any]:
        alerts = change_alerts(with_(), changes(before, after), NOW, 2)
        kinds = [dict(m.headers)["ce_type"].decode().rpartition(".")[2] for m in alerts]
        return [*((c.person, c.kind, c.reasons) for c in changes(before, after)), *kinds]

    assert said(plain, out) == [(A, "withdrawn", ("decided",)), "contact_withdrawn"]
    assert said(out, plain) == [(A, "added", ("decided",)), "possible_contact"]
    assert said(plain, f1) == [(A, "changed", ("decided",)), "contact_changed"]
    assert said(out, f1) == [(A, "added", ("decided",)), "possible_contact"]
    assert said(out, out) == []


def test_a_case_without_either_is_written_as_before() -> None:
    found = document(with_(), *MET)
    assert not {"same", "decided", "ruled_out"} & found.keys()
    assert "decided" not in found["contacts"][0]
    assert b"decided" not in to_json(found)
