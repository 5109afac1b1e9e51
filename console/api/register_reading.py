"""Routes that read the register: sites, and what was changed of sites and places."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query

from console.access import Principal, Requires, Right
from console.api.documented import answers
from console.api.errors import not_found
from console.api.register_schemas import (
    Change,
    History,
    PlaceRecord,
    SiteLine,
    SiteLines,
    SiteRecord,
    SiteWhole,
)
from console.api.state import Console, console_of
from console.store import history, sites
from console.store.site_list import list_sites, places_of_site
from schemas.places import Place, Site

router = APIRouter(prefix="/v1", tags=["registry"])

ConsoleOf = Annotated[Console, Depends(console_of)]
Reads = Annotated[Principal, Depends(Requires(Right.PLACES_READ))]
Edits = Annotated[Principal, Depends(Requires(Right.PLACES_EDIT))]
PlaceId = Annotated[int, Path(ge=1, lt=2**30)]
SiteId = Annotated[int, Path(ge=1, lt=2**32)]
Limit = Annotated[int, Query(ge=1, le=1000)]
After = Annotated[int, Query(ge=0, lt=2**32, description="Numbers above this.")]
Ward = Annotated[str | None, Query(max_length=64, description="Of this ward; all without it.")]

NO_PLACE: Final = (
    "Không có điểm quét này trong địa bàn của khoá.",
    "There is no such place in this key's area.",
)
NO_SITE: Final = (
    "Không có cơ sở này trong địa bàn của khoá.",
    "There is no such site in this key's area.",
)


@router.get("/sites", summary="Sites in the key's area")
def listed(
    principal: Reads, console: ConsoleOf, ward: Ward = None, limit: Limit = 100, after: After = 0
) -> SiteLines:
    """By number. A ward outside the area has none."""
    wards = principal.wards(ward)
    found = list_sites(console.store, wards, sector=principal.sector, limit=limit + 1, after=after)
    more, found = len(found) > limit, found[:limit]
    lines = [SiteLine(**dict(SiteRecord.of(one.site)), places=one.places) for one in found]
    return SiteLines(sites=lines, after=lines[-1].id if more else None)


@router.get("/sites/{site_id}", summary="A site with its places", responses=answers(404))
def site(site_id: SiteId, principal: Reads, console: ConsoleOf) -> SiteWhole:
    """As they stand; a merged site's places are the other's."""
    found = _site(console, principal, site_id)
    places = places_of_site(console.store, site_id)
    return SiteWhole(site=SiteRecord.of(found), places=[PlaceRecord.of(p) for p in places])


@router.get("/sites/{site_id}/history", summary="Changes of a site", responses=answers(404))
def site_history(site_id: SiteId, principal: Edits, console: ConsoleOf) -> History:
    """Who changed what and when."""
    _site(console, principal, site_id)
    return _history(console, "site", site_id)


@router.get("/places/{place_id}/history", summary="Changes of a place", responses=answers(404))
def place_history(place_id: PlaceId, principal: Edits, console: ConsoleOf) -> History:
    """Who changed what and when, codes too; never a token."""
    place_within(console, principal, place_id)
    return _history(console, "place", place_id)


def place_within(console: Console, principal: Principal, place_id: int) -> Place:
    """The place, of the key's area and sector. Raises ApiError: 404 for any other."""
    found = sites.place(console.store, place_id)
    if found is None or not principal.has(found):
        raise not_found(*NO_PLACE)
    return found


def _site(console: Console, principal: Principal, site_id: int) -> Site:
    found = sites.site(console.store, site_id)
    if found is None or not principal.has(found):
        raise not_found(*NO_SITE)
    return found


def _history(console: Console, entity: str, number: int) -> History:
    changes = [Change(**vars(step)) for step in history.steps(console.store, entity, number)]
    return History(changes=changes)
