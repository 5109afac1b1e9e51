"""Follow-up: 14 days from the last exposure, each of them due, overdue or done.

Days are calendar days in Asia/Ho_Chi_Minh. SORMAS counts the same way: until the date of the
last contact plus the disease's days.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal

from console.worklist.axes import FollowUp, VisitResult
from schemas.clock import LOCAL

DAYS: Final = 14

DayState = Literal["done", "due", "overdue", "ahead", "before"]
State = Literal["none", "due", "overdue", "done_today", "not_begun", "over"]


@dataclass(frozen=True)
class Visit:
    """One day's visit or call. `symptoms` and `temperature` (°C) if the person was seen."""

    day: date
    result: VisitResult
    symptoms: bool | None = None
    temperature: float | None = None


@dataclass(frozen=True)
class Day:
    """One day of the follow-up."""

    number: int
    day: date
    state: DayState


@dataclass(frozen=True)
class Plan:
    """The follow-up as it stands today.

    `state`: `none` (not followed), `not_begun`, `due` (today's visit is to be made), `overdue`
    (an earlier one was not), `done_today`, `over` (the last day has passed). `unreached`: visits
    in a row, up to the last, in which the person was not seen. `symptoms`: whether there ever were
    any, None until somebody has said.
    """

    state: State
    until: date | None
    days: tuple[Day, ...] = ()
    missed: int = 0
    unreached: int = 0
    symptoms: bool | None = None


def last_day(last_exposure: datetime) -> date:
    """The fourteenth day after the day of the last exposure."""
    return last_exposure.astimezone(LOCAL).date() + timedelta(days=DAYS)


def plan(
    follow_up: FollowUp | None,
    begun_on: date | None,
    last_exposure: datetime | None,
    visits: Mapping[date, Visit],
    today: date,
) -> Plan:
    """What is to be done and what was not. `begun_on`: the days before it are not missed."""
    until = last_day(last_exposure) if last_exposure else None
    told = [visit.symptoms for visit in visits.values() if visit.symptoms is not None]
    symptoms = any(told) if told else None
    unreached = _unreached(visits)
    if follow_up is not FollowUp.FOLLOW_UP or until is None or last_exposure is None:
        return Plan("none", until, unreached=unreached, symptoms=symptoms)
    first = last_exposure.astimezone(LOCAL).date() + timedelta(days=1)
    days = tuple(
        Day(number + 1, day, _state(day, max(begun_on or first, first), visits, today))
        for number, day in enumerate(first + timedelta(days=n) for n in range(DAYS))
    )
    missed = sum(day.state == "overdue" for day in days)
    state: State
    if today > until:
        state = "over"
    elif today < first:
        state = "not_begun"
    elif missed:
        state = "overdue"
    else:
        state = "done_today" if today in visits else "due"
    return Plan(state, until, days, missed, unreached, symptoms)


def _state(day: date, begun_on: date, visits: Mapping[date, Visit], today: date) -> DayState:
    if day in visits:
        return "done"
    if day > today:
        return "ahead"
    if day < begun_on:
        return "before"
    return "due" if day == today else "overdue"


def _unreached(visits: Mapping[date, Visit]) -> int:
    count = 0
    for day in sorted(visits, reverse=True):
        if visits[day].result is VisitResult.COOPERATIVE:
            break
        count += 1
    return count
