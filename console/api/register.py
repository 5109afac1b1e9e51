"""Routes that edit the register: sites and places changed, closed, merged."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends

from console.access import Principal, Requires, Right
from console.api.documented import answers
from console.api.errors import field_problem, invalid, not_found
from console.api.register_reading import NO_PLACE, NO_SITE, PlaceId, SiteId
from console.api.register_schemas import (
    EditPlace,
    EditSite,
    EndRecord,
    MergeSite,
    PlaceRecord,
    SiteRecord,
)
from console.api.state import Console, console_of
from console.editcheck import wrong_in
from console.store import edits
from console.store.errors import NotFound
from console.store.history import What, Why
from issuer.kinds import Level
from schemas.places import Place, Site

log = structlog.get_logger()
router = APIRouter(prefix="/v1", tags=["registry"])

ConsoleOf = Annotated[Console, Depends(console_of)]
Edits = Annotated[Principal, Depends(Requires(Right.PLACES_EDIT))]


@router.patch("/places/{place_id}", summary="Edit a place", responses=answers(404, 409))
def edit_place(
    place_id: PlaceId, body: EditPlace, principal: Edits, console: ConsoleOf
) -> PlaceRecord:
    """Only what is named changes; without a difference it stays as it was."""
    changes = _changes(body, Level.SITE)
    why = Why(principal.by, What.EDIT, body.note)
    with within(principal, NO_PLACE) as guard:
        after = edits.edit_place(
            console.store, place_id, changes, why, on_version=body.version, guard=guard
        )
    _tell(console, "place_edited", place=place_id, version=after.version)
    return PlaceRecord.of(after)


@router.post("/places/{place_id}/close", summary="Close a place", responses=answers(404))
def close_place(
    place_id: PlaceId, body: EndRecord, principal: Edits, console: ConsoleOf
) -> PlaceRecord:
    """Its codes are revoked for the reason `closed`; its scans so far stay traceable."""
    why = Why(principal.by, What.CLOSE, body.reason)
    with within(principal, NO_PLACE) as guard:
        after = edits.close_place(console.store, place_id, why, guard=guard)
    _tell(console, "place_closed", place=place_id, version=after.version)
    return PlaceRecord.of(after)


@router.patch("/sites/{site_id}", summary="Edit a site", responses=answers(404, 409))
def edit_site(site_id: SiteId, body: EditSite, principal: Edits, console: ConsoleOf) -> SiteRecord:
    """Only what is named changes. To move it to another ward the key's area must hold both."""
    changes = _changes(body, Level.PLACE)
    moved = changes.get("ward")
    if moved is not None and not principal.reaches(moved):
        raise invalid(
            field_problem(
                "ward",
                "outside_area",
                "Nằm ngoài địa bàn của khoá.",
                "It is outside this key's area.",
            )
        )
    why = Why(principal.by, What.EDIT, body.note)
    with within(principal, NO_SITE) as guard:
        after = edits.edit_site(
            console.store, site_id, changes, why, on_version=body.version, guard=guard
        )
    _tell(console, "site_edited", site=site_id, version=after.version)
    return SiteRecord.of(after)


@router.post("/sites/{site_id}/close", summary="Close a site", responses=answers(404))
def close_site(
    site_id: SiteId, body: EndRecord, principal: Edits, console: ConsoleOf
) -> SiteRecord:
    """With all its places; their codes are revoked, their scans so far stay traceable."""
    why = Why(principal.by, What.CLOSE, body.reason)
    with within(principal, NO_SITE) as guard:
        after = edits.close_site(console.store, site_id, why, guard=guard)
    _tell(console, "site_closed", site=site_id, version=after.version)
    return SiteRecord.of(after)


@router.post(
    "/sites/{site_id}/merge", summary="Merge a site into another", responses=answers(404, 409)
)
def merge_site(
    site_id: SiteId, body: MergeSite, principal: Edits, console: ConsoleOf
) -> SiteRecord:
    """The other takes its places over, with their numbers and codes: posters go on working."""
    why = Why(principal.by, What.MERGE, body.reason)
    with within(principal, NO_SITE) as guard:
        after = edits.merge_site(console.store, site_id, body.into, why, guard=guard)
    _tell(console, "site_merged", site=site_id, into=body.into, version=after.version)
    return SiteRecord.of(after)


def _changes(body: EditPlace | EditSite, not_of: Level) -> dict[str, Any]:
    """The fields named, checked against the lists that the schema does not know.

    Raises ApiError (422) that names each field.
    """
    named = body.model_fields_set - {"version", "note"}
    changes = {name: getattr(body, name) for name in sorted(named)}
    if wrong := wrong_in(changes, not_of):
        raise invalid(*(field_problem(*one) for one in wrong))
    return changes


@contextmanager
def within(principal: Principal, words: tuple[str, str]) -> Iterator[edits.Guard]:
    """A guard for the change inside: what is outside the area is as if it were not there, and
    what is not there is answered with the same words."""

    def guard(record: Site | Place) -> None:
        if not principal.has(record):
            raise not_found(*words)

    try:
        yield guard
    except NotFound:
        raise not_found(*words) from None


def _tell(console: Console, event: str, **about: int) -> None:
    console.relay.wake()
    log.info(event, **about)
