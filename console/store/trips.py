"""Trips of vehicles, written as edits of their places: with history, and on `sites.v1`."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from console.store import tables
from console.store.edits import Guard, anybody, must_be_open
from console.store.engine import Store
from console.store.errors import Conflict
from console.store.history import Why
from console.store.sites import locked_places, place, put_places
from issuer.trips import TripError, with_trips
from schemas.places import Place, Trip

_AT_ONCE: Final = 200


def cut_off_at(now: datetime, retention_days: int) -> datetime | None:
    """Trips that arrived before this are of no use: no scan of them can be asked for any more."""
    return now - timedelta(days=retention_days + 1) if retention_days else None


def change_trips(
    store: Store,
    place_id: int,
    added: Sequence[Trip],
    removed: Sequence[str],
    why: Why,
    *,
    cut_off: datetime | None,
    on_version: int | None = None,
    guard: Guard = anybody,
) -> Place:
    """The vehicle with these trips added or corrected, and these removed.

    Raises NotFound, Conflict if it is closed, no vehicle, not at `on_version`, or full.
    """
    with store.write() as connection:
        [before] = locked_places(connection, [place_id])
        guard(before)
        must_be_open("điểm quét", "place", before, on_version)
        try:
            after = with_trips(before, added, removed, cut_off=cut_off)
        except TripError as error:
            raise Conflict(f"{error.vi}. / {error.en}.") from None
        put_places(connection, [(before, after)], why)
    return after


def import_trips(
    store: Store, added: Mapping[int, Sequence[Trip]], why: Why, *, cut_off: datetime | None
) -> int:
    """Trips of many vehicles, by place; how many vehicles changed. Begun again, it goes on.

    Raises as `change_trips` does; the vehicles of earlier transactions stay changed.
    """
    changed, ids = 0, sorted(added)
    for begin in range(0, len(ids), _AT_ONCE):
        with store.write() as connection:
            before = locked_places(connection, ids[begin : begin + _AT_ONCE])
            changes = []
            for vehicle in before:
                must_be_open("điểm quét", "place", vehicle, None)
                try:
                    after = with_trips(vehicle, added[vehicle.id], cut_off=cut_off)
                except TripError as error:
                    number = f"#{vehicle.id}"
                    raise Conflict(f"{number}: {error.vi}. / {number}: {error.en}.") from None
                changes.append((vehicle, after))
            put_places(connection, changes, why)
            changed += sum(after != vehicle for vehicle, after in changes)
    return changed


def planned_trips(store: Store, place_id: int) -> tuple[Trip, ...]:
    """The trips that a vehicle has."""
    found = place(store, place_id)
    return found.trips if found else ()


def vehicles_named(store: Store, site: int | None = None) -> dict[str, list[int]]:
    """Active places by their names, of a site or of all: what a timetable calls them."""
    p = tables.places.c
    query = select(p.name, p.id).where(p.status == "active").order_by(p.id)
    if site is not None:
        query = query.where(p.site == site)
    found: dict[str, list[int]] = {}
    with store.read() as connection:
        for name, number in connection.execute(query):
            found.setdefault(name, []).append(number)
    return found
