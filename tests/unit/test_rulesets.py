"""The rule-set files against what is known of their sources, and the loader's refusals."""

from datetime import UTC, date, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from issuer.kinds import kinds, sectors
from schemas.cases import Case, CaseStatus
from tracer.ruleset import RuleSetError, choose, load_rule_sets, parse_rule_set, rule_set_of
from tracer.window import window_of

RULE_SETS = load_rule_sets()
IN_FORCE = {rule_set.id: rule_set for rule_set in RULE_SETS}
RULES = IN_FORCE["vn-2021-12-29"]
TEXT = resources.files("tracer.data").joinpath("vn-2021-12-29.toml").read_text("utf-8")
NOW = datetime(2022, 1, 10, tzinfo=UTC)


def test_11042_is_what_its_source_says() -> None:
    assert RULES.date == date(2021, 12, 29)
    assert RULES.source.name == "Công văn 11042/BYT-DP"
    assert RULES.window is not None
    assert (RULES.window.days_before_onset, RULES.window.days_before_sampling) == (2, 2)
    assert not RULES.f2
    assert RULES.status == "incomplete"
    missing = " ".join(text.en for text in RULES.missing)
    assert "isolation ends the window: not in the letter" in missing
    assert "definition of F2" in missing
    assert "imported" in RULES.clauses[3].place_kinds, "an unknown kind excludes nothing"
    clauses = {clause.id: clause for clause in RULES.clauses}
    assert list(clauses) == ["a", "b", "c", "d"]
    assert {i: c.min_minutes for i, c in clauses.items()} == {"a": 0, "b": 15, "c": 0, "d": 0}
    assert {i: c.spaces for i, c in clauses.items()} == {
        "a": "any", "b": "near", "c": "near", "d": "any",
    }  # fmt: skip
    assert clauses["a"].questions == ("touch",)
    assert clauses["b"].questions == clauses["c"].questions == ("masks", "within_2_m")
    assert clauses["d"].questions == ("care", "protective_equipment")
    asked = {question.id: question.not_asked_at for question in RULES.questions}
    assert asked["within_2_m"] == "small_enclosed"


def test_the_later_unconfirmed_rule_is_known() -> None:
    for rule_set in (r for r in RULE_SETS if r.id.startswith("vn-")):
        later = rule_set.known_later[-1]
        assert (later.date, later.source) == (date(2022, 4, 15), "Công văn 1909/BYT-DP")
        assert "unconfirmed" in later.en
        assert "chưa được xác minh" in later.vi


def test_5053_proposes_by_co_presence_only() -> None:
    handbook = IN_FORCE["vn-2020-12-03"]
    assert handbook.status == "incomplete"
    assert handbook.clauses == ()
    assert handbook.window is not None
    assert handbook.window.days_before_onset == 3
    assert any("F1" in missing.en for missing in handbook.missing)


def test_3638_has_f2_and_says_what_was_not_read() -> None:
    decision = IN_FORCE["vn-2021-07-30"]
    assert (decision.f2, decision.status, decision.clauses) == (True, "incomplete", ())
    missing = " ".join(text.en for text in decision.missing)
    assert "F1 definition" in missing
    assert "window" in missing


def test_a_rule_set_chosen_by_hand_never_applies_by_its_date() -> None:
    assert IN_FORCE["cwa-2021"].chosen == "by_hand"
    assert choose(RULE_SETS, date(2021, 3, 5)).id == "vn-2020-12-03"
    assert rule_set_of(RULE_SETS, case(rule_set="cwa-2021")).id == "cwa-2021"


def test_the_newest_on_or_before_the_day_of_registration() -> None:
    assert choose(RULE_SETS, date(2021, 12, 29)).id == "vn-2021-12-29"
    assert choose(RULE_SETS, date(2021, 12, 28)).id == "vn-2021-07-30"
    assert choose(RULE_SETS, date(2021, 7, 29)).id == "vn-2020-12-03"
    assert choose(RULE_SETS, date(2026, 1, 1)).id == "vn-2021-12-29"
    with pytest.raises(ValueError, match=r"on or before 01/01/2020"):
        choose(RULE_SETS, date(2020, 1, 1))


def case(**more: Any) -> Case:
    values: dict[str, Any] = {
        "id": "c1",
        "status": CaseStatus.CONFIRMED,
        "person": "0000000000001",
        "ward": "w",
        "registered_at": datetime(2022, 1, 9, tzinfo=UTC),
        "registered_by": "o",
    }
    return Case.model_validate(values | more)


def test_the_day_of_registration_is_local() -> None:
    eve = datetime(2021, 12, 28, 17, tzinfo=UTC)  # midnight in Vietnam
    assert rule_set_of(RULE_SETS, case(registered_at=eve)).id == "vn-2021-12-29"
    before = datetime(2021, 12, 28, 16, 59, tzinfo=UTC)
    assert rule_set_of(RULE_SETS, case(registered_at=before)).id == "vn-2021-07-30"


def test_a_case_may_name_its_rule_set() -> None:
    assert rule_set_of(RULE_SETS, case(rule_set="vn-2020-12-03")).id == "vn-2020-12-03"
    with pytest.raises(ValueError, match=r"rule_set: 'x' is not loaded"):
        rule_set_of(RULE_SETS, case(rule_set="x"))


def test_window_from_two_days_before_onset_until_now() -> None:
    window = window_of(case(onset=date(2022, 1, 5), sampled_on=date(2022, 1, 8)), RULES, NOW)
    assert window.start == datetime(2022, 1, 2, 17, tzinfo=UTC)  # 3 January, 00:00 in Vietnam
    assert window.end == NOW


def test_window_without_symptoms_counts_from_sampling() -> None:
    window = window_of(case(sampled_on=date(2022, 1, 8)), RULES, NOW)
    assert window.start == datetime(2022, 1, 5, 17, tzinfo=UTC)


def test_window_ends_with_the_first_of_isolation_and_negative_test() -> None:
    isolated, negative = datetime(2022, 1, 7, tzinfo=UTC), datetime(2022, 1, 6, tzinfo=UTC)
    both = case(onset=date(2022, 1, 5), isolated_at=isolated, negative_at=negative)
    assert window_of(both, RULES, NOW).end == negative
    assert window_of(case(onset=date(2022, 1, 5), isolated_at=isolated), RULES, NOW).end == (
        isolated
    )
    early = case(onset=date(2022, 1, 5), isolated_at=datetime(2022, 1, 1, tzinfo=UTC))
    assert window_of(early, RULES, NOW).empty


def test_window_needs_onset_or_sampling() -> None:
    with pytest.raises(ValueError, match="onset or sampled_on"):
        window_of(case(), RULES, NOW)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("days_before_onset = 2", "", "window.days_before_onset: Field required"),
        ("days_before_onset = 2", "days_before_onset = 'two'", "window.days_before_onset"),
        ("f2 = false", "f2 = false\nf3 = true", "f3: Extra inputs"),
        ('questions = ["touch"]', 'questions = ["smell"]', "clauses.a.questions: 'smell'"),
        ('id = "b"', 'id = "a"', "clauses: an id is there twice"),
        ('status = "incomplete"', 'status = "complete"', "missing: "),
        ("min_minutes = 15", "min_minutes = -1", "clauses.1.min_minutes"),
        ('spaces = "near"', 'spaces = "far"', "clauses.1.spaces"),
        ("date = 2021-12-29", "date = soon", "not TOML"),
    ],
)
def test_a_wrong_file_names_file_and_field(before: str, after: str, message: str) -> None:
    assert before in TEXT
    with pytest.raises(RuleSetError, match=rf"x\.toml: .*{message}"):
        parse_rule_set(TEXT.replace(before, after, 1), "x.toml")


def test_two_files_of_one_date_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(TEXT, "utf-8")
    other = TEXT.replace('id = "vn-2021-12-29"', 'id = "other"', 1)
    (tmp_path / "b.toml").write_text(other, "utf-8")
    with pytest.raises(RuleSetError, match=r"b\.toml: date: the same as in a\.toml"):
        load_rule_sets(tmp_path)


def test_a_kind_of_place_that_there_is_not_is_refused(tmp_path: Path) -> None:
    assert load_rule_sets(kinds=kinds(), sectors=sectors()) == RULE_SETS
    wrong = TEXT.replace('"department", ', '"departmnt", ')
    assert wrong != TEXT
    (tmp_path / "vn.toml").write_text(wrong, "utf-8")
    said = r"vn\.toml: clauses\.d\.place_kinds: no kind 'departmnt'"
    with pytest.raises(RuleSetError, match=said):
        load_rule_sets(tmp_path, kinds())
    wrong = TEXT.replace('["health"]', '["helth"]')
    assert wrong != TEXT
    (tmp_path / "vn.toml").write_text(wrong, "utf-8")
    with pytest.raises(RuleSetError, match=r"clauses\.d\.place_sectors: no sector 'helth'"):
        load_rule_sets(tmp_path, kinds(), sectors())
