"""The route that shows silent and noisy producers by name, to those who supervise them."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from console.access import Principal, Requires, Right
from console.api.documented import answers
from console.api.state import Console, console_of
from console.gateway.activity import Limits, activity
from console.gateway.schemas import Activity
from console.gateway.scope import within
from console.store.engine import utc_now
from console.store.producers import list_producers
from issuer.units import EVERYWHERE

router = APIRouter(prefix="/v1/producers", tags=["registry"])

ConsoleOf = Annotated[Console, Depends(console_of)]
Reads = Annotated[Principal, Depends(Requires(Right.PRODUCERS_READ))]
_DEFAULT = Limits()


@router.get("/activity", summary="Silent and noisy producers", responses=answers(503))
async def producers_activity(
    principal: Reads,
    console: ConsoleOf,
    silent_after_minutes: Annotated[
        int, Query(ge=5, le=1440, description="Minutes without a record that are worth a look.")
    ] = _DEFAULT.silent_after_minutes,
    noisy_share: Annotated[
        float, Query(gt=0, le=1, description="Share of records rejected that is too much.")
    ] = _DEFAULT.noisy_share,
    noisy_times: Annotated[
        float, Query(ge=1, le=1000, description="Times the usual of an hour that are too many.")
    ] = _DEFAULT.noisy_times,
) -> Activity:
    """Last seen, counts of the last hour and day, and who is silent or noisy, first.

    Silent: nothing for so long, while on the seven days before there were records at this time of
    day (or nothing for a whole day). Counts are at most half a minute old. A key for less than
    everywhere sees the producers that report from its area only.
    """
    registered = await asyncio.to_thread(list_producers, console.store)
    seen, as_of = await console.activity.ask(silent_after_minutes, utc_now())
    limits = Limits(silent_after_minutes, noisy_share, noisy_times)
    shown = activity(
        [producer for producer in registered if within(principal, producer)],
        seen,
        limits,
        as_of,
        others=principal.area == EVERYWHERE,
    )
    return Activity(
        as_of=as_of,
        silent_after_minutes=silent_after_minutes,
        noisy_share=noisy_share,
        noisy_times=noisy_times,
        producers=shown,
    )
