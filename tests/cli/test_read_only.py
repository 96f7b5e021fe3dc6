"""Commands that only read need no right to write: a file of another user, a backup, a read-only disk."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.people import ANN, ann_fills_in_a_form
from tests.cli.shell import Shell
from tests.world import World

READING = [
    ("status",),
    ("plan", ANN),
    ("explain", ANN),
    ("report",),
    ("holds",),
    ("quarantine",),
    ("brake",),
]
WRITING = [
    ("resync", "--all"),
    ("holds", "release", ANN),
    ("brake", "release", "mql"),
    ("report", "--rebuild"),
]
NOBODY = 65_534


@pytest.fixture
def copied(world: World, leadloop: Shell) -> Iterator[Shell]:
    """A shell beside a copy of a database with Ann in it, which is somebody else's to write."""
    ann_fills_in_a_form(world)
    # not the folder of the tests: only their own user may look into that
    folder = Path(tempfile.mkdtemp())
    copy = folder / "leadloop.db"
    source = world.database.file
    assert source is not None
    world.database.close()  # folds the write-ahead log into the file
    shutil.copy(source, copy)
    config = Path(shutil.copytree(leadloop.folder, folder / "config"))
    config.chmod(0o755)
    url = {"LEADLOOP_DATABASE_URL": f"sqlite:///{copy}"}
    shell = Shell(config, {**leadloop.environment, **url}, leadloop.clock)
    for command in READING:  # what they import is read now, while that is allowed
        assert shell(*command).code == 0
    copy.chmod(0o444)
    folder.chmod(0o555)
    yield shell
    folder.chmod(0o755)
    shutil.rmtree(folder)


@contextmanager
def without_rights() -> Iterator[None]:
    """As a user who may write nowhere; who is that already stays what he is."""
    if os.geteuid() != 0:
        yield
        return
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.mark.parametrize("command", READING, ids=lambda command: command[0])
def test_a_command_that_reads_is_answered_from_a_read_only_file(copied: Shell, command: tuple[str]) -> None:
    as_owner = copied(*command)
    with without_rights():
        answer = copied(*command)

    assert (answer.code, answer.err) == (0, "")
    assert answer.out == as_owner.out
    assert answer.out


@pytest.mark.parametrize("command", WRITING, ids=lambda command: " ".join(command[:2]))
def test_a_command_that_writes_says_what_is_in_its_way(copied: Shell, command: tuple[str]) -> None:
    with without_rights():
        answer = copied(*command)

    assert answer.code == 2
    assert "is read-only for this user: check the permissions of the file and its folder" in answer.err
