"""What a run says of its case's window: why it is empty, and what was given and does not count."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.unit.test_rulesets import IN_FORCE, NOW, RULES, case
from tracer.window import window_of
from tracer.window_notes import window_notes

POINT = {"place": 1, "begin": "2021-12-20T01:00:00.000Z", "end": "2021-12-20T02:00:00.000Z",
         "source": "roster"}  # fmt: skip


def said(rule_set: str, more: dict[str, Any], *, points_count: bool = False) -> list[str]:
    rules, one = IN_FORCE[rule_set], case(**more)
    found = window_notes(one, rules, window_of(one, rules, NOW), points_count=points_count)
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


def test_points_of_which_nothing_counts_are_named() -> None:
    alone = {"person": None, "points": [POINT]}
    assert [note for note in said("cwa-2021", alone) if "place-time points" in note]
    assert not any("None of" in note for note in said("cwa-2021", alone, points_count=True))
    assert said(RULES.id, alone, points_count=True) == []


def test_points_that_count_in_part_or_not_at_all_are_named() -> None:
    inside = {"place": 2, "begin": "2022-01-05T01:00:00.000Z", "end": "2022-01-05T02:00:00.000Z",
              "source": "roster"}  # fmt: skip
    more = {"onset": "2022-01-05", "points": (POINT, inside)}
    [note] = said(RULES.id, more, points_count=True)
    assert "1, 20/12/2021 08:00 – 20/12/2021 09:00." in note
    assert said(RULES.id, more | {"points": (inside,)}, points_count=True) == []
    many = tuple(POINT | {"place": place} for place in range(10, 20))
    [note] = said(RULES.id, more | {"points": (*many, inside)}, points_count=True)
    assert note.endswith("; and 5 more.")
