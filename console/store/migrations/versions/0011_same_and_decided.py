"""Ids of one person, and what officers decided of contacts, with the case."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0011"
down_revision: Final = "0010"


def upgrade() -> None:
    """Both go out with the case, so that the tracer knows them. What was decided before stays on
    the list: a case has it from the next decision on."""
    for name in ("same", "decided"):
        op.add_column("cases", sa.Column(name, sa.JSON(), nullable=False, server_default="[]"))
