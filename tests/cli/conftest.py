"""Fixtures for the command line: a shell, and a world with leads whose database the shell looks into."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.configuration import Configuration
from connector.sandbox import HUBSPOT_ACCESS_TOKEN, SALESFORCE_SESSION_ID
from connector.wiring import choose_configuration
from tests.cli.live import Live
from tests.cli.shell import Shell
from tests.world import World, configuration


@pytest.fixture(autouse=True)
def _nowhere(folder: Path) -> None:
    """Every test runs in an empty folder."""


@pytest.fixture
def shell(folder: Path) -> Shell:
    """A shell in an empty folder, on the system's clock."""
    return Shell(folder, {})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Both sandboxes, and a leadloop whose configuration is applied and that has connected once."""
    with World(tmp_path) as made:
        assert made.leadloop.configuration == made.config.version
        choose_configuration(made.database, made.config, made.clock.now_ms())
        yield made


@pytest.fixture
def leadloop(world: World, tmp_path: Path, folder: Path) -> Shell:
    """A shell in the folder of the world's leadloop, on the world's clock."""
    write_documents(folder, world.config)
    return Shell(
        folder,
        {
            "LEADLOOP_DATABASE_URL": f"sqlite:///{tmp_path}/leadloop.db",
            "LEADLOOP_SALESFORCE__BASE_URL": world.sandbox.salesforce_url,
            "LEADLOOP_SALESFORCE__SESSION_ID": SALESFORCE_SESSION_ID,
            "LEADLOOP_HUBSPOT__BASE_URL": world.sandbox.hubspot_url,
            "LEADLOOP_HUBSPOT__ACCESS_TOKEN": HUBSPOT_ACCESS_TOKEN,
        },
        world.clock,
    )


@pytest.fixture
def live(tmp_path: Path, folder: Path) -> Iterator[Live]:
    """Both sandboxes for processes of their own, which are started in the folder of a configuration."""
    write_documents(folder, configuration())
    made = Live(tmp_path)
    yield made
    made.close()


def write_documents(folder: Path, config: Configuration) -> None:
    for name, text in config.documents.items():
        if not name.startswith("preset:"):
            (folder / name).write_text(text, encoding="utf-8")
