"""What is known of posters, lists of establishments that must have codes, keys of a sector."""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0006"
down_revision: Final = "0005"

_BIG: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """A row for each place of whose poster something is known; lists and their entries."""
    op.add_column("api_keys", sa.Column("sector", sa.String(64), nullable=True))
    op.create_table(
        "postings",
        _column(
            "place",
            sa.Integer(),
            sa.ForeignKey("places.id"),
            primary_key=True,
            autoincrement=False,
        ),
        _column("version", sa.Integer()),
        _column("duty_at", sa.DateTime(timezone=True), nullable=True),
        _column("printed_at", sa.DateTime(timezone=True), nullable=True),
        _column("printed_version", sa.Integer(), nullable=True),
        _column("posted_at", sa.DateTime(timezone=True), nullable=True),
        _column("posted_version", sa.Integer(), nullable=True),
        _column("inspected_at", sa.DateTime(timezone=True), nullable=True),
        _column("inspected_version", sa.Integer(), nullable=True),
        _column("inspected_good", sa.Boolean(), nullable=True),
    )
    op.create_table(
        "required_lists",
        _column("id", sa.String(64), primary_key=True),
        _column("version", sa.Integer()),
        _column("name", sa.Text()),
        _column("keeper", sa.Text()),
        _column("as_of", sa.Date()),
        _column("entries", sa.Integer()),
        _column("withdrawn", sa.Boolean()),
        _column("imported_at", sa.DateTime(timezone=True)),
        _column("imported_by", sa.String(32)),
    )
    op.create_table(
        "required",
        _column("list", sa.String(64), sa.ForeignKey("required_lists.id"), primary_key=True),
        _column("entry", sa.String(256), primary_key=True),
        _column("version", sa.Integer()),
        _column("name", sa.Text()),
        _column("address", sa.Text(), nullable=True),
        _column("ward", sa.String(64), index=True),
        _column("kind", sa.String(64)),
        _column("sector", sa.String(64)),
        _column("site", _BIG, sa.ForeignKey("sites.id"), nullable=True),
        _column("exempt_reason", sa.Text(), nullable=True),
        _column("changed_at", sa.DateTime(timezone=True)),
        _column("changed_by", sa.String(32)),
    )


def _column(name: str, kind: Any, *also: Any, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, *also, nullable=options.pop("nullable", False), **options)
