"""Cards of persons without a phone: the only place that says whom a card stands for."""

from typing import Final

from sqlalchemy import Integer, String, Table, Text, UniqueConstraint

from console.store.column import BigId, Moment, column
from console.store.tables.base import metadata

# No name is here, and no text of a card: with the table alone, without the keys, none can be made.
cards: Final = Table(
    "cards",
    metadata,
    # nine digits, said over the telephone
    column("id", BigId, primary_key=True, autoincrement=False),
    # 45 random bits, in the code
    column("number", BigId, unique=True),
    column("person", String(13)),
    # which of the person's cards it is
    column("version", Integer),
    column("ward", String(64), index=True),
    # cards made together, before it is known who gets them
    column("batch", String(64), nullable=True),
    column("line", Integer, nullable=True),
    # the id of the key that signed it
    column("key", String(16)),
    column("issued_at", Moment),
    column("issued_by", String(32)),
    column("revoked_at", Moment, nullable=True),
    column("revoked_by", String(32), nullable=True),
    column("revoked_reason", Text, nullable=True),
    UniqueConstraint("person", "version"),
    UniqueConstraint("ward", "batch", "line"),
)
