"""What goes in and out of the routes of trips."""

from typing import Annotated, Any, Final

from pydantic import Field

from console.api.register_schemas import Note, OnVersion
from console.api.schemas import ApiModel, example
from issuer.trips import MOST_TRIPS
from schemas.scan import NOTE_PATTERN, Timestamp

TRIP_EXAMPLE: Final[dict[str, Any]] = {
    "id": "15B01234-261127-01",
    "departs_at": "2026-11-27T01:05:00.000Z",
    "arrives_at": "2026-11-27T01:55:00.000Z",
}
TripName = Annotated[
    str,
    Field(
        pattern=NOTE_PATTERN,
        description="As scans say it; used once, so with the day in it.",
    ),
]


class OneTrip(ApiModel):
    """One run of a vehicle (UTC)."""

    model_config = example(TRIP_EXAMPLE)

    id: TripName
    departs_at: Timestamp
    arrives_at: Timestamp


class ChangeTrips(ApiModel):
    """Trips to add, or to correct where the name is there already, and names to take out."""

    model_config = example({"trips": [TRIP_EXAMPLE], "remove": [], "note": "tăng chuyến dịp lễ"})

    trips: Annotated[tuple[OneTrip, ...], Field(max_length=MOST_TRIPS)] = ()
    remove: Annotated[tuple[TripName, ...], Field(max_length=MOST_TRIPS)] = ()
    version: OnVersion | None = None
    note: Note | None = None


class VehicleTrips(ApiModel):
    """The trips of a vehicle by departure; `version` is that of the place's record."""

    model_config = example({"place": 4711, "version": 4, "trips": [TRIP_EXAMPLE]})

    place: int
    version: int
    trips: list[OneTrip]
