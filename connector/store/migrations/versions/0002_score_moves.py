"""Score moves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "score_moves",
        sa.Column("id", ROW_NUMBER, nullable=False),
        sa.Column("lead_id", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("from_score", sa.Integer(), nullable=True),
        sa.Column("from_fit", sa.Integer(), nullable=True),
        sa.Column("from_engagement", sa.Integer(), nullable=True),
        sa.Column("from_grade", sa.Text(), nullable=True),
        sa.Column("to_score", sa.Integer(), nullable=False),
        sa.Column("to_fit", sa.Integer(), nullable=False),
        sa.Column("to_engagement", sa.Integer(), nullable=False),
        sa.Column("to_grade", sa.Text(), nullable=True),
        sa.Column("rules", sa.LargeBinary(), nullable=False),
        sa.Column("configuration", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_score_moves_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_moves")),
    )
    op.create_index(op.f("ix_score_moves_lead_id"), "score_moves", ["lead_id"], unique=False)
