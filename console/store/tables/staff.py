"""How many people work at a site, as it declares: with history, never with names."""

from typing import Final

from sqlalchemy import Date, ForeignKey, Integer, String, Table, Text

from console.store.column import BigId, Moment, column
from console.store.tables.base import metadata

# From `since` on it is so many, until a later day says otherwise; of one day the last is meant.
headcounts: Final = Table(
    "headcounts",
    metadata,
    column("site", BigId, ForeignKey("sites.id"), primary_key=True, autoincrement=False),
    column("since", Date, primary_key=True),
    column("number", Integer, primary_key=True, autoincrement=False),
    column("headcount", Integer),
    column("at", Moment),
    column("by", String(32)),
    column("note", Text, nullable=True),
)
