"""Routes of coverage: the funnel, places behind, and what people say of posters."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Depends, Query

from console.access import Principal, Requires, Right
from console.api.coverage_schemas import (
    BehindAnswer,
    BehindPlace,
    CoverageAnswer,
    FunnelLine,
    PosterState,
    ReportPoster,
    StageCount,
)
from console.api.documented import answers
from console.api.errors import field_problem, invalid, not_found
from console.api.register_reading import PlaceId, place_within
from console.api.required import age_of
from console.api.state import Console, console_of
from console.coverage import behind as behind_
from console.coverage import funnel as funnel_
from console.coverage.funnel import Asked, By, Funnel
from console.coverage.named import with_names
from console.coverage.names import name_of
from console.coverage.stages import Stage, Within
from console.editcheck import wrong_asked
from console.store import postings
from console.store.engine import utc_now
from console.store.required_reading import ListStanding, lists
from console.worklist.areas import covers
from issuer.units import check_area
from schemas.coverage import Fact, Posting

log = structlog.get_logger()
router = APIRouter(prefix="/v1", tags=["coverage"])

ConsoleOf = Annotated[Console, Depends(console_of)]
Reads = Annotated[Principal, Depends(Requires(Right.COVERAGE_READ))]
Reports = Annotated[Principal, Depends(Requires(Right.POSTERS_REPORT))]
Area = Annotated[
    str | None,
    Query(max_length=32, description="city/31, district/306, ward/11413; else all of the key's."),
]
Sector = Annotated[str | None, Query(max_length=64)]
Kind = Annotated[str | None, Query(max_length=64)]
_MOST_DAYS: Final = 366
_SKEW: Final = timedelta(minutes=2)


@router.get("/coverage", summary="The funnel of coverage", responses=answers(503))
def coverage(
    principal: Reads,
    console: ConsoleOf,
    by: Annotated[list[By] | None, Query(description="ward, kind, sector; or day alone.")] = None,
    area: Area = None,
    sector: Sector = None,
    kind: Kind = None,
    days: Annotated[int, Query(ge=1, le=_MOST_DAYS, description="Of `by=day`.")] = 28,
) -> CoverageAnswer:
    """From the lists of those who must have codes to places that are scanned, as it stands now or
    stood on each day. Lines are in the order of their keys: it is not a ranking.
    """
    split = list(dict.fromkeys(by or ()))
    if By.DAY in split and len(split) > 1:
        raise invalid(
            field_problem("by", "invalid", "day phải đứng một mình.", "day stands alone.")
        )
    asked = asked_of(principal, area, sector, kind)
    within = Within.of(console.settings)
    if split == [By.DAY]:
        found = funnel_.by_day(console.reading, asked, within, days)
    else:
        found = funnel_.funnel(console.reading, asked, within, split)
    return answer_of(found, split, asked, lists(console.store))


@router.get("/coverage/behind", summary="Places behind at a stage", responses=answers(503))
def behind(
    principal: Reads,
    console: ConsoleOf,
    stage: Annotated[Stage, Query(description="What they have not reached.")],
    area: Area = None,
    sector: Sector = None,
    kind: Kind = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: Annotated[str, Query(pattern=r"^$|^[a-z0-9]+/\d+/\d+$", max_length=64)] = "",
) -> BehindAnswer:
    """For whoever can mend it. Places whose code is not in force are behind at `code` only.
    Who is required and not registered has no place: `GET /v1/required`."""
    if stage is Stage.REGISTERED:
        raise invalid(
            field_problem(
                "stage",
                "not_here",
                "Cơ sở chưa đăng ký thì chưa có điểm quét: xem GET /v1/required.",
                "Who is not registered has no place yet: see GET /v1/required.",
            )
        )
    asked = asked_of(principal, area, sector, kind)
    at, found = behind_.behind(
        console.reading,
        asked,
        stage,
        Within.of(console.settings),
        limit=limit + 1,
        after=_after(after),
    )
    more, found = len(found) > limit, found[:limit]
    last = found[-1] if found else None
    named = with_names(console.store, found, at, console.settings.coverage_scanned_days)
    return BehindAnswer(
        at=at,
        stage=stage,
        places=[BehindPlace(**vars(one)) for one in named],
        after=f"{last.ward}/{last.site}/{last.place}" if more and last else None,
    )


@router.get(
    "/places/{place_id}/poster", summary="What is known of a poster", responses=answers(404)
)
def poster(place_id: PlaceId, principal: Reads, console: ConsoleOf) -> PosterState:
    """Printed, posted, inspected: when, and which version of the code."""
    place_within(console, principal, place_id)
    with console.store.read() as connection:
        found = postings.postings(connection, [place_id]).get(place_id)
    return PosterState(posting=found or Posting(place=place_id))


@router.post("/places/{place_id}/poster", summary="Say what a poster is", responses=answers(404))
def report(
    place_id: PlaceId,
    body: ReportPoster,
    principal: Reports,
    console: ConsoleOf,
) -> PosterState:
    """Sent late or twice it changes nothing: the newest of each fact counts."""
    now = utc_now()
    marks = [
        postings.Mark(place_id, one.fact, one.at or now, one.code_version) for one in body.facts
    ]
    _check(marks, now)
    place_within(console, principal, place_id)
    with console.store.write() as connection:
        changed = postings.mark(connection, marks)
        found = postings.postings(connection, [place_id])[place_id]
    if changed:
        console.relay.wake()
        log.info("poster_reported", place=place_id, by=principal.by, version=found.version)
    return PosterState(posting=found)


def asked_of(principal: Principal, area: str | None, sector: str | None, kind: str | None) -> Asked:
    """What is asked for, within what the key reaches. Raises ApiError: 422 for what there is not,
    404 for what lies outside."""
    problems = []
    if area is not None:
        try:
            check_area(area)
        except ValueError:
            vi, en = "Không có địa bàn này.", "There is no such area."
            problems.append(field_problem("area", "unknown", vi, en))
    problems += [field_problem(*one) for one in wrong_asked(sector, kind)]
    if problems:
        raise invalid(*problems)
    outside = area is not None and not covers(principal.area, area)
    if outside or (principal.sector is not None and sector not in (None, principal.sector)):
        raise not_found(
            "Nằm ngoài địa bàn hoặc ngành của khoá.", "It is outside this key's area or sector."
        )
    return Asked(area or principal.area, sector or principal.sector, kind)


def answer_of(
    found: Funnel, by: Sequence[By], asked: Asked, known: Sequence[ListStanding]
) -> CoverageAnswer:
    """A funnel as it is answered."""
    return CoverageAnswer(
        at=found.at,
        area=asked.area,
        scanned_days=found.within.scanned_days,
        inspected_days=found.within.inspected_days,
        lines=[
            FunnelLine(
                key=list(line.key),
                name=" · ".join(name_of(one, key) for one, key in zip(by, line.key, strict=True)),
                required=line.required,
                stages={s: StageCount(**vars(count)) for s, count in line.stages.items()},
                scans=line.scans,
            )
            for line in found.lines
        ],
        lists=[age_of(one) for one in known],
    )


def _after(text: str) -> tuple[str, int, int]:
    if not text:
        return "", 0, 0
    ward, site, place = text.split("/")
    return ward, int(site), int(place)


def _check(marks: Sequence[postings.Mark], now: datetime) -> None:
    """Raises ApiError (422) that names the field."""
    problems = []
    for n, one in enumerate(marks):
        if one.fact is Fact.INSPECTED:
            vi = "Hãy ghi lần kiểm tra bằng /v1/inspections."
            en = "Record an inspection with /v1/inspections."
            problems.append(field_problem(f"facts.{n}.fact", "not_here", vi, en))
        if one.at.utcoffset() is None or one.at > now + _SKEW:
            vi, en = (
                "Cần múi giờ và không ở tương lai.",
                "It needs a zone and is not in the future.",
            )
            problems.append(field_problem(f"facts.{n}.at", "invalid", vi, en))
    if problems:
        raise invalid(*problems)
