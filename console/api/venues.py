"""Routes of where a case was at places that the register does not have: points in words."""

import re
from typing import Annotated, Any, Final

import structlog
from fastapi import APIRouter, Path

from console.api.casecheck import LONGEST_STATED, span_problems, time_problems
from console.api.cases import ConsoleOf, Reads, Registers, within
from console.api.documented import a_case, answers
from console.api.errors import field_problem, invalid
from console.api.venues_schemas import AtPlace, NewVenue, Venue, Venues
from console.store import venues as store
from console.store.cases import must_be_open
from console.store.engine import utc_now
from schemas.cases import Case, Point

log = structlog.get_logger()
_LIKE_A_PHONE: Final = re.compile(r"(?:\d[ .-]?){9}")
router = APIRouter(prefix="/v1/cases", tags=["cases"])
Number = Annotated[int, Path(ge=1, lt=2**31)]


@router.get(
    "/{case_id}/venues",
    summary="Where the case was, beside the register",
    response_model=Venues,
    responses=answers(404),
)
def listed(case_id: str, principal: Reads, console: ConsoleOf) -> dict[str, Any]:
    """By time. No scan says who else was there: ask."""
    case = within(console, principal, case_id)
    return {"case": case.id, "venues": [vars(v) for v in store.venues(console.store, case_id)]}


@router.post(
    "/{case_id}/venues",
    status_code=201,
    summary="Enter where the case was, in words",
    response_model=Venue,
    responses=answers(404, 409),
)
def enter(case_id: str, body: NewVenue, principal: Registers, console: ConsoleOf) -> dict[str, Any]:
    """For a place without a code. It is in no run and goes to no other system. Sent again, it is
    there once."""
    case = within(console, principal, case_id)
    must_be_open(case)
    venue = " ".join(body.venue.split())
    problems = span_problems("", body, utc_now())
    if body.end - body.begin > LONGEST_STATED:
        words = "Dài hơn 24 giờ: hãy tách thành nhiều mốc.", "Longer than 24 hours: enter several."
        problems.append(field_problem("end", "too_long", *words))
    if not any(c.isalpha() for c in venue):
        words = "Hãy ghi nơi đó bằng chữ.", "Say in words where that is."
        problems.append(field_problem("venue", "no_words", *words))
    if _LIKE_A_PHONE.search(venue):
        words = (
            "Có vẻ là số điện thoại: chỉ ghi nơi chốn.",
            "That looks like a phone number: enter the place alone.",
        )
        problems.append(field_problem("venue", "like_a_phone", *words))
    if problems:
        raise invalid(*problems)
    new = store.NewVenue(venue, body.begin, body.end, body.source)
    made = store.enter(console.store, case_id, new, by=principal.by)
    log.info("case_venue_entered", case=case.id, number=made.number)
    return vars(made)


@router.delete(
    "/{case_id}/venues/{number}",
    summary="Take one back",
    response_model=Venues,
    responses=answers(404, 409),
)
def take_back(
    case_id: str, number: Number, principal: Registers, console: ConsoleOf
) -> dict[str, Any]:
    """What is left of the list."""
    case = within(console, principal, case_id)
    store.take_back(console.store, case_id, number, by=principal.by)
    log.info("case_venue_removed", case=case.id, number=number)
    return {"case": case.id, "venues": [vars(v) for v in store.venues(console.store, case_id)]}


@router.post(
    "/{case_id}/venues/{number}/place",
    summary="Say which place of the register it is",
    responses=a_case(200) | answers(404, 409),
)
def at_place(
    case_id: str, number: Number, body: AtPlace, principal: Registers, console: ConsoleOf
) -> Case:
    """It becomes a place-time point there, and the case is traced again."""
    case = within(console, principal, case_id)
    must_be_open(case)
    venue = store.one(console.store, case_id, number)
    if venue is not None:
        point = Point(place=body.place, begin=venue.begin, end=venue.end, source=venue.source)
        since = case.registered_at
        if found := time_problems("points", (point,), utc_now(), console, since=since):
            names = ((one, one.field.removeprefix("points.0.")) for one in found)
            raise invalid(*(one.model_copy(update={"field": name}) for one, name in names))
    after = store.put_at_place(console.store, case_id, number, body.place, by=principal.by)
    console.relay.wake()
    log.info("case_venue_placed", case=after.id, version=after.version, number=number)
    return after
