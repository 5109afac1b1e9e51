"""The day on which the positive test's result came."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0013"
down_revision: Final = "0012"


def upgrade() -> None:
    """Nobody has said it of the cases that are here."""
    op.add_column("cases", sa.Column("result_on", sa.Date(), nullable=True))
