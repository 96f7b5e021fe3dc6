"""Source: a YAML document with the place of everything in it, and the errors that point there.

Reads text, not files: who calls knows where the text came from. The YAML is that of version 1.2 (the country
`NO` stays a text, so do `12:30` and `0123`), keys are always texts, a duplicate key is an error. Used for
the mapping documents here and for the rules.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import yaml

from mappings.problems import ConfigError, ConfigErrors, Path, Place, did_you_mean, nearest
from mappings.validation import validate

__all__ = [
    "ConfigError",
    "ConfigErrors",
    "Document",
    "Path",
    "Place",
    "Source",
    "did_you_mean",
    "nearest",
    "parse",
    "validate",
]

_DEEPEST = 100
_BREAKS: Final = re.compile("\r\n|[\r\n]")
_STRAY: Final = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Control characters, which YAML does not take, and line breaks that editors do not show."""
_MOST_VALUES = 200_000  # a document of a few kilobytes can name billions through aliases


@dataclass(frozen=True, slots=True)
class Source:
    """A document's text. `name` is what messages call it: the file's path as the user knows it."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """Parsed YAML: plain dicts, lists, str, int, float, bool and None. `positions` has the place of the value
    at every path, `key_positions` that of the key in front of it."""

    source: Source
    data: Any
    positions: Mapping[Path, Place] = field(repr=False)
    key_positions: Mapping[Path, Place] = field(repr=False)

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Where the value (or its key) stands; for a path that is not there, where its parent does."""
        if key and path in self.key_positions:
            return self.key_positions[path]
        while path and path not in self.positions:
            path = path[:-1]
        return self.positions.get(path, (1, 1))

    def error(self, path: Path, message: str, hint: str = "", *, key: bool = False) -> ConfigError:
        """An error that points at the value at `path`, or at its key."""
        line, column = self.place(path, key=key)
        return ConfigError(self.source.name, line, column, message, hint)


def parse(source: Source) -> Document:
    """Read YAML. An empty text is an empty mapping. Raises ConfigErrors (with one error) for what is no YAML,
    for duplicate keys, several documents, and tags."""
    _check_characters(source)
    try:
        _check_depth(source)
        loader = _Loader(source.text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.YAMLError as fault:
        raise ConfigErrors([_yaml_error(source, fault)]) from None
    reading = _Reading(source)
    data = {} if node is None else reading.value(node, ())
    return Document(source, data, reading.positions, reading.key_positions)


def _check_characters(source: Source) -> None:
    """Refuse what cannot be seen: the parser would tell no place, or count lines otherwise than an editor."""
    stray = _STRAY.search(source.text)
    if stray is None:
        return
    before = _BREAKS.split(source.text[: stray.start()])
    message = f"the invisible character U+{ord(stray[0]):04X} cannot stand here"
    raise ConfigErrors([ConfigError(source.name, len(before), len(before[-1]) + 1, message, "delete it")])


def _check_depth(source: Source) -> None:
    """Refuse deep nesting before the recursive composer meets it: it would overflow the C stack."""
    depth = 0
    for event in yaml.parse(source.text, _Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                line, column = _place(event)
                raise ConfigErrors(
                    [ConfigError(source.name, line, column, f"this is nested more than {_DEEPEST} deep")]
                )
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the C parser where built
    """The parser, with the scalars of YAML 1.2's core schema, but 0123 is a text (a postal code)."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[Any]]] = {}  # replaces those of YAML 1.1


_TAG: Final = "tag:yaml.org,2002:"
_INT = r"[-+]?(?:0|[1-9][0-9]*)"
for _name, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", rf"{_INT}|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    ("float", rf"(?:[-+]?\.[0-9]+|{_INT}\.[0-9]*|{_INT}(?=[eE]))(?:[eE][-+]?[0-9]+)?", list("-+.0123456789")),
    ("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", list("-+.")),
):
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(rf"^(?:{_pattern})$"), _first)


class _Reading:
    """Turns YAML nodes into plain data and notes where each came from."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.positions: dict[Path, Place] = {}
        self.key_positions: dict[Path, Place] = {}
        self._open: set[int] = set()

    def value(self, node: yaml.Node, path: Path) -> Any:
        """The data of a node."""
        self.positions[path] = _place(node)
        if len(self.positions) > _MOST_VALUES:
            self._refuse(node, f"this document has more than {_MOST_VALUES} values")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if id(node) in self._open:
            self._refuse(node, "this contains itself")
        self._open.add(id(node))
        if node.tag not in (_TAG + "map", _TAG + "seq"):
            self._refuse(node, f"tags such as {node.tag} are not used here")
        if isinstance(node, yaml.SequenceNode):
            data: Any = [self.value(child, (*path, index)) for index, child in enumerate(node.value)]
        else:
            data = self._mapping(node, path)
        self._open.discard(id(node))
        return data

    def _mapping(self, node: yaml.Node, path: Path) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._refuse(key_node, "a key must be a text")
            key = str(key_node.value)
            if key == "<<":
                self._refuse(key_node, "merge keys (<<) are not used here; write the keys out")
            if key in data:
                first, _ = self.key_positions[(*path, key)]
                self._refuse(key_node, f'the key "{key}" is here twice (first in line {first})')
            self.key_positions[(*path, key)] = _place(key_node)
            data[key] = self.value(value_node, (*path, key))
        return data

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        text = str(node.value)
        kind = str(node.tag).removeprefix(_TAG)
        if kind == "str":
            return text
        try:
            if kind == "null":
                return None
            if kind == "bool":
                return {"true": True, "false": False}[text.lower()]
            if kind == "int":
                return int(text, 0) if text[:2] in ("0x", "0o") else int(text)
            if kind == "float":
                number = float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
                if math.isfinite(number):
                    return number
                self._refuse(node, f"{text} is not a finite number")
        except (ValueError, KeyError):
            self._refuse(
                node, f'"{text[:20]}{"…" if len(text) > 20 else ""}" is not a number that can be used'
            )
        return self._refuse(node, f"tags such as {node.tag} are not used here")

    def _refuse(self, node: yaml.Node, message: str) -> None:
        line, column = _place(node)
        raise ConfigErrors([ConfigError(self.source.name, line, column, message)])


def _place(node: yaml.Node | yaml.Event) -> Place:
    mark = node.start_mark
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


def _yaml_error(source: Source, fault: yaml.YAMLError) -> ConfigError:
    """The parser's complaint, with its place and, where the reason is a usual one, what to do."""
    mark = getattr(fault, "problem_mark", None) or getattr(fault, "context_mark", None)
    problem = getattr(fault, "problem", None) or getattr(fault, "reason", None) or str(fault)
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    hint = ""
    lines = source.text.splitlines()
    here = lines[line - 1] if 0 < line <= len(lines) else ""
    if "\t" in here[:column]:
        hint = "indent with spaces, not with a tab"
    elif "mapping values" in problem:
        hint = 'put a text that contains ": " in quotes'
    elif "',' or" in problem:
        hint = "close the bracket; a text with any of [ ] { } , : in it needs quotes"
    elif "single document" in str(fault) or "another document" in problem:
        hint = "one document in a file"
    elif "cannot start any token" in problem:
        hint = "put a text that starts with a special character in quotes"
    return ConfigError(source.name, line, column, f"this is not valid YAML: {problem}", hint)
