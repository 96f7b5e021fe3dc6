"""Source: a YAML document with the place of everything in it, and the errors that point there.

Reads text, not files: who calls knows where the text came from. The YAML is that of version 1.2 (the country
`NO` stays a text, so do `12:30` and `0123`), keys are always texts, a duplicate key is an error. Used for
the mapping documents here and for the rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from mappings.problems import ConfigError, ConfigErrors, Path, Place, did_you_mean, nearest
from mappings.validation import validate
from mappings.yaml_reading import DEEPEST, Alias, Loader, YamlReading, place_of

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
    "parse_all",
    "validate",
]

_BREAKS: Final = re.compile("\r\n|[\r\n]")
_STRAY: Final = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Control characters, which YAML does not take, and line breaks that editors do not show."""


@dataclass(frozen=True, slots=True)
class Source:
    """A document's text. `name` is what messages call it: the file's path as the user knows it."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """Parsed YAML: plain dicts, lists, str, int, float, bool and None. `positions` has the place of the text
    of the value at every path, `key_positions` that of the key in front of it, `aliases` what stands for the
    value of an anchor."""

    source: Source
    data: Any
    positions: Mapping[Path, Place] = field(repr=False)
    key_positions: Mapping[Path, Place] = field(repr=False)
    aliases: Mapping[Path, Alias] = field(default_factory=dict, repr=False)

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Where the value (or its key) stands, or the alias that stands for it; for a path that is not there,
        where its parent does."""
        alias = self._alias(path, key=key)
        return self.text_place(path, key=key) if alias is None else alias.place

    def text_place(self, path: Path, *, key: bool = False) -> Place:
        """Where the text of the value (or its key) stands: in the anchor, if an alias stands for it."""
        if key and path in self.key_positions:
            return self.key_positions[path]
        while path and path not in self.positions:
            path = path[:-1]
        return self.positions.get(path, (1, 1))

    def error(self, path: Path, message: str, hint: str = "", *, key: bool = False) -> ConfigError:
        """An error that points at the value at `path`, or at its key."""
        return self.error_at(self.text_place(path, key=key), path, message, hint, key=key)

    def error_at(
        self, at: Place, path: Path, message: str, hint: str = "", *, key: bool = False
    ) -> ConfigError:
        """An error about the text at `at`, which belongs to `path`. Where an alias stands for it, the error
        points at the alias and names the line in the anchor."""
        alias = self._alias(path, key=key)
        if alias is None:
            return ConfigError(self.source.name, *at, message, hint)
        told = f"{message} (in line {at[0]}, which *{alias.name} stands for)"
        return ConfigError(self.source.name, *alias.place, told, hint, (at, message))

    def _alias(self, path: Path, *, key: bool) -> Alias | None:
        """The outermost alias that the value at `path` (or its key) comes from."""
        for length in range(len(path) + 1) if self.aliases else ():
            alias = self.aliases.get(path[:length])
            if alias is not None and (length < len(path) or alias.merged or not key):
                return alias
        return None


def parse(source: Source) -> Document:
    """Read YAML. An empty text is an empty mapping. Raises ConfigErrors (with one error) for what is no YAML,
    for duplicate keys, several documents, and tags."""
    _check_characters(source)
    try:
        aliases = _check_depth(source)
        loader = Loader(source.text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.YAMLError as fault:
        raise ConfigErrors([_yaml_error(source, fault)]) from None
    if node is None:
        return Document(source, {}, {}, {})
    reading = YamlReading(source.name, node, aliases)
    data = reading.value(node, ())
    return Document(source, data, reading.positions, reading.key_positions, reading.aliases)


def parse_all(sources: Iterable[Source]) -> tuple[list[Document], list[ConfigError]]:
    """Those that can be read, and what is wrong with the others."""
    documents: list[Document] = []
    errors: list[ConfigError] = []
    for source in sources:
        try:
            documents.append(parse(source))
        except ConfigErrors as found:
            errors.extend(found.errors)
    return documents, errors


def _check_characters(source: Source) -> None:
    """Refuse what cannot be seen: the parser would tell no place, or count lines otherwise than an editor."""
    stray = _STRAY.search(source.text)
    if stray is None:
        return
    before = _BREAKS.split(source.text[: stray.start()])
    message = f"the invisible character U+{ord(stray[0]):04X} cannot stand here"
    raise ConfigErrors([ConfigError(source.name, len(before), len(before[-1]) + 1, message, "delete it")])


def _check_depth(source: Source) -> list[Alias]:
    """Refuse deep nesting before the recursive composer meets it: it would overflow the C stack. Gives the
    aliases in their order, of which the composer keeps no place."""
    depth = 0
    aliases: list[Alias] = []
    for event in yaml.parse(source.text, Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                line, column = place_of(event)
                raise ConfigErrors(
                    [ConfigError(source.name, line, column, f"this is nested more than {DEEPEST} deep")]
                )
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases.append(Alias(str(event.anchor), place_of(event)))
    return aliases


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
