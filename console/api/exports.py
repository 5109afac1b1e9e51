"""The route of lists as files: whole or refused, streamed, of the asker's area alone."""

import tempfile
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import IO, Annotated, Final, Literal

import structlog
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from console.access import Principal, Requires, Right
from console.api.cases import ConsoleOf
from console.api.documented import answers
from console.api.triage import CaseIds, wanted_cases
from console.api.unread import ToNobody, WhileRead, begun
from console.exports.csvfile import Separator, csv_pieces
from console.exports.lines import Source
from console.exports.sormas import Dates, sormas_pieces
from console.exports.xlsxfile import write_xlsx
from console.store.engine import utc_now
from schemas.clock import LOCAL, local_text

log = structlog.get_logger()
router = APIRouter(prefix="/v1/exports", tags=["list"])

Exports = Annotated[Principal, Depends(Requires(Right.LIST_EXPORT))]
Format = Literal["csv", "xlsx", "sormas"]
NOTE_HEADER: Final = "X-Truyvet-Note"
COUNT_HEADER: Final = "X-Truyvet-Contacts"
_PIECE: Final = 64 * 1024
_TYPES: Final[dict[Format, str]] = {
    "csv": "text/csv; charset=utf-8",
    "sormas": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_PROPOSED: Final = (
    "Người có thể đã tiếp xúc do lượt quét gợi ý; cán bộ hỏi rồi mới quyết định.",
    "Possible contacts that scans propose; an officer asks and decides.",
)
_FILES: Final[dict[int | str, dict[str, object]]] = {
    200: {
        "description": "The file.",
        "content": {
            _TYPES["csv"]: {"example": '"case","person",…\r\n# whole: 0\r\n'},
            _TYPES["xlsx"]: {"example": "a workbook"},
        },
        "headers": {
            NOTE_HEADER: {
                "description": "`no_identity_vault`: the columns of names and phones are empty.",
                "schema": {"type": "string"},
            },
            COUNT_HEADER: {
                "description": "Of a workbook, how many contacts are in it.",
                "schema": {"type": "integer"},
            },
        },
    }
}


@router.get(
    "/contacts",
    summary="Lists of contacts as a file",
    response_class=StreamingResponse,
    responses=_FILES | answers(404, 409, 503),
)
async def contacts(
    request: Request,
    principal: Exports,
    console: ConsoleOf,
    format_: Annotated[Format, Query(alias="format")],
    case: CaseIds = [],  # noqa: B006
    everybody: Annotated[
        bool, Query(description="Also those only there at the same time.")
    ] = False,
    bom: Annotated[bool, Query(description="UTF-8 byte order mark, for spreadsheets.")] = True,
    separator: Separator = ",",
    lang: Literal["vi", "en"] = "vi",
    dates: Annotated[Dates, Query(description="SORMAS: how dates are written.")] = "dmy",
) -> Response:
    """Contacts of the area's cases and those handed over to it; without `case`, of all that are
    open. A connection that ends before the file does was a fault: nothing of it is to be used.
    A file that nobody waits for any longer is made no further.
    """
    wanted = await run_in_threadpool(wanted_cases, console, principal, case)
    source = Source(console, principal, wanted, everybody)
    note = console.vault.note
    count: list[int] = []
    body: Generator[bytes]
    if format_ == "csv":
        body = csv_pieces(source.pages(), bom=bom, separator=separator, note=note)
    elif format_ == "sormas":
        body = sormas_pieces(source.pages(), bom=bom, separator=separator, dates=dates)
    else:
        body = _workbook(source, lang, note, count)
    # the first page before the answer begins, so that a fault can still be said
    head = await begun(request, body, 2)
    if head is None:
        return ToNobody()
    log.info("list_exported", format=format_, cases=len(wanted))
    ending = "xlsx" if format_ == "xlsx" else "csv"
    name = f"truyvet-{format_}-{utc_now().astimezone(LOCAL):%Y%m%d-%H%M}.{ending}"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    if note:
        headers[NOTE_HEADER] = "no_identity_vault"
    if count:
        headers[COUNT_HEADER] = str(count[0])
    return WhileRead(request, head, body, media_type=_TYPES[format_], headers=headers)


def _workbook(
    source: Source,
    language: Literal["vi", "en"],
    note: tuple[str, str] | None,
    count: list[int],
) -> Generator[bytes]:
    """Written to a file that has no name and is gone when it was sent, an empty piece a page; then
    sent. Before that, how many contacts there are is put into `count`.
    """
    now = local_text(utc_now())
    about = [_PROPOSED, (f"Lập lúc {now}", f"Made on {now}")]
    about += [note] if note else []
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile(dir=folder) as file:
        book = write_xlsx(file, source.pages(), language=language, about=about, tmpdir=folder)
        count.append(0)
        with closing(book):
            for count[0] in book:
                yield b""
        file.seek(0)
        yield from _pieces(file)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece
