"""Fixtures of the report: a small company's half year, stored once, and a shell that looks at it."""

from __future__ import annotations

import shutil
from itertools import islice
from pathlib import Path

import pytest

from connector.clock import ManualClock
from connector.store.database import Database
from tests.cli.shell import Shell
from tests.report.seeded import lives, store
from tests.world import START_MS

LEADS, DAYS = 1_200, 220


@pytest.fixture(autouse=True)
def _nowhere(folder: Path) -> None:
    """Every test runs in an empty folder."""


@pytest.fixture(scope="session")
def half_a_year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a company's leads; to be copied."""
    path = tmp_path_factory.mktemp("company") / "leadloop.db"
    database = Database.open(f"sqlite:///{path}")
    database.migrate()
    store(database, islice(lives(START_MS, DAYS), LEADS))
    database.close()
    return path


@pytest.fixture
def company(half_a_year: Path, folder: Path) -> Shell:
    """A shell beside the company's database, on the day on which its history ends."""
    shutil.copy(half_a_year, folder / "leadloop.db")
    return Shell(folder, {}, ManualClock(START_MS))


@pytest.fixture
def newcomer(sqlite_template: Path, folder: Path) -> Shell:
    """A shell beside a database in which nothing has happened yet."""
    shutil.copy(sqlite_template, folder / "leadloop.db")
    return Shell(folder, {}, ManualClock(START_MS))
