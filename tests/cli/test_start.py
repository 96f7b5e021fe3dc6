"""The command answers at once: nothing heavy is loaded to print help."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.cli.shell import Shell

HEAVY = ("sqlalchemy", "pydantic", "rich", "structlog", "simple_salesforce", "hubspot", "dramatiq", "yaml")


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "sys.argv = ['leadloop', '--help']\n"
        "from connector.cli.start import main\n"
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


@pytest.mark.parametrize("typed", ["version", "--version"])
def test_version(shell: Shell, typed: str) -> None:
    answer = shell(typed)

    assert (answer.code, answer.out) == (0, f"{version('leadloop')}\n")


@pytest.mark.parametrize("group", [(), ("holds",), ("quarantine",), ("brake",)])
def test_help_fits_80_columns_and_cuts_no_summary(shell: Shell, group: tuple[str, ...]) -> None:
    answer = shell(*group, "--help", COLUMNS="80")

    lines = answer.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert not [line for line in lines[1:] if line.endswith("...")]


def test_ctrl_c_while_the_commands_are_read_is_no_traceback() -> None:
    program = (
        "import sys\n"
        "class Impatient:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'connector.cli.main':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Impatient())\n"
        "from connector.cli.start import main\n"
        "main()\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stderr) == (130, "")


def test_an_unknown_command_is_wrong_usage(shell: Shell) -> None:
    answer = shell("explode")

    assert answer.code == 2
    assert "explode" in answer.err
