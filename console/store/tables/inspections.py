"""Inspections, their steps as they were sent, and photos."""

from typing import Final

from sqlalchemy import JSON, Date, ForeignKey, Integer, LargeBinary, String, Table

from console.store.column import Moment, column
from console.store.tables.base import metadata

# An inspection as its steps have left it: made anew from them with each, and here so that lists
# and rounds need not read the steps. `number` is what people call it.
inspections: Final = Table(
    "inspections",
    metadata,
    column("id", String(36), primary_key=True),
    column("number", Integer, unique=True),
    column("place", Integer, ForeignKey("places.id"), index=True),
    column("version", Integer),
    column("stage", String(16), nullable=True),
    column("result", String(16), nullable=True),
    column("begun_at", Moment, nullable=True),
    column("planned_on", Date, nullable=True),
    column("checked_at", Moment, nullable=True),
    column("due_on", Date, nullable=True),
)

# What was sent, never changed. Notes can hold names: they are in no log, topic or address.
inspection_steps: Final = Table(
    "inspection_steps",
    metadata,
    column("event_id", String(36), primary_key=True),
    column("inspection", String(36), ForeignKey("inspections.id"), index=True),
    column("kind", String(16)),
    column("occurred_at", Moment),
    column("recorded_at", Moment),
    column("by", String(32)),
    column("content", JSON),
    column("seen", JSON),
)

inspection_photos: Final = Table(
    "inspection_photos",
    metadata,
    column("inspection", String(36), ForeignKey("inspections.id"), primary_key=True),
    column("sha256", String(64), primary_key=True),
    column("media_type", String(16)),
    column("data", LargeBinary),
    column("recorded_at", Moment),
    column("by", String(32)),
)
