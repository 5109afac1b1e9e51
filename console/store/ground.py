"""Places and trips as traces want them: of those that a trace comes to, by their columns."""

from typing import Any, Final

import polars as pl
from sqlalchemy import Row, select

from console.store import tables
from console.store.engine import Store
from schemas.scan import parse_timestamp
from tracer.frames import PLACES, TRIPS
from tracer.ground import GroundByNeed
from tracer.parameters import Parameters

_AT_ONCE: Final = 500  # SQLite takes a bounded number of parameters
_SAID: Final = {
    **dict.fromkeys(("place", "site", "usual_stay", "within"), pl.Int64),
    **dict.fromkeys(("enclosed", "small", "gate"), pl.Boolean),
    **dict.fromkeys(("kind", "sector", "opens", "closes"), pl.String),
}


def ground(store: Store, parameters: Parameters) -> GroundByNeed:
    """What the traces of one question stand on, as the register is when they come to a place."""
    return GroundByNeed(parameters, lambda places: rows_of(store, places))


def rows_of(store: Store, places: list[int]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Those of these places that the register has, with whatever lies within another place of the
    same sites, and the trips of all: shapes of `tracer.frames`."""
    p = tables.places.c
    columns = [p.id.label("place"), *(p[name] for name in _SAID if name != "place"), p.trips]
    rows: list[Row[Any]] = []
    with store.read() as connection:
        for begin in range(0, len(places), _AT_ONCE):
            some = p.id.in_(places[begin : begin + _AT_ONCE])
            rows += connection.execute(select(*columns).where(some))
        sites, known = sorted({row.site for row in rows}), {row.place for row in rows}
        for begin in range(0, len(sites), _AT_ONCE):
            nested = p.site.in_(sites[begin : begin + _AT_ONCE]) & p.within.is_not(None)
            inside = connection.execute(select(*columns).where(nested))
            rows += [row for row in inside if row.place not in known]
    trips = [trip for row in rows if row.trips for trip in _trips(row)]
    said = pl.DataFrame([row[:-1] for row in rows], schema=_SAID, orient="row")
    said = said.with_columns(_minutes("opens"), _minutes("closes"))
    return (
        said.select(pl.col(name).cast(kind) for name, kind in PLACES.items()),
        pl.DataFrame(trips, schema=dict(TRIPS), orient="row"),
    )


def _trips(row: Row[Any]) -> list[tuple[Any, ...]]:
    return [
        (row.place, trip["id"], *(parse_timestamp(trip[n]) for n in ("departs_at", "arrives_at")))
        for trip in row.trips
    ]


def _minutes(name: str) -> pl.Expr:
    """`HH:MM` to minutes after local midnight."""
    hour, minute = (pl.col(name).str.slice(n, 2).cast(pl.Int32) for n in (0, 3))
    return (hour * 60 + minute).alias(name)
