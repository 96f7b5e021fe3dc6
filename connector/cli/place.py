"""Place: where a command works: the configuration folder, its settings, the database, the clock.

Opens things on demand, so that a command that fails has touched nothing. Imports lazily for the sake of
`leadloop --help`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from connector.cli.failures import Problem
from connector.clock import Clock, SystemClock

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from connector.configuration import Configuration
    from connector.settings import Settings
    from connector.store.database import Database

BUSY_SECONDS = 5.0
"""How long a command that runs once waits for another process to let go of the database."""


@dataclass(frozen=True, slots=True)
class Place:
    """The folder that `--config` names (the current one by default), and the time."""

    folder: Path
    clock: Clock = field(default_factory=SystemClock)

    @property
    def name(self) -> str:
        """What messages call its configuration."""
        from connector.configuration import MAIN_FILE

        written = (self.folder / MAIN_FILE).exists()
        return str(self.folder.resolve()) if written else "the shipped configuration"

    def configuration(self) -> Configuration:
        """The folder, compiled; the shipped presets where it has no leadloop.yaml. Raises ConfigErrors."""
        from connector.configuration import load_configuration

        return load_configuration(self.folder)

    def settings(self) -> Settings:
        """The settings, from the environment and leadloop.yaml; the other files of the folder are not looked
        at. Raises ConfigErrors, SettingsError."""
        from connector.configuration import read_main
        from connector.settings import load_settings, written_settings

        return load_settings(written_settings(read_main(self.folder)))

    @contextmanager
    def database(
        self, *, create: bool = False, url: str | None = None, read_only: bool = False
    ) -> Iterator[Database]:
        """The database of the settings (or at `url`), closed afterwards. Without `create` it must be there
        already: a command that reports leaves no empty file behind in the wrong folder. `read_only`: it
        refuses to be changed. Raises StoreError, Problem."""
        from connector.cli.logs import warn_on_stderr
        from connector.store import migrations
        from connector.store.database import Database

        warn_on_stderr()
        address = url or self.settings().database_url
        missing = None if create else missing_file(address)
        if missing is not None:
            raise Problem(
                f"There is no database at {missing}: start `leadloop run` once, or name another one with "
                "LEADLOOP_DATABASE_URL."
            )
        database = Database.open(address, busy_seconds=BUSY_SECONDS, read_only=read_only)
        try:
            if create:
                database.migrate()
            else:
                found = database.revision()
                if found is None:
                    raise Problem("The database is empty: start `leadloop run` once, which makes its tables.")
                if found != migrations.HEAD:
                    if found not in migrations.known():
                        database.migrate()  # refuses, and says which version it needs
                    raise Problem(
                        f"The tables of the database are at {found}, and this leadloop works with "
                        f"{migrations.HEAD}: start `leadloop run`, which brings them up to date."
                    )
            yield database
        finally:
            database.close()

    def in_force(self, conn: Connection) -> Configuration:
        """The configuration that was applied; before there is one, the folder's. Raises ConfigErrors."""
        from connector.configuration import compile_documents
        from connector.store.configurations import applied_configuration

        applied = applied_configuration(conn)
        return self.configuration() if applied is None else compile_documents(applied.documents)


def place_of(ctx: typer.Context) -> Place:
    """The place that the global options chose."""
    place = ctx.find_object(Place)
    if place is None:
        raise RuntimeError("a command was called without the global options")
    return place


def missing_file(url: str) -> Path | None:
    """The SQLite file that `url` names, if it is not there."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        return None  # opening it says what is wrong
    if address.get_backend_name() != "sqlite" or not address.database or address.database.startswith("file:"):
        return None
    path = Path(address.database).absolute()
    return None if path.exists() or not path.parent.is_dir() else path
