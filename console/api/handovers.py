"""Routes of handing contacts over: asked, seen by both areas, answered by the receiver."""

from collections.abc import Callable
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Path, Query

from console.access import Principal, Requires, Right
from console.api.cases import ConsoleOf, Limit, Offset
from console.api.documented import answers
from console.api.errors import field_problem, invalid
from console.api.state import Console
from console.api.teamwork_schemas import AnswerHandover, AskHandover, Handovers, HandoverSaid
from console.api.worklist import Person
from console.api.worklist_rows import may_work, row_of
from console.store import handovers as store
from console.store.errors import NotFound
from console.store.handovers import Handover, HandoverState
from console.worklist.areas import covers
from issuer.units import EVERYWHERE, check_area

log = structlog.get_logger()
router = APIRouter(prefix="/v1", tags=["list"])

Hands = Annotated[Principal, Depends(Requires(Right.LIST_HAND_OVER))]
Number = Annotated[int, Path(alias="hand_over", ge=1, lt=2**31)]
State = Annotated[HandoverState | None, Query(description="Only those; all without it.")]


@router.post(
    "/cases/{case_id}/list/{person}/hand-overs",
    status_code=201,
    summary="Hand a contact to another area",
    responses=answers(404, 409, 503),
)
def ask(
    case_id: str, person: Person, body: AskHandover, principal: Hands, console: ConsoleOf
) -> HandoverSaid:
    """Until it is accepted the sender stays responsible, and the receiver cannot read it."""
    row = row_of(console, principal, case_id, person)
    _must_be_an_area(body.to)
    made = store.ask(
        console.store,
        case_id,
        person,
        body.to,
        by=principal.by,
        guard=may_work(principal),
        last_exposure=row.last_exposure,
        note=body.note,
    )
    log.info("hand_over_asked", hand_over=made.id, case=case_id)
    return _said(made)


@router.get("/hand-overs", summary="Hand-overs from the key's area and to it")
def listed(
    principal: Hands,
    console: ConsoleOf,
    state: State = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Handovers:
    """The newest first."""
    found = store.handovers(console.store, principal.area, state, limit=limit, offset=offset)
    return Handovers(hand_overs=[_said(h) for h in found], limit=limit, offset=offset)


@router.post("/hand-overs/{hand_over}/accept", summary="Accept", responses=answers(404, 409))
def accept(
    number: Number, principal: Hands, console: ConsoleOf, body: AnswerHandover | None = None
) -> HandoverSaid:
    """From now on the contact is the receiver's to work. Accepted before, it is as it was."""
    return _answered(console, principal, number, HandoverState.ACCEPTED, body)


@router.post("/hand-overs/{hand_over}/refuse", summary="Refuse", responses=answers(404, 409))
def refuse(
    number: Number, principal: Hands, console: ConsoleOf, body: AnswerHandover | None = None
) -> HandoverSaid:
    """The sender stays responsible."""
    return _answered(console, principal, number, HandoverState.REFUSED, body)


@router.post("/hand-overs/{hand_over}/withdraw", summary="Withdraw", responses=answers(404, 409))
def withdraw(
    number: Number, principal: Hands, console: ConsoleOf, body: AnswerHandover | None = None
) -> HandoverSaid:
    """The sender takes it back, while nobody has answered."""
    return _answered(console, principal, number, HandoverState.WITHDRAWN, body)


def _answered(
    console: Console,
    principal: Principal,
    number: int,
    state: HandoverState,
    body: AnswerHandover | None,
) -> HandoverSaid:
    found = store.answer(
        console.store,
        number,
        state,
        by=principal.by,
        guard=_side_of(principal, state),
        note=body.note if body else None,
    )
    log.info("hand_over_answered", hand_over=number, state=state.value)
    return _said(found)


def _side_of(principal: Principal, state: HandoverState) -> Callable[[Handover], None]:
    """The receiver answers, the sender withdraws; to anybody else there is none."""

    def guard(handover: Handover) -> None:
        withdrawn = state is HandoverState.WITHDRAWN
        mine = handover.from_area if withdrawn else handover.to_area
        if not covers(principal.area, mine):
            raise NotFound(
                f"Không có bàn giao {handover.id} để trả lời ở địa bàn của khoá. / "
                f"There is no hand-over {handover.id} for this key's area to answer."
            )

    return guard


def _must_be_an_area(area: str) -> None:
    try:
        if area == EVERYWHERE:
            raise ValueError
        check_area(area)
    except ValueError:
        vi = "Không có địa bàn này; viết ward/<mã>, district/<mã> hoặc city/<mã>."
        en = "There is no such area: write ward/<code>, district/<code> or city/<code>."
        raise invalid(field_problem("to", "unknown", vi, en)) from None


def _said(handover: Handover) -> HandoverSaid:
    fields: dict[str, Any] = {
        "case": handover.case_id,
        "from": handover.from_area,
        "to": handover.to_area,
    }
    same = ("id", "person", "state", "asked_at", "asked_by", "answered_at", "answered_by")
    return HandoverSaid.model_validate(fields | {name: getattr(handover, name) for name in same})
