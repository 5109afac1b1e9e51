"""Cards of persons without a phone."""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0008"
down_revision: Final = "0006"

_BIG: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """A row for each card that was ever issued."""
    op.create_table(
        "cards",
        _column("id", _BIG, primary_key=True, autoincrement=False),
        _column("number", _BIG, unique=True),
        _column("person", sa.String(13)),
        _column("version", sa.Integer()),
        _column("ward", sa.String(64), index=True),
        _column("batch", sa.String(64), nullable=True),
        _column("line", sa.Integer(), nullable=True),
        _column("key", sa.String(16)),
        _column("issued_at", sa.DateTime(timezone=True)),
        _column("issued_by", sa.String(32)),
        _column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        _column("revoked_by", sa.String(32), nullable=True),
        _column("revoked_reason", sa.Text(), nullable=True),
        sa.UniqueConstraint("person", "version"),
        sa.UniqueConstraint("ward", "batch", "line"),
    )


def _column(name: str, kind: Any, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=options.pop("nullable", False), **options)
