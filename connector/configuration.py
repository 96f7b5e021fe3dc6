"""Configuration: a folder of YAML (leadloop.yaml, mappings, rules) as the one compiled thing that decides.

Reads files; connects to nothing. Every error names file, line and column. A configuration is stored with the
database when it is applied, so that an edited file takes effect only by `leadloop apply`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from connector.brake import KINDS, BrakeLimit, BrakeLimits
from connector.clock import MINUTE_MS
from mappings.mapping import Mapping as LeadMapping
from mappings.mapping import load_mapping
from mappings.problems import ConfigError, ConfigErrors
from mappings.source import Source, parse, validate
from rules.evaluate import Rules
from rules.expressions import Condition, compile_condition
from rules.load import load_rules

MAIN_FILE = "leadloop.yaml"
PRESET = "preset:"
DEFAULT_MAPPINGS = ("preset:lead", "preset:salesforce", "preset:hubspot")
DEFAULT_RULES = ("preset:default",)


class _Limit(BaseModel):
    model_config = ConfigDict(extra="forbid")
    share: float = Field(ge=0, le=1)
    at_least: int = Field(ge=0)


class _Brake(BaseModel):
    model_config = ConfigDict(extra="forbid")
    window_minutes: int = Field(default=60, ge=1, le=1_440)
    limits: dict[str, _Limit] = Field(default_factory=dict)


class _Main(BaseModel):
    """leadloop.yaml."""

    model_config = ConfigDict(extra="forbid")
    mappings: list[str] = Field(default_factory=lambda: list(DEFAULT_MAPPINGS), min_length=1)
    rules: list[str] = Field(default_factory=lambda: list(DEFAULT_RULES), min_length=1)
    brake: _Brake = Field(default_factory=_Brake)
    read_before_handoff: bool = False
    settings: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Configuration:
    """A compiled configuration. `documents` are the texts by name, `version` their hash, `settings` the part
    of leadloop.yaml that an admin could also set by environment variables."""

    version: str
    documents: Mapping[str, str]
    mapping: LeadMapping
    rules: Rules
    create_when: Mapping[str, Condition]
    brake: BrakeLimits = field(default_factory=BrakeLimits)
    read_before_handoff: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)


def load_configuration(folder: Path | None) -> Configuration:
    """Load and compile a folder; without a leadloop.yaml in it (or without a folder) the shipped presets.

    Raises ConfigErrors with everything that is wrong."""
    documents: dict[str, str] = {MAIN_FILE: ""}
    if folder is not None and (folder / MAIN_FILE).is_file():
        documents[MAIN_FILE] = _text(folder / MAIN_FILE, MAIN_FILE)
    elif folder is not None and folder.exists() and not folder.is_dir():
        raise _error(str(folder), f"{folder} is not a folder")
    main = _main(documents[MAIN_FILE])
    for kind, names in (("mappings", main.mappings), ("rules", main.rules)):
        for name in names:
            documents[name] = _document(folder, kind, name)
    return compile_documents(documents)


def compile_documents(documents: Mapping[str, str]) -> Configuration:
    """Compile the texts of a configuration, as `load_configuration` read them or the database kept them.

    Raises ConfigErrors with everything that is wrong."""
    main = _main(documents[MAIN_FILE])
    mapping = load_mapping([_source(documents, name) for name in main.mappings])
    types = {name: rule.type for name, rule in mapping.fields.items()}
    choices = {name: rule.values for name, rule in mapping.fields.items() if rule.values is not None}
    kinds = {
        counter.activity
        for side in mapping.sides.values()
        for target in side.objects.values()
        for counter in target.counters
    }
    rules = load_rules(
        [_source(documents, name) for name in main.rules],
        types,
        {kind: {"detail"} for kind in kinds},
        sides=set(mapping.sides),
        choices=choices,
    )
    create_when: dict[str, Condition] = {}
    for side in mapping.sides.values():
        target = side.object_for_create
        if target is not None and target.create is not None:
            rule = target.create
            create_when[side.side] = compile_condition(
                rule.when,
                types,
                sides=set(mapping.sides),
                choices=choices,
                file=rule.file,
                line=rule.line,
                column=rule.column,
            )
    unknown = sorted(set(main.brake.limits) - set(KINDS))
    if unknown:
        raise _error(
            MAIN_FILE, f"brake.limits: {unknown[0]!r} is no kind of change (known: {', '.join(KINDS)})"
        )
    defaults = BrakeLimits()
    limits = {kind: BrakeLimit(item.share, item.at_least) for kind, item in main.brake.limits.items()}
    text = "\0".join(f"{name}\0{documents[name]}" for name in sorted(documents))
    return Configuration(
        version=hashlib.sha256(text.encode()).hexdigest()[:16],
        documents=dict(documents),
        mapping=mapping,
        rules=rules,
        create_when=create_when,
        brake=BrakeLimits({**defaults.limits, **limits}, main.brake.window_minutes * MINUTE_MS),
        read_before_handoff=main.read_before_handoff,
        settings=main.settings,
    )


def shipped(kind: str, name: str) -> str:
    """The text of a preset; `kind` is "mappings" or "rules". Raises ConfigErrors when there is none."""
    place = resources.files(kind).joinpath("presets", f"{name}.yaml")
    if not place.is_file():
        raise _error(f"{PRESET}{name}", f"there is no {kind} preset {name!r}")
    return place.read_text(encoding="utf-8")


def _main(text: str) -> _Main:
    document = parse(Source(MAIN_FILE, text or "{}"))
    return validate(_Main, document)


def _document(folder: Path | None, kind: str, name: str) -> str:
    if name.startswith(PRESET):
        return shipped(kind, name.removeprefix(PRESET))
    return _text((folder or Path()) / name, name)


def _text(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _error(name, f"cannot be read: {error}") from error


def _source(documents: Mapping[str, str], name: str) -> Source:
    shown = f"{name.removeprefix(PRESET)}.yaml" if name.startswith(PRESET) else name
    return Source(shown, documents[name])


def _error(file: str, message: str) -> ConfigErrors:
    errors: Sequence[ConfigError] = [ConfigError(file=file, line=1, column=1, message=message)]
    return ConfigErrors(list(errors))
