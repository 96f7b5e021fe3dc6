"""Fixtures: a recorded year, made once by `leadloop demo --year` for all tests and workers, and a shell."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from tests.cli.shell import Shell


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, no_settings: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell in an empty folder."""
    return Shell(tmp_path, {})


@pytest.fixture(scope="session")
def year(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The database of the recorded year. Nobody may write to it."""
    own = tmp_path_factory.getbasetemp()
    folder = own if worker_id == "master" else own.parent
    path = folder / "recorded-year.db"
    with (folder / "recorded-year.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            answer = Shell(folder, {})("demo", "--year", str(path), "--json")
            assert answer.json["leads"] == 300
    return path
