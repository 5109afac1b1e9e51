"""Places and trips as frames, from what stands on `sites.v1`."""

from collections.abc import Collection, Iterable

import polars as pl

from schemas.places import Hours, Place
from tracer.frames import PLACES, TRIPS
from tracer.ground import Ground, ground_of
from tracer.parameters import Parameters


def places_frame(places: Iterable[Place]) -> pl.DataFrame:
    """One row a place, columns `frames.PLACES`; hours in minutes after local midnight."""
    rows = [
        (
            place.id,
            place.site,
            place.kind,
            place.sector,
            place.enclosed,
            place.small,
            place.gate,
            *_minutes(place.hours),
            place.usual_stay,
            place.within,
        )
        for place in places
    ]
    return pl.DataFrame(rows, schema=dict(PLACES), orient="row")


def trips_frame(places: Iterable[Place]) -> pl.DataFrame:
    """One row a trip of a vehicle, columns `frames.TRIPS`; times in UTC."""
    rows = [
        (place.id, trip.id, trip.departs_at, trip.arrives_at)
        for place in places
        for trip in place.trips
    ]
    return pl.DataFrame(rows, schema=dict(TRIPS), orient="row")


def ground_at(places: Collection[Place], parameters: Parameters) -> Ground:
    """The ground of traces at these places."""
    return ground_of(places_frame(places), trips_frame(places), parameters)


def _minutes(hours: Hours | None) -> tuple[int | None, int | None]:
    return (None, None) if hours is None else (_minute(hours.opens), _minute(hours.closes))


def _minute(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)
