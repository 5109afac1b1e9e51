"""Routes of headcounts, and of how many of them scanned at their own office on a day."""

from datetime import date, timedelta
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Query

from console.access import Principal, Requires, Right
from console.api.coverage import Area, Sector, asked_of
from console.api.documented import answers
from console.api.errors import not_found
from console.api.register_reading import NO_SITE, SiteId
from console.api.staff_schemas import (
    DeclareHeadcount,
    Headcounts,
    HeadcountSaid,
    StaffCoverage,
    StaffGroup,
    StaffTotal,
)
from console.api.state import Console, console_of
from console.staff.day import staff_day
from console.staff.names import group_names
from console.store import headcounts, sites
from console.store.engine import utc_now
from console.store.errors import NotFound
from schemas.clock import LOCAL
from schemas.places import Place, Site

log = structlog.get_logger()
router = APIRouter(prefix="/v1", tags=["staff"])

ConsoleOf = Annotated[Console, Depends(console_of)]
Declares = Annotated[Principal, Depends(Requires(Right.STAFF_DECLARE))]
Reads = Annotated[Principal, Depends(Requires(Right.STAFF_READ))]


@router.put(
    "/sites/{site_id}/headcount", summary="Declare a headcount", responses=answers(404, 409)
)
def declare(
    site_id: SiteId, body: DeclareHeadcount, principal: Declares, console: ConsoleOf
) -> HeadcountSaid:
    """From tomorrow on: what is shown of a day does not change afterwards. The same again adds
    nothing."""

    def guard(site: Site | Place) -> None:
        if not principal.has(site):
            raise not_found(*NO_SITE)

    try:
        made = headcounts.declare(
            console.store,
            site_id,
            body.headcount,
            by=principal.by,
            since=body.since,
            note=body.note,
            guard=guard,
        )
    except NotFound:
        raise not_found(*NO_SITE) from None
    log.info("headcount_declared", site=site_id, number=made.number)
    return HeadcountSaid(**vars(made))


@router.get("/sites/{site_id}/headcounts", summary="Declared headcounts", responses=answers(404))
def declared(site_id: SiteId, principal: Reads, console: ConsoleOf) -> Headcounts:
    """With who declared them and when."""
    site = sites.site(console.store, site_id)
    if site is None or not principal.has(site):
        raise not_found(*NO_SITE)
    found = headcounts.history(console.store, site_id)
    return Headcounts(headcounts=[HeadcountSaid(**vars(one)) for one in found])


@router.get("/staff/coverage", summary="Staff who scanned", responses=answers(404, 503))
def coverage(
    principal: Reads,
    console: ConsoleOf,
    area: Area = None,
    sector: Sector = None,
    day: Annotated[date | None, Query(alias="date", description="Else yesterday.")] = None,
) -> StaffCoverage:
    """By groups of at least ten, of a day that is over. It says nothing of anybody, of no hour,
    and is not for attendance or discipline."""
    asked, now = asked_of(principal, area, sector, None), utc_now()
    found = staff_day(
        console.store,
        console.reading,
        day or now.astimezone(LOCAL).date() - timedelta(days=1),
        asked.area,
        asked.sector,
        retention_days=console.settings.retention_days,
        now=now,
    )
    names = group_names(console.store, found.groups)
    groups = [
        StaffGroup(
            level=group.level,
            area=group.area,
            sector=group.sector,
            name=name,
            sites=len(group.sites),
            site=group.sites[0] if len(group.sites) == 1 else None,
            declared=group.declared,
            counted=group.counted,
        )
        for group, name in zip(found.groups, names, strict=True)
    ]
    return StaffCoverage(
        day=found.day,
        area=found.area,
        groups=groups,
        total=StaffTotal(**vars(found.total)),
        left_out=found.left_out,
        no_entrance=found.no_entrance,
    )
