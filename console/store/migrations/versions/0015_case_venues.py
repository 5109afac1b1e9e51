"""Where a case was at places that the register does not have, in words."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0015"
down_revision: Final = "0014"


def upgrade() -> None:
    """A table of its own: nothing of it is in a case's events."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "case_venues",
        sa.Column("case_id", sa.String(97), sa.ForeignKey("cases.id"), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("venue", sa.Text(), nullable=False),
        sa.Column("begin", moment, nullable=False),
        sa.Column("end", moment, nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("entered_at", moment, nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("removed_at", moment, nullable=True),
        sa.Column("removed_by", sa.Text(), nullable=True),
        sa.Column("became_place", sa.Integer(), nullable=True),
    )
