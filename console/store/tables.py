"""The tables, as SQLAlchemy sees them. What makes them is `migrations/`; a test compares both."""

from typing import Final

from sqlalchemy import (
    JSON,
    Boolean,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

from console.store.column import BigId, Moment, column

metadata: Final = MetaData()

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

producers: Final = Table(
    "producers",
    metadata,
    column("id", String(32), primary_key=True),
    column("version", Integer),
    column("name", Text),
    column("active", Boolean),
    column("methods", JSON(none_as_null=True), nullable=True),
    column("places", JSON(none_as_null=True), nullable=True),
    column("wards", JSON(none_as_null=True), nullable=True),
)

# A key is 256 random bits, so its plain SHA-256 cannot be guessed back; the key is kept nowhere.
api_keys: Final = Table(
    "api_keys",
    metadata,
    column("id", Integer, primary_key=True),
    column("sha256", String(64), unique=True),
    column("name", Text),
    column("role", String(32)),
    column("area", String(64)),
    column("producer", String(32), nullable=True),
    column("created_at", Moment),
    column("revoked_at", Moment, nullable=True),
)

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
    # why it was last closed or voided, and who did; not part of the event
    column("ended_by", Text, nullable=True),
    column("ended_reason", Text, nullable=True),
    # the request that made it, so that a retry makes no second one
    column("request_key", String(200), nullable=True, unique=True),
    column("request_hash", String(64), nullable=True),
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
