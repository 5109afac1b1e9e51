"""What officers add to a case: place-time points, answers, contacts by hand, exclusions."""

from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from schemas.cases import Case
from schemas.ids import person_text
from schemas.scan import format_timestamp
from tests.unit.test_contacts import (
    A_CASE,
    ALICE,
    BOB,
    CASE,
    DAY,
    GROUND,
    HALL,
    NOW,
    PARAMETERS,
    ROOM,
    RULES,
    visits,
)
from tracer.documents import Document, run_document, to_documents
from tracer.ruleset import load_rule_sets
from tracer.trace import trace
from tracer.versions import Version, changes

A, B = person_text(ALICE), person_text(BOB)


def at(minutes: float) -> str:
    return format_timestamp(DAY + timedelta(minutes=minutes))


def with_(**lists: Any) -> Case:
    return Case.model_validate(A_CASE.model_dump() | lists)


def document(case: Case, *rows: tuple[int, int, float, float]) -> Document:
    return to_documents(trace(case, visits(*rows), GROUND, RULES, NOW))


def difference(before: Document, after: Document) -> dict[str, tuple[str, tuple[str, ...]]]:
    versions = [Version(d, d["contacts"]) for d in (before, after)]
    return {c.person: (c.kind, c.reasons) for c in changes(*versions)}


POINT = {"place": ROOM, "begin": at(10), "end": at(50), "source": "interview"}
MET = ((CASE, ROOM, 0, 60), (ALICE, ROOM, 10, 40))


def test_a_point_stands_beside_the_scans() -> None:
    found = document(with_(points=[POINT]), (ALICE, ROOM, 0, 30), (BOB, HALL, 0, 30))
    [alice] = found["contacts"]
    assert (alice["person"], alice["minutes"]) == (A, 20)
    [exposure] = alice["exposures"]
    assert (exposure["start"], exposure["end"]) == (at(10), at(30))
    stay = exposure["case_stay"]
    assert stay["start_provenance"] == stay["end_provenance"] == "interview"
    assert stay["opened_by"] is stay["closed_by"] is None
    surely = PARAMETERS.point_confidence["interview"] * PARAMETERS.end_confidence["scan_out"]
    assert exposure["confidence"] == round(surely, 4)


@pytest.mark.parametrize(("first", "clauses"), [(10, ["a", "b", "c"]), (11, ["a", "c"])])
def test_what_goes_on_without_a_break_excludes_no_clause_by_its_parts(
    first: int, clauses: list[str]
) -> None:
    """A camera sees the case where it scanned out after ten minutes, for fourteen more."""
    camera = {"place": ROOM, "begin": at(first), "end": at(24), "source": "camera"}
    [alice] = document(with_(points=[camera]), (CASE, ROOM, 0, 10), (ALICE, ROOM, 0, 24))[
        "contacts"
    ]
    assert [e["clauses"] for e in alice["exposures"]] == [clauses] * 2
    other = document(with_(points=[camera]), (CASE, ROOM, 0, 10), (BOB, ROOM, 0, 10))["contacts"]
    assert [e["clauses"] for e in other[0]["exposures"]] == [["a", "c"]], "each by themselves"


def test_what_a_stay_and_a_point_both_say_is_in_one_order_among_many() -> None:
    """By end; of two that are alike in all of it the scans' comes first, not as chance has it."""
    many = [(1_000 + n, ROOM, 10 + n % 7, 40 + n % 2 * 15) for n in range(600)]
    result = trace(with_(points=[POINT]), visits((CASE, ROOM, 0, 60), *many), GROUND, RULES, NOW)
    said = result.exposures["case_start_provenance"].to_list()
    assert said == ["scan_in", "interview", "interview", "scan_in"] * (len(many) // 2)


def test_the_parts_of_a_stay_are_written_day_by_day() -> None:
    begins = [n * 37 % 100 for n in range(100)]
    days = [POINT | {"begin": at(begin), "end": at(1440 * 3)} for begin in begins]
    weighted = next(r for r in load_rule_sets() if r.warning is not None)
    case = with_(points=[{**day, "place": ROOM + n % 2} for n, day in enumerate(days)])
    result = trace(case, visits(), GROUND, weighted, NOW + timedelta(days=3))
    rows = [(s["start"], s["place"], s["from"]) for s in run_document(result)["stays"]]
    assert len(rows) == 4 * len(days)
    assert rows == sorted(rows)


def test_a_point_outside_the_infectious_period_counts_for_nothing() -> None:
    early = POINT | {"begin": at(-9000), "end": at(-8900)}
    assert document(with_(points=[early]), (ALICE, ROOM, -9000, -8900))["contacts"] == []


def test_points_alone_name_everyone_who_was_there() -> None:
    """A market on a morning: no person, and a time no infectious period bounds."""
    early = POINT | {"begin": at(-9000), "end": at(-8900), "source": "camera"}
    alone = Case.model_validate(
        A_CASE.model_dump() | {"person": None, "onset": None, "points": [early, POINT]}
    )
    rows = ((CASE, ROOM, 20, 30), (ALICE, ROOM, -8950, -8800), (BOB, HALL, 0, 30))
    found = document(alone, *rows)
    assert [c["person"] for c in found["contacts"]] == [A, person_text(CASE)]
    assert found["window"] == {"from": at(-9000), "to": at(50)}
    assert found["person"] is None
    assert [c["minutes"] for c in found["contacts"]] == [50, 10]


def test_points_alone_need_a_point() -> None:
    with pytest.raises(ValidationError, match="needs at least one place-time point"):
        Case.model_validate(A_CASE.model_dump() | {"person": None})


def test_who_is_named_comes_first_and_is_called() -> None:
    said = {"person": B, "relation": "household", "last_contact": "2022-01-05"}
    found = document(with_(named=[said]), *MET)
    first, second = found["contacts"]
    assert (first["rank"], first["person"], first["tier"], first["call"]) == (1, B, "named", True)
    assert first["named"] == {"relation": "household", "last_contact": "2022-01-05"}
    assert first["exposures"] == []
    assert first["last_exposure"] == "2022-01-05T16:59:59.999Z"  # of that local day
    assert first["questions"] == [question.id for question in RULES.questions]
    assert (second["rank"], second["person"]) == (2, A)
    assert found["contacts_by_tier"]["named"] == 1


def test_who_is_named_and_seen_keeps_what_was_seen() -> None:
    said = {"person": A, "relation": "colleague", "last_contact": "2022-01-05"}
    found = document(with_(named=[said]), *MET)
    [alice] = found["contacts"]
    assert (alice["tier"], alice["minutes"]) == ("same_small_enclosed", 30)
    assert alice["named"]["relation"] == "colleague"
    assert alice["last_exposure"] == "2022-01-05T16:59:59.999Z", "the interview's is the later"
    seen = document(with_(named=[said | {"last_contact": "2022-01-04"}]), *MET)["contacts"][0]
    assert seen["last_exposure"] == seen["exposures"][-1]["end"]
    assert found["contacts_by_tier"]["named"] == 0


def test_who_is_excluded_is_no_contact_and_is_said_to_be_ruled_out() -> None:
    found = document(with_(excluded=[{"person": A, "reason": "not_there"}]), *MET)
    assert found["contacts"] == []
    assert found["ruled_out"] == [A]
    assert found["excluded"] == [{"person": A, "reason": "not_there"}]


def test_an_answer_ends_a_stay_that_nobody_scanned_out_of() -> None:
    rows = visits((CASE, ROOM, 0, 600))
    entered = visits((ALICE, ROOM, 5, 6)).filter(pl.col("direction") == "in")
    scans = pl.concat([rows, entered])
    answer = {"person": A, "place": ROOM, "begin": at(5), "end": at(305)}

    def minutes(case: Case) -> tuple[float, str]:
        result = to_documents(trace(case, scans, GROUND, RULES, NOW))
        [alice] = result["contacts"]
        return alice["minutes"], alice["exposures"][0]["stay"]["end_provenance"]

    assert minutes(A_CASE) == (240, "cap")
    assert minutes(with_(answers=[answer])) == (300, "answered")


def test_each_difference_has_its_reason() -> None:
    plain = document(A_CASE, *MET)
    named = with_(named=[{"person": B, "relation": "care", "last_contact": "2022-01-05"}])
    excluded = with_(excluded=[{"person": A, "reason": "protected"}])
    pointed = with_(points=[POINT | {"begin": at(100), "end": at(130)}])
    rows = (*MET, (BOB, ROOM, 100, 130))
    assert difference(plain, document(named, *MET)) == {B: ("added", ("named",))}
    assert difference(document(named, *MET), plain) == {B: ("withdrawn", ("named",))}
    assert difference(plain, document(excluded, *MET)) == {A: ("withdrawn", ("excluded",))}
    assert difference(document(A_CASE, *rows), document(pointed, *rows)) == {
        B: ("added", ("points",))
    }


@pytest.mark.parametrize(
    ("lists", "said"),
    [
        ({"points": [POINT | {"end": at(10)}]}, "begin must be before end"),
        ({"excluded": [{"person": A, "reason": "other"}] * 2}, "there twice"),
        (
            {
                "excluded": [{"person": A, "reason": "other"}],
                "named": [{"person": A, "relation": "other", "last_contact": "2022-01-05"}],
            },
            "also named",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(lists: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        with_(**lists)
