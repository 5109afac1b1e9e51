"""Sites, places, codes, producers, keys, cases, and the outbox."""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0001"
down_revision: Final = None

# As it was on the day of this revision: not taken from `tables`, which moves on.
_BIG: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME: Final = sa.DateTime(timezone=True)
_UNPUBLISHED: Final = sa.text("published_at IS NULL")


def _c(name: str, kind: Any, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=nullable)


def _number(name: str, kind: Any) -> sa.Column[Any]:
    """A key whose values are given, not counted by the database."""
    return sa.Column(name, kind, nullable=False, autoincrement=False)


def upgrade() -> None:
    """The first tables."""
    _sites()
    _access()
    _cases()
    _outbox()


def _sites() -> None:
    op.create_table(
        "sites",
        _number("id", _BIG),
        _c("version", sa.Integer()),
        _c("name", sa.Text()),
        _c("kind", sa.String(64)),
        _c("ward", sa.String(64)),
        _c("sector", sa.String(64)),
        _c("address", sa.Text(), nullable=True),
        _c("status", sa.String(16)),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_sites_ward", "sites", ["ward"])
    op.create_table(
        "places",
        _number("id", sa.Integer()),
        _c("site", _BIG),
        _c("version", sa.Integer()),
        _c("name", sa.Text()),
        _c("kind", sa.String(64)),
        _c("ward", sa.String(64)),
        _c("sector", sa.String(64)),
        _c("opens", sa.String(5), nullable=True),
        _c("closes", sa.String(5), nullable=True),
        _c("capacity", sa.Integer(), nullable=True),
        _c("enclosed", sa.Boolean()),
        _c("small", sa.Boolean()),
        _c("gate", sa.Boolean()),
        _c("usual_stay", sa.Integer(), nullable=True),
        _c("trips", sa.JSON()),
        _c("status", sa.String(16)),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["site"], ["sites.id"]),
    )
    op.create_index("ix_places_site", "places", ["site"])
    op.create_index("ix_places_ward", "places", ["ward"])
    op.create_table(
        "codes",
        _number("place", sa.Integer()),
        _number("version", sa.Integer()),
        _c("token", sa.String(64)),
        _c("valid_from", _TIME, nullable=True),
        _c("valid_to", _TIME, nullable=True),
        _c("revoked_at", _TIME, nullable=True),
        _c("revoked_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("place", "version"),
        sa.ForeignKeyConstraint(["place"], ["places.id"]),
        sa.UniqueConstraint("token"),
    )
    op.create_table(
        "sources",
        _c("source", sa.String(128)),
        _c("entity", sa.String(8)),
        _c("external_key", sa.String(256)),
        _c("id", _BIG),
        sa.PrimaryKeyConstraint("source", "entity", "external_key"),
    )


def _access() -> None:
    op.create_table(
        "producers",
        _c("id", sa.String(32)),
        _c("version", sa.Integer()),
        _c("name", sa.Text()),
        _c("active", sa.Boolean()),
        _c("methods", sa.JSON(), nullable=True),
        _c("places", sa.JSON(), nullable=True),
        _c("wards", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "api_keys",
        _c("id", sa.Integer()),
        _c("sha256", sa.String(64)),
        _c("name", sa.Text()),
        _c("role", sa.String(32)),
        _c("area", sa.String(64)),
        _c("producer", sa.String(32), nullable=True),
        _c("created_at", _TIME),
        _c("revoked_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("sha256"),
    )


def _cases() -> None:
    op.create_table(
        "cases",
        _c("id", sa.String(97)),
        _c("version", sa.Integer()),
        _c("status", sa.String(16)),
        _c("person", sa.String(13)),
        _c("onset", sa.Date(), nullable=True),
        _c("sampled_on", sa.Date(), nullable=True),
        _c("isolated_at", _TIME, nullable=True),
        _c("negative_at", _TIME, nullable=True),
        _c("ward", sa.String(64)),
        _c("rule_set", sa.String(64), nullable=True),
        _c("registered_at", _TIME),
        _c("registered_by", sa.Text()),
        _c("ended_by", sa.Text(), nullable=True),
        _c("ended_reason", sa.Text(), nullable=True),
        _c("request_key", sa.String(200), nullable=True),
        _c("request_hash", sa.String(64), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("request_key"),
    )
    op.create_index("ix_cases_ward", "cases", ["ward"])
    op.create_index("ix_cases_registered_at", "cases", ["registered_at"])


def _outbox() -> None:
    op.create_table(
        "outbox",
        _c("id", _BIG),
        _c("topic", sa.String(64)),
        _c("key", sa.String(128)),
        _c("headers", sa.JSON()),
        _c("value", sa.LargeBinary()),
        _c("created_at", _TIME),
        _c("published_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_outbox_pending",
        "outbox",
        ["id"],
        sqlite_where=_UNPUBLISHED,
        postgresql_where=_UNPUBLISHED,
    )
    op.create_table(
        "counters",
        _c("name", sa.String(64)),
        _c("value", _BIG),
        sa.PrimaryKeyConstraint("name"),
    )
