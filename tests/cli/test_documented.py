"""Everything that can be typed is documented, and nothing else is: commands, options, settings, metrics."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import BaseModel

from connector import configuration
from connector.brake import KINDS
from connector.cli.main import app
from connector.clock import SystemClock
from connector.metrics import Metrics
from connector.settings import Settings
from connector.store.database import Database

DOCS = Path(__file__).resolve().parents[2] / "docs"
COMMANDS = (DOCS / "commands.md").read_text(encoding="utf-8")
SETTINGS = (DOCS / "settings.md").read_text(encoding="utf-8")
SECTIONS = {
    title: body for title, _, body in (part.partition("`\n") for part in COMMANDS.split("\n## `")[1:])
}


def commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Every command with its full name."""
    children = getattr(command, "commands", {})
    if name != "leadloop":
        yield name, command
    for child, found in children.items():
        yield from commands(found, f"{name} {child}")


ALL = dict(commands(typer.main.get_command(app), "leadloop"))


def options(command: Any) -> set[str]:
    found = {
        option
        for parameter in command.params
        if parameter.param_type_name == "option"
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    return found - {"--help"}


def test_every_command_has_a_section_and_every_section_a_command() -> None:
    assert set(SECTIONS) == set(ALL)


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_option_is_in_its_table_and_no_other(name: str) -> None:
    rows = re.findall(r"^\| `(--[a-z-]+)[^`]*` \|", SECTIONS.get(name, ""), re.MULTILINE)

    assert sorted(rows) == sorted(options(ALL[name]))


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_argument_is_shown_in_its_place(name: str) -> None:
    for parameter in ALL[name].params:
        if parameter.param_type_name == "argument":
            assert f"`{name} {parameter.metavar}`" in SECTIONS.get(name, "")


def test_the_global_options_are_documented() -> None:
    for option in options(typer.main.get_command(app)):
        assert f"| `{option}" in COMMANDS.partition("\n## ")[0]


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_command_and_option_explains_itself(name: str) -> None:
    command = ALL[name]

    assert command.help
    for parameter in command.params:
        assert getattr(parameter, "help", "") or "--help" in parameter.opts, parameter.name


def variables(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from variables(field.annotation, f"{prefix}{name.upper()}__")
        else:
            yield f"{prefix}{name.upper()}"


def test_every_setting_is_documented_and_nothing_else() -> None:
    rows = re.findall(r"^\| `(LEADLOOP_[A-Z_]+)` \|", SETTINGS, re.MULTILINE)

    expected = {*variables(Settings, "LEADLOOP_"), "LEADLOOP_CONFIG", "LEADLOOP_SECRETS_DIR"}
    assert sorted(rows) == sorted(expected)


def test_every_key_of_leadloop_yaml_is_documented() -> None:
    main, brake = configuration._Main.model_fields, configuration._Brake.model_fields
    keys = {*main, *(f"brake.{name}" for name in brake)} - {"brake", "report"}
    keys |= {f"report.{name}" for name in configuration._Report.model_fields}
    keys |= {f"brake.limits.KIND.{name}" for name in configuration._Limit.model_fields}

    rows = re.findall(r"^\| `([a-zA-Z_.]+)` \|", SETTINGS.partition("## leadloop.yaml")[2], re.MULTILINE)

    assert set(rows) == keys
    assert all(f"`{kind}`" in SETTINGS for kind in KINDS)


def test_every_metric_is_documented(sqlite_url: str) -> None:
    database = Database.open(sqlite_url)
    try:
        page = Metrics(database, SystemClock(), ["hubspot"], dict).text().decode()
    finally:
        database.close()
    found = {line.split()[2] for line in page.splitlines() if line.startswith("# TYPE")}

    documented = set(re.findall(r"^\| `(leadloop_[a-z0-9_]+)", COMMANDS, re.MULTILINE))

    assert documented == {name for name in found if not name.endswith("_created")}
