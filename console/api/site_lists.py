"""The route of lists of establishments: what one says, and its import, within the key's area."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Final, Literal

import structlog
from fastapi import APIRouter, Depends, Query, Request

from console.access import Principal, Requires, Right
from console.api.cases import ConsoleOf
from console.api.codes import ring_of
from console.api.documented import answers
from console.api.list_files import BODY, check_name, receive
from console.api.site_lists_schemas import SiteListAnswer
from console.api.state import Console
from console.sitelist.options import options_of
from console.sitelist.report import document
from console.sitelist.run import Plan, apply, check_decided, plan
from console.sitelist.sheet import rows_of
from console.sitelist.understand import Options, understand
from console.store.engine import utc_now

log = structlog.get_logger()
router = APIRouter(prefix="/v1/sites", tags=["registry"])

Imports = Annotated[Principal, Depends(Requires(Right.SITES_IMPORT))]
MOST_LISTED: Final = 1_000


@router.post(
    "/import",
    summary="A list of establishments",
    responses=answers(408, 413, 503),
    openapi_extra=BODY,
)
async def import_list(
    request: Request,
    principal: Imports,
    console: ConsoleOf,
    file: Annotated[str, Query(max_length=132, description="The file's name: ds.xlsx, ds.csv.")],
    source: Annotated[
        str | None, Query(max_length=100, description="What the list is called; else the file.")
    ] = None,
    sheet: Annotated[str | None, Query(max_length=64)] = None,
    ward: Annotated[str | None, Query(max_length=8, description="Where none is written.")] = None,
    kind: Annotated[str | None, Query(max_length=64, description="Where none is written.")] = None,
    column: Annotated[
        list[str] | None, Query(max_length=20, description="`name=Heading`, by hand.")
    ] = None,
    import_it: Annotated[
        bool, Query(alias="apply", description="False: only what it would do.")
    ] = False,
    without_refused: Annotated[bool, Query(description="Leave refused rows out.")] = False,
    likely: Annotated[
        Literal["take", "leave"] | None, Query(description="Likely duplicates.")
    ] = None,
) -> SiteListAnswer:
    """The body is the file. Rows of wards outside the key's area are refused. At most a thousand
    refused rows and likely duplicates are listed; how many there are is said.
    """
    check_name(file)
    options = options_of(principal.area, ward, kind, column or [])
    name = source or Path(file).stem
    with TemporaryDirectory(prefix="truyvet-list-") as folder:
        path = Path(folder) / f"list{Path(file).suffix.lower()}"
        await receive(request, path, "truyvet sites import")
        wanted = _Wanted(file, sheet, name, import_it, without_refused, likely, principal.by)
        made, places = await asyncio.to_thread(_work, console, path, options, wanted)
    if places is not None:
        console.relay.wake()
    log.info(
        "site_list", by=principal.by, sites=len(made.grouped.sites), applied=places is not None,
        refused=len(made.understood.refused), likely=len(made.likely),
    )  # fmt: skip
    return SiteListAnswer.model_validate(_bounded(document(made, name, places)))


@dataclass(frozen=True)
class _Wanted:
    shown: str
    sheet: str | None
    source: str
    apply: bool
    without_refused: bool
    likely: str | None
    by: str


def _work(
    console: Console, path: Path, options: Options, wanted: _Wanted
) -> tuple[Plan, int | None]:
    understood = understand(rows_of(path, wanted.sheet, wanted.shown), options)
    made = plan(console.store, wanted.source, understood, options.wards)
    if not wanted.apply:
        return made, None
    check_decided(made, wanted.without_refused, wanted.likely)
    left = made.left_out(wanted.likely)
    ring = ring_of(console)
    return made, apply(console.store, ring, wanted.source, made, left, wanted.by, utc_now())


def _bounded(found: dict[str, Any]) -> dict[str, Any]:
    counts = {f"{name}_count": len(found[name]) for name in ("refused", "likely", "repeated_rows")}
    return {k: v[:MOST_LISTED] if isinstance(v, list) else v for k, v in found.items()} | counts
