"""Rows of the tables to the records that cross the boundary, and back."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row

from console.store.outbox import Entry
from schemas.places import Code, Hours, Place, Site, Trip, place_key, site_key
from schemas.topics import SITES


def site_of(row: Row[Any]) -> Site:
    """A site from its row."""
    return Site.model_validate(dict(row._mapping))


def place_of(row: Row[Any], codes: Iterable[Row[Any]]) -> Place:
    """A place from its row and those of its codes, in the order of their versions."""
    fields = dict(row._mapping)
    opens, closes = fields.pop("opens"), fields.pop("closes")
    return Place(
        **(fields | {"trips": tuple(Trip.model_validate(trip) for trip in fields["trips"])}),
        hours=Hours(opens=opens, closes=closes) if opens is not None else None,
        codes=tuple(code_of(code) for code in codes),
    )


def code_of(row: Row[Any]) -> Code:
    """A code from its row."""
    fields = dict(row._mapping)
    del fields["place"]
    return Code.model_validate(fields)


def site_row(site: Site) -> dict[str, Any]:
    """What `sites` keeps of a site."""
    return site.model_dump()


def place_row(place: Place) -> dict[str, Any]:
    """What `places` keeps of a place."""
    hours = place.hours
    return {
        "id": place.id,
        "site": place.site,
        "version": place.version,
        "name": place.name,
        "kind": place.kind,
        "ward": place.ward,
        "sector": place.sector,
        "opens": hours.opens if hours else None,
        "closes": hours.closes if hours else None,
        "capacity": place.capacity,
        "enclosed": place.enclosed,
        "small": place.small,
        "gate": place.gate,
        "usual_stay": place.usual_stay,
        "within": place.within,
        "trips": [trip.model_dump(mode="json") for trip in place.trips],
        "status": place.status.value,
    }


def code_row(place: int, code: Code) -> dict[str, Any]:
    """What `codes` keeps of a code."""
    return {
        "place": place,
        "version": code.version,
        "token": code.token,
        "valid_from": code.valid_from,
        "valid_to": code.valid_to,
        "revoked_at": code.revoked_at,
        "revoked_reason": code.revoked_reason,
        "taken_back_at": code.taken_back_at,
    }


def site_entries(sites: Sequence[Site], places: Sequence[Place]) -> list[Entry]:
    """Their records on `sites.v1`."""
    return [
        Entry(SITES.name, site_key(s.id), s.model_dump_json(exclude_none=True).encode())
        for s in sites
    ] + [
        Entry(SITES.name, place_key(p.id), p.model_dump_json(exclude_none=True).encode())
        for p in places
    ]
