"""Fourteen days of follow-up: what is due, overdue, done."""

from datetime import UTC, date, datetime, timedelta

from console.worklist.axes import FollowUp, VisitResult
from console.worklist.followup import Plan, Visit, last_day, plan

# half past midnight of the 3rd in Việt Nam
LAST = datetime(2026, 11, 2, 17, 30, tzinfo=UTC)
FIRST = date(2026, 11, 4)
SEEN = VisitResult.COOPERATIVE


def visited(*days: int, result: VisitResult = SEEN) -> dict[date, Visit]:
    found = (date(2026, 11, day) for day in days)
    return {day: Visit(day, result, symptoms=False) for day in found}


def standing(
    today: int, *days: int, begun: int = 4, follow_up: FollowUp | None = FollowUp.FOLLOW_UP
) -> Plan:
    on = date(2026, 11, today)
    return plan(follow_up, date(2026, 11, begun), LAST, visited(*days), on)


def test_the_last_day_is_the_fourteenth_after_the_local_day_of_the_last_exposure() -> None:
    assert last_day(LAST) == date(2026, 11, 17)
    days = standing(4).days
    assert (days[0].day, days[0].number, days[-1].day, days[-1].number) == (
        FIRST,
        1,
        date(2026, 11, 17),
        14,
    )


def test_due_overdue_and_done() -> None:
    assert standing(3).state == "not_begun"
    assert standing(4).state == "due"
    assert standing(4, 4).state == "done_today"
    late = standing(6, 4)
    assert (late.state, late.missed) == ("overdue", 1)
    assert [day.state for day in late.days[:4]] == ["done", "overdue", "due", "ahead"]
    assert standing(6, 4, 5, 6).state == "done_today"
    assert standing(17, *range(4, 18)).state == "done_today"
    over = standing(18, *range(4, 17))
    assert (over.state, over.missed) == ("over", 1)


def test_days_before_it_was_begun_were_not_missed() -> None:
    found = standing(8, begun=8)
    assert (found.state, found.missed) == ("due", 0)
    assert [day.state for day in found.days[:5]] == ["before"] * 4 + ["due"]


def test_not_followed_is_not_due() -> None:
    for other in (None, FollowUp.NO_FOLLOW_UP, FollowUp.LOST, FollowUp.CANCELED):
        assert standing(6, follow_up=other).state == "none"
    assert plan(FollowUp.FOLLOW_UP, FIRST, None, {}, FIRST).state == "none"


def test_who_was_not_seen_and_who_has_symptoms_is_told() -> None:
    visits = visited(4) | visited(5, 6, result=VisitResult.UNAVAILABLE)
    found = plan(FollowUp.FOLLOW_UP, FIRST, LAST, visits, date(2026, 11, 6))
    assert (found.unreached, found.symptoms) == (2, False)
    ill = FIRST + timedelta(days=3)
    visits[ill] = Visit(ill, SEEN, symptoms=True, temperature=38.2)
    found = plan(FollowUp.FOLLOW_UP, FIRST, LAST, visits, ill)
    assert (found.unreached, found.symptoms) == (0, True)


def test_of_whom_nobody_has_asked_nothing_is_said() -> None:
    """Not that there were none."""
    assert plan(FollowUp.FOLLOW_UP, FIRST, LAST, {}, FIRST).symptoms is None
    day = FIRST + timedelta(days=1)
    missed = {day: Visit(day, VisitResult.UNAVAILABLE)}
    assert plan(FollowUp.FOLLOW_UP, FIRST, LAST, missed, day).symptoms is None
