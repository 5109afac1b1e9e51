"""What another rule-set changes, and the reason given for each person."""

from datetime import date, timedelta

import pytest

from tests.unit.test_contacts import (
    A_CASE,
    ALICE,
    BOB,
    CASE,
    CLINIC,
    GATE,
    GROUND,
    NOW,
    ROOM,
    visits,
)
from tracer.comparison import REASONS, Change, compare
from tracer.ruleset import RuleSet, load_rule_sets
from tracer.trace import TraceResult, trace

RULE_SETS = {rule_set.id: rule_set for rule_set in load_rule_sets()}
LETTER, HANDBOOK, CWA = (RULE_SETS[i] for i in ("vn-2021-12-29", "vn-2020-12-03", "cwa-2021"))
# onset is the fifth of January: the letter's window begins on the third (local), the handbook's
# on the second; minutes are after 2022-01-05 00:00 UTC
SECOND = -3 * 24 * 60 + 600
FOURTH = -24 * 60 + 600
CAROL = 400

SCANS = visits(
    (CASE, ROOM, SECOND, SECOND + 60), (ALICE, ROOM, SECOND, SECOND + 30),
    (CASE, CLINIC, FOURTH, FOURTH + 60), (BOB, CLINIC, FOURTH, FOURTH + 30),
    (CASE, GATE, FOURTH + 200, FOURTH + 205), (CAROL, GATE, FOURTH + 200, FOURTH + 205),
)  # fmt: skip


def under(rules: RuleSet) -> TraceResult:
    return trace(A_CASE, SCANS, GROUND, rules, NOW)


def changes(before: RuleSet, after: RuleSet) -> dict[int, Change]:
    return {change.person: change for change in compare(under(before), under(after))}


def test_the_same_rule_set_changes_nobody() -> None:
    assert compare(under(LETTER), under(LETTER)) == []


def test_a_shorter_window_removes_and_another_definition_changes() -> None:
    found = changes(HANDBOOK, LETTER)
    assert (found[ALICE].kind, found[ALICE].reasons) == ("removed", ("window",))
    assert found[ALICE].after is None
    assert (found[BOB].kind, found[BOB].reasons) == ("changed", ("clauses",))
    after = found[BOB].after
    assert after is not None
    assert after["clauses"] == ["a", "b", "c", "d"]


def test_the_other_way_round_they_are_added() -> None:
    found = changes(LETTER, HANDBOOK)
    assert (found[ALICE].kind, found[ALICE].reasons) == ("added", ("window",))
    assert found[ALICE].before is None


def test_stays_that_count_otherwise_are_named() -> None:
    found = changes(LETTER, CWA)
    # five minutes are dropped there; an hour is prolonged, which the others' half does not show
    assert (found[CAROL].kind, found[CAROL].reasons) == ("removed", ("intervals",))
    assert found[BOB].kind == "changed"
    assert set(found[BOB].reasons) == {"clauses", "weights"}


def test_a_person_who_is_met_longer_changes_by_intervals() -> None:
    scans = visits((CASE, ROOM, 0, 60), (ALICE, ROOM, 0, 90))
    results = [trace(A_CASE, scans, GROUND, rules, NOW) for rules in (LETTER, CWA)]
    (change,) = compare(*results)
    assert "intervals" in change.reasons
    assert change.before is not None
    assert change.after is not None
    assert (change.before["minutes"], change.after["minutes"]) == (60.0, 90.0)


def test_two_cases_are_not_compared() -> None:
    other = A_CASE.model_copy(update={"onset": date(2022, 1, 4)})
    result = trace(other, SCANS, GROUND, LETTER, NOW + timedelta(days=1))
    with pytest.raises(AssertionError, match="the same case"):
        compare(under(LETTER), result)


def test_reasons_have_words_in_both_languages() -> None:
    assert list(REASONS) == ["window", "intervals", "clauses", "weights"]
