"""`leadloop sandbox` runs both platforms until it is stopped, and says how to reach them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import orjson

from tests.cli.shell import Shell

SEED = """
hubspot:
  contacts: [{email: ann@acme.example, lastname: Arbor}]
"""


def test_answers_on_both_ports_and_keeps_its_state(folder: Path) -> None:
    (folder / "seed.yaml").write_text(SEED)
    with subprocess.Popen(
        [
            sys.executable, "-c", "from connector.cli.main import main; main()",
            "sandbox", "--salesforce-port", "0", "--hubspot-port", "0",
            "--seed", "seed.yaml", "--state", "s.json",
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        said: dict[str, str] = {}
        while len(said) < 4:
            line = process.stdout.readline()
            assert line, "the sandbox ended"
            name, _, value = line.strip().partition("=")
            if name.startswith("LEADLOOP_"):
                said[name] = value
        for name in ("LEADLOOP_SALESFORCE__INSTANCE_URL", "LEADLOOP_HUBSPOT__BASE_URL"):
            with urllib.request.urlopen(f"{said[name]}/_sandbox/state", timeout=10) as answer:
                state = answer.read().decode()
            if "HUBSPOT" in name:
                assert "ann@acme.example" in state
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert b"ann@acme.example" in orjson.dumps(orjson.loads((folder / "s.json").read_bytes()))


def test_a_seed_that_cannot_be_read_is_told(shell: Shell, folder: Path) -> None:
    answer = shell("sandbox", "--seed", "nowhere.yaml")

    assert answer.code == 2
    assert answer.err == "nowhere.yaml cannot be read: No such file or directory\n"


def test_a_port_that_is_taken_is_told(shell: Shell) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        answer = shell("sandbox", "--salesforce-port", str(port))

    assert answer.code == 2
    assert str(port) in answer.err
    assert "Traceback" not in answer.err
