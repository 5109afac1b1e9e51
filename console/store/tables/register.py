"""Sites, places, their codes and what was changed of them."""

from typing import Final

from sqlalchemy import JSON, Boolean, ForeignKey, Index, Integer, String, Table, Text, text

from console.store.column import BigId, Moment, column
from console.store.tables.base import metadata

sites: Final = Table(
    "sites",
    metadata,
    column("id", BigId, primary_key=True, autoincrement=False),
    column("version", Integer),
    column("name", Text),
    column("kind", String(64)),
    column("ward", String(64), index=True),
    column("sector", String(64)),
    column("address", Text, nullable=True),
    column("status", String(16)),
    column("merged_into", BigId, nullable=True),
)

places: Final = Table(
    "places",
    metadata,
    column("id", Integer, primary_key=True, autoincrement=False),
    column("site", BigId, ForeignKey("sites.id"), index=True),
    column("version", Integer),
    column("name", Text),
    column("kind", String(64)),
    column("ward", String(64), index=True),
    column("sector", String(64)),
    column("opens", String(5), nullable=True),
    column("closes", String(5), nullable=True),
    column("capacity", Integer, nullable=True),
    column("enclosed", Boolean),
    column("small", Boolean),
    column("gate", Boolean),
    column("usual_stay", Integer, nullable=True),
    column("within", Integer, nullable=True),
    column("trips", JSON),
    column("status", String(16)),
)

codes: Final = Table(
    "codes",
    metadata,
    column("place", Integer, ForeignKey("places.id"), primary_key=True, autoincrement=False),
    column("version", Integer, primary_key=True, autoincrement=False),
    column("token", String(64), unique=True),
    column("valid_from", Moment, nullable=True),
    column("valid_to", Moment, nullable=True),
    column("revoked_at", Moment, nullable=True),
    column("revoked_reason", Text, nullable=True),
    column("taken_back_at", Moment, nullable=True),
    Index(
        "ix_codes_taken_back",
        "taken_back_at",
        sqlite_where=text("taken_back_at IS NOT NULL"),
        postgresql_where=text("taken_back_at IS NOT NULL"),
    ),
)

# Who changed what of a site or a place: a row for each version after the first.
site_history: Final = Table(
    "site_history",
    metadata,
    column("entity", String(8), primary_key=True),
    column("id", BigId, primary_key=True, autoincrement=False),
    column("version", Integer, primary_key=True, autoincrement=False),
    column("at", Moment),
    column("by", String(32)),
    column("what", String(16)),
    column("before", JSON),
    column("after", JSON),
    column("note", Text, nullable=True),
)

# What another list calls a site or place: a second import of it adds nothing.
sources: Final = Table(
    "sources",
    metadata,
    column("source", String(128), primary_key=True),
    column("entity", String(8), primary_key=True),
    column("external_key", String(256), primary_key=True),
    column("id", BigId),
)
