"""Intake: the inbox of what platforms told, how far their streams are read, what is to be polled
from an earlier moment on, records that take no part, accounts by name, and the limits of all workers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _inbox()
    _streams()
    _outsiders()
    _account_names()
    _budgets()


def _inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", "object", "side", "kind", name=op.f("pk_inbox")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_inbox_side_due_ms"), "inbox", ["side", "due_ms"], unique=False)


def _streams() -> None:
    op.create_table(
        "streams",
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=True),
        sa.Column("reached_ms", sa.BigInteger(), nullable=True),
        sa.Column("seen_ms", sa.BigInteger(), nullable=False),
        sa.Column("lost_ms", sa.BigInteger(), nullable=True),
        sa.Column("lost", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("side", name=op.f("pk_streams")),
    )
    op.create_table(
        "catch_ups",
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("side", "object", name=op.f("pk_catch_ups")),
    )


def _outsiders() -> None:
    names = ("kind", "value", "side", "object", "record_id")
    op.create_table(
        "outsiders",
        *(sa.Column(name, sa.Text(), nullable=False) for name in names),
        sa.PrimaryKeyConstraint("value", "kind", "record_id", "object", "side", name=op.f("pk_outsiders")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_outsiders_record", "outsiders", ["record_id", "object", "side"], unique=False)


def _account_names() -> None:
    names = ("kind", "value", "side", "object", "record_id")
    op.create_table(
        "account_names",
        *(sa.Column(name, sa.Text(), nullable=False) for name in names),
        sa.PrimaryKeyConstraint(
            "value", "kind", "record_id", "object", "side", name=op.f("pk_account_names")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_account_names_record", "account_names", ["record_id", "object", "side"], unique=False)


def _budgets() -> None:
    op.create_table(
        "budgets",
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("limits", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("side", name=op.f("pk_budgets")),
    )
