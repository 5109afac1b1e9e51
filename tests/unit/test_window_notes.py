"""What a run says of its case's window: why it is empty, and which end does not count."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.unit.test_rulesets import IN_FORCE, NOW, RULES, case
from tracer.window import window_of
from tracer.window_notes import window_notes


def said(rule_set: str, more: dict[str, Any]) -> list[str]:
    rules, one = IN_FORCE[rule_set], case(**more)
    found = window_notes(one, rules, window_of(one, rules, NOW))
    assert all(note.vi and note.vi != note.en for note in found)
    return [note.en for note in found]


@pytest.mark.parametrize(
    ("rule_set", "more", "why"),
    [
        (RULES.id, {"onset": "2022-01-05"}, None),
        (RULES.id, {"onset": "2022-01-05", "isolated_at": "2022-01-01T00:00:00.000Z"}, "isolated"),
        (RULES.id, {"onset": "2022-01-15"}, "has not begun"),
        (RULES.id, {"onset": "2022-01-15", "isolated_at": "2022-01-14T00:00:00.000Z"},
         "has not begun"),
        ("cwa-2021", {"onset": "2021-12-10"}, "counts any more"),
        ("cwa-2021", {"onset": "2022-01-08"}, None),
    ],
)  # fmt: skip
def test_an_empty_window_says_why(rule_set: str, more: dict[str, str], why: str | None) -> None:
    found = said(rule_set, more)
    assert len(found) == (why is not None)
    assert all(why in note for note in found if why)


def test_a_negative_test_before_the_positive_one_ends_nothing() -> None:
    """The day of the sample in Vietnam begins at 17:00 UTC."""
    earlier, same_day = (
        datetime(2022, 1, 7, 16, 59, tzinfo=UTC),
        datetime(2022, 1, 7, 17, tzinfo=UTC),
    )
    sampled: dict[str, Any] = {"onset": date(2022, 1, 6), "sampled_on": date(2022, 1, 8)}
    assert window_of(case(**sampled, negative_at=earlier), RULES, NOW).end == NOW
    assert window_of(case(**sampled, negative_at=same_day), RULES, NOW).end == same_day
    assert [
        "before the positive test" in n for n in said(RULES.id, sampled | {"negative_at": earlier})
    ] == [True]
    assert said(RULES.id, sampled | {"negative_at": same_day}) == []
    onset: dict[str, Any] = {"onset": date(2022, 1, 8)}
    assert window_of(case(**onset, negative_at=earlier), RULES, NOW).end == NOW
    assert window_of(case(**onset, negative_at=same_day), RULES, NOW).end == same_day
    isolated = datetime(2022, 1, 9, tzinfo=UTC)
    both = case(**sampled, negative_at=earlier, isolated_at=isolated)
    assert window_of(both, RULES, NOW).end == isolated
