"""Two ids of one person are one in a trace, and an officer's decision is a change of the run."""

from datetime import date, timedelta
from random import Random
from typing import Any

import orjson
import polars as pl
import pytest
from pydantic import ValidationError

from schemas.cases import (
    MOST_DECIDED,
    MOST_PERSONS,
    MOST_POINTS,
    MOST_SAID,
    Case,
)
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
    assert fetch(engine, case, GROUND, RULES, NOW).wanted.person.tolist() == [ALICE]


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


def entered(**more: Any) -> dict[str, Any]:
    """What the run says of the one contact whose card is another id."""
    found = document(with_(same=[{"person": B, "of": A}], **more), *MET)
    assert {c["person"] for c in found["contacts"]} <= {A}
    return dict(found["contacts"][0]) if found["contacts"] else {}


def test_what_was_entered_of_another_id_is_the_persons() -> None:
    assert entered()["call"]
    assert entered(excluded=[{"person": B, "reason": "not_there"}]) == {}
    out = entered(decided=[{"person": B, "classification": "NO_CONTACT"}])
    assert (out["decided"], out["call"]) == ("NO_CONTACT", False)
    first = [{"person": A, "classification": "CONFIRMED"},
             {"person": B, "classification": "NO_CONTACT"}]  # fmt: skip
    assert entered(decided=first)["decided"] == "CONFIRMED"
    both = [{"person": B, "answers": {"touch": "no", "masks": "no"}},
            {"person": A, "answers": {"touch": "yes"}}]  # fmt: skip
    assert entered(said=both)["said"] == {"touch": "yes", "masks": "no"}
    named = [{"person": A, "relation": "household", "last_contact": "2022-01-05"},
             {"person": B, "relation": "colleague", "last_contact": "2022-01-07"}]  # fmt: skip
    assert entered(named=named[1:])["named"]["relation"] == "colleague"
    assert entered(named=named)["named"] == {
        "relation": "household", "last_contact": "2022-01-07",
    }  # fmt: skip
    assert entered(named=named[:1], excluded=[{"person": B, "reason": "protected"}]) == {}


def test_the_case_is_nobody_s_contact_by_any_id() -> None:
    named = [{"person": B, "relation": "other", "last_contact": "2022-01-05"}]
    found = document(with_(same=[{"person": B, "of": C}], named=named), *MET)
    assert [c["person"] for c in found["contacts"]] == [A]
    assert found["contacts_by_tier"]["named"] == 0
    assert found["named"] == named, "what was entered stands as it was"


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


def answered(*said: dict[str, Any], **more: Any) -> Version:
    found = document(with_(said=said, **more), *TWO)
    return Version(found, found["contacts"])


def test_answers_narrow_the_clauses_and_what_is_still_to_ask() -> None:
    def alice(**answers: str) -> Any:
        [said] = [c for c in answered({"person": A, "answers": answers}).contacts if c["rank"] == 1]
        return said["clauses"], said["questions"], said.get("proposed"), said["call"]

    assert alice(masks="yes") == (["a", "b"], ["touch"], "CONFIRMED", True)
    assert alice(touch="no") == (["b", "c"], ["masks"], None, True)
    plain = answered().contacts[0]
    assert (plain["clauses"], plain["questions"]) == (["a", "b", "c"], ["touch", "masks"])
    assert "said" not in plain
    out = document(
        with_(said=[{"person": A, "answers": {"touch": "no", "within_2_m": "no"}}]),
        (CASE, HALL, 0, 60),
        (ALICE, HALL, 10, 40),
    )["contacts"][0]
    assert (out["clauses"], out["questions"], out["proposed"]) == ([], [], "NO_CONTACT")
    assert out["call"], "the machine proposes, a person decides"
    assert out["exposures"][0]["clauses"] == ["a", "b", "c"], "what the scans show stays"


def test_an_answer_is_a_difference_with_its_reason_and_so_is_taking_it_back() -> None:
    yes, no = ({"person": A, "answers": {"touch": said}} for said in ("yes", "no"))
    plain, f1, out = answered(), answered(yes), answered(no)
    for before, after in ((plain, f1), (f1, out), (out, plain)):
        assert [(c.person, c.kind, c.reasons) for c in changes(before, after)] == [
            (A, "changed", ("answered",))
        ]
        [alert] = change_alerts(with_(), changes(before, after), NOW, 2)
        told = orjson.loads(alert.value)
        assert (told["kind"], told["reasons"]) == ("contact_changed", ["answered"])
        proposed = {id(f1): "CONFIRMED"}.get(id(after))
        assert told.get("proposed") == proposed
    assert changes(f1, f1) == []
    decided = answered(yes, decided=F1)
    assert [c.reasons for c in changes(plain, decided)] == [("answered", "decided")]
    assert plain.summary.get("said") is None
    assert f1.summary["said"] == [yes]


def test_a_case_without_any_of_it_is_written_as_before() -> None:
    found = document(with_(), *MET)
    assert not {"same", "decided", "said", "ruled_out"} & found.keys()
    assert not {"decided", "said", "proposed"} & found["contacts"][0].keys()
    assert b"decided" not in to_json(found)


def test_the_largest_case_is_a_record_that_the_broker_takes() -> None:
    persons = [person_text(2**60 + n) for n in range(MOST_DECIDED)]
    five = dict.fromkeys(("care", "masks", "protective_equipment", "touch", "within_2_m"), "yes")
    stay = {"place": 2**32 - 1, "begin": NOW - timedelta(hours=1), "end": NOW}
    some = persons[:MOST_PERSONS]
    case = with_(
        points=[stay | {"source": "interview"}] * MOST_POINTS,
        answers=[stay | {"person": p} for p in some],
        named=[{"person": p, "relation": "household", "last_contact": "2022-01-05"} for p in some],
        same=[{"person": p, "of": person_text(1)} for p in some],
        decided=[{"person": p, "classification": "NO_CONTACT"} for p in persons],
        said=[{"person": p, "answers": five} for p in persons[:MOST_SAID]],
    )
    assert len(case.model_dump_json()) < 1024 * 1024 - 4096
