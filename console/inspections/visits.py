"""A ward's round: which places to go to next and why, in the order of a walk.

First what has waited longest past its day, then what is planned or answered, then places where
nobody has been, then those where the last look is oldest, by whole weeks: within a week, and
among places nobody has seen, the order is that of streets and doors.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from issuer.walk import WalkKey
from schemas.clock import LOCAL
from schemas.inspections import Stage


class Reason(StrEnum):
    """Why somebody should go there, the most pressing first."""

    OVERDUE = "overdue"
    PLANNED = "planned"
    ANSWERED = "answered"
    NEVER = "never"
    OLDEST = "oldest"


@dataclass(frozen=True)
class Hand:
    """An inspection that is not closed, as far as a round needs it."""

    id: str
    stage: Stage
    planned_on: date | None
    due_on: date | None


@dataclass(frozen=True)
class Door:
    """A place, where it is in a walk, and what is known of inspections there."""

    place: int
    walk: WalkKey
    checked_at: datetime | None = None
    hands: tuple[Hand, ...] = ()


@dataclass(frozen=True)
class Visit:
    """A place to go to. `since`: the day that has passed, or of the last look."""

    door: Door
    reason: Reason
    since: date | None = None
    inspection: str | None = None


_RANK: Final = {reason: rank for rank, reason in enumerate(Reason)}


def visits(doors: Iterable[Door], today: date) -> list[Visit]:
    """Where to go on this day (Asia/Ho_Chi_Minh); what waits for somebody else is left out."""
    found = [visit for door in doors if (visit := visit_of(door, today)) is not None]
    return sorted(found, key=_pressing)


def visit_of(door: Door, today: date) -> Visit | None:
    """Why somebody should go to this door; None while all of it waits for somebody else."""
    wanted = [v for hand in door.hands if (v := _of_hand(door, hand, today)) is not None]
    if wanted:
        return min(wanted, key=_pressing)
    if any(hand.stage is not Stage.CHECKED for hand in door.hands):
        return None  # planned for later, the owner's time runs, or an authority has it
    if door.checked_at is None:
        return Visit(door, Reason.NEVER)
    return Visit(door, Reason.OLDEST, _day(door.checked_at))


def _of_hand(door: Door, hand: Hand, today: date) -> Visit | None:
    match hand.stage:
        case Stage.PLANNED if hand.planned_on is None or hand.planned_on <= today:
            return Visit(door, Reason.PLANNED, hand.planned_on, hand.id)
        case Stage.ORDERED if hand.due_on is not None and hand.due_on < today:
            return Visit(door, Reason.OVERDUE, hand.due_on, hand.id)
        case Stage.REPLIED | Stage.DECIDED:
            late = hand.due_on is not None and hand.due_on < today
            reason = Reason.OVERDUE if late else Reason.ANSWERED
            return Visit(door, reason, hand.due_on, hand.id)
        case _:
            return None


def _pressing(visit: Visit) -> Any:
    """Reason, then the longest wait, then the walk."""
    since = visit.since or date.max
    if visit.reason is Reason.OLDEST:
        since -= timedelta(days=since.weekday())
    return (_RANK[visit.reason], since, visit.door.walk, visit.inspection or "")


def _day(moment: datetime) -> date:
    return moment.astimezone(LOCAL).date()
