"""What is known of posters, and which establishments are required."""

from typing import Final

from sqlalchemy import Boolean, Date, ForeignKey, Integer, String, Table, Text

from console.store.column import BigId, Moment, column
from console.store.tables.base import metadata

# What is known of a place's poster: a row once something is. What each column says, is said by
# `schemas.coverage.Posting`.
postings: Final = Table(
    "postings",
    metadata,
    column("place", Integer, ForeignKey("places.id"), primary_key=True, autoincrement=False),
    column("version", Integer),
    column("duty_at", Moment, nullable=True),
    column("printed_at", Moment, nullable=True),
    column("printed_version", Integer, nullable=True),
    column("posted_at", Moment, nullable=True),
    column("posted_version", Integer, nullable=True),
    column("inspected_at", Moment, nullable=True),
    column("inspected_version", Integer, nullable=True),
    column("inspected_good", Boolean, nullable=True),
)

# Lists of establishments that must have codes, and their entries.
required_lists: Final = Table(
    "required_lists",
    metadata,
    column("id", String(64), primary_key=True),
    column("version", Integer),
    column("name", Text),
    column("keeper", Text),
    column("as_of", Date),
    column("entries", Integer),
    column("withdrawn", Boolean),
    column("imported_at", Moment),
    column("imported_by", String(32)),
)

required: Final = Table(
    "required",
    metadata,
    column("list", String(64), ForeignKey("required_lists.id"), primary_key=True),
    column("entry", String(256), primary_key=True),
    column("version", Integer),
    column("name", Text),
    column("address", Text, nullable=True),
    column("ward", String(64), index=True),
    column("kind", String(64)),
    column("sector", String(64)),
    column("site", BigId, ForeignKey("sites.id"), nullable=True),
    column("exempt_reason", Text, nullable=True),
    column("changed_at", Moment),
    column("changed_by", String(32)),
)
