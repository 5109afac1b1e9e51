"""Routes by which steps of inspections come in: of officers, of the owner, of who decides."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Depends

from console import inspecting
from console.access import Principal, Requires, Right, forbidden
from console.api.documented import answers
from console.api.errors import not_found
from console.api.inspections_reading import NO_INSPECTION, InspectionId
from console.api.inspections_said import said_of
from console.api.inspections_schemas import InspectionSaid, SendDecision, SendReply, SendStep
from console.api.state import Console, console_of
from console.inspections.authorities import may_decide
from console.inspections.steps import Step
from console.inspections.words import words_of
from console.store.engine import utc_now
from console.store.errors import NotFound
from console.store.inspection_lists import line_of
from schemas.places import Place

log = structlog.get_logger()
router = APIRouter(prefix="/v1", tags=["inspections"])

ConsoleOf = Annotated[Console, Depends(console_of)]
Works = Annotated[Principal, Depends(Requires(Right.INSPECTIONS_WORK))]
Replies = Annotated[Principal, Depends(Requires(Right.INSPECTIONS_REPLY))]
Decides = Annotated[Principal, Depends(Requires(Right.INSPECTIONS_DECIDE))]


@router.post(
    "/inspections/{inspection}/steps", summary="A step of an officer", responses=answers(404, 409)
)
def step(
    inspection: InspectionId, body: SendStep, principal: Works, console: ConsoleOf
) -> InspectionSaid:
    """Opened, checked, ordered, referred or closed. Late, twice and in any order: it counts once,
    where it happened. One that does not fit there is kept, with `counts` false and why.
    """
    return _taken(inspection, body, principal, console)


@router.post(
    "/inspections/{inspection}/reply", summary="The owner's reply", responses=answers(404, 409)
)
def reply(
    inspection: InspectionId, body: SendReply, principal: Replies, console: ConsoleOf
) -> InspectionSaid:
    """As an officer writes it down for them; owners will send it themselves."""
    return _taken(inspection, body, principal, console)


@router.post(
    "/inspections/{inspection}/decision",
    summary="What the authority decided",
    responses=answers(404, 409),
)
def decision(
    inspection: InspectionId, body: SendDecision, principal: Decides, console: ConsoleOf
) -> InspectionSaid:
    """Recorded by an account at that authority's level or above: 403 otherwise."""
    authority = body.step.by
    if not may_decide(principal.area, principal.sector, authority):
        vi, en = words_of(authority)
        raise forbidden(
            f"Việc này do {vi} quyết định; khoá này không ghi thay được.",
            f"This is for {en} to decide: this key cannot record it for them.",
        )
    return _taken(inspection, body, principal, console)


def _taken(
    inspection: str,
    body: SendStep | SendReply | SendDecision,
    principal: Principal,
    console: Console,
) -> InspectionSaid:
    line = line_of(console.store, inspection)
    place = body.place or (line.place if line else None)
    if place is None:
        raise not_found(*NO_INSPECTION)

    def guard(place: Place) -> None:
        if not principal.has(place):
            raise not_found(*NO_INSPECTION)

    try:
        after = inspecting.take(
            console.store,
            console.settings,
            console.clickhouse,
            inspection,
            place,
            Step(body.event_id, body.occurred_at, body.step),
            now=utc_now(),
            by=principal.by,
            guard=guard,
        )
    except NotFound:
        raise not_found(*NO_INSPECTION) from None
    console.relay.wake()
    log.info(
        "inspection_step", inspection=after.number, place=place, kind=body.step.kind.value,
        version=after.version,
    )  # fmt: skip
    line = line_of(console.store, inspection)
    assert line is not None
    return said_of(console.store, after, line)
