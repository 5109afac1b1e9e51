"""Clocks that seem slow: which are named, and which are not."""

from datetime import timedelta

import polars as pl
import pytest

from tests.unit.test_contacts import (
    A_CASE,
    CASE,
    DAY,
    GROUND,
    NOW,
    ROOM,
    RULES,
    FakeEngine,
    visits,
)
from tracer.clocks import LEAST, MOST_NOTES, slow_clocks
from tracer.columns import milliseconds
from tracer.fetch import trace_from
from tracer.queries import Scans

MINUTE = 60_000
START = milliseconds(DAY + timedelta(hours=2))  # 09:00 in Ho Chi Minh City


def scans(*late: float | None, place: int = 5, producer: str = "gate-7") -> pl.DataFrame:
    """Scans a minute apart, each so many minutes late."""
    return pl.DataFrame(
        {
            "place": [place] * len(late),
            "producer": [producer] * len(late),
            "t": [START + n * MINUTE for n in range(len(late))],
            "late": [None if m is None else int(m * MINUTE) for m in late],
        },
        schema={"place": pl.UInt32, "producer": pl.String, "t": pl.Int64, "late": pl.Int64},
    )


def test_a_slow_clock_is_named_with_its_place_its_minutes_and_its_days() -> None:
    [note] = slow_clocks(scans(*[37.2] * 9, 37.9, 61))
    assert "Place 5, producer gate-7, 05/01/2022: each scan came some 37 minutes" in note.en
    assert "chậm" in note.vi
    later = scans(*[37.2] * LEAST).with_columns(pl.col("t") + 2 * 24 * 60 * MINUTE)
    [note] = slow_clocks(pl.concat([scans(*[40.0] * LEAST), later]))
    assert "05/01/2022–07/01/2022" in note.en
    assert "some 37 minutes" in note.en


@pytest.mark.parametrize(
    "late",
    [
        [37.0] * (LEAST - 1),
        [0.1] * 20,
        [37.0] * 20 + [0.1],  # one that came at once: the clock is right, the network was not
        [float(300 - n) for n in range(20)],  # sent in one go, after hours
        [*[37.0] * (LEAST - 1), None, None],  # typed from paper
        [],
    ],
    ids=["few", "in time", "one in time", "sent late", "typed", "nobody"],
)
def test_what_is_no_slow_clock(late: list[float | None]) -> None:
    assert slow_clocks(scans(*late)) == ()


@pytest.mark.parametrize(
    ("alike", "others", "slow"),
    [(12, 1, True), (12, 3, True), (12, 4, False), (11, 2, True), (11, 3, False), (28, 7, True)],
)
def test_eight_of_ten_come_nearly_equally_late(alike: int, others: int, slow: bool) -> None:
    """Whatever the rest of them, which are later, do."""
    notes = slow_clocks(scans(*[37.0] * alike, *[60.0 + 9 * n for n in range(others)]))
    assert len(notes) == slow


def test_a_day_is_a_local_one() -> None:
    """Before and after midnight in Vietnam: too few on either day."""
    midnight = milliseconds(DAY + timedelta(hours=17))
    around = scans(*[37.0] * LEAST).with_columns(t=midnight + (pl.col("t") - START) - 5 * MINUTE)
    assert slow_clocks(around) == ()


def test_the_slowest_are_named_and_no_more_than_can_be_read() -> None:
    many = pl.concat([scans(*[10.0 + n] * LEAST, place=n) for n in range(15)])
    notes = slow_clocks(many)
    assert len(notes) == MOST_NOTES
    assert "Place 14" in notes[0].en


def test_late_scans_of_others_hide_no_slow_clock() -> None:
    """Elsewhere and by other producers many come late, not alike; and most come in time."""
    uneven = [float(300 - n) for n in range(20)]
    mixed = pl.concat(
        [
            scans(*uneven, place=6),
            scans(*uneven, producer="app"),
            scans(*[0.1] * 200),
            scans(*[37.0] * LEAST, producer="gate-8"),
        ]
    )
    [note] = slow_clocks(mixed)
    assert "Place 5, producer gate-8, 05/01/2022: each scan came some 37 minutes" in note.en


def test_a_trace_says_so() -> None:
    people = [(person, ROOM, 0.0, 30.0) for person in range(1000, 1010)]
    rows = visits((CASE, ROOM, 0, 60), *people)
    told = [
        [note.en for note in trace_from(Scans(engine), A_CASE, GROUND, RULES, NOW).notes]
        for engine in (FakeEngine(rows), FakeEngine(rows, late=20 * MINUTE))
    ]
    assert not any("clock" in note for note in told[0])
    assert sum("each scan came some 20 minutes" in note for note in told[1]) == 1
