"""The command answers at once: nothing heavy is loaded to print help."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from tests.cli.shell import Shell

HEAVY = ("sqlalchemy", "pydantic", "rich", "structlog", "simple_salesforce", "hubspot", "dramatiq", "yaml")


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "sys.argv = ['leadloop', '--help']\n"
        "from connector.cli.main import main\n"
        "try:\n"
        "    main()\n"
        "except SystemExit:\n"
        "    print(sorted(set(sys.modules) & set(" + repr(HEAVY) + ")), file=sys.stderr)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        timeout=60,
    )

    assert "Commands:" in done.stdout
    assert done.stderr == "[]\n"


def test_without_a_command_the_help_is_shown(shell: Shell) -> None:
    answer = shell()

    assert "Usage: leadloop" in answer.out + answer.err


def test_version(shell: Shell) -> None:
    assert shell("version").out == f"{version('leadloop')}\n"


def test_an_unknown_command_is_wrong_usage(shell: Shell) -> None:
    answer = shell("explode")

    assert answer.code == 2
    assert "explode" in answer.err
