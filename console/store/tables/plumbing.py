"""What is on its way to Kafka, and the numbers given out."""

from typing import Final

from sqlalchemy import JSON, Index, LargeBinary, String, Table, text

from console.store.column import BigId, Moment, column
from console.store.tables.base import metadata

outbox: Final = Table(
    "outbox",
    metadata,
    column("id", BigId, primary_key=True, autoincrement=True),
    column("topic", String(64)),
    column("key", String(128)),
    column("headers", JSON),
    column("value", LargeBinary),
    column("created_at", Moment),
    column("published_at", Moment, nullable=True),
    Index(
        "ix_outbox_pending",
        "id",
        sqlite_where=text("published_at IS NULL"),
        postgresql_where=text("published_at IS NULL"),
    ),
    sqlite_autoincrement=True,  # an id is never used again, also after old rows are removed
)

# The last number given out, by name: dense, and safe from two processes.
counters: Final = Table(
    "counters",
    metadata,
    column("name", String(64), primary_key=True),
    column("value", BigId),
)
