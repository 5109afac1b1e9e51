"""The list of erased persons."""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0010"
down_revision: Final = "0009"


def upgrade() -> None:
    """A row for each request."""
    op.create_table(
        "erasures",
        _column("id", sa.Integer(), primary_key=True, autoincrement=False),
        _column("hash", sa.String(16), index=True),
        _column("person", sa.String(13), nullable=True),
        _column("before", sa.DateTime(timezone=True)),
        _column("reason", sa.Text()),
        _column("asked_at", sa.DateTime(timezone=True)),
        _column("asked_by", sa.String(32)),
        _column("state", sa.String(16), index=True),
        _column("pending", sa.JSON()),
        _column("removed", sa.JSON()),
        _column("kept_for", sa.JSON()),
        _column("finished_at", sa.DateTime(timezone=True), nullable=True),
    )


def _column(name: str, kind: Any, *also: Any, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, *also, nullable=options.pop("nullable", False), **options)
