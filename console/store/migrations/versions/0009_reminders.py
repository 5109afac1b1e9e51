"""Reminders as proposed, released and received; headcounts that sites declare."""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0009"
down_revision: Final = "0008"

_BIG: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """A batch, its messages, what each is about; a row for each declared headcount."""
    op.create_table(
        "reminder_batches",
        _column("id", sa.Integer(), primary_key=True, autoincrement=False),
        _column("area", sa.String(64), index=True),
        _column("reason", sa.String(16)),
        _column("channel", sa.String(16)),
        _column("text", sa.String(32)),
        _column("lang", sa.String(2)),
        _column("sector", sa.String(64), nullable=True),
        _column("kind", sa.String(64), nullable=True),
        _column("reply_by", sa.Date()),
        _column("rule", sa.JSON()),
        _column("state", sa.String(16)),
        _column("proposed_at", sa.DateTime(timezone=True)),
        _column("proposed_by", sa.String(32)),
        _column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        _column("confirmed_by", sa.String(32), nullable=True),
        _column("ended_at", sa.DateTime(timezone=True), nullable=True),
        _column("ended_by", sa.String(32), nullable=True),
    )
    op.create_table(
        "reminders",
        _column("id", sa.Integer(), primary_key=True, autoincrement=False),
        _column("batch", sa.Integer(), sa.ForeignKey("reminder_batches.id"), index=True),
        _column("subject", sa.String(330)),
        _column("ward", sa.String(64), index=True),
        _column("state", sa.String(16), index=True),
        _column("once", sa.String(128), nullable=True, unique=True),
        _column("title", sa.Text(), nullable=True),
        _column("body", sa.Text(), nullable=True),
        _column("tries", sa.Integer()),
        _column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        _column("changed_at", sa.DateTime(timezone=True)),
        _column("note", sa.Text(), nullable=True),
    )
    op.create_table(
        "reminder_items",
        _column("reminder", sa.Integer(), sa.ForeignKey("reminders.id"), primary_key=True),
        _column("subject", sa.String(330), primary_key=True),
        _column("once", sa.String(350), nullable=True, unique=True),
        _column("ended_at", sa.DateTime(timezone=True), nullable=True),
        _column("ended", sa.String(16), nullable=True),
    )
    op.create_table(
        "headcounts",
        _column("site", _BIG, sa.ForeignKey("sites.id"), primary_key=True, autoincrement=False),
        _column("since", sa.Date(), primary_key=True),
        _column("number", sa.Integer(), primary_key=True, autoincrement=False),
        _column("headcount", sa.Integer()),
        _column("at", sa.DateTime(timezone=True)),
        _column("by", sa.String(32)),
        _column("note", sa.Text(), nullable=True),
    )


def _column(name: str, kind: Any, *also: Any, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, *also, nullable=options.pop("nullable", False), **options)
