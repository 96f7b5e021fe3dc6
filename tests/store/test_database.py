"""Opening a database, its transactions, and what it says when it cannot be used."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from connector.store.database import Database
from connector.store.errors import StoreBusy, StoreError
from connector.store.leads import read_leads
from connector.store.settings_values import get_value, put_value
from tests.at_once import at_once


def test_a_transaction_is_kept_at_its_end(database: Database) -> None:
    with database.begin() as conn:
        put_value(conn, "account", {"id": 7})
    with database.read() as conn:
        assert get_value(conn, "account") == {"id": 7}


def test_a_transaction_that_raises_leaves_nothing(database: Database) -> None:
    def write_half() -> None:
        with database.begin() as conn:
            put_value(conn, "account", 1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    with database.read() as conn:
        assert get_value(conn, "account") is None


def test_a_read_sees_one_moment(database: Database) -> None:
    with database.begin() as conn:
        put_value(conn, "k", 1)
    with database.read() as reader:
        assert get_value(reader, "k") == 1
        done = threading.Thread(target=lambda: _put(database, "k", 2))
        done.start()
        done.join()
        assert get_value(reader, "k") == 1
    with database.read() as reader:
        assert get_value(reader, "k") == 2


def _put(database: Database, key: str, value: int) -> None:
    with database.begin() as conn:
        put_value(conn, key, value)


def test_reading_goes_on_while_somebody_writes(database: Database) -> None:
    with database.begin() as writer:
        put_value(writer, "k", 1)
        with database.read() as reader:
            assert get_value(reader, "k") is None


def test_a_transaction_inside_a_transaction_is_refused_not_waited_for(sqlite_url: str) -> None:
    database = Database.open(sqlite_url)
    with database.begin(), pytest.raises(RuntimeError, match="inside"), database.begin():
        pass
    database.close()


def test_a_reader_cannot_write_on_postgresql(postgresql_url: str) -> None:
    database = Database.open(postgresql_url)
    with pytest.raises(StoreError, match="read-only"), database.read() as conn:
        put_value(conn, "k", 1)
    database.close()


@pytest.mark.parametrize(("asked", "level"), [("NORMAL", 1), ("FULL", 2)])
def test_sqlite_is_set_up_for_several_processes(sqlite_url: str, asked: str, level: int) -> None:
    database = Database.open(sqlite_url, synchronous=asked, busy_seconds=7)  # type: ignore[arg-type]  # parametrised
    with database.begin() as conn:
        found = {
            name: conn.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "secure_delete")
        }
    database.close()
    assert found == {
        "journal_mode": "wal",
        "synchronous": level,
        "foreign_keys": 1,
        "busy_timeout": 7_000,
        "secure_delete": 1,
    }


def test_emptying_the_log_waits_for_nobody_for_long_and_leaves_the_patience_of_others_alone(
    sqlite_url: str,
) -> None:
    database = Database.open(sqlite_url, busy_seconds=7)
    file = Path(f"{sqlite_url.removeprefix('sqlite:///')}-wal")
    _put(database, "k", 1)
    blocker = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    assert not database.empty_log()
    assert file.stat().st_size > 0
    blocker.rollback()
    blocker.close()
    assert database.empty_log()
    assert file.stat().st_size == 0
    with database.read() as conn:
        assert conn.execute(text("PRAGMA busy_timeout")).scalar() == 7_000
        assert get_value(conn, "k") == 1
    database.close()


def test_on_postgresql_there_is_no_log_to_empty(postgresql_url: str) -> None:
    database = Database.open(postgresql_url)
    assert database.empty_log()
    database.close()


def test_what_is_wrong_with_our_own_rows_stays_an_integrity_error(
    database: Database, with_leads: Callable[..., None]
) -> None:
    with_leads("one")
    with pytest.raises(IntegrityError):
        with_leads("one")


def test_a_locked_sqlite_database_is_one_sentence(sqlite_url: str) -> None:
    database = Database.open(sqlite_url, busy_seconds=0.01)
    blocker = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy, match="locked by another process: stop"), database.begin():
        pass
    blocker.rollback()
    blocker.close()
    with database.begin() as conn:
        put_value(conn, "k", 1)
    database.close()


def test_a_lock_that_does_not_come_is_one_sentence_on_postgresql(postgresql_url: str) -> None:
    one, other = (Database.open(postgresql_url, busy_seconds=0.05) for _ in range(2))
    with one.begin() as conn:
        put_value(conn, "k", 1)
        with pytest.raises(StoreBusy, match="can be tried again"), other.begin() as second:
            put_value(second, "k", 2)
    one.close()
    other.close()


def test_an_unreachable_server_is_one_sentence_without_the_password() -> None:
    with pytest.raises(StoreError, match=r"cannot be reached: check host") as raised:
        Database.open("postgresql://somebody:secret@127.0.0.1:1/none")
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_database_is_one_sentence_on_postgresql(postgresql_url: str) -> None:
    server = postgresql_url.split("/test", maxsplit=1)[0]
    with pytest.raises(StoreError, match="no_such_database"):
        Database.open(f"{server}/no_such_database")


def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("these are notes, not tables\n" * 50)
    with pytest.raises(StoreError, match=r"notes\.txt is not a SQLite database: name another"):
        Database.open(f"sqlite:///{tmp_path}/notes.txt")


def test_tables_that_are_not_there_are_one_sentence(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path}/empty.db")
    assert database.revision() is None
    with pytest.raises(StoreError, match="not set up yet"), database.read() as conn:
        read_leads(conn, ["one"])
    database.close()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("leadloop.db", "the database URL cannot be read: use sqlite:///"),
        ("mysql://localhost/leads", "no database of the kind 'mysql': use sqlite:///"),
        ("sqlite://", "SQLite needs a file"),
        ("sqlite:///:memory:", "SQLite needs a file"),
        (
            "sqlite:////no/such/folder/leadloop.db",
            "the folder /no/such/folder of the database does not exist",
        ),
    ],
)
def test_a_wrong_url_is_one_sentence(url: str, sentence: str) -> None:
    with pytest.raises(StoreError) as raised:
        Database.open(url)
    assert str(raised.value).startswith(sentence)


def test_a_folder_in_place_of_the_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened: check that its folder"):
        Database.open(f"sqlite:///{tmp_path}")


def test_a_faulty_statement_is_not_called_a_database_out_of_order(database: Database) -> None:
    with pytest.raises(DBAPIError), database.read() as conn:
        conn.execute(text("SELECT no_such_column FROM leads"))


def test_a_database_that_is_opened_to_read_refuses_to_be_changed(database_url: str) -> None:
    before = Database.open(database_url)
    with before.begin() as conn:
        put_value(conn, "account", 1)
    before.close()
    reading = Database.open(database_url, read_only=True)
    try:
        with reading.read() as conn:
            assert get_value(conn, "account") == 1

        def change() -> None:
            with reading.begin() as conn:
                put_value(conn, "account", 2)

        with pytest.raises(StoreError):
            change()
        with reading.read() as conn:
            assert get_value(conn, "account") == 1
    finally:
        reading.close()


def test_several_may_open_a_new_file_at_the_same_time(tmp_path: Path) -> None:
    def opened(url: str) -> None:
        database = Database.open(url)
        with database.read():
            pass
        database.close()

    for number in range(80):  # one in fourteen used to find it locked
        at_once(opened, [f"sqlite:///{tmp_path}/{number}.db"] * 4)
