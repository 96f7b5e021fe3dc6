"""The migrations of the tables, packaged so that an installed leadloop can run them.

`HEAD` is the newest; the others are found by Alembic, which is imported only when there is something to do.
To write one: change `schema.py`, add `versions/NNNN_what_changes.py`, set HEAD; the tests compare the two.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

HEAD = "0006"
VERSION_TABLE = "alembic_version"


def config() -> Config:
    """Alembic's configuration, without a file of its own."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    return made


def known() -> frozenset[str]:
    """All revisions that this leadloop knows."""
    from alembic.script import ScriptDirectory

    return frozenset(script.revision for script in ScriptDirectory.from_config(config()).walk_revisions())


def upgrade(conn: Connection) -> None:
    """Run what is missing on this connection, inside its transaction."""
    from alembic import command

    made = config()
    made.attributes["connection"] = conn
    command.upgrade(made, "head")
