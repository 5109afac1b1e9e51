"""Working the list: decisions, visits, hand-overs and pairs, each with who and when."""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0004"
down_revision: Final = "0003"


def upgrade() -> None:
    """Rows exist only for contacts that somebody has touched."""
    op.create_table(
        "contact_work",
        *_contact(),
        _column("version", sa.Integer()),
        _column("classification", sa.String(16)),
        _column("status", sa.String(16)),
        _column("follow_up", sa.String(16), nullable=True),
        _column("follow_up_from", sa.Date(), nullable=True),
        _column("category", sa.String(16), nullable=True),
        _column("answers", sa.JSON()),
        _column("assigned_to", sa.String(32), nullable=True),
        _column("reachability", sa.String(16), nullable=True),
        _column("area", sa.String(64), nullable=True),
        _column("last_exposure", sa.DateTime(timezone=True), nullable=True),
        _column("converted_to", sa.String(97), nullable=True),
        _column("duplicate_of", sa.String(13), nullable=True),
        _column("changed_at", sa.DateTime(timezone=True)),
        _column("changed_by", sa.String(32)),
    )
    op.create_index("ix_contact_work_area", "contact_work", ["area"])
    op.create_table(
        "contact_history",
        *_contact(),
        _column("version", sa.Integer(), primary_key=True, autoincrement=False),
        _column("at", sa.DateTime(timezone=True)),
        _column("by", sa.String(32)),
        _column("what", sa.String(32)),
        _column("changes", sa.JSON()),
        _column("note", sa.Text(), nullable=True),
    )
    op.create_table(
        "contact_visits",
        *_contact(),
        _column("day", sa.Date(), primary_key=True),
        _column("result", sa.String(16)),
        _column("symptoms", sa.Boolean(), nullable=True),
        _column("temperature_tenths", sa.Integer(), nullable=True),
        _column("at", sa.DateTime(timezone=True)),
        _column("by", sa.String(32)),
    )
    op.create_table(
        "contact_handovers",
        _column("id", sa.Integer(), primary_key=True),
        _column("case_id", sa.String(97), sa.ForeignKey("cases.id")),
        _column("person", sa.String(13)),
        _column("from_area", sa.String(64)),
        _column("to_area", sa.String(64)),
        _column("state", sa.String(16)),
        _column("asked_at", sa.DateTime(timezone=True)),
        _column("asked_by", sa.String(32)),
        _column("answered_at", sa.DateTime(timezone=True), nullable=True),
        _column("answered_by", sa.String(32), nullable=True),
    )
    for side in ("from_area", "to_area"):
        op.create_index(f"ix_contact_handovers_{side}", "contact_handovers", [side])
    op.create_table(
        "contact_pairs",
        _column("case_id", sa.String(97), sa.ForeignKey("cases.id"), primary_key=True),
        _column("first", sa.String(13), primary_key=True),
        _column("second", sa.String(13), primary_key=True),
        _column("same", sa.Boolean()),
        _column("at", sa.DateTime(timezone=True)),
        _column("by", sa.String(32)),
    )


def _contact() -> list[sa.Column[Any]]:
    return [
        _column("case_id", sa.String(97), sa.ForeignKey("cases.id"), primary_key=True),
        _column("person", sa.String(13), primary_key=True),
    ]


def _column(name: str, kind: Any, *also: Any, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, *also, nullable=options.pop("nullable", False), **options)
