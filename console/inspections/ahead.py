"""What is ahead of an inspection: whose turn it is, until when, and what may be done next.

All of it is proposed to a person. Nothing happens because a day has passed.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from console.inspections.authorities import above
from console.inspections.life import State
from console.inspections.steps import Checked, Replied, is_current
from schemas.inspections import Authority, Kind, Result, Says, Stage


class Turn(StrEnum):
    """Whose step is next."""

    OFFICER = "officer"
    OWNER = "owner"
    AUTHORITY = "authority"
    NOBODY = "nobody"


@dataclass(frozen=True)
class Ahead:
    """What is next. `refer_to`: to whom a referral is proposed, where one is."""

    turn: Turn
    proposed: tuple[Kind, ...] = ()
    due_on: date | None = None
    overdue: bool = False
    refer_to: Authority | None = None


def ahead(state: State, today: date, *, districts: bool = True) -> Ahead:
    """What is next on this day (Asia/Ho_Chi_Minh); `districts`: whether the ward is in one."""
    late = state.due_on is not None and state.due_on < today
    match state.stage:
        case None | Stage.PLANNED:
            day = state.planned_on
            return Ahead(Turn.OFFICER, (Kind.CHECKED,), day, day is not None and day < today)
        case Stage.CHECKED:
            return _checked(state, late, districts)
        case Stage.ORDERED if not late:
            return Ahead(Turn.OWNER, (Kind.REPLIED,), state.due_on)
        case Stage.ORDERED:
            return Ahead(Turn.OFFICER, (Kind.CHECKED,), state.due_on, overdue=True)
        case Stage.REPLIED:
            return Ahead(Turn.OFFICER, _answered(state), state.due_on, late)
        case Stage.REFERRED:
            return Ahead(Turn.AUTHORITY, (Kind.DECIDED,), state.due_on, late)
        case Stage.DECIDED:
            closes = (
                (Kind.CLOSED,) if state.result is Result.PASSED else (Kind.CHECKED, Kind.CLOSED)
            )
            return Ahead(Turn.OFFICER, closes, state.due_on, late)
        case Stage.CLOSED:
            return Ahead(Turn.NOBODY)


def _checked(state: State, late: bool, districts: bool) -> Ahead:
    if state.result is Result.PASSED:
        return Ahead(Turn.OFFICER, (Kind.CHECKED,) if _contradicted(state) else (Kind.CLOSED,))
    if not late:
        return Ahead(Turn.OFFICER, (Kind.ORDERED,), state.due_on)
    # looked at again after the day, and still not mended
    to = above(state.authority, districts=districts)
    proposed = (Kind.ORDERED, Kind.REFERRED)
    return Ahead(Turn.OFFICER, proposed, state.due_on, overdue=True, refer_to=to)


def _contradicted(state: State) -> bool:
    """Passed at the place, but the code that was scanned there is not the one in force."""
    check = state.check
    assert check is not None
    assert isinstance(check.content, Checked)
    return is_current(check.content, check.seen) is False


def _answered(state: State) -> tuple[Kind, ...]:
    assert state.reply is not None
    assert isinstance(state.reply.content, Replied)
    match state.reply.content.says:
        case Says.ASKS_TIME:
            return (Kind.ORDERED, Kind.CHECKED)
        case Says.DISPUTES:
            return (Kind.CHECKED, Kind.REFERRED)
        case Says.MENDED:
            return (Kind.CHECKED,)
        case Says.COMMENTS if state.result is Result.PASSED:
            return (Kind.CLOSED,)
        case Says.COMMENTS:
            return (Kind.ORDERED, Kind.CHECKED)
