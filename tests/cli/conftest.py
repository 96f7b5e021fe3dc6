"""Fixtures for the command line: a shell, and a world with leads whose database the shell looks into."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.sandbox import HUBSPOT_ACCESS_TOKEN, SALESFORCE_SESSION_ID
from connector.wiring import choose_configuration
from tests.cli.shell import Shell
from tests.world import World


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty current folder, and none of the developer's own settings."""
    for name in [name for name in os.environ if name.startswith("LEADLOOP_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("COLUMNS", raising=False)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The current folder."""
    return tmp_path / "here"


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
    for name, text in world.config.documents.items():
        if not name.startswith("preset:"):
            (folder / name).write_text(text, encoding="utf-8")
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
