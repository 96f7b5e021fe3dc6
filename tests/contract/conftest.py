"""How the contract is run: live against the sandbox and from cassettes; or recorded anew.

`LEADLOOP_CONTRACT_RECORD=sandbox` records against the sandbox, `=real` against the account whose credentials
are in `LEADLOOP_CONTRACT_SALESFORCE__…` and `LEADLOOP_CONTRACT_HUBSPOT__…`. See docs/contract-tests.md.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.clock import ManualClock
from tests.contract.cassettes import CASSETTES, cassette
from tests.contract.worlds import RealWorld, World

RECORD = os.environ.get("LEADLOOP_CONTRACT_RECORD", "")
SANDBOX_RUN = {"run": "one", "now_ms": 1_790_000_000_000, "source": "sandbox", "renewable": False}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "live_only: needs a connection that breaks, so no cassette")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "mode" in metafunc.fixturenames:
        modes = {"": ["sandbox", "replay"], "sandbox": ["record"], "real": ["record-real"]}[RECORD]
        metafunc.parametrize("mode", modes)


@pytest.fixture
def world(mode: str, request: pytest.FixtureRequest) -> Iterator[World]:
    """The platform under test, new for each test."""
    contract = request.instance
    folder = CASSETTES / contract.platform
    path = folder / f"{_name(request.node, mode)}.yaml"
    live_only = request.node.get_closest_marker("live_only") is not None
    if live_only and mode != "sandbox":
        pytest.skip("a connection that breaks cannot be recorded")
    run = _run(contract.platform, mode)
    clock = ManualClock(int(run["now_ms"]))
    if mode == "sandbox":
        with contract.sandbox(clock) as url:
            yield from _living(contract.sandbox_world(url, clock, run["run"]))
        return
    if mode == "replay":
        if not path.exists():
            pytest.skip(f"not recorded against {run['source']}")
        made = contract.sandbox_world if run["source"] == "sandbox" else contract.replayed_world
        with cassette(path, record=False, real=False):
            yield from _living(made("http://127.0.0.1:9", clock, run["run"], run["renewable"]))
        return
    path.unlink(missing_ok=True)
    try:
        if mode == "record":
            with contract.sandbox(clock) as url, cassette(path, record=True, real=False):
                yield from _living(contract.sandbox_world(url, clock, run["run"]))
        else:
            with cassette(path, record=True, real=True):
                yield from _living(contract.real_world("", clock, run["run"]))
    except pytest.skip.Exception:
        path.unlink(missing_ok=True)
        raise


def _name(node: pytest.Function, mode: str) -> str:
    """The test's name with its parameters, without the mode."""
    parameters = [part for part in node.callspec.id.split("-") if part not in mode.split("-")]
    return "-".join([node.originalname.removeprefix("test_"), *parameters])


def _living(world: World) -> Iterator[World]:
    try:
        yield world
    finally:
        for platform in world.open:
            platform.close()
        if isinstance(world, RealWorld):
            world.clean()


def _run(platform: str, mode: str) -> dict[str, Any]:
    """Names, times and kind of login of a recording: requests match only with the same ones."""
    file = CASSETTES / platform / "run.json"
    if mode == "sandbox":
        return SANDBOX_RUN
    if mode in ("record", "record-real") and not _begun(file):
        run: dict[str, Any] = dict(SANDBOX_RUN)
        if mode == "record-real":
            prefix = f"LEADLOOP_CONTRACT_{platform.upper()}__"
            run = {
                "run": secrets.token_hex(3),
                "now_ms": time.time_ns() // 1_000_000,
                "source": "real",
                # what cannot be renewed is given whole; everything else starts with a login
                "renewable": not {f"{prefix}SESSION_ID", f"{prefix}ACCESS_TOKEN"} & set(os.environ),
            }
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(run) + "\n", encoding="utf-8")
        _RECORDING.add(file)
    if not file.exists():
        pytest.skip("nothing is recorded yet")
    known: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return known


_RECORDING: set[Path] = set()


def _begun(file: Path) -> bool:
    return file in _RECORDING
