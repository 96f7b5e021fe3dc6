"""YamlReading: YAML nodes become plain data, and the place of everything is noted, aliases included.

The scalars are those of YAML 1.2. Knows nothing of documents and reads no text: `mappings/source.py` does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, NoReturn

import yaml

from mappings.problems import ConfigError, ConfigErrors, Path, Place

DEEPEST: Final = 100
"""How deep a document may be nested."""

_MOST_VALUES = 200_000  # a document of a few kilobytes can name billions through aliases
_MERGE: Final = "<<"


@dataclass(frozen=True, slots=True)
class Alias:
    """Where the alias of an anchor stands. `merged`: its keys were taken into a mapping (`<<: *name`)."""

    name: str
    place: Place
    merged: bool = False


def place_of(node: yaml.Node | yaml.Event) -> Place:
    """Line and column, from 1, at which a node or an event begins."""
    mark = node.start_mark
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the C parser where built
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
    Loader.add_implicit_resolver(_TAG + _name, re.compile(rf"^(?:{_pattern})$"), _first)


_Slots = Mapping[tuple[int, int], Alias]
"""The aliases by where they stand: the id of the node around them, and which of its children they are."""


def _slots(root: yaml.Node, aliases: Sequence[Alias]) -> _Slots:
    """Find where each alias stands: the composer puts the very node of its anchor there."""
    found: dict[tuple[int, int], Alias] = {}
    seen: set[int] = set()
    left = iter(aliases)

    def walk(node: yaml.Node) -> None:
        seen.add(id(node))
        for number, child in enumerate(_children(node)):
            if id(child) in seen:
                found[id(node), number] = next(left)
            else:
                walk(child)

    if aliases:
        walk(root)
    return found


def _children(node: yaml.Node) -> list[yaml.Node]:
    """The nodes in a node, in their order; keys and values of a mapping in turn."""
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else []


class YamlReading:
    """Turns YAML nodes into plain data and notes where each came from."""

    def __init__(self, file: str, root: yaml.Node, aliases: Sequence[Alias]) -> None:
        self.file = file
        self.positions: dict[Path, Place] = {}
        self.key_positions: dict[Path, Place] = {}
        self.aliases: dict[Path, Alias] = {}
        self._slots = _slots(root, aliases)
        self._open: set[int] = set()

    def value(self, node: yaml.Node, path: Path, alias: Alias | None = None) -> Any:
        """The data of a node; `alias` is what stands in its place, if anything."""
        self.positions[path] = place_of(node)
        if alias is not None:
            self.aliases[path] = alias
        if len(self.positions) > _MOST_VALUES:
            self._refuse(node, f"this document has more than {_MOST_VALUES} values")
        if len(path) > DEEPEST:
            self._refuse(node, f"this is nested more than {DEEPEST} deep")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if id(node) in self._open:
            self._refuse(node, "this contains itself")
        self._open.add(id(node))
        if node.tag not in (_TAG + "map", _TAG + "seq"):
            self._refuse(node, f"tags such as {node.tag} are not used here")
        if isinstance(node, yaml.SequenceNode):
            data: Any = [
                self.value(child, (*path, index), self._slots.get((id(node), index)))
                for index, child in enumerate(node.value)
            ]
        else:
            data = self._mapping(node, path)
        self._open.discard(id(node))
        return data

    def _mapping(self, node: yaml.Node, path: Path) -> dict[str, Any]:
        data: dict[str, Any] = {}
        merges = False
        for number, (key_node, value_node) in enumerate(node.value):
            if not isinstance(key_node, yaml.ScalarNode):
                self._refuse(key_node, "a key must be a text")
            key = str(key_node.value)
            if (*path, key) in self.key_positions:
                first, _ = self.key_positions[(*path, key)]
                self._refuse(key_node, f'the key "{key}" is here twice (first in line {first})')
            self.key_positions[(*path, key)] = place_of(key_node)
            if key == _MERGE:
                merges = True
            else:
                data[key] = self.value(value_node, (*path, key), self._slots.get((id(node), 2 * number + 1)))
        if merges:
            self._merge(node, path, data, None)
        return data

    def _merge(self, node: yaml.Node, path: Path, data: dict[str, Any], via: Alias | None) -> None:
        """Take the keys that `<<` of this mapping names into `data`, those that are not there yet. `via`: the
        alias through which they come, where this mapping is merged itself."""
        for number, (key_node, value_node) in enumerate(node.value):
            if key_node.value != _MERGE:
                continue
            here = id(node), 2 * number + 1
            found = [(self._slots.get(here), value_node)]
            if isinstance(value_node, yaml.SequenceNode) and here not in self._slots:
                listed = enumerate(value_node.value)
                found = [(self._slots.get((id(value_node), place)), each) for place, each in listed]
            for alias, merged in found:
                if alias is None or not isinstance(merged, yaml.MappingNode):
                    self._refuse(merged, "<< takes in a mapping that has an anchor, such as <<: *name", alias)
                self._take_in(merged, path, data, via or replace(alias, merged=True))

    def _take_in(self, merged: yaml.Node, path: Path, data: dict[str, Any], via: Alias) -> None:
        if id(merged) in self._open:
            self._refuse(merged, "this contains itself")
        self._open.add(id(merged))
        for key_node, value_node in merged.value:
            key = str(key_node.value)
            if key != _MERGE and key not in data:
                self.key_positions[(*path, key)] = place_of(key_node)
                data[key] = self.value(value_node, (*path, key), via)
        self._merge(merged, path, data, via)
        self._open.discard(id(merged))

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

    def _refuse(self, node: yaml.Node, message: str, alias: Alias | None = None) -> NoReturn:
        line, column = place_of(node) if alias is None else alias.place
        raise ConfigErrors([ConfigError(self.file, line, column, message)])
