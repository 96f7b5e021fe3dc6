"""Fixtures of the demo's tests: a shell in an empty folder, without the developer's own settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.shell import Shell


@pytest.fixture
def shell(folder: Path) -> Shell:
    return Shell(folder, {})
