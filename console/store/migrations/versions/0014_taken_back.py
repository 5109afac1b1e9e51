"""When a code was revoked from before: what was scanned by it until then does not count."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0014"
down_revision: Final = "0013"


def upgrade() -> None:
    """Those that are here were revoked from when it was said on."""
    op.add_column("codes", sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True))
    few = sa.text("taken_back_at IS NOT NULL")
    op.create_index(
        "ix_codes_taken_back", "codes", ["taken_back_at"], sqlite_where=few, postgresql_where=few
    )
