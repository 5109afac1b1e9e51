"""Routes of a vehicle's trips: which there are, added, corrected, taken out."""

from datetime import datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends

from console.access import Principal, Requires, Right
from console.api.documented import answers
from console.api.errors import field_problem, invalid
from console.api.register import within
from console.api.register_reading import NO_PLACE, PlaceId, place_within
from console.api.state import Console, console_of
from console.api.trips_schemas import ChangeTrips, OneTrip, VehicleTrips
from console.store.engine import utc_now
from console.store.history import What, Why
from console.store.trips import change_trips, cut_off_at
from issuer.trips import TripError, check_trip
from schemas.places import Place, Trip

log = structlog.get_logger()
router = APIRouter(prefix="/v1/places/{place_id}/trips", tags=["registry"])

ConsoleOf = Annotated[Console, Depends(console_of)]
Reads = Annotated[Principal, Depends(Requires(Right.PLACES_READ))]
Edits = Annotated[Principal, Depends(Requires(Right.PLACES_EDIT))]


@router.get("", summary="Trips of a vehicle", responses=answers(404))
def listed(place_id: PlaceId, principal: Reads, console: ConsoleOf) -> VehicleTrips:
    """By departure; those older than the retention go when others are written."""
    return _trips(place_within(console, principal, place_id))


@router.post("", summary="Add, correct or take out trips", responses=answers(404, 409))
def change(
    place_id: PlaceId, body: ChangeTrips, principal: Edits, console: ConsoleOf
) -> VehicleTrips:
    """Sent again it changes nothing, also where a name to take out is not there any more."""
    now = utc_now()
    cut_off = cut_off_at(now, console.settings.retention_days)
    added = [Trip(**dict(trip)) for trip in body.trips]
    _check(added, now, cut_off)
    why = Why(principal.by, What.TRIPS, body.note)
    with within(principal, NO_PLACE) as guard:
        after = change_trips(
            console.store, place_id, added, body.remove, why,
            cut_off=cut_off, on_version=body.version, guard=guard,
        )  # fmt: skip
    console.relay.wake()
    log.info("trips_changed", place=place_id, version=after.version, trips=len(after.trips))
    return _trips(after)


def _check(trips: list[Trip], now: datetime, cut_off: datetime | None) -> None:
    """Raises ApiError (422) that names each trip."""
    problems = []
    for at, trip in enumerate(trips):
        try:
            check_trip(trip, now, cut_off)
        except TripError as error:
            problems.append(field_problem(f"trips.{at}", "trip", f"{error.vi}.", f"{error.en}."))
    if problems:
        raise invalid(*problems)


def _trips(place: Place) -> VehicleTrips:
    trips = [OneTrip(**dict(trip)) for trip in place.trips]
    return VehicleTrips(place=place.id, version=place.version, trips=trips)
