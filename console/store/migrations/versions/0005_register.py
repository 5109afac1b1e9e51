"""Who changed what of sites and places, and which site was merged into which."""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0005"
down_revision: Final = "0004"

_BIG: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """A row for each version after the first."""
    op.add_column("sites", sa.Column("merged_into", _BIG, nullable=True))
    op.create_table(
        "site_history",
        _column("entity", sa.String(8), primary_key=True),
        _column("id", _BIG, primary_key=True, autoincrement=False),
        _column("version", sa.Integer(), primary_key=True, autoincrement=False),
        _column("at", sa.DateTime(timezone=True)),
        _column("by", sa.String(32)),
        _column("what", sa.String(16)),
        _column("before", sa.JSON()),
        _column("after", sa.JSON()),
        _column("note", sa.Text(), nullable=True),
    )


def _column(name: str, kind: Any, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=options.pop("nullable", False), **options)
