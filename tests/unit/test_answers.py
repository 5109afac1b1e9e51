"""Which clauses an officer's answers fulfil or exclude."""

from importlib import resources
from typing import Any

import pytest

from schemas.cases import Decided
from tests.worklist_kit import exposure
from tracer.answers import judge
from tracer.ruleset import RuleSetError, load_rule_sets, parse_rule_set

RULES = {rule_set.id: rule_set for rule_set in load_rule_sets()}
VN = RULES["vn-2021-12-29"]
TEXT = resources.files("tracer.data").joinpath("vn-2021-12-29.toml").read_text("utf-8")
ROOM = exposure(tier="same_small_enclosed", questions=["touch", "masks"])
HALL = exposure()
SHORT = exposure(minutes=5.0, clauses=["a", "c"])
UNSEEN = exposure(minutes=9.0)  # of which nobody saw the end
WARD_ROUND = exposure(
    clauses=["a", "b", "c", "d"],
    questions=["touch", "masks", "within_2_m", "care", "protective_equipment"],
)


def said(exposures: list[dict[str, Any]], **answers: str) -> tuple[str, dict[str, str]]:
    found = judge(VN, exposures, answers)
    return found.proposed or "UNCONFIRMED", {c.clause: c.verdict for c in found.clauses}


def test_every_clause_and_question_of_every_rule_set_has_its_answer() -> None:
    for rule_set in RULES.values():
        for clause in rule_set.clauses:
            assert set(clause.fulfilled_by) == set(clause.questions), (rule_set.id, clause.id)


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
        # nine minutes that are assumed may have been fifteen: that is for a person to find out
        ([UNSEEN], {"masks": "yes", "within_2_m": "yes", "touch": "no"}, "UNCONFIRMED", "eoee"),
        ([UNSEEN], {"masks": "no", "within_2_m": "yes", "touch": "no"}, "CONFIRMED", "eefe"),
        ([UNSEEN], {"within_2_m": "no", "touch": "no"}, "NO_CONTACT", "eeee"),
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
    found = judge(VN, [HALL], {"masks": "no"})
    assert found.possible == ("a", "c")
    assert found.ask == ("touch", "within_2_m")
    ground = {clause.clause: clause.ground for clause in found.clauses}
    assert ground == {"a": "answers", "b": "answers", "c": "answers", "d": "scan"}


def test_whom_no_scan_shows_is_by_answers_alone_and_how_long_is_not_known() -> None:
    near = {"masks": "yes", "within_2_m": "yes", "touch": "no", "care": "no"}
    found = judge(VN, [], near)
    assert found.proposed is None
    assert {c.clause: (c.verdict, c.ground) for c in found.clauses}["b"] == ("open", "not_known")
    assert judge(VN, [], {"touch": "yes"}).proposed is Decided.CONFIRMED


def test_without_clauses_nothing_is_proposed() -> None:
    found = judge(RULES["vn-2020-12-03"], [HALL], {"touch": "yes"})
    assert (found.proposed, found.clauses) == (None, ())


def test_a_rule_set_whose_clause_is_fulfilled_by_answers_it_does_not_ask_is_refused() -> None:
    text = TEXT.replace('fulfilled_by = { touch = "yes" }', 'fulfilled_by = { masks = "yes" }')
    with pytest.raises(RuleSetError, match=r"mine\.toml: clauses\.a\.fulfilled_by"):
        parse_rule_set(text, "mine.toml")
    left_out = parse_rule_set(TEXT.replace('fulfilled_by = { touch = "yes" }\n', ""), "mine.toml")
    [a, *_] = judge(left_out, [HALL], {"touch": "yes"}).clauses
    assert (a.verdict, a.ground) == ("open", "not_known"), "it is left to the officer"


def test_a_night_that_was_entered_as_two_points_is_one_time_together() -> None:
    day = "2026-11-2"
    near = {"masks": "yes", "within_2_m": "yes"}
    late, early = (
        exposure(minutes=10.0)
        | {"place": 7, "start": f"{day}{begin}:00.000Z", "end": f"{day}{end}:00.000Z"}
        for begin, end in (("0T16:50", "0T17:00"), ("0T17:00", "0T17:10"))
    )
    assert judge(VN, [early, late], near).proposed is Decided.CONFIRMED
    elsewhere = late | {"place": 8}
    assert judge(VN, [early, elsewhere], near).proposed is None
    a_minute_later = early | {"start": f"{day}0T17:01:00.000Z"}
    assert judge(VN, [late, a_minute_later], near).proposed is None
