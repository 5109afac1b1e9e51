"""Warnings of the Corona-Warn-App's rule: its worked scenarios, days and weights."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from importlib import resources
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.cases import Case, CaseStatus, Point, PointSource, Symptoms
from tests.unit.test_contacts import (
    A_CASE,
    ALICE,
    BOB,
    CASE,
    DAY,
    GROUND,
    HALL,
    NOW,
    ROOM,
    visits,
)  # fmt: skip
from tracer.documents import to_documents
from tracer.frames import TIME
from tracer.ruleset import RuleSet, RuleSetError, load_rule_sets, parse_rule_set
from tracer.trace import TraceResult, trace
from tracer.warning import warned
from tracer.window import weighted_days, window_of

CWA: RuleSet = next(r for r in load_rule_sets() if r.id == "cwa-2021")
assert CWA.warning is not None
RULE = CWA.warning
MINUTE = 60_000
EVERY_DAY = {date(2021, 3, 1) + timedelta(days=n): 1.0 for n in range(10)}


def stay(start: datetime, end: datetime) -> pl.DataFrame:
    return pl.DataFrame({"start": [start], "end": [end]}, schema={"start": TIME, "end": TIME})


def parts(start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    found = warned(stay(start, end), RULE, EVERY_DAY)
    return list(zip(found["from"], found["to"], strict=True))


def clock(text: str) -> datetime:
    """On 2021-03-04 at +01:00."""
    return datetime.fromisoformat(f"2021-03-04T{text}:00+01:00").astimezone(UTC)


# `TimeIntervalDeriverTest`, cwa-app-android @995c9f3
@pytest.mark.parametrize(
    ("check_in", "interval"),
    [
        ("10:21–10:29", None),
        ("10:20–10:30", "10:20–10:40"),
        ("10:21–10:31", "10:20–10:40"),
        ("10:26–10:36", "10:30–10:50"),
        ("10:21–10:33", "10:20–10:40"),
        ("10:24–10:36", "10:30–10:50"),
        ("10:25–10:39", "10:20–10:50"),
        ("10:28–10:42", "10:30–11:00"),
        ("10:25–10:40", "10:20–10:50"),
        ("10:22–11:12", "10:20–11:40"),
    ],
)
def test_the_ten_worked_scenarios(check_in: str, interval: str | None) -> None:
    start, end = map(clock, check_in.split("–"))
    expected = [] if interval is None else [tuple(map(clock, interval.split("–")))]
    assert parts(start, end) == expected


def test_a_warning_is_cut_at_utc_midnight() -> None:
    start, end = datetime(2021, 3, 4, 23, 40, tzinfo=UTC), datetime(2021, 3, 5, 0, 20, tzinfo=UTC)
    midnight = datetime(2021, 3, 5, tzinfo=UTC)
    assert parts(start, end) == [(start, midnight), (midnight, midnight + timedelta(minutes=50))]


def _slowly(start: int, end: int) -> tuple[int, int] | None:
    """The rule in minutes, by fractions; start and end in milliseconds."""
    length = Fraction(end - start, MINUTE)
    if length < 10:
        return None
    late = Fraction(end, MINUTE) + min(length, Fraction(30))
    whole = (late - Fraction(start, MINUTE)) / 10
    units = int(whole + Fraction(1, 2))
    first, last = int(Fraction(start, MINUTE) // 10), int(late // 10)
    in_first = (first + 1) * 10 - Fraction(start, MINUTE)
    begin = first if in_first >= late - last * 10 else last + 1 - units
    return begin * 10 * MINUTE, (begin + units) * 10 * MINUTE


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 86_400_000), st.integers(0, 4 * 60) | st.integers(0, 4 * 60 * 6_000))
def test_any_stay_against_the_rule_by_fractions(after_midnight: int, tenths: int) -> None:
    begin = int(datetime(2021, 3, 3, tzinfo=UTC).timestamp() * 1000)
    start = begin + after_midnight
    end = start + (tenths * MINUTE if tenths <= 4 * 60 else tenths * 10)
    found = parts(_moment(start), _moment(end))
    expected = _slowly(start, end)
    if expected is None:
        assert found == []
        return
    assert (found[0][0], found[-1][1]) == (_moment(expected[0]), _moment(expected[1]))
    for (_, before), (after, _) in pairwise(found):
        assert before == after
        assert before.time() == datetime.min.time()


def _moment(ms: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)


def case(**changes: Any) -> Case:
    return A_CASE.model_copy(update=changes)


def test_days_weigh_by_the_distance_from_onset() -> None:
    found = weighted_days(case(onset=date(2022, 1, 5)), RULE, datetime(2022, 1, 9, tzinfo=UTC))
    weights = [0.8, 1.2, 1.4, 1.6, 1.6, 1.6, 1.2, 1.0, 0.6]
    days = [date(2022, 1, 1) + timedelta(days=n) for n in range(9)]
    assert dict(found) == dict(zip(days, weights, strict=True))
    window = window_of(case(onset=date(2022, 1, 5)), CWA, datetime(2022, 1, 8, 7, tzinfo=UTC))
    assert window.start == datetime(2022, 1, 1, tzinfo=UTC)
    assert window.end == datetime(2022, 1, 8, 7, tzinfo=UTC)


def test_days_without_an_onset_count_back_from_registration() -> None:
    registered = datetime(2022, 1, 10, 20, tzinfo=UTC)
    without = case(onset=None, symptoms=Symptoms.NO, registered_at=registered)
    assert weighted_days(without, RULE, registered) == {
        date(2022, 1, 8): 0.6, date(2022, 1, 9): 0.8, date(2022, 1, 10): 0.8,
    }  # fmt: skip
    unknown = case(onset=None, symptoms=Symptoms.UNKNOWN, registered_at=registered)
    weights = weighted_days(unknown, RULE, registered)
    # level 2, on the eighth day before, weighs nothing
    assert list(weights) == [date(2022, 1, 3) + timedelta(days=n) for n in range(8)]
    assert list(weights.values()) == [0.6, 0.8, 1.2, 1.4, 1.4, 1.4, 1.2, 1.0]


def test_nothing_older_than_ten_days_counts() -> None:
    now = datetime(2022, 1, 13, 12, tzinfo=UTC)
    assert min(weighted_days(case(onset=date(2022, 1, 5)), RULE, now)) == date(2022, 1, 3)
    late = datetime(2022, 3, 1, tzinfo=UTC)
    assert window_of(case(onset=date(2022, 1, 5)), CWA, late).empty


def traced(*rows: tuple[int, int, float, float]) -> TraceResult:
    return trace(A_CASE, visits(*rows), GROUND, CWA, NOW)


def contact_of(result: TraceResult, person: int) -> dict[str, Any]:
    (row,) = result.contacts.filter(pl.col("person") == person).rows(named=True)
    return row


def test_only_the_case_is_prolonged_and_minutes_weigh() -> None:
    # onset is the day itself: weight 1.6; 60 minutes of the case become 90
    result = traced((CASE, ROOM, 0, 60), (ALICE, ROOM, 80, 120), (BOB, ROOM, 90, 120))
    alice = contact_of(result, ALICE)
    assert (alice["minutes"], alice["weighted"], alice["category"]) == (10.0, 16.0, "high")
    assert BOB not in result.contacts["person"]


def test_overlaps_of_one_day_are_added_and_each_is_rounded() -> None:
    result = traced(
        (CASE, ROOM, 0, 30), (CASE, HALL, 200, 230),
        (ALICE, ROOM, 0, 3.4), (ALICE, HALL, 200, 203.5),
        (BOB, ROOM, 59.75, 70),
    )  # fmt: skip
    alice, bob = contact_of(result, ALICE), contact_of(result, BOB)
    assert alice["weighted"] == pytest.approx(1.6 * (3 + 4))
    assert alice["category"] == "high"
    # a quarter of a minute counts as being there and weighs nothing
    assert (bob["minutes"], bob["weighted"], bob["category"]) == (0.25, 0.0, "none")


def point(start: float, end: float, where: int = ROOM) -> Point:
    begin, until = (DAY + timedelta(minutes=minute) for minute in (start, end))
    return Point(place=where, begin=begin, end=until, source=PointSource.INTERVIEW)


@pytest.mark.parametrize(
    ("points", "weighted"),
    [
        ([point(0, 60)], 90),  # what the scans say, said again
        ([point(50, 90)], 120),
        ([point(60, 90)], 120),  # told to have gone on
        ([point(75, 90)], 100),
        ([point(150, 180)], 90 + 60),
        ([point(30, 70), point(65, 100)], 130),
        ([point(0, 60, HALL)], 90),
    ],
)
def test_a_minute_that_a_scan_and_an_interview_tell_of_weighs_once(
    points: list[Point], weighted: float
) -> None:
    told = A_CASE.model_copy(update={"points": tuple(points)})
    result = trace(told, visits((CASE, ROOM, 0, 60), (ALICE, ROOM, 0, 300)), GROUND, CWA, NOW)
    assert contact_of(result, ALICE)["weighted"] == pytest.approx(1.6 * weighted)
    assert not any("None of the place-time points" in note.en for note in result.notes)
    there = [point for point in points if point.place == ROOM]
    assert result.exposures.height == 1 + len(there), "each is evidence of its own"


def test_a_point_takes_nothing_from_two_check_ins() -> None:
    twice = (CASE, ROOM, 0, 10), (CASE, ROOM, 15, 25), (ALICE, ROOM, 10, 20)
    plain = contact_of(traced(*twice), ALICE)["weighted"]
    assert plain == pytest.approx(1.6 * 20)
    for said in (point(15, 25), point(0, 10), point(0, 25)):
        told = A_CASE.model_copy(update={"points": (said,)})
        found = trace(told, visits(*twice), GROUND, CWA, NOW)
        assert contact_of(found, ALICE)["weighted"] == pytest.approx(plain)


def test_two_check_ins_weigh_both_as_the_app_has_it() -> None:
    result = traced((CASE, ROOM, 0, 60), (CASE, ROOM, 75, 90), (ALICE, ROOM, 0, 300))
    assert contact_of(result, ALICE)["weighted"] == pytest.approx(1.6 * (90 + 30))


@pytest.mark.parametrize(("minutes", "together"), [(40, [0, 40]), (70, [0, 70]), (200, [0, 90])])
def test_nothing_counts_that_is_after_now(minutes: int, together: list[int]) -> None:
    """Neither of a stay that is not over, nor of what it is prolonged by."""
    now = DAY + timedelta(minutes=minutes)
    result = trace(A_CASE, visits((CASE, ROOM, 0, 60), (ALICE, ROOM, 0, 300)), GROUND, CWA, now)
    [found] = result.exposures.select("start", "end").rows()
    assert [(moment - DAY) // timedelta(minutes=1) for moment in found] == together
    assert result.window.end >= found[1]


def test_days_are_not_added_together() -> None:
    night = 24 * 60  # DAY is midnight UTC
    result = traced((CASE, ROOM, night - 30, night + 30), (ALICE, ROOM, night - 5, night + 4))
    alice = contact_of(result, ALICE)
    assert alice["exposures"] == 2
    assert (alice["weighted"], alice["category"]) == (pytest.approx(8.0), "low")


def test_the_document_has_weights_only_under_such_a_rule_set() -> None:
    rows = ((CASE, ROOM, 0, 60), (ALICE, ROOM, 0, 60))
    (weighed,) = to_documents(traced(*rows))["contacts"]
    assert (weighed["weighted"], weighed["category"]) == (96.0, "high")
    assert weighed["exposures"][0]["weighted"] == 96.0
    rules = next(r for r in load_rule_sets() if r.id == "vn-2021-12-29")
    plain = to_documents(trace(A_CASE, visits(*rows), GROUND, rules, NOW))
    assert "weighted" not in plain["contacts"][0]
    assert "weighted" not in plain["contacts"][0]["exposures"][0]


def test_a_rule_set_has_a_window_or_a_warning() -> None:
    text = resources.files("tracer.data").joinpath("cwa-2021.toml").read_text("utf-8")
    none = text[: text.index("[warning]")]
    with pytest.raises(RuleSetError, match=r"x\.toml: window, warning: exactly one"):
        parse_rule_set(none, "x.toml")
    weightless = text.replace("weights = [0, 0, 0.6, 0.8, 1, 1.2, 1.4, 1.6]", "weights = [0, 1]")
    with pytest.raises(RuleSetError, match=r"x\.toml: warning: .*level 8 has no weight"):
        parse_rule_set(weightless, "x.toml")


def test_a_case_that_is_no_case_of_symptoms_still_loads() -> None:
    old = Case.model_validate_json(A_CASE.model_dump_json(exclude={"symptoms"}))
    assert old.symptoms is None
    assert old.status is CaseStatus.CONFIRMED
    assert DAY < NOW
