"""Routes of the lists of establishments that must have codes."""

import asyncio
from dataclasses import asdict
from datetime import date
from pathlib import Path as File
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Depends, Path, Query, Request

from console.access import Principal, Requires, Right
from console.api.coverage_schemas import ListAge
from console.api.documented import answers
from console.api.errors import field_problem, invalid, not_found
from console.api.list_files import BODY, check_name, receive
from console.api.required_schemas import (
    DecideEntry,
    ListedEntries,
    RequiredEntries,
    RequiredEntry,
    RequiredListAnswer,
    RequiredLists,
)
from console.api.site_lists_schemas import ComparedSite, RefusedRow
from console.api.state import Console, console_of
from console.editcheck import wrong_asked
from console.sitelist.linking import link_certain, suggested
from console.sitelist.options import options_of
from console.sitelist.requiring import RequiredPlan, list_of, plan_required
from console.sitelist.run import check_refused
from console.sitelist.sheet import rows_of
from console.sitelist.understand import Options, understand
from console.store import required, required_reading
from console.store.errors import NotFound
from console.store.required_reading import ListStanding, Standing, State

log = structlog.get_logger()
router = APIRouter(prefix="/v1/required", tags=["coverage"])

ConsoleOf = Annotated[Console, Depends(console_of)]
Reads = Annotated[Principal, Depends(Requires(Right.COVERAGE_READ))]
Manages = Annotated[Principal, Depends(Requires(Right.REQUIRED_MANAGE))]
ListId = Annotated[str, Path(max_length=64)]
MOST_LISTED: Final = 1_000
_NONE: Final = (
    "Không có danh sách hay mục này trong địa bàn của khoá.",
    "There is no such list or entry in this key's area.",
)


@router.post(
    "/import",
    summary="A list of those who must have codes",
    responses=answers(404, 408, 409, 413),
    openapi_extra=BODY,
)
async def import_list(
    request: Request,
    principal: Manages,
    console: ConsoleOf,
    file: Annotated[str, Query(max_length=132, description="The file's name: ds.xlsx, ds.csv.")],
    list_id: Annotated[str, Query(alias="list", max_length=64, description="What it is known by.")],
    keeper: Annotated[str, Query(max_length=200, description="Whose list it is.")],
    as_of: Annotated[date, Query(description="Of which day it is.")],
    name: Annotated[str, Query(max_length=200)] = "",
    sheet: Annotated[str | None, Query(max_length=64)] = None,
    ward: Annotated[str | None, Query(max_length=8, description="Where none is written.")] = None,
    kind: Annotated[str | None, Query(max_length=64, description="Where none is written.")] = None,
    column: Annotated[list[str] | None, Query(max_length=20, description="`name=Heading`")] = None,
    import_it: Annotated[
        bool, Query(alias="apply", description="False: only what it says.")
    ] = False,
    without_refused: Annotated[bool, Query(description="Leave refused rows out.")] = False,
) -> RequiredListAnswer:
    """The body is the file, read as `POST /v1/sites/import` reads one. Nothing is registered: it
    is what coverage is measured against. Read again with a later day, it replaces itself.
    """
    check_name(file)
    options = options_of(principal.area, ward, kind, column or [])
    with TemporaryDirectory(prefix="truyvet-list-") as folder:
        path = File(folder) / f"list{File(file).suffix.lower()}"
        await receive(request, path, "truyvet required import")
        made = await asyncio.to_thread(_read, path, sheet, file, options)
    about = list_of(list_id, name, keeper, as_of, len(made.entries))
    changed = linked = None
    if import_it:
        check_refused(made.understood, without_refused)

        def work() -> tuple[int, int]:
            guard = _guard(principal)
            done = required.import_list(
                console.store, about, made.entries, principal.by, guard=guard
            )
            wards = sorted({entry.ward for entry in made.entries})
            return done, link_certain(console.store, wards)

        changed, linked = await asyncio.to_thread(work)
        console.relay.wake()
    log.info("required_list", by=principal.by, entries=len(made.entries), applied=import_it)
    return RequiredListAnswer(
        list=list_id,
        applied=import_it,
        columns={
            c.heading: c.field.value if c.field else None
            for c in made.understood.heading.columns
            if c.heading
        },
        rows=len(made.understood.listed),
        refused=[RefusedRow(**asdict(one)) for one in made.understood.refused[:MOST_LISTED]],
        refused_count=len(made.understood.refused),
        entries=len(made.entries),
        by_kind=dict(made.understood.by_kind().most_common()),
        changed=changed,
        linked=linked,
    )


@router.get("/lists", summary="Lists of those who must have codes")
def lists(principal: Reads, console: ConsoleOf) -> RequiredLists:  # noqa: ARG001
    """All of them, by id: whose they are and how old."""
    return RequiredLists(lists=[age_of(one) for one in required_reading.lists(console.store)])


@router.get("", summary="Required and not registered")
def unregistered(
    principal: Reads,
    console: ConsoleOf,
    list_id: Annotated[str | None, Query(alias="list", max_length=64)] = None,
    ward: Annotated[str | None, Query(max_length=64)] = None,
    kind: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: Annotated[str, Query(max_length=400, description="`list/entry` of the last one.")] = "",
) -> RequiredEntries:
    """Within the key's area, with the registered site that each is likely to be, if any."""
    wards = principal.wards(ward)
    _check_kind(kind)
    first, _, rest = after.partition("/")
    found = required_reading.unregistered(
        console.store,
        wards,
        limit=limit + 1,
        after=(first, rest),
        list_id=list_id,
        sector=principal.sector,
        kind=kind,
    )
    more, found = len(found) > limit, found[:limit]
    likely = {(one.list, one.entry): pair for one, pair in suggested(console.store, found)}
    entries = []
    for one in found:
        pair = likely.get((one.list, one.entry))
        entry = _entry(one)
        if pair is not None:
            about = ComparedSite(**asdict(pair.other))
            entry = entry.model_copy(update={"likely": about, "likeness": pair.likeness})
        entries.append(entry)
    last = found[-1] if found else None
    return RequiredEntries(
        entries=entries, after=f"{last.list}/{last.entry}" if more and last else None
    )


@router.get("/{list_id}/entries", summary="A list's entries", responses=answers(404))
def entries(
    list_id: ListId,
    principal: Reads,
    console: ConsoleOf,
    state: State | None = None,
    ward: Annotated[str | None, Query(max_length=64)] = None,
    kind: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: Annotated[str, Query(max_length=256, description="The last one's `entry`.")] = "",
) -> ListedEntries:
    """Within the key's area, each with the site registered for it, or why it needs none."""
    _check_kind(kind)
    try:
        found = required_reading.entries(
            console.store,
            list_id,
            principal.wards(ward),
            limit=limit + 1,
            after=after,
            state=state,
            sector=principal.sector,
            kind=kind,
        )
    except NotFound:
        raise not_found(*_NONE) from None
    more, found = len(found) > limit, found[:limit]
    return ListedEntries(
        entries=[_entry(one) for one in found], after=found[-1].entry if more else None
    )


@router.patch("/{list_id}/entries/{entry}", summary="Decide an entry", responses=answers(404))
def decide(
    list_id: ListId,
    entry: Annotated[str, Path(max_length=256)],
    body: DecideEntry,
    principal: Manages,
    console: ConsoleOf,
) -> RequiredEntry:
    """That this site is registered for it, or that it needs no code and why."""
    guard = _guard(principal)
    try:
        if "site" in body.model_fields_set:
            required.link(console.store, [(list_id, entry, body.site)], principal.by, guard)
        else:
            reason = body.exempt_reason
            required.exempt(console.store, list_id, entry, reason, principal.by, guard)
        after = required_reading.standing(console.store, list_id, entry)
    except NotFound:
        raise not_found(*_NONE) from None
    console.relay.wake()
    return _entry(after)


@router.post("/{list_id}/withdraw", summary="Withdraw a list", responses=answers(404))
def withdraw(list_id: ListId, principal: Manages, console: ConsoleOf) -> RequiredLists:
    """It no longer counts; by a key whose area holds all of it. Import it again to take it back."""
    try:
        required.withdraw(console.store, list_id, principal.by, _guard(principal))
    except NotFound:
        raise not_found(*_NONE) from None
    console.relay.wake()
    known = required_reading.lists(console.store)
    return RequiredLists(lists=[age_of(one) for one in known if one.list.id == list_id])


def age_of(one: ListStanding) -> ListAge:
    """A list as it is answered."""
    about = one.list.model_dump(exclude={"version"})
    return ListAge(**about, counted=one.counted, linked=one.linked)


def _check_kind(kind: str | None) -> None:
    """Raises ApiError (422) for a kind of sites that there is not."""
    if wrong := wrong_asked(None, kind):
        raise invalid(*(field_problem(*one) for one in wrong))


def _read(path: File, sheet: str | None, shown: str, options: Options) -> RequiredPlan:
    return plan_required(understand(rows_of(path, sheet, shown), options))


def _guard(principal: Principal) -> required.Guard:
    """What is outside the area or the sector is as if it were not there."""

    def guard(ward: str, sector: str) -> None:
        if not principal.reaches(ward) or principal.sector not in (None, sector):
            raise not_found(*_NONE)

    return guard


def _entry(one: Standing) -> RequiredEntry:
    return RequiredEntry(**asdict(one))
