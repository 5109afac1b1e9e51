"""What contacts have answered to the rule-set's questions, with the case."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0012"
down_revision: Final = "0011"


def upgrade() -> None:
    """What was answered before stays on the list: a case has it from the contact's next answer or
    decision on."""
    op.add_column("cases", sa.Column("said", sa.JSON(), nullable=False, server_default="[]"))
