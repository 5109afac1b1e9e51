"""The life of an inspection: where a set of steps leads, whatever the order they arrive in.

Nothing that arrives is refused for coming at a wrong moment: a phone without a network sends the
order before its check. Steps are taken as they happened; one that does not fit there is set aside,
with why, and fits once what was missing has arrived.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from console.inspections.steps import (
    Checked,
    Closed,
    Content,
    Decided,
    Opened,
    Ordered,
    Referred,
    Replied,
    Step,
    in_order,
)
from schemas.inspections import Authority, Ending, Outcome, Result, Stage


class Aside(StrEnum):
    """Why a step does not count where it stands."""

    CLOSED = "closed"
    BEGUN = "begun"
    NOT_CHECKED = "not_checked"
    NO_DEFECTS = "no_defects"
    WITH_AUTHORITY = "with_authority"
    NOT_REFERRED = "not_referred"
    NOT_PASSED = "not_passed"
    NOT_DECIDED = "not_decided"


@dataclass(frozen=True)
class State:
    """An inspection as its steps have left it. `stage` None: there is no step that counts.

    `check` is the last that was possible; `mend` and `due_on` what the owner is to do by when,
    gone once a check has passed; `referred` whether an authority has it now.
    """

    stage: Stage | None = None
    begun_at: datetime | None = None
    planned_on: date | None = None
    check: Step | None = None
    order: Step | None = None
    due_on: date | None = None
    reply: Step | None = None
    referral: Step | None = None
    decision: Step | None = None
    closing: Step | None = None

    @property
    def result(self) -> Result | None:
        """What the last check that was possible concluded."""
        content = self.check.content if self.check else None
        return content.result if isinstance(content, Checked) else None

    @property
    def referred(self) -> bool:
        """Whether an authority has it and has not decided."""
        return self.referral is not None and self.decision is None

    @property
    def checked_at(self) -> datetime | None:
        """When somebody last was there and could look."""
        return self.check.occurred_at if self.check is not None else None

    @property
    def authority(self) -> Authority | None:
        """To whom it was referred last."""
        content = self.referral.content if self.referral else None
        return content.to if isinstance(content, Referred) else None


@dataclass(frozen=True)
class Life:
    """The steps as they happened, the state they lead to, and those that do not count."""

    steps: tuple[Step, ...] = ()
    state: State = State()
    aside: dict[str, Aside] = field(default_factory=dict)


def life_of(steps: Iterable[Step]) -> Life:
    """Where these steps lead: the same for the same set, in any order, however often."""
    ordered = in_order(steps)
    state, aside = State(), {}
    for step in ordered:
        why = refusal(state, step.content)
        if why is None:
            state = after(state, step)
        else:
            aside[step.event_id] = why
    return Life(tuple(ordered), state, aside)


def refusal(state: State, content: Content) -> Aside | None:
    """Why this cannot follow; None if it can."""
    if state.stage is Stage.CLOSED:
        return Aside.CLOSED
    match content:
        case Opened():
            return None if state.stage is None else Aside.BEGUN
        case Checked():
            return None
        case Ordered() | Referred():
            return _about_defects(state)
        case Replied():
            return None if state.check else Aside.NOT_CHECKED
        case Decided(by=authority):
            mine = state.referred and state.authority is authority
            return None if mine else Aside.NOT_REFERRED
        case Closed():
            return _end(state, content.ending)


def _about_defects(state: State) -> Aside | None:
    if state.check is None:
        return Aside.NOT_CHECKED
    if state.result is not Result.DEFECTS:
        return Aside.NO_DEFECTS
    return Aside.WITH_AUTHORITY if state.referred else None


def _end(state: State, ending: Ending) -> Aside | None:
    if ending is Ending.MISTAKE:
        return None
    if state.referred:
        return Aside.WITH_AUTHORITY
    if ending is Ending.MENDED and state.result is not Result.PASSED:
        return Aside.NOT_PASSED
    if ending is Ending.DECIDED and state.decision is None:
        return Aside.NOT_DECIDED
    return None


def after(state: State, step: Step) -> State:
    """The state after a step that can follow."""
    state = replace(state, begun_at=state.begun_at or step.occurred_at)
    match step.content:
        case Opened(planned_on=day):
            return replace(state, stage=Stage.PLANNED, planned_on=day)
        case Checked(result=Result.NOT_POSSIBLE):
            return replace(state, stage=state.stage or Stage.PLANNED)
        case Checked(result=result):
            stage = Stage.REFERRED if state.referred else Stage.CHECKED
            if result is Result.PASSED:  # what was ordered is done
                state = replace(state, order=None, due_on=None)
            return replace(state, stage=stage, check=step)
        case Ordered(by=day):
            return replace(state, stage=Stage.ORDERED, order=step, due_on=day, reply=None)
        case Replied():
            stage = Stage.REFERRED if state.referred else Stage.REPLIED
            return replace(state, stage=stage, reply=step)
        case Referred():
            return replace(state, stage=Stage.REFERRED, referral=step, decision=None)
        case Decided(outcome=Outcome.MORE_TIME, until=day) if state.result is Result.DEFECTS:
            return replace(state, stage=Stage.ORDERED, decision=step, due_on=day)
        case Decided():
            return replace(state, stage=Stage.DECIDED, decision=step)
        case Closed():
            return replace(state, stage=Stage.CLOSED, closing=step)
