"""What `deploy/` and `docs/deployment.md` promise: real commands, real settings, real files."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command
from typer.testing import CliRunner

from connector.cli.main import app
from connector.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
OUTSIDE_SETTINGS = {"LEADLOOP_CONFIG", "LEADLOOP_SECRETS_DIR"}
"""Read before there are settings."""


def compose() -> dict[str, Any]:
    loaded = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def assert_command(arguments: list[str]) -> None:
    """leadloop takes these arguments: asked for help at their end, it parses them all first."""
    command, *options = arguments
    result = CliRunner().invoke(app, [command, *options, "--help"])
    assert result.exit_code == 0, f"{arguments}: {result.output}"
    known = {name for each in get_command(app).commands[command].params for name in each.opts}  # type: ignore[attr-defined]  # a group
    given = {option for option in options if option.startswith("--")}
    assert given <= known, f"{command} has no {', '.join(given - known)}"


def assert_settings(environment: dict[str, str]) -> None:
    """Every variable is a setting, with a value it takes."""
    load_settings({}, {name: value for name, value in environment.items() if name not in OUTSIDE_SETTINGS})


def variables(text: str) -> dict[str, str]:
    """The variables of an env file, those in comments included."""
    return dict(re.findall(r"^#?(LEADLOOP_\w+)=(.*)$", text, re.MULTILINE))


def test_compose_runs_real_commands_with_real_settings() -> None:
    services = compose()["services"]
    own = {name: service for name, service in services.items() if service.get("image") == "leadloop"}
    assert sorted(own) == ["clock", "streams", "webhooks", "worker"]
    for service in own.values():
        assert_command(service["command"])
        environment = dict(service["environment"])
        assert environment["LEADLOOP_DATABASE_URL"].endswith("@postgres/leadloop")
        assert environment["LEADLOOP_REDIS_URL"].startswith("redis://redis:")
        assert_settings(environment)
        assert set(service["depends_on"]) <= set(services)
        assert all("healthcheck" in services[name] for name in service["depends_on"])


def test_compose_names_files_that_exist_and_volumes_that_are_declared() -> None:
    document = compose()
    worker = document["services"]["worker"]
    context = (DEPLOY / worker["build"]["context"]).resolve()
    assert context == ROOT
    assert (context / worker["build"]["dockerfile"]).is_file()
    assert (DEPLOY / f"{worker['env_file']}.example").is_file()
    named = {
        volume.partition(":")[0]
        for service in document["services"].values()
        for volume in service.get("volumes", ())
        if not volume.startswith(".")
    }
    assert named == set(document["volumes"])


def test_compose_puts_no_secret_into_the_file() -> None:
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    assert "${POSTGRES_PASSWORD:?" in text
    assert not re.search(r"(?i)password:\s*[a-z0-9]", text)


def test_the_example_of_the_environment_holds_real_settings() -> None:
    found = variables((DEPLOY / "leadloop.env.example").read_text(encoding="utf-8"))
    assert len(found) >= 10
    assert_settings(found)


def test_the_image_copies_what_exists_and_does_not_run_as_root() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        for source in shlex.split(line)[:-1]:
            assert (ROOT / source).exists(), source
            assert f"!{source}" in ignored, f"{source} is kept out of the build"
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", text, re.MULTILINE)
    entry, command = (
        yaml.safe_load(match) for match in re.findall(r"^(?:ENTRYPOINT|CMD) (\[.+\])$", text, re.MULTILINE)
    )
    assert entry == ["leadloop"]
    assert_command(command)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_start_real_commands_and_allow_for_a_graceful_stop(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    (started,) = re.findall(r"^ExecStart=(.+)$", text, re.MULTILINE)
    program, *arguments = shlex.split(started.replace("%i", "1"))
    assert program == "/opt/leadloop/bin/leadloop"
    assert_command(arguments)
    assert "Restart=always" in text
    assert "TimeoutStopSec=2min" in text
    assert_settings(dict(re.findall(r"^Environment=(LEADLOOP_\w+)=(.*)$", text, re.MULTILINE)))


def test_what_an_admin_types_runs_as_the_units_do() -> None:
    """The same user, folder, settings and database: it would see another leadloop, or lock this one out."""
    script = (DEPLOY / "systemd" / "leadloop").read_text(encoding="utf-8")
    properties = dict(re.findall(r"--property=(\w+)=(\S+)", script))
    assert properties["WorkingDirectory"] == "/var/lib/leadloop"  # %S of a system unit
    assert '/opt/leadloop/bin/leadloop "$@"' in script
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8")
        said = dict(re.findall(r"^(\w+)=(\S+)$", text, re.MULTILINE))
        assert said["WorkingDirectory"] == "%S/leadloop"
        for name in ("User", "DynamicUser", "StateDirectory", "EnvironmentFile", "UMask"):
            assert properties[name] == said[name], f"{name} of {unit.name}"
        assert f"--setenv={re.findall(r'^Environment=(.+)$', text, re.MULTILINE)[0]}" in script
    assert os.access(DEPLOY / "systemd" / "leadloop", os.X_OK)


@pytest.mark.parametrize("command", ["worker", "clock", "webhooks", "streams"])
def test_every_option_is_documented(command: str) -> None:
    text = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    options = get_command(app).commands[command].params  # type: ignore[attr-defined]  # a group
    for option in options:
        name = max(option.opts, key=len)
        rows = [line for line in text.splitlines() if line.startswith(f"| `{name} ")]
        assert rows, f"{command} {name} is not in docs/deployment.md"
        assert f"`{command}`" in rows[0]


def test_the_pages_name_real_commands_and_files() -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]  # a group
    for page in (DEPLOY / "README.md", ROOT / "docs" / "deployment.md"):
        text = page.read_text(encoding="utf-8")
        prose, blocks = "".join(text.split("```")[::2]), "".join(text.split("```")[1::2])
        spans = re.findall(r"`([^`\n]+)`", prose)
        named = re.findall(r"\bleadloop ([a-z]+)\b", "\n".join([*spans, blocks]))
        assert len(named) >= 3
        assert set(named) <= set(commands), f"{page.name}: {set(named) - set(commands)}"
        for name in re.findall(r"^(?:docs|systemd|deploy)/[\w@./-]+$", "\n".join(spans), re.MULTILINE):
            assert (DEPLOY / name).exists() or (ROOT / name).exists(), name
