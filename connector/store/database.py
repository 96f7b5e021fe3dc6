"""The database: opening it, its transactions, its migrations. No query on leadloop's own tables.

Every write goes through `begin`, every read through `read`; both give a SQLAlchemy Connection, which the
functions of the other store modules take first. What they do within one `begin` is one transaction.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from connector.store import migrations
from connector.store.errors import StoreBusy, StoreError
from connector.store.rows import lock_name

Synchronous = Literal["NORMAL", "FULL"]

_LOG_TRIES = 10
"""So often a process that opens a new file gives way to others that do."""

_LOG_BUSY_MS = 250
"""How long readers and writers are waited for before the log is emptied; other writers wait meanwhile."""


class Database:
    """One SQLite file or one PostgreSQL database. Safe to share between threads, not across a fork."""

    def __init__(self, engine: Engine, *, read_only: bool = False) -> None:
        self._engine = engine
        self._writing = engine.execution_options(leadloop_writes=True)
        self._reading = engine
        # SQLite has one writer at a time. Threads of one process queue here, in order of arrival, instead
        # of polling the file's lock, where one can starve.
        self._writer: threading.Lock | None = None
        self._writer_thread: int | None = None
        if engine.dialect.name == "sqlite":
            self._writer = threading.Lock()
        else:
            # the same promise as SQLite's: what is read within one `read` is one moment
            self._reading = engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            if read_only:
                self._writing = self._reading  # what wants to write is refused

    @classmethod
    def open(
        cls,
        url: str,
        *,
        synchronous: Synchronous = "NORMAL",
        busy_seconds: float = 30.0,
        pool_size: int = 10,
        read_only: bool = False,
    ) -> Database:
        """Open `sqlite:///path` or `postgresql://…`, and prove that it answers.

        `synchronous` (SQLite): NORMAL survives a crash of the process but may lose the last commits when
        the machine loses power; FULL loses none, for what has been acknowledged to a sender.
        `busy_seconds`: how long a writer waits for another process. `read_only`: the database itself refuses
        to change anything; a SQLite file may then lie where this user can write nothing. Raises StoreError.
        """
        address = _address(url)
        if read_only:
            address = _unchanging(address)
        if address.get_backend_name() == "sqlite":
            engine = create_engine(
                address,
                hide_parameters=True,  # values of records never reach a message or a log
                pool_size=pool_size,
                max_overflow=20,
                connect_args={"timeout": busy_seconds},
            )
            _prepare_sqlite(engine, synchronous, busy_seconds, read_only=read_only)
        else:
            engine = create_engine(
                address,
                hide_parameters=True,  # values of records never reach a message or a log
                pool_size=pool_size,
                max_overflow=20,
                pool_pre_ping=True,
                connect_args={"connect_timeout": 10, "application_name": "leadloop"},
            )
            _prepare_postgresql(engine, busy_seconds)
        database = cls(engine, read_only=read_only)
        try:
            with database.read() as conn:
                conn.execute(text("SELECT 1"))
        except BaseException:
            database.close()
            raise
        return database

    def durable(self) -> Database:
        """The same database over connections of its own, whose commits outlive a loss of power. It shares
        this one's turns to write, and is to be closed by itself. Raises StoreError."""
        address = self._engine.url.render_as_string(hide_password=False)
        other = Database.open(address, synchronous="FULL", pool_size=2)
        other._writer = self._writer
        return other

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    @property
    def file(self) -> Path | None:
        """The SQLite file; None for PostgreSQL, and for one that is named by a `file:` URI."""
        name = self._engine.url.database
        if self.dialect != "sqlite" or not name or name.startswith("file:"):
            return None
        return Path(name).resolve()

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction that may write: committed at the end, rolled back when the body raises.

        Raises StoreBusy when another writer was in the way for too long, StoreError otherwise."""
        with self._one_writer(), _translated(self._engine), self._writing.begin() as conn:
            yield conn

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One transaction that only reads, and sees one moment. Raises StoreError."""
        with _translated(self._engine), self._reading.begin() as conn:
            yield conn

    def empty_log(self) -> bool:
        """Move what SQLite's write-ahead log holds into the file, and cut the log to nothing, so that what
        was erased is in neither. Says whether that was done: who reads or writes meanwhile is waited for no
        longer than a moment. On PostgreSQL there is nothing to do."""
        if self.dialect != "sqlite":
            return True
        try:
            with self._one_writer(), closing(self._engine.raw_connection()) as raw:
                cursor = raw.cursor()
                try:
                    (before_ms,) = cursor.execute("PRAGMA busy_timeout").fetchone()
                    cursor.execute(f"PRAGMA busy_timeout = {_LOG_BUSY_MS}")
                    try:
                        # https://www.sqlite.org/pragma.html#pragma_wal_checkpoint
                        done = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                    finally:
                        cursor.execute(f"PRAGMA busy_timeout = {before_ms}")
                finally:
                    cursor.close()
        except (DBAPIError, PoolTimeout, sqlite3.Error):
            return False
        return bool(done[0] == 0)  # 1: somebody was in the way

    def revision(self) -> str | None:
        """The migration this database is at; None when it is empty."""
        with self.read() as conn:
            return _revision(conn)

    def migrate(self) -> None:
        """Bring the tables up to this version of leadloop, in one transaction. Several processes may call it
        at the same time. Raises StoreError when a newer leadloop has been here."""
        found = self.revision()
        if found == migrations.HEAD:
            return
        self._refuse_newer(found)  # also where nothing may be written
        with self.begin() as conn:
            lock_name(conn, "migrate")
            self._refuse_newer(_revision(conn))
            migrations.upgrade(conn)

    def _refuse_newer(self, found: str | None) -> None:
        if found is not None and found not in migrations.known():
            raise StoreError(
                f"the database {_shown(self._engine.url)} was written by a newer leadloop "
                f"(its tables are at {found}): install that version or newer"
            )

    def close(self) -> None:
        """Close all connections. Under SQLite the last one folds the write-ahead log into the file."""
        self._engine.dispose()

    @contextmanager
    def _one_writer(self) -> Iterator[None]:
        if self._writer is None:
            yield
            return
        me = threading.get_ident()
        if self._writer_thread == me:
            raise RuntimeError("begin() inside begin(): one transaction per thread")
        with self._writer:
            self._writer_thread = me
            try:
                yield
            finally:
                self._writer_thread = None


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):  # the latter for a port that is no number
        raise StoreError(
            "the database URL cannot be read: use sqlite:///leadloop.db or postgresql://user@host/database"
        ) from None
    if address.drivername in ("postgresql", "postgres"):
        address = address.set(drivername="postgresql+psycopg")
    if address.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise StoreError(
            f"no database of the kind {address.drivername!r}: use sqlite:///leadloop.db "
            "or postgresql://user@host/database"
        )
    if address.get_backend_name() == "sqlite":
        if not address.database or address.database == ":memory:":
            raise StoreError("SQLite needs a file, which survives a restart: sqlite:///leadloop.db")
        folder = Path(address.database).parent
        if not address.database.startswith("file:") and not folder.is_dir():
            raise StoreError(f"the folder {folder} of the database does not exist: create it first")
    return address


def _unchanging(address: URL) -> URL:
    """A SQLite file that nobody has open, in a folder where we can write nothing: read as it is. SQLite would
    else make its two files beside it even for who only reads (https://www.sqlite.org/wal.html#readonly)."""
    if address.get_backend_name() != "sqlite" or not address.database or address.database.startswith("file:"):
        return address
    path = Path(address.database).resolve()
    effective = os.access in os.supports_effective_ids
    if path.with_name(f"{path.name}-wal").exists() or os.access(
        path.parent, os.W_OK, effective_ids=effective
    ):
        return address
    return address.set(database=f"file:{quote(str(path))}", query={"immutable": "1", "uri": "true"})


def _keep_log(cursor: sqlite3.Cursor) -> None:
    """Have the file keep a write-ahead log. Of several that open a new file at once SQLite lets one do that,
    and refuses the others without waiting: they wait for their turn to write, and look again."""
    for tries_left in range(_LOG_TRIES, -1, -1):
        try:
            if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if not tries_left:
                raise
            cursor.execute("BEGIN IMMEDIATE")
            cursor.execute("COMMIT")
        else:
            return


def _prepare_sqlite(
    engine: Engine, synchronous: Synchronous, busy_seconds: float, *, read_only: bool
) -> None:
    busy_ms = int(busy_seconds * 1_000)

    @event.listens_for(engine, "connect")
    def _connected(raw: Any, record: object) -> None:  # noqa: ARG001  # the event's signature
        # off: the driver's own BEGIN, which is deferred and loses read-modify-writes
        raw.isolation_level = None
        cursor = raw.cursor()
        try:
            cursor.execute(f"PRAGMA busy_timeout = {busy_ms}")
            if read_only:
                cursor.execute("PRAGMA query_only = ON")
            else:
                _keep_log(cursor)
            # what is erased is overwritten with zeros, which not every SQLite is built to do by itself
            cursor.execute("PRAGMA secure_delete = ON")
            cursor.execute(f"PRAGMA synchronous = {synchronous}")
            cursor.execute("PRAGMA foreign_keys = ON")
            cursor.execute("PRAGMA temp_store = MEMORY")
            cursor.execute("PRAGMA cache_size = -4096")  # in KB, for each connection; more is not faster
        finally:
            cursor.close()

    @event.listens_for(engine, "begin")
    def _begun(conn: Connection) -> None:
        writes = conn.get_execution_options().get("leadloop_writes", False)
        conn.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare_postgresql(engine: Engine, busy_seconds: float) -> None:
    @event.listens_for(engine, "connect")
    def _connected(raw: Any, record: object) -> None:  # noqa: ARG001  # the event's signature
        raw.execute(f"SET lock_timeout = {int(busy_seconds * 1_000)}")
        raw.commit()


def _revision(conn: Connection) -> str | None:
    if not inspect(conn).has_table(migrations.VERSION_TABLE):
        return None
    found = conn.execute(text(f"SELECT version_num FROM {migrations.VERSION_TABLE}")).scalar()
    return None if found is None else str(found)


def _shown(url: URL) -> str:
    return url.render_as_string(hide_password=True)


@contextmanager
def _translated(engine: Engine) -> Iterator[None]:
    """The driver's errors of a database out of order, each as one sentence. What is a fault of our own
    statements (a constraint, a syntax error) stays what it is."""
    try:
        yield
    except PoolTimeout as error:
        raise StoreBusy(
            f"all connections to {_shown(engine.url)} are in use: run fewer threads or try again"
        ) from error
    except DBAPIError as error:
        explained = _explained(_shown(engine.url), error)
        if explained is None:
            raise
        raise explained from error


# https://www.sqlite.org/rescode.html, by the beginning of the name
_SQLITE_CAUSES = {
    "SQLITE_CANTOPEN": "cannot be opened: check that its folder exists and is writable, and the file too",
    "SQLITE_READONLY": "is read-only for this user: check the permissions of the file and its folder",
    "SQLITE_PERM": "is not permitted to this user: check the permissions of the file and its folder",
    "SQLITE_NOTADB": "is not a SQLite database: name another file, or restore this one from a backup",
    "SQLITE_CORRUPT": "is damaged: restore it from a backup",
    "SQLITE_FULL": "has no space left on its disk: free some and start again",
    "SQLITE_IOERR": "cannot be read or written: check the disk",
}
_SQLITE_BUSY = ("SQLITE_BUSY", "SQLITE_LOCKED")
# https://www.postgresql.org/docs/current/errcodes-appendix.html: a serialization failure, a deadlock, a lock
# that was not to be had in time
_POSTGRESQL_BUSY = ("40001", "40P01", "55P03")
# classes and codes of a server that does not serve us; None: the connection was never made, or was lost
_POSTGRESQL_CAUSES = ("08", "28", "3D", "53", "57", "58", "25006")


def _explained(where: str, error: DBAPIError) -> StoreError | None:
    cause = error.orig
    said = " ".join(str(cause).split())
    name = getattr(cause, "sqlite_errorname", "") or ""
    if name.startswith(_SQLITE_BUSY):
        return StoreBusy(
            f"the database {where} is locked by another process: stop that process (a backup, an open SQL "
            "shell) and try again"
        )
    for beginning, sentence in _SQLITE_CAUSES.items():
        if name.startswith(beginning):
            return StoreError(f"the database {where} {sentence}")
    state = getattr(cause, "sqlstate", None)
    if "no such table" in said or state == "42P01":
        return StoreError(f"the database {where} is not one of leadloop, or not set up yet ({said})")
    if name:
        return None
    if state in _POSTGRESQL_BUSY:
        return StoreBusy(f"another worker was in the way on {where}: it can be tried again ({said})")
    if state is None and isinstance(error, OperationalError):
        return StoreError(f"the database {where} cannot be reached: check host, port and user ({said})")
    if state is not None and state.startswith(_POSTGRESQL_CAUSES):
        return StoreError(f"the database {where} does not serve us: {said}")
    return None
