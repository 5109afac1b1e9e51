"""The route of the daily report: a page, a workbook, a text to copy, or its numbers."""

from datetime import date
from typing import Annotated, Any, Final, Literal

import structlog
from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse, Response

from console.access import Principal, Requires, Right
from console.api.coverage import Area, Sector, asked_of
from console.api.documented import answers
from console.api.state import Console, console_of
from console.reminders.desk import desk_of
from console.reports.daily import daily
from console.reports.made import FORMATS, Format, document, made

log = structlog.get_logger()
router = APIRouter(prefix="/v1/reports", tags=["coverage"])

ConsoleOf = Annotated[Console, Depends(console_of)]
Reads = Annotated[Principal, Depends(Requires(Right.REPORTS_READ))]
_FILES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The report.",
        "content": {media: {"example": "…"} for media in FORMATS.values()},
    }
}


@router.get(
    "/daily",
    summary="The daily report",
    response_class=Response,
    responses=_FILES | answers(404, 503),
)
def of_day(
    principal: Reads,
    console: ConsoleOf,
    area: Area = None,
    sector: Sector = None,
    day: Annotated[date | None, Query(alias="date", description="Else today.")] = None,
    format_: Annotated[Format, Query(alias="format")] = "pdf",
    lang: Literal["vi", "en"] = "vi",
) -> Response:
    """Of an area and a sector: the funnel with its change since the day before, parts in the order
    of their names, inspections and reminders. Nothing of a case, and no ranking."""
    asked = asked_of(principal, area, sector, None)
    found = daily(desk_of(console.settings, console.store, console.reading), asked, day)
    log.info("report_made", area=asked.area, day=found.day.isoformat(), format=format_)
    if format_ == "json":
        return JSONResponse(document(found, lang))
    name = f"truyvet-{found.day:%Y%m%d}.{format_}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(made(found, format_, lang), media_type=FORMATS[format_], headers=headers)
