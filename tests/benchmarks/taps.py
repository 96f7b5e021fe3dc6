"""Taps: the public readers of either platform, as the package registry has them, pointed at a static server.

Each is installed into an environment of its own. Nothing of a tap is changed: it gets a configuration, a
catalog that selects the fields that leadloop reads, and a `sitecustomize` that leads its requests to the
loopback server, since neither takes an address. What a tap writes goes to a file, as into a pipe.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from connector.platforms.hubspot.records import MERGED
from connector.platforms.salesforce.records import Columns
from tests.benchmarks.offline import small_configuration
from tests.benchmarks.records import Side

REQUIREMENTS: dict[Side, str] = {"hubspot": "tap-hubspot==4.5.0", "salesforce": "tap-salesforce==2.8.1"}
"""The newest on the registry in November 2026."""

_COMMANDS: dict[Side, str] = {"hubspot": "tap-hubspot", "salesforce": "tap-salesforce"}
_INSTALL_SECONDS = 600

_LEAD_TO_THE_SERVER = """\
import os
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter

_send = HTTPAdapter.send


def send(self, request, *arguments, **options):
    parts = urlsplit(request.url)
    request.url = os.environ["BENCHMARK_SERVER"] + request.url[len(f"{parts.scheme}://{parts.netloc}"):]
    return _send(self, request, *arguments, **options)


HTTPAdapter.send = send
"""


class NotInstallable(Exception):
    """The registry does not give the tap; says why."""


@dataclass(frozen=True, slots=True)
class Read:
    """What a whole process took to read so many records."""

    records: int
    cpu_seconds: float
    wall_seconds: float


def timed(command: Sequence[str], folder: Path, environment: dict[str, str]) -> tuple[float, float, Path]:
    """CPU and wall seconds of a process, from its start to its end, and the file with what it printed."""
    printed = folder / "printed"
    complaints = folder / "complaints"
    with printed.open("wb") as out, complaints.open("wb") as err:
        began = time.perf_counter()
        with subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=err) as process:
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - began
    assert process.returncode == 0, complaints.read_text("utf-8", "replace")[-2_000:]
    return _cpu(used), wall, printed


def _cpu(used: resource.struct_rusage) -> float:
    return used.ru_utime + used.ru_stime


def install(side: Side, folder: Path) -> Path:
    """The tap's command in an environment of its own. Raises NotInstallable."""
    python = folder / "bin" / "python"
    commands = (
        [sys.executable, "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", REQUIREMENTS[side]],
    )
    for command in commands:
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotInstallable(f"{REQUIREMENTS[side]} cannot be installed: {error}") from error
        if done.returncode:
            raise NotInstallable(f"{REQUIREMENTS[side]} cannot be installed: {done.stderr.strip()[-500:]}")
    return folder / "bin" / _COMMANDS[side]


def read(side: Side, tap: Path, url: str, since_ms: int, folder: Path) -> Read:
    """One run of a tap that has read everything before `since_ms`."""
    (folder / "sitecustomize.py").write_text(_LEAD_TO_THE_SERVER, "utf-8")
    since = datetime.fromtimestamp(since_ms / 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    given = _hubspot(since) if side == "hubspot" else _salesforce(since)
    for name, content in zip(("config.json", "catalog.json"), given, strict=True):
        (folder / name).write_bytes(orjson.dumps(content))
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(folder),
        "BENCHMARK_SERVER": url,
        "NO_PROXY": "*",
    }
    command = [str(tap), "--config", "config.json", "--properties", "catalog.json"]
    cpu_seconds, wall_seconds, printed = timed(command, folder, environment)
    with printed.open("rb") as lines:
        records = sum(orjson.loads(line)["type"] == "RECORD" for line in lines)
    return Read(records, cpu_seconds, wall_seconds)


def _hubspot(since: str) -> tuple[dict[str, Any], dict[str, Any]]:
    natives = small_configuration().mapping.sides["hubspot"].objects["contacts"].natives
    names = ["id", "updatedAt", *(f"property_{name}" for name in (*natives, MERGED))]
    text = {"type": ["null", "string"]}
    stream = _stream("contacts", "contacts", dict.fromkeys(names, text), ["id"], "updatedAt")
    return {"api_key": "token", "start_date": since}, {"streams": [stream]}


def _salesforce(since: str) -> tuple[dict[str, Any], dict[str, Any]]:
    natives = small_configuration().mapping.sides["salesforce"].objects["Lead"].natives
    text = {"type": ["null", "string"]}
    moment = {"anyOf": [{"type": "string", "format": "date-time"}, text]}
    kinds: dict[str, Any] = {
        "SystemModstamp": moment,
        "CreatedDate": moment,
        "IsDeleted": {"type": ["null", "boolean"]},
        "IsConverted": {"type": ["null", "boolean"]},
        "NumberOfEmployees": {"type": ["null", "integer"]},
    }
    fields = {name: kinds.get(name, text) for name in Columns.of("Lead", natives).select}
    stream = _stream("Lead", "Lead", fields, ["Id"], "SystemModstamp")
    config = {
        "client_id": "client",
        "client_secret": "secret",
        "refresh_token": "token",
        "start_date": since,
        "api_type": "REST",
        "select_fields_by_default": True,
    }
    return config, {"streams": [stream]}


def _stream(
    name: str, stream_id: str, fields: dict[str, Any], keys: list[str], replication_key: str
) -> dict[str, Any]:
    """A catalog entry with every field selected."""
    about = {
        "selected": True,
        "table-key-properties": keys,
        "replication-key": replication_key,
        "valid-replication-keys": [replication_key],
    }
    automatic = {*keys, replication_key}
    return {
        "stream": name,
        "tap_stream_id": stream_id,
        "key_properties": keys,
        "replication_key": replication_key,
        "schema": {"type": "object", "properties": fields},
        "metadata": [
            {"breadcrumb": [], "metadata": about},
            *(
                {
                    "breadcrumb": ["properties", field],
                    "metadata": {
                        "selected": True,
                        "inclusion": "automatic" if field in automatic else "available",
                    },
                }
                for field in fields
            ),
        ],
    }
