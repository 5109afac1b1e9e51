"""Inspections, their steps and photos."""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0007"
down_revision: Final = "0006"


def upgrade() -> None:
    """An inspection of a place, its steps as they were sent, and photos of bounded size."""
    op.create_table(
        "inspections",
        _column("id", sa.String(36), primary_key=True),
        _column("number", sa.Integer(), unique=True),
        _column("place", sa.Integer(), sa.ForeignKey("places.id"), index=True),
        _column("version", sa.Integer()),
        _column("stage", sa.String(16), nullable=True),
        _column("result", sa.String(16), nullable=True),
        _column("begun_at", sa.DateTime(timezone=True), nullable=True),
        _column("planned_on", sa.Date(), nullable=True),
        _column("checked_at", sa.DateTime(timezone=True), nullable=True),
        _column("due_on", sa.Date(), nullable=True),
    )
    op.create_table(
        "inspection_steps",
        _column("event_id", sa.String(36), primary_key=True),
        _column("inspection", sa.String(36), sa.ForeignKey("inspections.id"), index=True),
        _column("kind", sa.String(16)),
        _column("occurred_at", sa.DateTime(timezone=True)),
        _column("recorded_at", sa.DateTime(timezone=True)),
        _column("by", sa.String(32)),
        _column("content", sa.JSON()),
        _column("seen", sa.JSON()),
    )
    op.create_table(
        "inspection_photos",
        _column("inspection", sa.String(36), sa.ForeignKey("inspections.id"), primary_key=True),
        _column("sha256", sa.String(64), primary_key=True),
        _column("media_type", sa.String(16)),
        _column("data", sa.LargeBinary()),
        _column("recorded_at", sa.DateTime(timezone=True)),
        _column("by", sa.String(32)),
    )


def _column(name: str, kind: Any, *also: Any, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, *also, nullable=options.pop("nullable", False), **options)
