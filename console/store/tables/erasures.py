"""Who asked to be erased. The hash stays; the person is named only until the work is done."""

from typing import Final

from sqlalchemy import JSON, Integer, String, Table, Text

from console.store.column import Moment, column
from console.store.tables.base import metadata

erasures: Final = Table(
    "erasures",
    metadata,
    column("id", Integer, primary_key=True, autoincrement=False),
    column("hash", String(16), index=True),
    # null once nothing is left to do
    column("person", String(13), nullable=True),
    column("before", Moment),
    # notes can hold names: they are in no log, topic or address
    column("reason", Text),
    column("asked_at", Moment),
    column("asked_by", String(32)),
    column("state", String(16), index=True),
    # what has been taken away and not yet accounted for
    column("pending", JSON),
    # rows by table
    column("removed", JSON),
    # open cases that need what they have
    column("kept_for", JSON),
    column("finished_at", Moment, nullable=True),
)
