"""Migrations lead to exactly the tables that schema.py defines, once, whoever runs them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import Connection, make_url, text

from connector.store import migrations
from connector.store.database import Database
from connector.store.errors import StoreError
from connector.store.pools import read_states
from connector.store.schema import metadata
from tests.at_once import at_once

_OUTER_COMMA_OR_LINE = re.compile(r",(?![^(\n]*\))\s*|\n")


@contextmanager
def _opened(url: str) -> Iterator[Database]:
    database = Database.open(url)
    try:
        yield database
    finally:
        database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Two databases of one kind without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/one.db", f"sqlite:///{tmp_path}/two.db"
        return
    server = make_url(request.getfixturevalue("postgresql_schema"))
    taken = str(server.query["options"]).removeprefix("-csearch_path=")
    names = [f"{taken}_one", f"{taken}_two"]
    with psycopg.connect(server.set(query={}).render_as_string(hide_password=False), autocommit=True) as conn:
        for name in names:
            conn.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
        one, two = (
            server.set(query={"options": f"-csearch_path={name}"}).render_as_string(hide_password=False)
            for name in names
        )
        try:
            yield one, two
        finally:
            for name in names:
                conn.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))


def _definitions(conn: Connection) -> set[tuple[str, ...]]:
    """Every column, constraint, index and trigger as the database itself describes it."""
    if conn.dialect.name == "sqlite":
        found: set[tuple[str, ...]] = set()
        rows = conn.execute(text("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
        for kind, name, definition in rows:
            # a column that a migration adds stands on the line of the one before it
            for line in _OUTER_COMMA_OR_LINE.split(definition):
                found.add((kind, name, " ".join(line.split())))
    else:
        schema = conn.scalar(text("SELECT current_schema()"))
        queries = (
            "SELECT 'column', table_name, column_name || ' ' || data_type || ' ' || is_nullable || ' ' || "
            "coalesce(column_default, '') FROM information_schema.columns WHERE table_schema = :schema",
            "SELECT 'index', tablename, indexdef FROM pg_indexes WHERE schemaname = :schema",
            "SELECT 'constraint', c.conname, pg_get_constraintdef(c.oid) FROM pg_constraint c "
            "JOIN pg_namespace n ON n.oid = c.connamespace WHERE n.nspname = :schema",
            "SELECT 'trigger', t.tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t "
            "JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = :schema AND NOT t.tgisinternal",
        )
        found = {
            tuple(str(part).replace(f"{schema}.", "") for part in row)
            for query in queries
            for row in conn.execute(text(query), {"schema": schema})
        }
    return {row for row in found if row[-1] and migrations.VERSION_TABLE not in " ".join(row)}


def test_migrating_from_empty_equals_creating_all_tables(empty_urls: tuple[str, str]) -> None:
    with _opened(empty_urls[0]) as migrated, _opened(empty_urls[1]) as created:
        migrated.migrate()
        with created.begin() as conn:
            metadata.create_all(conn)
        with migrated.read() as one, created.read() as other:
            assert _definitions(one) == _definitions(other)
            assert compare_metadata(MigrationContext.configure(one), metadata) == []


def test_every_table_is_there_after_migrating(database: Database) -> None:
    with database.read() as conn:
        for table in metadata.tables.values():
            assert conn.execute(table.select()).all() == []


def test_head_is_the_newest_packaged_revision() -> None:
    script = ScriptDirectory.from_config(migrations.config())
    assert script.get_heads() == [migrations.HEAD]
    assert migrations.HEAD in migrations.known()


def test_migrating_again_changes_nothing(database: Database) -> None:
    with database.read() as conn:
        before = _definitions(conn)
    database.migrate()
    assert database.revision() == migrations.HEAD
    with database.read() as conn:
        assert _definitions(conn) == before


def test_several_may_migrate_at_the_same_time(empty_urls: tuple[str, str]) -> None:
    def migrate(url: str) -> None:
        with _opened(url) as database:
            database.migrate()

    at_once(migrate, [empty_urls[0]] * 4)
    with _opened(empty_urls[0]) as database:
        assert database.revision() == migrations.HEAD


def test_a_database_of_a_newer_leadloop_is_refused(empty_urls: tuple[str, str]) -> None:
    with _opened(empty_urls[0]) as database:
        database.migrate()
        with database.begin() as conn:
            conn.execute(text(f"UPDATE {migrations.VERSION_TABLE} SET version_num = '9999'"))
        with pytest.raises(StoreError, match=r"newer leadloop .*9999.*: install"):
            database.migrate()


def test_turns_of_pools_are_carried_over(empty_urls: tuple[str, str]) -> None:
    with _opened(empty_urls[0]) as database:
        with database.begin() as conn:
            made = migrations.config()
            made.attributes["connection"] = conn
            command.upgrade(made, "0003")
            conn.execute(text("INSERT INTO pools (name, turn) VALUES ('everyone', 5)"))
        database.migrate()
        with database.read() as conn:
            assert read_states(conn, ["everyone", "new"]) == {"everyone": {"turn": 5}, "new": {}}
