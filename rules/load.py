"""Load: rules documents become compiled `Rules`, or every mistake in them with its place.

Conditions are compiled even where the rest of a document is wrong, so that all mistakes are told at once.
Reads no files: the texts come in as sources.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from mappings.problems import ConfigError, ConfigErrors, Path, did_you_mean
from mappings.source import Document, Source, parse, validate
from rules.assemble import Assembly
from rules.document import RulesDocument
from rules.evaluate import Rules
from rules.nodes import Node
from rules.parse import ExpressionErrors, parse_condition
from rules.places import place_in_scalar
from rules.scope import Scope, declare_activities


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
    errors: list[ConfigError] = []
    documents: list[Document] = []
    for source in sources:
        try:
            documents.append(parse(source))
        except ConfigErrors as found:
            errors.extend(found.errors)
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
    errors.extend(assembly.check(documents, whole=whole))
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
        nurture = data.get("nurture")
        if isinstance(nurture, dict):
            self._list(("nurture", "tracks"), nurture.get("tracks"), scored)
            self._kinds(("nurture", "touches"), nurture.get("touches"))

    def _list(self, path: Path, items: Any, scope: Scope) -> None:
        if isinstance(items, list):
            for place, item in enumerate(items):
                self._one((*path, place), item, scope)

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
