"""What the report says of inspections."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select

from console.coverage.funnel import Asked
from console.store import tables
from console.store.engine import Store
from issuer.units import ward_codes
from schemas.clock import local_midnight
from schemas.inspections import Kind, Stage


@dataclass(frozen=True)
class Inspections:
    """Checks made on the day, however often a place was looked at again; inspections not closed
    now; of them, orders to mend that are late."""

    done: int
    open: int
    overdue: int


def inspections_of(store: Store, asked: Asked, day: date) -> Inspections:
    """Of an area and a sector."""
    i, p = tables.inspections.c, tables.places.c
    query = select(func.count()).select_from(tables.inspections)
    query = query.join(tables.places, p.id == i.place)
    if (wards := ward_codes(asked.area)) is not None:
        query = query.where(p.ward.in_(wards))
    if asked.sector is not None:
        query = query.where(p.sector == asked.sector)
    begin, end = local_midnight(day), local_midnight(day + timedelta(days=1))
    s = tables.inspection_steps.c
    checks = query.join(tables.inspection_steps, s.inspection == i.id).where(
        s.kind == Kind.CHECKED, s.occurred_at >= begin, s.occurred_at < end
    )
    conditions: tuple[tuple[Any, ...], ...] = (
        (i.stage.is_not(None), i.stage != Stage.CLOSED),
        (i.stage.is_not(None), i.stage != Stage.CLOSED, i.due_on < day),
    )
    with store.read() as connection:
        done = connection.scalar(checks) or 0
        counts = [connection.scalar(query.where(*some)) or 0 for some in conditions]
    return Inspections(done, *counts)
