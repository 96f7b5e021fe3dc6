"""Fixtures of the benchmarks: databases that take long to fill, filled once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.benchmarks.synced import store_synced

MANY, FEW = 100_000, 10_000


@pytest.fixture(scope="session")
def synced(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Count to a database with so many leads in step. To be copied, not written."""
    folder = tmp_path_factory.mktemp("synced")
    return {count: store_synced(folder / f"{count}.db", count) for count in (100, FEW, MANY)}


@pytest.fixture
def copied(synced: dict[int, Path], tmp_path: Path) -> dict[int, Path]:
    """The same, to write on."""
    return {count: Path(shutil.copy(path, tmp_path / path.name)) for count, path in synced.items()}
