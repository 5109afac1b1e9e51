"""Places and trips as traces want them, read by their columns: a city has a million places."""

from typing import Any, Final

import polars as pl
from sqlalchemy import Row, select

from console.store import tables
from console.store.engine import Store
from schemas.scan import parse_timestamp
from tracer.frames import PLACES, TRIPS
from tracer.ground import Ground, ground_of
from tracer.parameters import Parameters

_AT_ONCE: Final = 50_000
_SAID: Final = {
    **dict.fromkeys(("place", "site", "usual_stay", "within"), pl.Int64),
    **dict.fromkeys(("enclosed", "small", "gate"), pl.Boolean),
    **dict.fromkeys(("kind", "opens", "closes"), pl.String),
}


def ground(store: Store, parameters: Parameters) -> Ground:
    """What traces stand on, as the register is now."""
    p = tables.places.c
    columns = [p.id.label("place"), *(p[name] for name in _SAID if name != "place"), p.trips]
    query = select(*columns).order_by(p.id).execution_options(yield_per=_AT_ONCE)
    frames, trips = [_frame([])], []
    with store.read() as connection:
        for some in connection.execute(query).partitions():
            frames.append(_frame([row[:-1] for row in some]))
            trips += [trip for row in some if row.trips for trip in _trips(row)]
    places = pl.concat(frames).with_columns(_minutes("opens"), _minutes("closes"))
    return ground_of(
        places.select(pl.col(name).cast(kind) for name, kind in PLACES.items()),
        pl.DataFrame(trips, schema=dict(TRIPS), orient="row"),
        parameters,
    )


def _frame(rows: list[Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=_SAID, orient="row")


def _trips(row: Row[Any]) -> list[tuple[Any, ...]]:
    return [
        (row.place, trip["id"], *(parse_timestamp(trip[n]) for n in ("departs_at", "arrives_at")))
        for trip in row.trips
    ]


def _minutes(name: str) -> pl.Expr:
    """`HH:MM` to minutes after local midnight."""
    hour, minute = (pl.col(name).str.slice(n, 2).cast(pl.Int32) for n in (0, 3))
    return (hour * 60 + minute).alias(name)
