"""Routes of rejects: a producer's own, and those of an area for who supervises it."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query

from console.access import Principal, Requires, Right
from console.api.documented import answers
from console.api.state import Console, console_of
from console.gateway.rejects import START, Which, cursor, page, position, summary
from console.gateway.schemas import Rejects, RejectSummary
from console.gateway.scope import asked_about
from console.store.engine import utc_now
from schemas.reasons import Reason
from schemas.scan import PRODUCER_PATTERN, Timestamp

router = APIRouter(prefix="/v1/rejects", tags=["scans"])

ConsoleOf = Annotated[Console, Depends(console_of)]
Reads = Annotated[Principal, Depends(Requires(Right.REJECTS_READ))]

_DAY: Final = timedelta(days=1)
_CURSOR: Final = r"^\d{1,14}-\d{1,5}-\d{1,18}$"
Since = Annotated[
    Timestamp | None,
    Query(description="From this time of the broker's append on; the last 24 hours if absent."),
]
Why = Annotated[Reason | None, Query(description="Only this reason.")]
Whose = Annotated[
    str | None,
    Query(pattern=PRODUCER_PATTERN, description="Only this producer's; for who sees several."),
]
Limit = Annotated[int, Query(ge=1, le=1000)]
After = Annotated[str | None, Query(pattern=_CURSOR, description="The `next` of the page before.")]


@router.get("", summary="Rejected scans", responses=answers(503))
async def rejects(
    principal: Reads,
    console: ConsoleOf,
    since: Since = None,
    reason: Why = None,
    producer: Whose = None,
    limit: Limit = 100,
    after: After = None,
) -> Rejects:
    """Why, when and where in the log; oldest first, `next` leads on until it is null.

    A producer sees its own, everyone else those of its area; what could not be read as anybody's
    only a key for the whole area sees.
    """
    which = await _which(principal, console, since, reason, producer)
    begin = position(after) if after else START
    found, last = await _asked(page, console.reading, which, begin, limit)
    return Rejects(rejects=found, next=cursor(last) if last else None)


@router.get("/summary", summary="Rejects by reason and hour", responses=answers(503))
async def counted(
    principal: Reads,
    console: ConsoleOf,
    since: Since = None,
    reason: Why = None,
    producer: Whose = None,
) -> RejectSummary:
    """How many by hour (UTC) and reason, of the same rejects as `GET /v1/rejects`."""
    which = await _which(principal, console, since, reason, producer)
    counts = await _asked(summary, console.reading, which)
    return RejectSummary(
        since=which.since, total=sum(count.rejects for count in counts), counts=counts
    )


async def _which(
    principal: Principal,
    console: Console,
    since: datetime | None,
    reason: Reason | None,
    producer: str | None,
) -> Which:
    whose = await asyncio.to_thread(asked_about, principal, console.store, producer)
    now, days = utc_now(), console.settings.retention_days
    oldest = now - timedelta(days=days) if days else datetime.fromtimestamp(0, UTC)
    return Which(whose, max(since or now - _DAY, oldest), reason)


async def _asked(question: Callable[..., Any], *of: Any) -> Any:
    return await asyncio.to_thread(question, *of)
