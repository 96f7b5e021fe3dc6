"""What the pages name exists: links, commands, options, Make targets, files, settings, YAML."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import BaseModel

from connector.cli.init import COPIES
from connector.cli.main import app
from connector.settings import Settings
from mappings.source import Source, parse
from tests.docs.pages import (
    PAGES,
    ROOT,
    anchors_of,
    blocks_of,
    name_of,
    prose_of,
    snippets_of,
    text_of,
)

CLI: Any = typer.main.get_command(app)
OUTSIDE_SETTINGS = {"LEADLOOP_CONFIG", "LEADLOOP_SECRETS_DIR"}
"""Read before there are settings."""
TEST_SETTINGS = re.compile(r"LEADLOOP_(CONTRACT|TEST)_")

page = pytest.mark.parametrize("page", PAGES, ids=name_of)


def targets() -> set[str]:
    """The targets of the Makefile that a person calls."""
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert phony is not None
    return set(phony[1].split())


def links(text: str) -> Iterator[str]:
    yield from re.findall(r"\]\(([^)\s]+)\)", prose_of(text))


def calls(text: str) -> Iterator[list[str]]:
    """The arguments of every call of leadloop that a page shows."""
    for snippet in snippets_of(text):
        for part in re.split(r"&&|\|\|?|;", snippet):
            command = re.sub(r"^\s*\$ ", "", part).split(" #")[0]
            found = re.match(r"\s*(?:\S*/|docker compose exec worker )?leadloop(?: ([\w\[-].*))?$", command)
            if found and found[1] is not None:
                # the optional parts of a synopsis are written in square brackets
                yield shlex.split(found[1].replace("[", "").replace("]", ""))


def parameters(command: Any) -> dict[str, Any]:
    """The options of a command, by spelling."""
    return {
        name: parameter
        for parameter in command.params
        if parameter.param_type_name == "option"
        for name in (*parameter.opts, *parameter.secondary_opts)
    }


def unknown_in(arguments: list[str]) -> str | None:
    """What leadloop would not understand of these arguments; None when it understands all."""
    command, rest = CLI, list(arguments)
    while rest:
        word = rest.pop(0)
        if word.startswith("-"):
            name, _, value = word.partition("=")
            option = parameters(command).get(name)
            if option is None:
                return None if name == "--help" else name
            if not option.is_flag and not value and rest:
                rest.pop(0)
        elif getattr(command, "commands", None):
            if word not in command.commands:
                # a group may take an argument of its own only if it has no command of that name
                return word
            command = command.commands[word]
    return None


def settings_of(model: type[BaseModel], prefix: str = "LEADLOOP_") -> Iterator[str]:
    for name, info in model.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from settings_of(kind, f"{prefix}{name.upper()}__")
        else:
            yield prefix + name.upper()


SETTINGS = {*settings_of(Settings), *OUTSIDE_SETTINGS}


def is_setting(name: str) -> bool:
    """Whether it is a setting, or the beginning of some (`LEADLOOP_SALESFORCE` of a platform's)."""
    return any(setting == name or setting.startswith(f"{name}__") for setting in SETTINGS)


@page
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for link in links(text_of(page)):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.is_relative_to(ROOT), link
        assert target.exists(), link
        if anchor:
            assert anchor in anchors_of(text_of(target)), link


@page
def test_every_call_of_leadloop_is_one_that_it_understands(page: Path) -> None:
    for arguments in calls(text_of(page)):
        assert unknown_in(arguments) is None, arguments


@page
def test_every_make_target_exists(page: Path) -> None:
    named = {
        target
        for snippet in snippets_of(text_of(page))
        for target in re.findall(r"(?:^|&& )make ([a-z]+)\b", snippet)
    }

    assert named <= targets()


@page
def test_every_setting_exists(page: Path) -> None:
    named = {
        name
        for name in re.findall(r"\bLEADLOOP_[A-Z][A-Z_]*[A-Z]\b", text_of(page))
        if not TEST_SETTINGS.match(name)
    }

    assert {name for name in named if not is_setting(name)} == set()


@page
def test_every_yaml_block_is_yaml_as_leadloop_reads_it(page: Path) -> None:
    for block in blocks_of(text_of(page)):
        if block.language == "yaml":
            parse(Source(f"{name_of(page)}:{block.line}", block.text))


@page
def test_every_file_that_is_named_exists(page: Path) -> None:
    """In the repository, beside the page, or in the folder that `leadloop init` writes."""
    roots = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
    for snippet in re.findall(r"`([\w./-]+/[\w./-]*)`", prose_of(text_of(page))):
        top = snippet.split("/")[0]
        if top in roots and snippet not in COPIES:
            assert (ROOT / snippet).exists() or (page.parent / snippet).exists(), snippet


@page
def test_no_path_of_somebodys_machine_is_named(page: Path) -> None:
    assert not re.search(r"(?<![\w.])/(work|tmp|home|root)/", text_of(page))


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        current = waiting.pop()
        reached.add(current)
        for link in links(text_of(current)):
            target = (current.parent / link.partition("#")[0]).resolve()
            if target.suffix == ".md" and target.exists() and target not in reached:
                waiting.append(target)

    assert set(PAGES) <= reached


def test_the_readme_shows_the_two_commands_on_its_first_screen() -> None:
    text = text_of(ROOT / "README.md")
    blocks = [block.text for block in blocks_of(text)]

    assert blocks[0] == "make demo\n"
    assert any("leadloop run\n" in block for block in blocks[:3])


def test_every_make_target_is_explained_to_contributors() -> None:
    text = text_of(ROOT / "CONTRIBUTING.md")

    assert targets() - {"install"} == set(re.findall(r"^\| `make (\w+)` \|", text, re.MULTILINE))
