"""What a stream does not tell as it stands, or why it is not followed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("streams", sa.Column("warned_ms", sa.BigInteger(), nullable=True))
    op.add_column("streams", sa.Column("warning", sa.Text(), nullable=True))
