"""Routes that edit the register: sites and places changed, closed, merged."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final

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
from console.api.schemas import FieldProblem
from console.api.state import Console, console_of
from console.store import edits
from console.store.errors import NotFound
from console.store.history import What, Why
from issuer.kinds import Level, kinds, sectors
from issuer.units import ward as unit
from schemas.places import Place, Site

log = structlog.get_logger()
router = APIRouter(prefix="/v1", tags=["registry"])

ConsoleOf = Annotated[Console, Depends(console_of)]
Edits = Annotated[Principal, Depends(Requires(Right.PLACES_EDIT))]

_NULLABLE: Final = frozenset({"hours", "capacity", "usual_stay", "address"})


@router.patch("/places/{place_id}", summary="Edit a place", responses=answers(404, 409))
def edit_place(
    place_id: PlaceId, body: EditPlace, principal: Edits, console: ConsoleOf
) -> PlaceRecord:
    """Only what is named changes; without a difference it stays as it was."""
    changes = _changes(body, Level.SITE)
    why = Why(principal.by, What.EDIT, body.note)
    with _within(principal, NO_PLACE) as guard:
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
    with _within(principal, NO_PLACE) as guard:
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
    with _within(principal, NO_SITE) as guard:
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
    with _within(principal, NO_SITE) as guard:
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
    with _within(principal, NO_SITE) as guard:
        after = edits.merge_site(console.store, site_id, body.into, why, guard=guard)
    _tell(console, "site_merged", site=site_id, into=body.into, version=after.version)
    return SiteRecord.of(after)


def _changes(body: EditPlace | EditSite, not_of: Level) -> dict[str, Any]:
    """The fields named, checked against the lists that the schema does not know.

    Raises ApiError (422) that names each field.
    """
    named = body.model_fields_set - {"version", "note"}
    changes = {name: getattr(body, name) for name in sorted(named)}
    problems = [
        field_problem(name, "missing", "Không được bỏ trống.", "It cannot be taken away.")
        for name, value in changes.items()
        if value is None and name not in _NULLABLE
    ]
    checks: dict[str, Callable[[str], FieldProblem | None]] = {
        "kind": lambda kind: _kind(kind, not_of),
        "sector": _sector,
        "ward": _ward,
    }
    for name, check in checks.items():
        if changes.get(name) is not None and (problem := check(changes[name])):
            problems.append(problem)
    if not changes:
        words = "Chưa nêu gì để sửa.", "Nothing is named that should change."
        problems.append(field_problem("body", "nothing", *words))
    if problems:
        raise invalid(*problems)
    return changes


def _kind(kind: str, not_of: Level) -> FieldProblem | None:
    fitting = [name for name, one in kinds().items() if one.level is not not_of]
    if kind in fitting:
        return None
    there = ", ".join(fitting)
    return field_problem("kind", "unknown", f"Chỉ có: {there}.", f"There are: {there}.")


def _sector(sector: str) -> FieldProblem | None:
    if sector in sectors():
        return None
    there = ", ".join(sectors())
    return field_problem("sector", "unknown", f"Chỉ có: {there}.", f"There are: {there}.")


def _ward(code: str) -> FieldProblem | None:
    try:
        unit(code)
    except ValueError:
        vi, en = "Không có xã, phường, thị trấn mang mã này.", "There is no ward with this code."
        return field_problem("ward", "unknown", vi, en)
    return None


@contextmanager
def _within(principal: Principal, words: tuple[str, str]) -> Iterator[edits.Guard]:
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
