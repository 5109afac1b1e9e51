"""Routes of erasing a person: asked for here, done by the console in the background."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Path

from console.access import Principal, Requires, Right
from console.api.cases import ConsoleOf
from console.api.documented import answers
from console.api.erasures_schemas import EraseAsked, EraseSaid, ErasuresListed, StillThere
from console.api.errors import ApiError
from console.api.state import Console
from console.erasure.desk import Desk
from console.erasure.until import rest
from console.store import erasures as store
from console.store.erasures import Asked
from schemas.errors import UserError

log = structlog.get_logger()
router = APIRouter(prefix="/v1/persons", tags=["persons"])

Erases = Annotated[Principal, Depends(Requires(Right.PERSONS_ERASE))]
Number = Annotated[int, Path(alias="erasure", ge=1, lt=2**31)]
KEPT_UNTIL = "each case is closed or voided"


@router.post("/erase", status_code=202, summary="Erase a person", responses=answers(404, 409, 503))
def erase(body: EraseAsked, principal: Erases, console: ConsoleOf) -> EraseSaid:
    """Accepted when it is in the list that workers, rebuilds and replays honour. Rows go within
    minutes; the answer says what ages out by itself, and when. Again for the same person while it
    runs is the same request."""
    desk = Desk(console.settings, console.store, console.clickhouse)
    try:
        person = body.person or desk.person_of(str(body.event_id))
    except UserError as error:
        vi, _, en = str(error).partition(" / ")
        raise ApiError(404, "not_found", vi, en) from None
    try:
        made = desk.ask(person, body.reason, principal.by)
    except UserError as error:
        vi, _, en = str(error).partition(" / ")
        raise ApiError(409, "conflict", vi, en) from None
    console.relay.wake()
    return said(console, made)


@router.get("/erasures", summary="Requests for erasure", responses=answers(503))
def listed(_: Erases, console: ConsoleOf) -> ErasuresListed:
    """The newest first, without who they are about."""
    found = store.asked(console.store, limit=100)
    return ErasuresListed(erasures=[said(console, asked) for asked in found])


@router.get("/erasures/{erasure}", summary="One request", responses=answers(404, 503))
def one(number: Number, _: Erases, console: ConsoleOf) -> EraseSaid:
    """How far it is."""
    found = store.one(console.store, number)
    if found is None:
        raise ApiError(
            404, "not_found", "Không có yêu cầu này.", "There is no request with this number."
        )
    return said(console, found)


def said(console: Console, asked: Asked) -> EraseSaid:
    """The answer about a request."""
    return EraseSaid(
        id=asked.id,
        state=asked.state,
        before=asked.before,
        removed=asked.removed,
        kept_for=list(asked.kept_for),
        kept_until=KEPT_UNTIL if asked.kept_for else "",
        still=[
            StillThere(what=r.what, has_vi=r.has[0], has_en=r.has[1], gone_by=r.gone_by)
            for r in rest(console.settings, asked.before)
        ],
        finished_at=asked.finished_at,
    )
