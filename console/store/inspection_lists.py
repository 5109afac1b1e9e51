"""Inspections as lists: those of some wards, a ward's doors for a round, one day's visit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Row, func, select

from console.inspections.visits import Door, Hand
from console.store import tables
from console.store.engine import Store
from issuer.walk import walk_key
from schemas.clock import LOCAL
from schemas.inspections import Result, Stage
from schemas.places import Status


@dataclass(frozen=True)
class Line:
    """What a list shows of an inspection, by the names the columns have."""

    id: str
    number: int
    place: int
    version: int
    stage: Stage | None
    result: Result | None
    begun_at: datetime | None
    planned_on: date | None
    checked_at: datetime | None
    due_on: date | None
    place_name: str
    site: int
    site_name: str
    address: str | None
    ward: str
    sector: str


@dataclass(frozen=True)
class Wanted:
    """Which inspections; None is all. `due_before`: not closed and due before that day."""

    wards: Sequence[str] | None = None
    sector: str | None = None
    place: int | None = None
    site: int | None = None
    stage: Stage | None = None
    due_before: date | None = None


def listed(store: Store, wanted: Wanted, *, limit: int, after: int = 0) -> list[Line]:
    """The newest first; `after`: those numbered below it (0: from the newest)."""
    i, p = tables.inspections.c, tables.places.c
    query = _LINES.order_by(i.number.desc()).limit(limit)
    if after:
        query = query.where(i.number < after)
    if wanted.wards is not None:
        query = query.where(p.ward.in_(wanted.wards))
    if wanted.sector is not None:
        query = query.where(p.sector == wanted.sector)
    if wanted.place is not None:
        query = query.where(i.place == wanted.place)
    if wanted.site is not None:
        query = query.where(p.site == wanted.site)
    if wanted.stage is not None:
        query = query.where(i.stage == wanted.stage.value)
    if wanted.due_before is not None:
        query = query.where(i.due_on < wanted.due_before, i.stage != Stage.CLOSED.value)
    with store.read() as connection:
        return [_line(row) for row in connection.execute(query)]


def line_of(store: Store, inspection: str) -> Line | None:
    """One inspection as a list shows it."""
    query = _LINES.where(tables.inspections.c.id == inspection)
    with store.read() as connection:
        row = connection.execute(query).first()
    return _line(row) if row else None


def of_visit(store: Store, site: int, day: date) -> list[str]:
    """Which inspections of this site were checked on this local day, by the places' numbers."""
    i, s, p = tables.inspections.c, tables.inspection_steps.c, tables.places.c
    begin = datetime.combine(day, time(), LOCAL)
    query = (
        select(i.id)
        .join(tables.places, p.id == i.place)
        .join(tables.inspection_steps, s.inspection == i.id)
        .where(p.site == site, s.kind == "checked")
        .where(s.occurred_at >= begin, s.occurred_at < begin + timedelta(days=1))
        .group_by(i.id, i.place)
        .order_by(i.place, i.id)
    )
    with store.read() as connection:
        return list(connection.execute(query).scalars())


def doors(
    store: Store, ward: str, sector: str | None = None
) -> tuple[list[Door], dict[int, tuple[str, str, str | None]]]:
    """The ward's places that are open, of this sector (None: of all), as a round sees them, and
    the names and the address of each.
    """
    i, p, s = tables.inspections.c, tables.places.c, tables.sites.c
    spots = (
        select(p.id, p.gate, p.name, s.id.label("site"), s.name.label("site_name"), s.address)
        .join(tables.sites, s.id == p.site)
        .where(p.ward == ward, p.status == Status.ACTIVE.value, s.status == Status.ACTIVE.value)
    )
    if sector is not None:
        spots = spots.where(p.sector == sector)
    there = select(p.id).where(p.ward == ward)
    seen = (
        select(i.place, func.max(i.checked_at))
        .where(i.place.in_(there), i.checked_at.is_not(None))
        .group_by(i.place)
    )
    running = select(i.place, i.id, i.stage, i.planned_on, i.due_on).where(
        i.place.in_(there), i.stage.is_not(None), i.stage != Stage.CLOSED.value
    )
    with store.read() as connection:
        rows = connection.execute(spots).all()
        last: dict[int, datetime] = {row[0]: row[1] for row in connection.execute(seen)}
        hands: dict[int, list[Hand]] = {}
        for row in connection.execute(running):
            hand = Hand(row.id, Stage(row.stage), row.planned_on, row.due_on)
            hands.setdefault(row.place, []).append(hand)
    found = [
        Door(
            row.id,
            walk_key(ward, row.address, row.site_name, row.site, row.gate, row.id),
            last.get(row.id),
            tuple(hands.get(row.id, ())),
        )
        for row in rows
    ]
    return found, {row.id: (row.name, row.site_name, row.address) for row in rows}


def _line(row: Row[Any]) -> Line:
    fields = dict(row._mapping)
    stage, result = fields.pop("stage"), fields.pop("result")
    return Line(
        **fields,
        stage=Stage(stage) if stage else None,
        result=Result(result) if result else None,
    )


_LINES = (
    select(
        tables.inspections,
        tables.places.c.name.label("place_name"),
        tables.places.c.ward,
        tables.places.c.sector,
        tables.sites.c.id.label("site"),
        tables.sites.c.name.label("site_name"),
        tables.sites.c.address,
    )
    .join(tables.places, tables.places.c.id == tables.inspections.c.place)
    .join(tables.sites, tables.sites.c.id == tables.places.c.site)
)
