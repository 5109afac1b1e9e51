"""Which clauses an officer's answers fulfil or exclude."""

from typing import Any

import pytest

from console.worklist.answers import fulfilled_by, propose
from console.worklist.axes import Classification
from tests.worklist_kit import exposure
from tracer.ruleset import load_rule_sets

RULES = {rule_set.id: rule_set for rule_set in load_rule_sets()}
VN = RULES["vn-2021-12-29"]
ROOM = exposure(tier="same_small_enclosed", questions=["touch", "masks"])
HALL = exposure()
SHORT = exposure(minutes=5.0, clauses=["a", "c"])
WARD_ROUND = exposure(
    clauses=["a", "b", "c", "d"],
    questions=["touch", "masks", "within_2_m", "care", "protective_equipment"],
)


def said(exposures: list[dict[str, Any]], **answers: str) -> tuple[str, dict[str, str]]:
    found = propose(VN, exposures, answers)
    assert found.classification is not None
    return found.classification.value, {c.clause: c.verdict for c in found.clauses}


def test_every_clause_and_question_of_every_rule_set_has_its_answer() -> None:
    for rule_set in RULES.values():
        wanted = {clause.id: set(clause.questions) for clause in rule_set.clauses}
        assert {c: set(q) for c, q in fulfilled_by(rule_set.id).items()} == wanted, rule_set.id


@pytest.mark.parametrize(
    ("exposures", "answers", "classification", "verdicts"),
    [
        ([HALL], {}, "UNCONFIRMED", "oooe"),
        ([HALL], {"touch": "yes"}, "CONFIRMED", "fooe"),
        ([HALL], {"masks": "no", "within_2_m": "yes"}, "CONFIRMED", "oefe"),
        ([HALL], {"masks": "no"}, "UNCONFIRMED", "oeoe"),
        ([HALL], {"within_2_m": "no"}, "UNCONFIRMED", "oeee"),
        ([HALL], {"within_2_m": "no", "touch": "no"}, "NO_CONTACT", "eeee"),
        ([HALL], {"within_2_m": "unknown", "touch": "no"}, "UNCONFIRMED", "eooe"),
        # the place answers the distance: nobody was asked, and a mask decides
        ([ROOM], {"masks": "yes"}, "CONFIRMED", "ofee"),
        ([ROOM], {"masks": "no", "touch": "no"}, "CONFIRMED", "eefe"),
        # one exposure is enough
        ([HALL, ROOM], {"masks": "yes", "within_2_m": "no"}, "CONFIRMED", "ofee"),
        # a masked contact of five minutes is too short for (b)
        ([SHORT], {"masks": "yes", "within_2_m": "yes", "touch": "no"}, "NO_CONTACT", "eeee"),
        ([WARD_ROUND], {"care": "yes", "protective_equipment": "no"}, "CONFIRMED", "ooof"),
        ([WARD_ROUND], {"care": "yes", "protective_equipment": "yes"}, "UNCONFIRMED", "oooe"),
        # care at home: the kind of place excludes (d) only until a person says otherwise
        ([HALL], {"care": "yes", "protective_equipment": "no"}, "CONFIRMED", "ooof"),
        ([HALL], {"care": "yes"}, "UNCONFIRMED", "oooe"),
    ],
)
def test_the_clauses_of_2021_12_29(
    exposures: list[dict[str, Any]], answers: dict[str, str], classification: str, verdicts: str
) -> None:
    letters = {"f": "fulfilled", "e": "excluded", "o": "open"}
    wanted = {clause: letters[v] for clause, v in zip("abcd", verdicts, strict=True)}
    assert said(exposures, **answers) == (classification, wanted)


def test_what_is_still_to_ask_and_why_a_clause_is_out() -> None:
    found = propose(VN, [HALL], {"masks": "no"})
    assert found.ask == ("touch", "within_2_m")
    ground = {clause.clause: clause.ground for clause in found.clauses}
    assert ground == {"a": "answers", "b": "answers", "c": "answers", "d": "scan"}


def test_whom_no_scan_shows_is_by_answers_alone_and_how_long_is_not_known() -> None:
    near = {"masks": "yes", "within_2_m": "yes", "touch": "no", "care": "no"}
    found = propose(VN, [], near)
    assert found.classification is Classification.UNCONFIRMED
    assert {c.clause: (c.verdict, c.ground) for c in found.clauses}["b"] == ("open", "not_known")
    assert propose(VN, [], {"touch": "yes"}).classification is Classification.CONFIRMED


def test_without_clauses_nothing_is_proposed() -> None:
    found = propose(RULES["vn-2020-12-03"], [HALL], {"touch": "yes"})
    assert (found.classification, found.clauses) == (None, ())
