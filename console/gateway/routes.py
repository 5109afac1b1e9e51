"""Routes of the gateway: scans in, and what became of one."""

import asyncio
import math
import time
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from console.access import Principal, Requires, Right, forbidden
from console.api.codes import ring_of
from console.api.documented import answers
from console.api.errors import ApiError, not_found, unavailable
from console.api.state import Console, console_at_once
from console.gateway.body import JSON, NDJSON, Body
from console.gateway.cards import resolve
from console.gateway.flow import MAX_BODY_BYTES, MAX_LINES, too_many
from console.gateway.judge import Judged, judge
from console.gateway.outcomes import Question, outcome, pending
from console.gateway.schemas import Published, RefusedScan, ScanOutcome
from console.store.engine import utc_now
from console.store.keys import Role
from issuer.units import EVERYWHERE
from schemas.errors import Retryable
from schemas.ids import PERSON_PATTERN
from schemas.metrics import GATEWAY_SCANS
from schemas.scan import EVENT_ID_PATTERN, Scan

router = APIRouter(prefix="/v1/scans", tags=["scans"])

ConsoleOf = Annotated[Console, Depends(console_at_once)]
Publishes = Annotated[Principal, Depends(Requires(Right.SCANS_PUBLISH))]
Tracks = Annotated[Principal, Depends(Requires(Right.SCANS_TRACK))]

# lines judged on the event loop, some 2 ms; more go to a thread, which costs handing the GIL over
_INLINE: Final = 1_000
_SCAN: Final = {
    "event_id": "0190f5a4-7c1e-7b3a-9d52-6c0e5b1f2a77",
    "person": "7ZK3M9QX2B4CD",
    "code": "00000F1014T7QX9ZK2",
    "direction": "in",
    "scanned_at": "2026-11-23T01:05:00.000Z",
    "method": "self",
    "producer": "gate-1",
    "device": "d-17",
}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": f"At most {MAX_LINES} lines and {MAX_BODY_BYTES >> 20} MiB. A guard's "
        "device that scans people's cards sends `card`, the card's text, in place of `person`.",
        "content": {
            JSON: {"schema": Scan.model_json_schema(), "example": _SCAN},
            NDJSON: {"schema": {"type": "string"}, "example": "one scan as JSON a line"},
        },
    }
}


@router.post(
    "",
    status_code=202,
    summary="Publish scans",
    openapi_extra=_BODY,
    response_model=Published,
    responses=answers(400, 408, 413, 415, 429, 503)
    | {
        202: {"description": "All accepted."},
        207: {"model": Published, "description": "Some accepted, some refused."},
        422: {"model": Published, "description": "All refused, or no scan in the body."},
    },
)
async def publish(
    request: Request, principal: Publishes, console: ConsoleOf, response: Response
) -> Published:
    """One scan (`application/json`) or many (`application/x-ndjson`).

    `accepted` is said after the broker's acknowledgement. Anything can be sent again as it was:
    a scan is known by its person and `event_id`, and counts once.
    """
    if principal.producer is None:
        raise forbidden("Khoá này không thuộc nguồn gửi nào.", "This key belongs to no producer.")
    with Body(request, console.flow) as body:
        lines = await body.lines()
        _within_rate(console, principal.key_id, len(lines))
        refused: list[RefusedScan] = []
        if body.names_cards:
            ring = ring_of(console)
            own = principal.producer
            found = await asyncio.to_thread(resolve, lines, own, ring, console.cards)
            lines, refused = found.lines, found.refused
        if len(lines) <= _INLINE:
            judged = judge(lines, principal.producer)
        else:
            judged = await asyncio.to_thread(judge, lines, principal.producer)
        await _published(console, principal, judged)
    if refused:
        refused = sorted([*refused, *judged.refused], key=lambda one: one.line)
    else:
        refused = judged.refused
    count = console.metrics.counter
    count(GATEWAY_SCANS, "accepted").inc(len(judged.records))
    count(GATEWAY_SCANS, "refused").inc(len(refused))
    if refused:
        response.status_code = 207 if judged.records else 422
    return Published(accepted=len(judged.records), refused=refused)


def _within_rate(console: Console, key: int, scans: int) -> None:
    """Raises ApiError (429): before anything is judged, so that none of it is half taken."""
    wait_s = console.rates.take(key, scans, time.monotonic())
    if wait_s:
        console.metrics.counter(GATEWAY_SCANS, "limited").inc(scans)
        raise too_many(math.ceil(wait_s))


async def _published(console: Console, principal: Principal, judged: Judged) -> None:
    """Return when the broker has all of them. Raises ApiError (503) if not."""
    if not judged.records:
        return
    try:
        about = {"truyvet.scans": len(judged.records)}
        with (
            console.flow.publishing(len(judged.records)),
            console.spans.step("publish scans", about) as span,
        ):
            await console.publisher.send(judged.followed(span))
    except (Retryable, ApiError) as error:
        count = len(judged.records)
        console.metrics.counter(GATEWAY_SCANS, "unavailable").inc(count)
        console.rates.give_back(principal.key_id, count, time.monotonic())
        if isinstance(error, ApiError):
            raise
        raise unavailable(
            "Chưa ghi được vào hàng đợi; hãy gửi lại nguyên văn, không sợ trùng.",
            "The queue did not take the scans; send the same again, duplicates are known.",
        ) from None
    assert principal.producer is not None
    console.recent.add(principal.producer, judged.keys)


@router.get("/{event_id}", summary="What became of a scan", responses=answers(404, 503))
async def track(
    event_id: Annotated[str, Path(pattern=EVENT_ID_PATTERN)],
    person: Annotated[str, Query(pattern=PERSON_PATTERN, description="Whose scan it is.")],
    principal: Tracks,
    console: ConsoleOf,
) -> ScanOutcome:
    """`written`, `rejected` and why, `duplicate`, or `pending`; 404 if not seen yet.

    A producer learns only about its own. `pending` is known for the scans of the last minutes,
    to the console that took them.
    """
    if principal.role is Role.PRODUCER:
        if principal.producer is None:
            raise forbidden("Khoá không thuộc nguồn gửi nào.", "This key belongs to no producer.")
    elif principal.area != EVERYWHERE:
        raise forbidden(
            "Chỉ khoá toàn địa bàn mới tra cứu được lượt quét của mọi nguồn.",
            "Only a key for the whole area may ask about any producer's scans.",
        )
    producer = principal.producer if principal.role is Role.PRODUCER else None
    days = console.settings.retention_days
    since = utc_now() - timedelta(days=days) if days else datetime.fromtimestamp(0, UTC)
    question = Question(person, event_id, producer, since)
    # asked before the tables: a scan written in between must not be called unseen
    recent = console.recent.has(person, event_id, producer)
    found = await asyncio.to_thread(outcome, console.reading, question)
    if found is not None:
        return found
    if recent:
        return pending()
    raise not_found("Chưa thấy lượt quét này.", "This scan has not been seen yet.")
