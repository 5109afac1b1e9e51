"""Routes that read inspections: a ward's round, lists, one with all its steps."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query
from pydantic import AfterValidator

from console.access import Principal, Requires, Right
from console.api.documented import answers
from console.api.errors import not_found
from console.api.inspections_said import round_of, said_of
from console.api.inspections_schemas import (
    InspectionLines,
    InspectionSaid,
    LineSaid,
    RoundSaid,
)
from console.api.state import Console, console_of
from console.store import inspection_lists
from console.store.engine import utc_now
from console.store.inspection_lists import Line, Wanted
from console.store.inspections import inspection_of
from schemas.clock import LOCAL
from schemas.inspections import Stage
from schemas.scan import EVENT_ID_PATTERN

router = APIRouter(prefix="/v1", tags=["inspections"])

ConsoleOf = Annotated[Console, Depends(console_of)]
Reads = Annotated[Principal, Depends(Requires(Right.INSPECTIONS_READ))]
InspectionId = Annotated[
    str, Path(alias="inspection", pattern=EVENT_ID_PATTERN), AfterValidator(str.lower)
]
Ward = Annotated[str, Query(max_length=64)]
Limit = Annotated[int, Query(ge=1, le=1000)]

NO_INSPECTION: Final = (
    "Không có đợt kiểm tra này trong địa bàn của khoá; bước đầu tiên phải nêu điểm quét (place) "
    "trong địa bàn.",
    "There is no such inspection in this key's area; its first step names a place of the area.",
)


@router.get("/inspections/round", summary="Where to go next in a ward")
def round_(
    principal: Reads,
    console: ConsoleOf,
    ward: Ward,
    limit: Limit = 100,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> RoundSaid:
    """Past the day to mend first, then planned or answered, then never inspected, then the
    longest since the last look. For the officers of the ward; never published, never a ranking.
    """
    if not principal.reaches(ward):
        raise not_found(
            "Không có phường, xã này trong địa bàn.", "There is no such ward in the area."
        )
    today = utc_now().astimezone(LOCAL).date()
    return round_of(console.store, ward, today, limit=limit, offset=offset, sector=principal.sector)


@router.get("/inspections", summary="Inspections in the key's area")
def listed(
    principal: Reads,
    console: ConsoleOf,
    ward: Annotated[str | None, Query(max_length=64)] = None,
    place: Annotated[int | None, Query(ge=1, lt=2**30)] = None,
    site: Annotated[int | None, Query(ge=1, lt=2**32)] = None,
    stage: Stage | None = None,
    overdue: Annotated[bool, Query(description="Only those past their day.")] = False,
    limit: Limit = 100,
    after: Annotated[int, Query(ge=0, lt=2**31, description="Numbers below this.")] = 0,
) -> InspectionLines:
    """The newest first."""
    wards = principal.wards(ward)
    day = utc_now().astimezone(LOCAL).date() if overdue else None
    wanted = Wanted(wards, principal.sector, place, site, stage, due_before=day)
    found = inspection_lists.listed(console.store, wanted, limit=limit + 1, after=after)
    more, found = len(found) > limit, found[:limit]
    lines = [LineSaid(**vars(line)) for line in found]
    return InspectionLines(inspections=lines, after=lines[-1].number if more else None)


@router.get("/inspections/{inspection}", summary="One inspection", responses=answers(404))
def one(inspection: InspectionId, principal: Reads, console: ConsoleOf) -> InspectionSaid:
    """With all its steps, whose turn it is, and what is proposed."""
    line = within(console, principal, inspection)
    found = inspection_of(console.store, inspection)
    assert found is not None
    return said_of(console.store, found, line)


def within(console: Console, principal: Principal, inspection: str) -> Line:
    """The inspection as a list shows it. Raises ApiError (404) outside the area."""
    line = inspection_lists.line_of(console.store, inspection)
    if line is None or not principal.has(line):
        raise not_found(*NO_INSPECTION)
    return line
