"""Configuration: a folder of YAML (leadloop.yaml, mappings, rules) as the one compiled thing that decides.

Reads files; connects to nothing. Every error names file, line and column. A configuration is stored with the
database when it is applied, so that an edited file takes effect only by `leadloop apply`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import Field

from connector.activity_file import OWN as OWN_COLUMNS
from connector.brake import KINDS, BrakeLimit, BrakeLimits
from connector.clock import MINUTE_MS
from connector.mapping_conditions import create_conditions, filter_conditions
from connector.reason_table import unknown_reasons
from connector.report.context import DEFAULT_FIELDS, ReportFields
from connector.taking_part import Filters
from mappings.compile_activity import ACTIVITY_NAME, NAME_HINT
from mappings.mapping import Mapping as LeadMapping
from mappings.mapping import load_mapping
from mappings.problems import ConfigError, ConfigErrors, did_you_mean
from mappings.problems import Path as KeyPath
from mappings.source import Document, Source, parse, validate
from mappings.validation import Strict
from mappings.values import FieldType
from mappings.vocabulary import CANONICAL, Vocabulary, load_vocabulary, shipped_vocabularies, vocabulary_text
from rules.document import RulesDocument
from rules.evaluate import Rules
from rules.expressions import Condition
from rules.load import load_rules
from rules.scope import Scope, declare_activities

MAIN_FILE = "leadloop.yaml"
PRESET = "preset:"
VOCABULARY = "vocabulary:"
"""Begins the name of a document that is a vocabulary."""
DEFAULT_MAPPINGS = ("preset:lead", "preset:salesforce", "preset:hubspot")
DEFAULT_RULES = ("preset:default",)


class _Limit(Strict):
    share: float = Field(ge=0, le=1)
    at_least: int = Field(ge=0)


class _Brake(Strict):
    window_minutes: int = Field(default=60, ge=1, le=1_440)
    limits: dict[str, _Limit] = Field(default_factory=dict)


class _Report(Strict):
    source: str = DEFAULT_FIELDS.source
    campaign: str = DEFAULT_FIELDS.campaign
    segment: str = DEFAULT_FIELDS.segment


class _Main(Strict):
    """leadloop.yaml."""

    mappings: list[str] = Field(default_factory=lambda: list(DEFAULT_MAPPINGS), min_length=1)
    rules: list[str] = Field(default_factory=lambda: list(DEFAULT_RULES), min_length=1)
    brake: _Brake = Field(default_factory=_Brake)
    read_before_handoff: bool = False
    report: _Report = Field(default_factory=_Report)
    vocabulary: str | None = None
    sources: dict[str, dict[str, dict[str, FieldType] | None]] = Field(default_factory=dict)
    settings: Any = None  # checked by `connector.settings.written_settings`


@dataclass(frozen=True, slots=True)
class Configuration:
    """A compiled configuration. `documents` are the texts by name, `version` their hash."""

    version: str
    documents: Mapping[str, str]
    mapping: LeadMapping
    rules: Rules
    create_when: Mapping[str, Condition]
    filters: Filters
    brake: BrakeLimits = field(default_factory=BrakeLimits)
    read_before_handoff: bool = False
    report: ReportFields = DEFAULT_FIELDS
    vocabulary: Vocabulary = CANONICAL
    sources: Mapping[str, Mapping[str, Mapping[str, FieldType]]] = field(default_factory=dict)
    scope: Scope = field(default_factory=lambda: Scope({}), repr=False, compare=False)

    def documents_in(self, kind: str) -> list[Source]:
        """The documents that leadloop.yaml lists under `mappings` or `rules`, by the names messages use."""
        main = _main(parse(Source(MAIN_FILE, self.documents[MAIN_FILE])))
        return [_source(self.documents, name) for name in getattr(main, kind)]


def load_configuration(folder: Path | None) -> Configuration:
    """Load and compile a folder; without a leadloop.yaml in it (or without a folder) the shipped presets.

    Raises ConfigErrors with everything that is wrong."""
    documents, errors = read_documents(folder)
    if errors:
        raise ConfigErrors(errors)
    return compile_documents(documents)


def read_documents(folder: Path | None) -> tuple[dict[str, str], list[ConfigError]]:
    """The texts that leadloop.yaml names, as far as they can be read, and an error for each other.

    Raises ConfigErrors when leadloop.yaml itself cannot be used."""
    document = read_main(folder)
    main = _main(document)
    documents = {MAIN_FILE: document.source.text}
    errors: list[ConfigError] = []
    for kind, names in (("mappings", main.mappings), ("rules", main.rules)):
        for number, name in enumerate(names):
            try:
                documents[name] = _text(folder, kind, name)
            except _NotReadError as error:
                errors.append(document.error((kind, number), str(error), error.hint))
    if main.vocabulary is not None:
        try:
            documents[VOCABULARY + main.vocabulary] = _vocabulary_text(folder, main.vocabulary)
        except _NotReadError as error:
            errors.append(document.error(("vocabulary",), str(error), error.hint))
    return documents, errors


def read_main(folder: Path | None) -> Document:
    """leadloop.yaml as it stands in the folder, parsed; empty where there is none. Raises ConfigErrors."""
    path = None if folder is None else folder / MAIN_FILE
    try:
        # a link that leads nowhere is there as well: it must not be taken for the shipped presets
        written = path is not None and (path.exists() or path.is_symlink())
        text = _read(path) if path is not None and written else ""
    except _NotReadError as error:
        raise ConfigErrors([ConfigError(MAIN_FILE, 1, 1, str(error), error.hint)]) from error
    return parse(Source(MAIN_FILE, text))


def compile_documents(documents: Mapping[str, str]) -> Configuration:
    """Compile the texts of a configuration, as `load_configuration` read them or the database kept them.

    Raises ConfigErrors with everything that is wrong."""
    main = _main(parse(Source(MAIN_FILE, documents[MAIN_FILE])))
    errors: list[ConfigError] = []
    vocabulary = CANONICAL
    if main.vocabulary is not None:
        name = VOCABULARY + main.vocabulary
        try:
            vocabulary = load_vocabulary(Source(shown_name(name), documents[name]))
        except ConfigErrors as found:
            errors += found.errors
    rules_sources = [_source(documents, name) for name in main.rules]
    try:
        mapping = load_mapping([_source(documents, name) for name in main.mappings])
    except ConfigErrors as found:
        # which names the rules may use is not known now, but their shape can be judged
        raise ConfigErrors([*found.errors, *_misshapen(rules_sources), *errors]) from None
    errors += _report_mistakes(parse(Source(MAIN_FILE, documents[MAIN_FILE])), main, mapping)
    types = {name: rule.type for name, rule in mapping.fields.items()}
    choices = {name: rule.values for name, rule in mapping.fields.items() if rule.values is not None}
    activities = mapping.activities
    sources, wrong = _sources(parse(Source(MAIN_FILE, documents[MAIN_FILE])), main, activities)
    errors += wrong
    create_when = create_conditions(mapping, types, choices, errors)
    filters = filter_conditions(mapping, types, choices, errors)
    try:
        rules = load_rules(rules_sources, types, activities, sides=set(mapping.sides), choices=choices)
    except ConfigErrors as found:
        raise ConfigErrors([*errors, *found.errors]) from None
    errors += unknown_reasons([_source(documents, name) for name in main.mappings], rules)
    if errors:
        raise ConfigErrors(errors)
    defaults = BrakeLimits()
    limits = {kind: BrakeLimit(item.share, item.at_least) for kind, item in main.brake.limits.items()}
    text = "\0".join(f"{name}\0{documents[name]}" for name in sorted(documents))
    return Configuration(
        version=hashlib.sha256(text.encode()).hexdigest()[:16],
        documents=dict(documents),
        mapping=mapping,
        rules=rules,
        create_when=create_when,
        filters=filters,
        brake=BrakeLimits({**defaults.limits, **limits}, main.brake.window_minutes * MINUTE_MS),
        read_before_handoff=main.read_before_handoff,
        report=ReportFields(**main.report.model_dump()),
        vocabulary=vocabulary,
        sources=sources,
        scope=Scope(types, declare_activities(activities), choices, rules.reasons, set(mapping.sides)),
    )


def _sources(
    document: Document, main: _Main, activities: dict[str, dict[str, FieldType]]
) -> tuple[dict[str, dict[str, dict[str, FieldType]]], list[ConfigError]]:
    """The sources outside the platforms, by name, and what is wrong with them. Their kinds are added to
    `activities`."""
    sources: dict[str, dict[str, dict[str, FieldType]]] = {}
    errors: list[ConfigError] = []
    for name, kinds in main.sources.items():
        sources[name] = {kind: dict(attributes or {}) for kind, attributes in kinds.items()}
        paths: list[KeyPath] = [("sources", name)]
        for kind, attributes in sources[name].items():
            paths += [("sources", name, kind), *(("sources", name, kind, one) for one in attributes)]
            given = activities.setdefault(kind, {})
            for one, type_ in attributes.items():
                if given.setdefault(one, type_) != type_:
                    message = f'the attribute "{one}" of "{kind}" is {given[one]} elsewhere'
                    errors.append(document.error(("sources", name, kind, one), message, "one type for all"))
        for path in paths:
            taken = len(path) == 4 and path[-1] in ("at", *OWN_COLUMNS)
            if taken or not ACTIVITY_NAME.fullmatch(str(path[-1])):
                hint = "it has a meaning of its own" if taken else NAME_HINT
                errors.append(document.error(path, f'"{path[-1]}" cannot be used as a name', hint, key=True))
    return sources, errors


def _report_mistakes(document: Document, main: _Main, mapping: LeadMapping) -> list[ConfigError]:
    """Fields of the report that are none, that would name people, or that have a value of their own for
    nearly every lead. A field that nobody has chosen may be missing."""
    errors: list[ConfigError] = []
    for dimension in sorted(main.report.model_fields_set):
        name, place = getattr(main.report, dimension), ("report", dimension)
        field_rule = mapping.fields.get(name)
        if field_rule is None:
            message = f'the lead has no field "{name}"'
            errors.append(document.error(place, message, did_you_mean(name, mapping.fields)))
        elif field_rule.personal or field_rule.type in ("email", "phone"):
            message = f'"{name}" is personal, and the report keeps its values after a person is forgotten'
            errors.append(document.error(place, message, "use a field that many leads share"))
        elif field_rule.type in ("number", "money", "date", "datetime", "url"):
            message = f'"{name}" is a {field_rule.type}, which has a value of its own for nearly every lead'
            errors.append(document.error(place, message, "use a picklist or a text that many leads share"))
    return errors


def _misshapen(sources: Sequence[Source]) -> list[ConfigError]:
    """What is wrong with rules documents whatever the lead's fields are."""
    errors: list[ConfigError] = []
    for source in sources:
        try:
            validate(RulesDocument, parse(source))
        except ConfigErrors as found:
            errors += found.errors
    return errors


def shipped(kind: str, name: str) -> str:
    """The text of a preset; `kind` is "mappings" or "rules". Raises KeyError when there is none."""
    place = resources.files(kind).joinpath("presets", f"{name}.yaml")
    if not place.is_file():
        raise KeyError(name)
    return place.read_text(encoding="utf-8")


class _NotReadError(Exception):
    """A document that leadloop.yaml names cannot be read. `str()` says why; `hint` what would be right."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def _main(document: Document) -> _Main:
    main = validate(_Main, document)
    errors = [
        document.error(
            ("brake", "limits", kind), f'"{kind}" is no kind of change', did_you_mean(kind, KINDS), key=True
        )
        for kind in main.brake.limits
        if kind not in KINDS
    ]
    errors += [
        document.error((part, number), f'"{name}" is listed twice')
        for part, names in (("mappings", main.mappings), ("rules", main.rules))
        for number, name in enumerate(names)
        if name in names[:number]
    ]
    if errors:
        raise ConfigErrors(errors)
    return main


def _text(folder: Path | None, kind: str, name: str) -> str:
    """The text of a document as leadloop.yaml names it."""
    if not name.startswith(PRESET):
        return _read((folder or Path()) / name, name)
    try:
        return shipped(kind, name.removeprefix(PRESET))
    except KeyError:
        known = [f"{PRESET}{preset}" for preset in presets(kind)]
        raise _NotReadError(f'there is no {kind} preset "{name}"', did_you_mean(name, known)) from None


def presets(kind: str) -> Iterator[str]:
    """The names of the shipped presets of a kind."""
    for place in resources.files(kind).joinpath("presets").iterdir():
        if place.name.endswith(".yaml"):
            yield place.name.removesuffix(".yaml")


def _read(path: Path, name: str = "") -> str:
    shown = f'"{name}"' if name else "this file"
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise _NotReadError(f"{shown} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise _NotReadError(f"{shown} is not UTF-8 (byte {error.start})", "save it as UTF-8") from error


def _vocabulary_text(folder: Path | None, name: str) -> str:
    """The text of a vocabulary: a shipped one by its name, or a file (whose name ends in .yaml or .yml)."""
    if name.endswith((".yaml", ".yml")):
        return _read((folder or Path()) / name, name)
    try:
        return vocabulary_text(name)
    except KeyError:
        hint = did_you_mean(name, shipped_vocabularies())
        raise _NotReadError(f'there is no vocabulary "{name}"', hint) from None


def shown_name(name: str) -> str:
    """What messages call a document: a file by its path, a preset or a shipped vocabulary by its file."""
    if name.startswith(PRESET):
        return f"{name.removeprefix(PRESET)}.yaml"
    shipped_or_file = name.removeprefix(VOCABULARY)
    if shipped_or_file == name or name.endswith((".yaml", ".yml")):
        return shipped_or_file
    return f"{shipped_or_file}.yaml"


def _source(documents: Mapping[str, str], name: str) -> Source:
    return Source(shown_name(name), documents[name])
