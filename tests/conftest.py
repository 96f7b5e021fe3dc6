"""Fixtures for all tests: an empty folder, and a migrated database of each kind, empty at the start.

PostgreSQL is used when it answers (LEADLOOP_TEST_POSTGRESQL_URL, else 127.0.0.1:5432, database `test`, user
root or postgres); without it those tests are skipped on a developer's machine and fail in CI.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import URL, make_url

from connector.store.database import Database
from connector.store.schema import metadata

_SERVERS = ("postgresql://root@127.0.0.1:5432/test", "postgresql://postgres@127.0.0.1:5432/test")


def _server() -> URL:
    """The PostgreSQL to test on; skips, or in CI fails, when there is none."""
    given = os.environ.get("LEADLOOP_TEST_POSTGRESQL_URL")
    said = ""
    for address in map(make_url, [given] if given else _SERVERS):
        try:
            psycopg.connect(address.render_as_string(hide_password=False), connect_timeout=3).close()
        except psycopg.OperationalError as error:
            said = " ".join(str(error).split())
        else:
            return address
    reason = f"PostgreSQL is not reachable: {said}"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of the developer's own settings, but those of the tests, and no width of a terminal."""
    for name in os.environ:
        if name.startswith("LEADLOOP_") and not name.startswith("LEADLOOP_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture
def folder(tmp_path: Path, no_settings: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    made = tmp_path / "here"
    made.mkdir()
    monkeypatch.chdir(made)
    return made


@pytest.fixture(scope="session")
def postgresql_schema(worker_id: str) -> Iterator[str]:
    """The URL of a schema of its own on the PostgreSQL server, with the tables; dropped at the end."""
    server = _server()
    name = f"leadloop_test_{worker_id}_{os.getpid()}"
    with psycopg.connect(server.render_as_string(hide_password=False), autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
        try:
            url = server.update_query_dict({"options": f"-csearch_path={name}"})
            shown = url.render_as_string(hide_password=False)
            database = Database.open(shown)
            database.migrate()
            database.close()
            yield shown
        finally:
            conn.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy: faster than migrating for every test."""
    path = tmp_path_factory.mktemp("template") / "leadloop.db"
    database = Database.open(f"sqlite:///{path}")
    database.migrate()
    database.close()
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated, empty SQLite database."""
    path = tmp_path / "leadloop.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(postgresql_schema: str) -> Iterator[str]:
    """A migrated, empty PostgreSQL schema."""
    yield postgresql_schema
    with psycopg.connect(
        make_url(postgresql_schema).render_as_string(hide_password=False), autocommit=True
    ) as conn:
        conn.execute("ALTER TABLE ledger DISABLE TRIGGER USER")
        for table in reversed(metadata.sorted_tables):
            conn.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table.name)))
        conn.execute("ALTER TABLE ledger ENABLE TRIGGER USER")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated, empty database, of either kind."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated, empty database, of either kind."""
    opened = Database.open(database_url)
    yield opened
    opened.close()
