"""The hand-off: the state of pools, what happened to deadlines, and the counters of the report."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _pools()
    _deadline_events()
    _rollups()


def _pools() -> None:
    """Whose turn it is was a number; it becomes a state, which begins with that number."""
    conn = op.get_bind()
    turns = conn.execute(sa.text("SELECT name, turn FROM pools")).all()
    op.drop_table("pools")
    pools = op.create_table(
        "pools",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_pools")),
    )
    kept = [{"name": name, "state": json.dumps({"turn": turn}).encode()} for name, turn in turns]
    if kept:
        op.bulk_insert(pools, kept)


def _deadline_events() -> None:
    op.create_table(
        "deadline_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lead_id", sa.Text(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("deadline", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadline_events")),
    )
    op.create_index(op.f("ix_deadline_events_at_ms"), "deadline_events", ["at_ms"], unique=False)
    op.create_index(op.f("ix_deadline_events_lead_id"), "deadline_events", ["lead_id"], unique=False)


def _rollups() -> None:
    op.create_table(
        "move_contexts",
        sa.Column(
            "move_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("touches", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("move_id", name=op.f("pk_move_contexts")),
    )
    op.create_table(
        "rollups",
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("figure", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("bucket", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "dimension",
            "day",
            "value",
            "figure",
            "stage",
            "cycle",
            "how",
            "reason",
            "bucket",
            name=op.f("pk_rollups"),
        ),
        sqlite_with_rowid=False,
    )
