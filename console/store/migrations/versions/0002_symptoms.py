"""Whether a case has symptoms."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0002"
down_revision: Final = "0001"


def upgrade() -> None:
    """Null for the cases that are there: yes with an onset, no without."""
    op.add_column("cases", sa.Column("symptoms", sa.String(8), nullable=True))
