"""At work: which processes work on a SQLite database, told by an advisory lock on a file beside it.

Everything that takes leases holds the lock, shared, for as long as it works. The operating system drops it
with the process, however that ends. So whoever gets it alone knows that nobody is at work: every lease that
is left belongs to the dead. PostgreSQL has no such lock here: a session, and its advisory locks with it, can
be lost while its process lives on and sends, so there leases run out by themselves.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO

from connector.store.database import Database
from connector.store.errors import StoreError


@contextmanager
def at_work(database: Database, alone: Callable[[], object] | None = None) -> Iterator[None]:
    """Be at work on the database. `alone` is called first if no other process is, and before any other can
    be; the caller must hold no lease yet. Never called where the lock cannot be had: on PostgreSQL, and where
    the file system has no locks. Raises StoreError when the file cannot be opened."""
    with _lock_file(database) as file:
        if file is not None:
            if alone is not None and _locked(file, fcntl.LOCK_EX | fcntl.LOCK_NB):
                alone()
            # waits while another process is alone, which takes moments
            _locked(file, fcntl.LOCK_SH)
        yield


@contextmanager
def _lock_file(database: Database) -> Iterator[IO[str] | None]:
    if database.file is None:
        yield None
        return
    path = database.file.with_name(f"{database.file.name}.lock")
    try:
        file = path.open("a")
    except OSError as error:
        raise StoreError(
            f"the file {path} beside the database cannot be written ({error.strerror}): check its permissions"
        ) from error
    with file:
        yield file


def _locked(file: IO[str], how: int) -> bool:
    with suppress(OSError):
        fcntl.flock(file, how)
        return True
    return False
