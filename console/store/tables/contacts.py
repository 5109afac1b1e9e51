"""Working the list: what people did with each possible contact."""

from typing import Final

from sqlalchemy import JSON, Boolean, Date, ForeignKey, Integer, String, Table, Text

from console.store.column import Moment, column
from console.store.tables.base import metadata

# Working the list: a row for each possible contact that somebody has touched, SORMAS's axes apart.
contact_work: Final = Table(
    "contact_work",
    metadata,
    column("case_id", String(97), ForeignKey("cases.id"), primary_key=True),
    column("person", String(13), primary_key=True),
    column("version", Integer),
    column("classification", String(16)),
    column("status", String(16)),
    column("follow_up", String(16), nullable=True),
    column("follow_up_from", Date, nullable=True),
    column("category", String(16), nullable=True),
    column("answers", JSON),
    column("assigned_to", String(32), nullable=True),
    column("reachability", String(16), nullable=True),
    # whose it is once a hand-over is accepted; null: the case's ward's
    column("area", String(64), nullable=True, index=True),
    column("last_exposure", Moment, nullable=True),
    column("converted_to", String(97), nullable=True),
    column("duplicate_of", String(13), nullable=True),
    column("changed_at", Moment),
    column("changed_by", String(32)),
)

# Who changed what of it. Notes can hold names: they are in no log, topic or address.
contact_history: Final = Table(
    "contact_history",
    metadata,
    column("case_id", String(97), ForeignKey("cases.id"), primary_key=True),
    column("person", String(13), primary_key=True),
    column("version", Integer, primary_key=True, autoincrement=False),
    column("at", Moment),
    column("by", String(32)),
    column("what", String(32)),
    column("changes", JSON),
    column("note", Text, nullable=True),
)

contact_visits: Final = Table(
    "contact_visits",
    metadata,
    column("case_id", String(97), ForeignKey("cases.id"), primary_key=True),
    column("person", String(13), primary_key=True),
    column("day", Date, primary_key=True),
    column("result", String(16)),
    column("symptoms", Boolean, nullable=True),
    column("temperature_tenths", Integer, nullable=True),
    column("at", Moment),
    column("by", String(32)),
)

contact_handovers: Final = Table(
    "contact_handovers",
    metadata,
    column("id", Integer, primary_key=True),
    column("case_id", String(97), ForeignKey("cases.id")),
    column("person", String(13)),
    column("from_area", String(64), index=True),
    column("to_area", String(64), index=True),
    column("state", String(16)),
    column("asked_at", Moment),
    column("asked_by", String(32)),
    column("answered_at", Moment, nullable=True),
    column("answered_by", String(32), nullable=True),
)

# Whether two contacts of a case are one person: decided by a person, `first` < `second`.
contact_pairs: Final = Table(
    "contact_pairs",
    metadata,
    column("case_id", String(97), ForeignKey("cases.id"), primary_key=True),
    column("first", String(13), primary_key=True),
    column("second", String(13), primary_key=True),
    column("same", Boolean),
    column("at", Moment),
    column("by", String(32)),
)
