"""Routes of places and producers, for those who read lists of contacts or supervise."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from console.access import Principal, Requires, Right
from console.api.documented import answers
from console.api.errors import not_found
from console.api.register_reading import NO_PLACE
from console.api.schemas import PlaceName, Producers
from console.api.state import Console, console_of
from console.store import sites
from console.store.producers import list_producers

router = APIRouter(prefix="/v1", tags=["registry"])

ConsoleOf = Annotated[Console, Depends(console_of)]
ReadsPlaces = Annotated[Principal, Depends(Requires(Right.PLACES_READ))]
ReadsProducers = Annotated[Principal, Depends(Requires(Right.PRODUCERS_READ))]


@router.get("/places/{place_id}", summary="What a place is", responses=answers(404))
def place(
    place_id: Annotated[int, Path(ge=1, lt=2**30)], principal: ReadsPlaces, console: ConsoleOf
) -> PlaceName:
    """Its names and kind, within the key's area; never its codes."""
    found = sites.place(console.store, place_id)
    site = sites.site(console.store, found.site) if found else None
    if found is None or site is None or not principal.has(found):
        raise not_found(*NO_PLACE)
    shown = {name: getattr(found, name) for name in PlaceName.model_fields if name != "site_name"}
    return PlaceName(**shown, site_name=site.name)


@router.get("/producers", summary="Who may publish scans")
def producers(principal: ReadsProducers, console: ConsoleOf) -> Producers:  # noqa: ARG001
    """All producers, by id."""
    return Producers(producers=list_producers(console.store))
