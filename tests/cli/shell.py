"""Shell: types commands into leadloop within the test's process, and keeps what they printed."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from typer.testing import CliRunner

from connector.cli.main import app
from connector.cli.place import Place
from connector.clock import Clock


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Shell:
    """A shell in one folder, with its environment and clock."""

    def __init__(self, folder: Path, environment: Mapping[str, str], clock: Clock | None = None) -> None:
        self.folder = folder
        self.environment = dict(environment)
        self.clock = clock

    def __call__(self, *arguments: str, typed: str = "", **more: str) -> Answer:
        """Run a command; `typed` goes to its standard input, `more` into its environment."""
        place = None if self.clock is None else Place(self.folder, self.clock)
        root = logging.getLogger()
        handlers, level = root.handlers[:], root.level
        try:
            result = CliRunner().invoke(
                app, list(arguments), input=typed, env={**self.environment, **more}, obj=place
            )
        finally:
            # the command's stderr, to which it logs, is closed now
            root.handlers[:] = handlers
            root.setLevel(level)
            structlog.reset_defaults()
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answer(result.exit_code, result.stdout, result.stderr)
