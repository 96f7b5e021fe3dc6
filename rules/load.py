"""Load: rules documents become compiled `Rules`, or every mistake in them with its place.

Conditions are compiled even where the rest of a document is wrong, so that all mistakes are told at once.
Reads no files: the texts come in as sources.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from mappings.problems import ConfigError, ConfigErrors, Path, did_you_mean
from mappings.source import Document, Source, parse_all, validate
from rules.assemble import Assembly
from rules.document import RulesDocument
from rules.evaluate import Rules
from rules.nodes import And, Node
from rules.parse import ExpressionErrors, parse_condition
from rules.places import place_in_scalar
from rules.scope import Scope, declare_activities
from rules.value_types import Type


def load_rules(
    sources: Sequence[Source],
    fields: Mapping[str, str],
    activities: Collection[str] | Mapping[str, Collection[str]] | None = None,
    *,
    sides: Collection[str] | None = None,
    choices: Mapping[str, Collection[str]] | None = None,
) -> Rules:
    """Compile rules documents, which add up. Raises ConfigErrors with everything that is wrong.

    `fields`: canonical lead fields, name to type name. `activities`: the kinds that the configured sources
    give, alone, with the names of their attributes, or with a mapping of attribute to type name; None: not
    checked. `sides`: the names of the sides, `choices`: picklist fields to their values; None: not checked.
    """
    documents, errors = parse_all(sources)
    if not sources:
        raise ConfigErrors([ConfigError("rules", 1, 1, "there is no rules document")])
    reasons, grades = _reasons(documents), _grades(documents)
    scope = Scope(fields, declare_activities(activities), choices or {}, reasons, sides, grades)
    assembly = Assembly(hash_of(sources))
    for document in documents:
        nodes = _Conditions(document, scope)
        nodes.compile_all()
        errors.extend(nodes.errors)
        try:
            assembly.add(document, validate(RulesDocument, document), nodes.found)
        except ConfigErrors as found:
            errors.extend(found.errors)
    whole = not errors
    owners = [name for name, kind in fields.items() if kind == "owner"]
    errors.extend(assembly.check(documents, owners, whole=whole))
    if errors:
        places = {source.name: place for place, source in enumerate(sources)}
        errors = list(dict.fromkeys(errors))
        raise ConfigErrors(sorted(errors, key=lambda e: (places.get(e.file, 0), e.line, e.column)))
    return assembly.rules()


def hash_of(sources: Sequence[Source]) -> str:
    """The version of a configuration: a hash of its documents."""
    digest = hashlib.sha256()
    for source in sources:
        for part in (source.name, source.text):
            data = part.encode(errors="surrogatepass")
            digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def _reasons(documents: Sequence[Document]) -> list[str] | None:
    """The rejection reasons of the documents, as far as they can be read; None if they cannot."""
    reasons: list[str] = []
    for document in documents:
        rejection = document.data.get("rejection") if isinstance(document.data, dict) else None
        if isinstance(rejection, dict):
            reasons.append(str(rejection.get("default_reason", "unspecified")))
            named = rejection.get("reasons")
            if isinstance(named, dict):
                reasons.extend(named)
    return reasons or None


def _grades(documents: Sequence[Document]) -> list[str]:
    """The grades of the documents, as far as they can be read."""
    tables = [document.data.get("grades") for document in documents if isinstance(document.data, dict)]
    given = [each for table in tables if isinstance(table, dict) for each in table.values()]
    return [str(letter) for letters in given if isinstance(letters, dict) for letter in letters]


class _Conditions:
    """Compiles every `when` of a document, by its path, whether or not the document is valid otherwise."""

    def __init__(self, document: Document, scope: Scope) -> None:
        self.document = document
        self.scope = scope
        self.found: dict[Path, Node] = {}
        self.errors: list[ConfigError] = []

    def compile_all(self) -> None:
        data = self.document.data
        if not isinstance(data, dict):
            return
        plain, scored = self.scope.within(), self.scope.within(scores=True)
        score, gates = data.get("score"), data.get("gates")
        if isinstance(score, dict):
            self._list(("score", "fit"), score.get("fit"), plain)
            self._list(("score", "engagement"), score.get("engagement"), plain)
        if isinstance(gates, dict):
            for name, gate in gates.items():
                self._one(("gates", name), gate, scored)
                if isinstance(gate, dict):
                    self._list(("gates", name, "any"), gate.get("any"), scored)
        self._list(("fast_track",), data.get("fast_track"), plain)
        self._list(("disqualify",), data.get("disqualify"), scored)
        self._list(("routes",), data.get("routes"), scored)
        self._list(("recycle",), data.get("recycle"), scored)
        self._list(("deadlines",), data.get("deadlines"), scored)
        self._territories(data.get("territories"), plain)
        nurture = data.get("nurture")
        if isinstance(nurture, dict):
            self._list(("nurture", "tracks"), nurture.get("tracks"), scored)
            self._kinds(("nurture", "touches"), nurture.get("touches"))

    def _list(self, path: Path, items: Any, scope: Scope) -> None:
        if isinstance(items, list):
            for place, item in enumerate(items):
                self._one((*path, place), item, scope)

    def _territories(self, tables: Any, scope: Scope) -> None:
        """Each row of each table becomes one condition; a row without values has none."""
        for name, table in tables.items() if isinstance(tables, dict) else ():
            if not isinstance(table, dict):
                continue
            path: Path = ("territories", name)
            columns = self._columns(path, table.get("by"), scope)
            rows = table.get("rows")
            for number, row in enumerate(rows if isinstance(rows, list) else ()):
                at = (*path, "rows", number)
                cells = self._cells(at, row, columns, scope) if isinstance(row, dict) else []
                if cells:
                    source = " and ".join(cell.source for cell in cells)
                    self.found[*at, "when"] = And(tuple(cells), source) if len(cells) > 1 else cells[0]

    def _columns(self, path: Path, by: Any, scope: Scope) -> list[str]:
        """The columns of a table, as far as they can be read; those that are no fields are told."""
        columns = [name for name in by if isinstance(name, str)] if isinstance(by, list) else []
        for number, name in enumerate(columns):
            if name not in scope.fields and name not in ("owner", "pool"):
                hint = did_you_mean(name, scope.fields)
                self.errors.append(
                    self.document.error((*path, "by", number), f'unknown field "{name}"', hint)
                )
        return columns

    def _cells(self, path: Path, row: dict[str, Any], columns: list[str], scope: Scope) -> list[Node]:
        """The conditions of a row, one for each of its columns."""
        cells: list[Node] = []
        for name, given in row.items():
            if name in ("owner", "pool"):
                continue
            if name not in columns:
                hint = did_you_mean(name, [*columns, "owner", "pool"])
                self.errors.append(
                    self.document.error((*path, name), f'"{name}" is no column of this table', hint, key=True)
                )
                continue
            values = given if isinstance(given, list) else [given]
            if not values or not all(
                isinstance(value, str | int | float) and not isinstance(value, bool) for value in values
            ):
                message = "a row names texts or numbers; leave the column out if any value will do"
                self.errors.append(self.document.error((*path, name), message))
            elif name not in scope.fields:
                continue
            elif scope.field_type(name) is not Type.NUMBER and (
                number := next((value for value in values if not isinstance(value, str)), None)
            ):
                message = f"this must be a text, not the number {number}"
                self.errors.append(self.document.error((*path, name), message, "put it in quotes"))
            else:
                written = ", ".join(json.dumps(value, ensure_ascii=False) for value in values)
                try:
                    cells.append(parse_condition(f"{name} in [{written}]", scope))
                except ExpressionErrors as found:
                    self.errors += [
                        self.document.error((*path, name), problem.message, problem.hint)
                        for problem in found.problems
                    ]
        return cells

    def _kinds(self, path: Path, kinds: Any) -> None:
        if isinstance(kinds, list):
            for place, kind in enumerate(kinds):
                if isinstance(kind, str) and self._kind((*path, place), kind) and kind in kinds[:place]:
                    message = f'the activity "{kind}" is here twice'
                    self.errors.append(self.document.error((*path, place), message, "delete one"))

    def _kind(self, path: Path, kind: str) -> bool:
        """Whether there is such an activity; if not, it is told."""
        known = self.scope.activities
        if known is None or kind in known:
            return True
        message = f'no configured source gives the activity "{kind}"'
        self.errors.append(self.document.error(path, message, did_you_mean(kind, known)))
        return False

    def _one(self, path: Path, item: Any, scope: Scope) -> None:
        if not isinstance(item, dict):
            return
        kind = item.get("on")
        if isinstance(kind, str):
            scope = scope.within(on=kind)
            if not self._kind((*path, "on"), kind):
                return
        text = item.get("when")
        if not isinstance(text, str):
            return
        try:
            self.found[*path, "when"] = parse_condition(text, scope)
        except ExpressionErrors as found:
            line, column = self.document.text_place((*path, "when"))
            for problem in found.problems:
                at = place_in_scalar(self.document.source.text, line, column, problem.offset)
                self.errors.append(self.document.error_at(at, (*path, "when"), problem.message, problem.hint))
