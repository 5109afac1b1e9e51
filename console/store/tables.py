"""The tables, as SQLAlchemy sees them. What makes them is `migrations/`; a test compares both."""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.types import BigInteger

BigId: Final = BigInteger().with_variant(Integer, "sqlite")


class Moment(TypeDecorator[datetime]):
    """A time with its zone, UTC: SQLite keeps none, so it is taken off and put back here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> datetime | None:
        """UTC on the way in; a time without a zone is a mistake of the caller."""
        if value is None:
            return None
        assert value.utcoffset() is not None, "a time needs a time zone"
        return value.astimezone(UTC)

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> datetime | None:
        """UTC on the way out."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata: Final = MetaData()


def _column(name: str, kind: Any, *also: Any, **options: Any) -> Column[Any]:
    return Column(name, kind, *also, nullable=options.pop("nullable", False), **options)


sites: Final = Table(
    "sites",
    metadata,
    _column("id", BigId, primary_key=True, autoincrement=False),
    _column("version", Integer),
    _column("name", Text),
    _column("kind", String(64)),
    _column("ward", String(64), index=True),
    _column("sector", String(64)),
    _column("address", Text, nullable=True),
    _column("status", String(16)),
)

places: Final = Table(
    "places",
    metadata,
    _column("id", Integer, primary_key=True, autoincrement=False),
    _column("site", BigId, ForeignKey("sites.id"), index=True),
    _column("version", Integer),
    _column("name", Text),
    _column("kind", String(64)),
    _column("ward", String(64), index=True),
    _column("sector", String(64)),
    _column("opens", String(5), nullable=True),
    _column("closes", String(5), nullable=True),
    _column("capacity", Integer, nullable=True),
    _column("enclosed", Boolean),
    _column("small", Boolean),
    _column("gate", Boolean),
    _column("usual_stay", Integer, nullable=True),
    _column("within", Integer, nullable=True),
    _column("trips", JSON),
    _column("status", String(16)),
)

codes: Final = Table(
    "codes",
    metadata,
    _column("place", Integer, ForeignKey("places.id"), primary_key=True, autoincrement=False),
    _column("version", Integer, primary_key=True, autoincrement=False),
    _column("token", String(64), unique=True),
    _column("valid_from", Moment, nullable=True),
    _column("valid_to", Moment, nullable=True),
    _column("revoked_at", Moment, nullable=True),
    _column("revoked_reason", Text, nullable=True),
)

# What another list calls a site or place: a second import of it adds nothing.
sources: Final = Table(
    "sources",
    metadata,
    _column("source", String(128), primary_key=True),
    _column("entity", String(8), primary_key=True),
    _column("external_key", String(256), primary_key=True),
    _column("id", BigId),
)

producers: Final = Table(
    "producers",
    metadata,
    _column("id", String(32), primary_key=True),
    _column("version", Integer),
    _column("name", Text),
    _column("active", Boolean),
    _column("methods", JSON(none_as_null=True), nullable=True),
    _column("places", JSON(none_as_null=True), nullable=True),
    _column("wards", JSON(none_as_null=True), nullable=True),
)

# A key is 256 random bits, so its plain SHA-256 cannot be guessed back; the key is kept nowhere.
api_keys: Final = Table(
    "api_keys",
    metadata,
    _column("id", Integer, primary_key=True),
    _column("sha256", String(64), unique=True),
    _column("name", Text),
    _column("role", String(32)),
    _column("area", String(64)),
    _column("producer", String(32), nullable=True),
    _column("created_at", Moment),
    _column("revoked_at", Moment, nullable=True),
)

cases: Final = Table(
    "cases",
    metadata,
    _column("id", String(97), primary_key=True),
    _column("version", Integer),
    _column("status", String(16)),
    _column("person", String(13), nullable=True),
    _column("symptoms", String(8), nullable=True),
    _column("onset", Date, nullable=True),
    _column("sampled_on", Date, nullable=True),
    _column("isolated_at", Moment, nullable=True),
    _column("negative_at", Moment, nullable=True),
    _column("ward", String(64), index=True),
    _column("rule_set", String(64), nullable=True),
    _column("registered_at", Moment, index=True),
    _column("registered_by", Text),
    _column("points", JSON, server_default="[]"),
    _column("answers", JSON, server_default="[]"),
    _column("named", JSON, server_default="[]"),
    _column("excluded", JSON, server_default="[]"),
    # why it was last closed or voided, and who did; not part of the event
    _column("ended_by", Text, nullable=True),
    _column("ended_reason", Text, nullable=True),
    # the request that made it, so that a retry makes no second one
    _column("request_key", String(200), nullable=True, unique=True),
    _column("request_hash", String(64), nullable=True),
)

# Who changed what of a case, and their note: notes can hold names, so they are in no event.
case_history: Final = Table(
    "case_history",
    metadata,
    _column("case_id", String(97), ForeignKey("cases.id"), primary_key=True),
    _column("version", Integer, primary_key=True, autoincrement=False),
    _column("at", Moment),
    _column("by", Text),
    _column("changes", JSON),
    _column("note", Text, nullable=True),
)

outbox: Final = Table(
    "outbox",
    metadata,
    _column("id", BigId, primary_key=True, autoincrement=True),
    _column("topic", String(64)),
    _column("key", String(128)),
    _column("headers", JSON),
    _column("value", LargeBinary),
    _column("created_at", Moment),
    _column("published_at", Moment, nullable=True),
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
    _column("name", String(64), primary_key=True),
    _column("value", BigId),
)

# Working the list: a row for each possible contact that somebody has touched, SORMAS's axes apart.
contact_work: Final = Table(
    "contact_work",
    metadata,
    _column("case_id", String(97), ForeignKey("cases.id"), primary_key=True),
    _column("person", String(13), primary_key=True),
    _column("version", Integer),
    _column("classification", String(16)),
    _column("status", String(16)),
    _column("follow_up", String(16), nullable=True),
    _column("follow_up_from", Date, nullable=True),
    _column("category", String(16), nullable=True),
    _column("answers", JSON),
    _column("assigned_to", String(32), nullable=True),
    _column("reachability", String(16), nullable=True),
    # whose it is once a hand-over is accepted; null: the case's ward's
    _column("area", String(64), nullable=True, index=True),
    _column("last_exposure", Moment, nullable=True),
    _column("converted_to", String(97), nullable=True),
    _column("duplicate_of", String(13), nullable=True),
    _column("changed_at", Moment),
    _column("changed_by", String(32)),
)

# Who changed what of it. Notes can hold names: they are in no log, topic or address.
contact_history: Final = Table(
    "contact_history",
    metadata,
    _column("case_id", String(97), ForeignKey("cases.id"), primary_key=True),
    _column("person", String(13), primary_key=True),
    _column("version", Integer, primary_key=True, autoincrement=False),
    _column("at", Moment),
    _column("by", String(32)),
    _column("what", String(32)),
    _column("changes", JSON),
    _column("note", Text, nullable=True),
)

contact_visits: Final = Table(
    "contact_visits",
    metadata,
    _column("case_id", String(97), ForeignKey("cases.id"), primary_key=True),
    _column("person", String(13), primary_key=True),
    _column("day", Date, primary_key=True),
    _column("result", String(16)),
    _column("symptoms", Boolean, nullable=True),
    _column("temperature_tenths", Integer, nullable=True),
    _column("at", Moment),
    _column("by", String(32)),
)

contact_handovers: Final = Table(
    "contact_handovers",
    metadata,
    _column("id", Integer, primary_key=True),
    _column("case_id", String(97), ForeignKey("cases.id")),
    _column("person", String(13)),
    _column("from_area", String(64), index=True),
    _column("to_area", String(64), index=True),
    _column("state", String(16)),
    _column("asked_at", Moment),
    _column("asked_by", String(32)),
    _column("answered_at", Moment, nullable=True),
    _column("answered_by", String(32), nullable=True),
)

# Whether two contacts of a case are one person: decided by a person, `first` < `second`.
contact_pairs: Final = Table(
    "contact_pairs",
    metadata,
    _column("case_id", String(97), ForeignKey("cases.id"), primary_key=True),
    _column("first", String(13), primary_key=True),
    _column("second", String(13), primary_key=True),
    _column("same", Boolean),
    _column("at", Moment),
    _column("by", String(32)),
)
