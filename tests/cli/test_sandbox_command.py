"""`leadloop sandbox` runs both platforms until it is stopped, and says how to reach them."""

from __future__ import annotations

import signal
import socket
import subprocess
import urllib.request
from pathlib import Path

import orjson
import pytest

from tests.cli.live import command, surroundings
from tests.cli.shell import Shell

SEED = """
hubspot:
  contacts: [{email: ann@acme.example, lastname: Arbor}]
"""


def test_answers_on_both_ports_and_keeps_its_state(folder: Path) -> None:
    (folder / "seed.yaml").write_text(SEED)
    with subprocess.Popen(
        command(
            "sandbox", "--salesforce-port", "0", "--hubspot-port", "0",
            "--salesforce-stream-port", "0", "--seed", "seed.yaml", "--state", "s.json",
        ),
        cwd=folder,
        env=surroundings({}),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        said: dict[str, str] = {}
        while len(said) < 6:
            line = process.stdout.readline()
            assert line, "the sandbox ended"
            name, _, value = line.strip().partition("=")
            if name.startswith("LEADLOOP_"):
                said[name] = value
        assert said["LEADLOOP_SALESFORCE__STREAM"] == "true"
        port = int(said["LEADLOOP_SALESFORCE__STREAM_URL"].rpartition(":")[2])
        socket.create_connection(("127.0.0.1", port), 10).close()
        for name in ("LEADLOOP_SALESFORCE__INSTANCE_URL", "LEADLOOP_HUBSPOT__BASE_URL"):
            with urllib.request.urlopen(f"{said[name]}/_sandbox/state", timeout=10) as answer:
                state = answer.read().decode()
            if "HUBSPOT" in name:
                assert "ann@acme.example" in state
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert b"ann@acme.example" in orjson.dumps(orjson.loads((folder / "s.json").read_bytes()))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"hubspot: {contacts: [", "seed.yaml:2:1: this is not valid YAML: "),
        (
            b"hubspot: {contacts: [{lastname: Mu\xf1oz}]}",
            "seed.yaml is not UTF-8 (byte 34): save it as UTF-8",
        ),
        (b"hubspott: {}", "seed.yaml: the top level has the keys salesforce and hubspot, nothing else"),
        (
            b"salesforce: {User: [{nam: Rosa}]}",
            "seed.yaml: salesforce.User[0]: unknown key 'nam'",
        ),
        (
            b"salesforce: {Lead: [{LastNam: Rosa}]}",
            "seed.yaml: salesforce.Lead[0]: INVALID_FIELD: No such column 'LastNam' on sobject of type Lead",
        ),
    ],
)
def test_a_seed_that_is_wrong_is_told(shell: Shell, folder: Path, content: bytes, said: str) -> None:
    (folder / "seed.yaml").write_bytes(content + b"\n")

    answer = shell("sandbox", "--seed", "seed.yaml", "--state", "state.json")

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(said)
    assert answer.err.count("\n") == 1
    assert [path.name for path in folder.iterdir()] == ["seed.yaml"]


@pytest.mark.parametrize(
    "content",
    [
        '{"format": 1}',
        '{"format": 1, "salesforce": {}, "hubspot": {}}',
        '{"format": 1, "salesforce": [], "hubspot": 5}',
    ],
)
def test_a_state_that_is_not_complete_is_told_and_kept(shell: Shell, folder: Path, content: str) -> None:
    (folder / "state.json").write_text(content)

    answer = shell("sandbox", "--state", "state.json")

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("state.json is no complete state of a sandbox (")
    assert answer.err.endswith("): name another --state file, or remove this one to begin anew\n")
    assert (folder / "state.json").read_text() == content


def test_a_state_that_could_not_be_written_is_told_at_the_start(shell: Shell, folder: Path) -> None:
    answer = shell("sandbox", "--state", "nowhere/state.json")

    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        "nowhere/state.json cannot be written (No such file or directory): name another --state file, or "
        "make its folder\n"
    )
    assert list(folder.iterdir()) == []


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

    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        f"Port {port} of 127.0.0.1 cannot be used (Address already in use): choose another one; 0 takes "
        "any that is free\n"
    )
