"""What a run says of what officers entered and that does not count."""

from typing import Any

import polars as pl

from tests.unit.test_rulesets import IN_FORCE, NOW, RULES, case
from tracer.entry_notes import entry_notes
from tracer.window import window_of

POINT = {"place": 1, "begin": "2021-12-20T01:00:00.000Z", "end": "2021-12-20T02:00:00.000Z",
         "source": "roster"}  # fmt: skip
INSIDE = {"place": 2, "begin": "2022-01-05T01:00:00.000Z", "end": "2022-01-05T02:00:00.000Z",
          "source": "roster"}  # fmt: skip
ONSET = {"onset": "2022-01-05"}
CARD = "0CARD00000007"


def said(more: dict[str, Any], *counted: tuple[int, str], rule_set: str = RULES.id) -> list[str]:
    """`counted`: place and start provenance of the case's stays that count."""
    one = case(**more)
    stays = pl.DataFrame(
        list(counted), schema={"place": pl.UInt32, "start_provenance": pl.String}, orient="row"
    )
    found = entry_notes(one, stays, window_of(one, IN_FORCE[rule_set], NOW))
    assert all(note.vi and note.vi != note.en for note in found)
    return [note.en for note in found]


def test_points_of_which_nothing_counts_are_named() -> None:
    alone = {"person": None, "points": [POINT]}
    assert said(alone, rule_set="cwa-2021")[0].startswith("None of the place-time points")
    assert said(alone, (1, "scan_in"), rule_set="cwa-2021")[0].startswith("None of the place")
    assert not any("None of" in n for n in said(alone, (1, "roster"), rule_set="cwa-2021"))
    assert said(alone, (1, "roster")) == []


def test_points_that_count_in_part_or_not_at_all_are_named() -> None:
    more = ONSET | {"points": (POINT, INSIDE)}
    [note] = said(more, (2, "roster"))
    assert "1, 20/12/2021 08:00 – 20/12/2021 09:00." in note
    assert said(ONSET | {"points": (INSIDE,)}, (2, "roster")) == []
    many = tuple(POINT | {"place": place} for place in range(10, 20))
    [note] = said(ONSET | {"points": (*many, INSIDE)}, (2, "roster"))
    assert note.endswith("; and 5 more.")


def test_named_contacts_of_before_the_period_are_named() -> None:
    """Onset on the fifth: the period begins on the third, local days."""
    early, first, today = (
        {"person": person, "relation": "care", "last_contact": day}
        for person, day in (
            ("0EAR000000001", "2022-01-02"),
            ("0FRST00000002", "2022-01-03"),
            ("0DAY000000003", NOW.date().isoformat()),
        )
    )
    [note] = said(ONSET | {"named": (early, first, today)})
    assert "0EAR000000001, 02/01/2022." in note
    assert said(ONSET | {"named": (first, today)}) == []
    isolated = ONSET | {"isolated_at": "2022-01-06T01:00:00.000Z", "named": (first, today)}
    [note] = said(isolated)
    assert "0DAY000000003" in note
    assert "0FRST00000002" not in note


def test_answers_of_the_case_where_it_has_no_stay_are_named() -> None:
    mine = str(case(**ONSET).person)
    there, nowhere, by_card = (
        {"person": person, "place": place, "begin": "2022-01-05T01:00:00.000Z",
         "end": "2022-01-05T02:00:00.000Z"}
        for person, place in ((mine, 3), (mine, 4), (CARD, 5))
    )  # fmt: skip
    of_another = nowhere | {"person": "0ANTHER000007"}
    more = ONSET | {"answers": (there, nowhere, by_card, of_another)}
    [note] = said(more, (3, "scan_in"))
    assert "4, 05/01/2022 08:00 – 05/01/2022 09:00." in note
    assert ";" not in note
    [note] = said(more | {"same": ({"person": CARD, "of": mine},)}, (3, "scan_in"))
    assert "; 5, 05/01/2022" in note
