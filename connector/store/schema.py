"""The tables, once, for SQLite and PostgreSQL. Definitions only: no query, no connection.

Moments are BigInteger milliseconds since the epoch. What the database never looks into (state, fields,
baselines) is a blob of JSON bytes. Foreign keys point at `leads`, except from the ledger, which survives
everything, and from holds, which may concern the installation instead of a lead.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    and_,
    event,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

# SQLite numbers rows by itself only in a column of the type INTEGER, which holds 64 bits there
RowNumber = BigInteger().with_variant(Integer(), "sqlite")


class FreeText(TypeDecorator[str]):
    """Text that may quote what a platform sent: PostgreSQL refuses U+0000 and both refuse lone surrogates,
    so both are stored as U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002  # SQLAlchemy's signature
        return None if value is None else storable_text(value)


def storable_text(value: str) -> str:
    """The text without what no database takes: U+0000 and lone surrogates become U+FFFD."""
    clean = value.replace("\0", "\ufffd")
    return clean if clean.isascii() else clean.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _key(name: str, kind: Any = Text) -> Column[Any]:
    return Column(name, kind, primary_key=True)


def _number() -> Column[int]:
    return Column("id", RowNumber, primary_key=True)


def _record() -> tuple[Column[str], Column[str], Column[str]]:
    return _needed("side"), _needed("object"), _needed("record_id")


# The order of a record's name in every index. The id comes first: only a few values of side and object exist,
# and PostgreSQL without statistics would look through all records of an object for a list of ids.
RECORD = ("record_id", "object", "side")


def _lead() -> Column[str]:
    return Column("lead_id", Text, ForeignKey("leads.id"), nullable=False, index=True)


def _needed(name: str, kind: Any = Text) -> Column[Any]:
    return Column(name, kind, nullable=False)


def _index_where(name: str, where: ColumnElement[bool], *columns: Column[Any], unique: bool = False) -> None:
    Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


leads = Table(
    "leads",
    metadata,
    _key("id"),
    _needed("version", BigInteger),
    _needed("generation", BigInteger),
    _needed("stage"),
    _needed("cycle", Integer),
    Column("due_at_ms", BigInteger),
    Column("dirty_since_ms", BigInteger),
    Column("lease_token", Text),
    Column("lease_until_ms", BigInteger),
    _needed("created_ms", BigInteger),
    _needed("state", LargeBinary),
)
# partial, so that a hundred thousand quiet leads cost a claim nothing
_index_where("ix_leads_dirty", leads.c.dirty_since_ms.is_not(None), leads.c.dirty_since_ms)
_index_where("ix_leads_due", leads.c.due_at_ms.is_not(None), leads.c.due_at_ms)
_index_where("ix_leads_lease_token", leads.c.lease_token.is_not(None), leads.c.lease_token)
Index("ix_leads_stage", leads.c.stage)

lead_aliases = Table("lead_aliases", metadata, _key("alias"), _lead(), sqlite_with_rowid=False)

links = Table(
    "links",
    metadata,
    *_record(),
    _lead(),
    _needed("role"),
    PrimaryKeyConstraint(*RECORD),
    sqlite_with_rowid=False,
)

identity_keys = Table(
    "identity_keys", metadata, _key("value"), _key("kind"), _lead(), sqlite_with_rowid=False
)

# records that take no part and have no lead, by the names of their person
outsiders = Table(
    "outsiders",
    metadata,
    _needed("kind"),
    _needed("value"),
    *_record(),
    PrimaryKeyConstraint("value", "kind", *RECORD),
    sqlite_with_rowid=False,
)
Index("ix_outsiders_record", *(outsiders.c[name] for name in RECORD))

# accounts of the CRM, by what leads without a record of their own there are matched with
account_names = Table(
    "account_names",
    metadata,
    _needed("kind"),
    _needed("value", FreeText),
    *_record(),
    PrimaryKeyConstraint("value", "kind", *RECORD),
    sqlite_with_rowid=False,
)
Index("ix_account_names_record", *(account_names.c[name] for name in RECORD))

erasures = Table(
    "erasures",
    metadata,
    _key("keyed_hash", LargeBinary),
    _needed("erased_ms", BigInteger),
    sqlite_with_rowid=False,
)

# the row number is what updates go by: an integer is found three times as fast as the name of a record
observations = Table(
    "observations",
    metadata,
    _number(),
    *_record(),
    _needed("stamp_ms", BigInteger),
    _needed("read_started_ms", BigInteger),
    _needed("deleted", Boolean),
    Column("merged_into", Text),
    _needed("converted", Boolean),
    Column("refs", LargeBinary),
    Column("modified_by", Text),
    _needed("fields", LargeBinary),
    UniqueConstraint(*RECORD),
)

# an index over the refs, kept as a superset: readers compare with the refs of the observation itself
observation_refs = Table(
    "observation_refs",
    metadata,
    *_record(),
    _needed("ref_object"),
    _needed("ref_id"),
    PrimaryKeyConstraint("ref_id", "ref_object", *RECORD),
    sqlite_with_rowid=False,
)
Index("ix_observation_refs_record", *(observation_refs.c[name] for name in RECORD))

baselines = Table(
    "baselines",
    metadata,
    *_record(),
    _lead(),
    _needed("baseline", LargeBinary),
    PrimaryKeyConstraint(*RECORD),
)

ledger = Table(
    "ledger",
    metadata,
    _number(),
    Column("lead_id", Text, nullable=False, index=True),
    _needed("cycle", Integer),
    Column("origin", Text),
    _needed("target"),
    _needed("skipped", LargeBinary),
    _needed("happened_ms", BigInteger),
    Column("recorded_ms", BigInteger, nullable=False, index=True),
    _needed("cause"),
    Column("actor", Text),
    _needed("rules", LargeBinary),
    Column("reason", FreeText),
    Column("outcome", Text),
    _needed("configuration"),
)

activities = Table(
    "activities",
    metadata,
    Column("lead_id", Text, ForeignKey("leads.id"), primary_key=True),
    _key("key", FreeText),
    _needed("kind"),
    _needed("at_ms", BigInteger),
    _needed("attributes", LargeBinary),
    sqlite_with_rowid=False,
)

waiting_activities = Table(
    "waiting_activities",
    metadata,
    _key("key", FreeText),
    Column("email", Text, nullable=False, index=True),
    _needed("kind"),
    _needed("at_ms", BigInteger),
    _needed("attributes", LargeBinary),
    sqlite_with_rowid=False,
)

score_moves = Table(
    "score_moves",
    metadata,
    _number(),
    _lead(),
    _needed("at_ms", BigInteger),
    Column("from_score", Integer),
    Column("from_fit", Integer),
    Column("from_engagement", Integer),
    Column("from_grade", Text),
    _needed("to_score", Integer),
    _needed("to_fit", Integer),
    _needed("to_engagement", Integer),
    Column("to_grade", Text),
    _needed("rules", LargeBinary),
    _needed("configuration"),
)

# what happened to each deadline of a lead: started, reminded, met, breached or ended
deadline_events = Table(
    "deadline_events",
    metadata,
    _number(),
    Column("lead_id", Text, nullable=False, index=True),
    _needed("cycle", Integer),
    _needed("deadline"),
    _needed("stage"),
    _needed("what"),
    Column("at_ms", BigInteger, nullable=False, index=True),
    _needed("due_ms", BigInteger),
    Column("owner", Text),
)

# what was true of the lead when it made a move, as the report counts it
move_contexts = Table(
    "move_contexts",
    metadata,
    Column("move_id", RowNumber, primary_key=True, autoincrement=False),
    _needed("source", FreeText),
    _needed("campaign", FreeText),
    _needed("segment", FreeText),
    _needed("owner", FreeText),
    Column("touches", Integer),
)

# counters of the report: only ever added to, in the transaction that writes the ledger
rollups = Table(
    "rollups",
    metadata,
    _key("dimension"),
    _key("day", Integer),
    _key("value", FreeText),
    _key("figure"),
    _key("stage"),
    _key("cycle", Integer),
    _key("how"),
    _key("reason", FreeText),
    _key("bucket", Integer),
    _needed("number", BigInteger),
    sqlite_with_rowid=False,
)

inbox = Table(
    "inbox",
    metadata,
    *_record(),
    _needed("kind"),
    _needed("received_ms", BigInteger),
    _needed("due_ms", BigInteger),
    _needed("generation", BigInteger),
    _needed("attempts", Integer),
    PrimaryKeyConstraint(*RECORD, "kind"),
    sqlite_with_rowid=False,
)
Index("ix_inbox_side_due_ms", inbox.c.side, inbox.c.due_ms)

outbox = Table(
    "outbox",
    metadata,
    _number(),
    _lead(),
    _needed("side"),
    _needed("object"),
    Column("record_id", Text),
    _needed("op"),
    _needed("lane", Integer),
    _needed("fields", LargeBinary),
    _needed("expected", LargeBinary),
    Column("then", LargeBinary),
    _needed("groups", LargeBinary),
    _needed("planned_generation", BigInteger),
    _needed("state"),
    _needed("attempts", Integer),
    _needed("not_before_ms", BigInteger),
    Column("lease_token", Text),
    Column("lease_until_ms", BigInteger),
    _needed("created_ms", BigInteger),
    _needed("unknown", Boolean),
    sqlite_autoincrement=True,  # a row number is never used again, so a late answer cannot meet another row
)
Index("ix_outbox_queue", outbox.c.side, outbox.c.state, outbox.c.lane, outbox.c.id)
# at most one write in flight per record, and per record that is yet to be created
_index_where(
    "uq_outbox_record_in_flight",
    outbox.c.state == "in_flight",
    outbox.c.side,
    outbox.c.object,
    outbox.c.record_id,
    unique=True,
)
_index_where(
    "uq_outbox_create_in_flight",
    and_(outbox.c.state == "in_flight", outbox.c.record_id.is_(None)),
    outbox.c.side,
    outbox.c.object,
    outbox.c.lead_id,
    unique=True,
)

holds = Table(
    "holds",
    metadata,
    _number(),
    _needed("lead_id"),
    _needed("kind"),
    _needed("subject", FreeText),
    _needed("message", FreeText),
    _needed("remedy", FreeText),
    _needed("details", LargeBinary),
    _needed("opened_ms", BigInteger),
    Column("closed_ms", BigInteger),
)
_index_where(
    "uq_holds_open", holds.c.closed_ms.is_(None), holds.c.lead_id, holds.c.kind, holds.c.subject, unique=True
)

quarantine = Table(
    "quarantine",
    metadata,
    *_record(),
    _needed("field"),
    _needed("value_hash"),
    _needed("code"),
    _needed("reason", FreeText),
    _needed("since_ms", BigInteger),
    _needed("attempts", Integer),
    PrimaryKeyConstraint(*RECORD, "field"),
)

cursors = Table(
    "cursors",
    metadata,
    _key("side"),
    _key("feed"),
    _needed("stamp_ms", BigInteger),
    _needed("record_id"),
    _needed("updated_ms", BigInteger),
)

streams = Table(
    "streams",
    metadata,
    _key("side"),
    Column("position", Text),
    Column("reached_ms", BigInteger),
    _needed("seen_ms", BigInteger),
    Column("lost_ms", BigInteger),
    Column("lost", FreeText),
    Column("warned_ms", BigInteger),
    Column("warning", FreeText),
)

catch_ups = Table("catch_ups", metadata, _key("side"), _key("object"), _needed("since_ms", BigInteger))

calls = Table(
    "calls",
    metadata,
    _key("side"),
    _key("hour_ms", BigInteger),
    _key("lane", Integer),
    _needed("count", BigInteger),
)

budgets = Table("budgets", metadata, _key("side"), _needed("limits", LargeBinary))

configurations = Table(
    "configurations",
    metadata,
    _key("version"),
    _needed("loaded_ms", BigInteger),
    Column("applied_ms", BigInteger),
    _needed("documents", LargeBinary),
)

pools = Table("pools", metadata, _key("name"), _needed("state", LargeBinary))

brake_counts = Table(
    "brake_counts",
    metadata,
    _key("configuration"),
    _key("kind"),
    _key("window_ms", BigInteger),
    _needed("count", BigInteger),
)

brakes = Table(
    "brakes",
    metadata,
    _key("configuration"),
    _key("kind"),
    _needed("message", FreeText),
    _needed("tripped_ms", BigInteger),
    Column("released_ms", BigInteger),
    Column("per_hour", Integer),
)

settings_values = Table("settings_values", metadata, _key("key"), _needed("value", LargeBinary))

leases = Table("leases", metadata, _key("name"), _needed("token"), _needed("until_ms", BigInteger))

LEDGER_GUARD = {
    "sqlite": (
        "CREATE TRIGGER ledger_keeps_rows BEFORE UPDATE ON ledger "
        "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END",
        "CREATE TRIGGER ledger_keeps_all_rows BEFORE DELETE ON ledger "
        "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$",
        "CREATE TRIGGER ledger_keeps_rows BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()",
    ),
}
"""Statements, by dialect, that make the database itself refuse to change or delete a ledger row."""

for _dialect, _statements in LEDGER_GUARD.items():
    for _statement in _statements:
        _guard: Any = DDL(_statement)  # type: ignore[no-untyped-call]  # SQLAlchemy publishes it without types
        event.listen(ledger, "after_create", _guard.execute_if(dialect=_dialect))
