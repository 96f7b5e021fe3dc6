"""The write-ahead log of SQLite: what was erased is to leave it too, and the file behind it.

A page that was rewritten stands in the log, and the page as it was in the file, until a checkpoint moves one
over the other. So it is remembered that somebody was erased, until the log has been emptied. PostgreSQL has
ways of its own, and nothing is remembered there.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete

from connector.store.database import Database
from connector.store.errors import StoreError
from connector.store.rows import is_sqlite
from connector.store.schema import settings_values
from connector.store.settings_values import get_value, put_value

_ASKED = "empty_log"


def ask_to_empty(conn: Connection) -> None:
    """Somebody is erased in this transaction: the log is to be emptied after it."""
    if is_sqlite(conn):
        put_value(conn, _ASKED, get_value(conn, _ASKED, 0) + 1)


def empty_if_asked(database: Database) -> bool:
    """Empty the log, if somebody was erased since it last was. Returns whether it is done. Where somebody
    else reads for long, it stays asked for, and the next call does it; nothing fails or waits for it."""
    if database.dialect != "sqlite":
        return True
    try:
        with database.read() as conn:
            asked = get_value(conn, _ASKED)
        if asked is None:
            return True
        if not database.empty_log():
            return False
        with database.begin() as conn:
            if get_value(conn, _ASKED) == asked:  # nobody was erased meanwhile
                conn.execute(delete(settings_values).where(settings_values.c.key == _ASKED))
    except StoreError:
        return False
    return True
