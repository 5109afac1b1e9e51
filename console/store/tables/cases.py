"""Cases and what was changed of them."""

from typing import Final

from sqlalchemy import JSON, Date, ForeignKey, Integer, String, Table, Text

from console.store.column import Moment, column
from console.store.tables.base import metadata

cases: Final = Table(
    "cases",
    metadata,
    column("id", String(97), primary_key=True),
    column("version", Integer),
    column("status", String(16)),
    column("person", String(13), nullable=True),
    column("symptoms", String(8), nullable=True),
    column("onset", Date, nullable=True),
    column("sampled_on", Date, nullable=True),
    column("result_on", Date, nullable=True),
    column("isolated_at", Moment, nullable=True),
    column("negative_at", Moment, nullable=True),
    column("ward", String(64), index=True),
    column("rule_set", String(64), nullable=True),
    column("registered_at", Moment, index=True),
    column("registered_by", Text),
    column("points", JSON, server_default="[]"),
    column("answers", JSON, server_default="[]"),
    column("named", JSON, server_default="[]"),
    column("excluded", JSON, server_default="[]"),
    column("same", JSON, server_default="[]"),
    column("decided", JSON, server_default="[]"),
    column("said", JSON, server_default="[]"),
    # why it was last closed or voided, and who did; not part of the event
    column("ended_by", Text, nullable=True),
    column("ended_reason", Text, nullable=True),
    # the request that made it, so that a retry makes no second one
    column("request_key", String(200), nullable=True, unique=True),
    column("request_hash", String(64), nullable=True),
)

# Where the case was by its own account, at places that the register does not have: in words, which
# can hold names, so they are in no event and no log. Of what is taken back, or has become a
# point at a place, who did so stays, and the words do not.
case_venues: Final = Table(
    "case_venues",
    metadata,
    column("case_id", String(97), ForeignKey("cases.id"), primary_key=True),
    column("number", Integer, primary_key=True, autoincrement=False),
    column("venue", Text),
    column("begin", Moment),
    column("end", Moment),
    column("source", String(16)),
    column("entered_at", Moment),
    column("entered_by", Text),
    column("removed_at", Moment, nullable=True),
    column("removed_by", Text, nullable=True),
    column("became_place", Integer, nullable=True),
)

# Who changed what of a case, and their note: notes can hold names, so they are in no event.
case_history: Final = Table(
    "case_history",
    metadata,
    column("case_id", String(97), ForeignKey("cases.id"), primary_key=True),
    column("version", Integer, primary_key=True, autoincrement=False),
    column("at", Moment),
    column("by", Text),
    column("changes", JSON),
    column("note", Text, nullable=True),
)
