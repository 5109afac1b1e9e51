"""Place-time points, answers, contacts by hand and exclusions of a case; who changed what."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0003"
down_revision: Final = "0002"


def upgrade() -> None:
    """A case may be place-time points alone, without a person. A place may lie within another."""
    op.add_column("places", sa.Column("within", sa.Integer(), nullable=True))
    with op.batch_alter_table("cases") as cases:
        cases.alter_column("person", existing_type=sa.String(13), nullable=True)
        for name in ("points", "answers", "named", "excluded"):
            cases.add_column(sa.Column(name, sa.JSON(), nullable=False, server_default="[]"))
    op.create_table(
        "case_history",
        sa.Column("case_id", sa.String(97), sa.ForeignKey("cases.id"), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
    )
