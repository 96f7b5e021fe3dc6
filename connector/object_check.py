"""Object check: one mapped object against what the platform says of its fields. Pure; asks nobody.

What every object has is here: fields that are read or written, and activities. People have more:
`connector/person_check.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from connector.field_fit import gives, takes, too_long, with_article
from connector.platforms.field_kinds import kind_of
from connector.platforms.protocol import FieldInfo
from mappings.document import ROLE_FIELDS, ObjectDocument, PairDocument, SideDocument
from mappings.mapping import FieldRule
from mappings.problems import ConfigError, Path, did_you_mean
from mappings.source import Document
from rules.evaluate import Rules

MAY_EDIT = "let leadloop's user edit it"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not go together: an error, or a warning where leadloop can work without."""

    error: ConfigError
    warning: bool = False


class ObjectCheck:
    """Checks one object. `fields`: the canonical fields; `described`: the native ones."""

    writes: ClassVar[bool] = False
    """Whether leadloop writes records of this object."""

    def __init__(
        self,
        document: Document,
        side: SideDocument,
        name: str,
        mapped: ObjectDocument,
        described: Mapping[str, FieldInfo],
        fields: Mapping[str, FieldRule],
        rules: Rules,
    ) -> None:
        self.document, self.side, self.name, self.mapped = document, side, name, mapped
        self.described, self.rules, self.reasons = described, rules, tuple(rules.reasons)
        own = {name: rule.type for name, rule in fields.items()}
        self.types: Mapping[str, str] = ROLE_FIELDS.get(mapped.role, own)
        self.values = {name: rule.values for name, rule in fields.items() if rule.values}

    def findings(self) -> Iterator[Finding]:
        """All that is wrong with it, in no particular order."""
        for name, pair in self.mapped.fields.items():
            yield from self._pair(("fields", name), pair, self.types.get(name, "text"), writes=self.writes)
        yield from self._moment(("created",), self.mapped.created)
        yield from self._read_only(("account",), self.mapped.account)
        for name, native in self.mapped.also_known_by.items():
            for found in self._read_only(("also_known_by", name), native):
                yield replace(found, warning=True)  # people are found by their first address all the same
        yield from self._counters()
        yield from self._activity()
        yield from self._opportunity_stages()
        if self.mapped.role == "sales_lead":
            yield from self._sales_lead()

    def _sales_lead(self) -> Iterator[Finding]:
        """The stages of sales' work, and where it says why it gave somebody back."""
        for index, field in enumerate(self.mapped.stage):
            path: Path = ("stage", index)
            yield from self._read_only((*path, "field"), field.field)
            info = self.described.get(field.field)
            for native in field.values:
                yield from self._not_offered((*path, "values", native), info, native)
            lacking = [each for each in (info.options or ()) if each not in field.values] if info else []
            if lacking:
                told = (
                    f"nothing is said of the stages {', '.join(lacking)}: what sales does there is not seen"
                )
                yield self._say((*path, "values"), told, "add them", warning=True)
        if self.mapped.reason is not None:
            yield from self._pair(("reason",), self.mapped.reason, "picklist", writes=False)

    def _opportunity_stages(self) -> Iterator[Finding]:
        """The stages of an opportunity that say something of their own."""
        named = self.mapped.fields.get("stage_name")
        info = self.described.get(named.field) if named is not None else None
        for native in self.mapped.stages if info is not None and info.options is not None else ():
            yield from self._not_offered(("stages", native), info, native)

    def _not_offered(self, path: Path, info: FieldInfo | None, native: str) -> Iterator[Finding]:
        """A value that the mapping speaks of and nobody can choose."""
        if info is not None and info.options is not None and native not in info.options:
            told = f'{info.name} does not offer "{native}"'
            yield self._say(path, told, did_you_mean(native, info.options), warning=True)

    def _counters(self) -> Iterator[Finding]:
        """The counters whose increase is an activity."""
        for place, counter in enumerate(self.mapped.activities):
            for key in ("counter", "detail"):
                yield from self._read_only(("activities", place, key), getattr(counter, key))
            yield from self._moment(("activities", place, "at"), counter.at)
            info = self.described.get(counter.counter)
            if info is not None and kind_of(info.type) not in ("number", "text", "other"):
                yield self._say(
                    ("activities", place, "counter"),
                    f"{counter.counter} is {with_article(info.type)}, not a number",
                )

    def _say(self, path: Path, message: str, hint: str = "", *, warning: bool = False) -> Finding:
        return Finding(self.document.error(("objects", self.name, *path), message, hint), warning)

    def _missing(self, path: Path, native: str) -> Finding | None:
        """A field that the platform does not have. It does not tell case apart, but its answers do."""
        if native in self.described:
            return None
        hint = did_you_mean(native, self.described) if len(self.described) > 12 else ""
        if path[0] == "leadloop" or (path[0] == "verdict" and "eadloop" in native):
            hint = "create it: leadloop's own fields for both platforms are in deploy/"
        return self._say(path, f"{self.side.side} has no field {self.name}.{native}", hint)

    def _read_only(self, path: Path, native: str | None) -> Iterator[Finding]:
        if native is not None and (missing := self._missing(path, native)):
            yield missing

    def _moment(self, path: Path, native: str | None) -> Iterator[Finding]:
        """A native date that is only read."""
        yield from self._read_only(path, native)
        info = self.described.get(native or "")
        if info is not None and not gives("datetime", info):
            yield self._say(path, f"{native} is {with_article(info.type)}, not a date")

    def _pair(self, path: Path, pair: PairDocument, kind: str, *, writes: bool = True) -> Iterator[Finding]:
        missing = self._missing((*path, "field"), pair.field)
        if missing is not None:
            yield missing
            return
        info = self.described[pair.field]
        writes = writes and pair.direction != "read"
        if writes and not info.updateable:
            if path[0] == "leadloop":
                yield self._say((*path, "field"), f"{pair.field} is read-only here", MAY_EDIT)
            elif info.createable:
                yield self._say(
                    (*path, "field"), f"{pair.field} can be set by a create only, not changed", warning=True
                )
            else:
                yield self._say((*path, "field"), f"{pair.field} is read-only here", 'use "direction: read"')
        if writes and not takes(kind, info):
            yield self._say(
                (*path, "field"),
                f"{with_article(kind)} cannot be written to {pair.field}, {with_article(info.type)}",
            )
        elif path[0] != "leadloop" and pair.direction != "write" and not pair.table and not gives(kind, info):
            yield self._say(
                (*path, "field"),
                f"{with_article(kind)} cannot be read from {pair.field}, {with_article(info.type)}",
            )
        yield from self._table(path, pair, info, writes=writes)
        if (
            writes
            and info.length is not None
            and pair.max_length is not None
            and info.length < pair.max_length
        ):
            yield self._say(
                (*path, "max_length"),
                f"{pair.field} takes {info.length} characters, not {pair.max_length}",
                f"max_length: {info.length}",
            )

    def _table(self, path: Path, pair: PairDocument, info: FieldInfo, *, writes: bool) -> Iterator[Finding]:
        if info.options is None or not pair.table:
            return
        offered = {option.lower() for option in info.options}
        for native in pair.table:
            if native.lower() not in offered:
                yield self._say(
                    (*path, "table", native),
                    f'{pair.field} does not offer "{native}"',
                    did_you_mean(native, info.options),
                    warning=not (writes and info.restricted),
                )

    def _too_short(
        self, path: Path, native: str, info: FieldInfo, values: Collection[str]
    ) -> Iterator[Finding]:
        longest = too_long(info, values)
        if longest is not None:
            yield self._say(
                path, f"{native} takes {info.length} characters; leadloop writes up to {len(longest)}"
            )

    def _activity(self) -> Iterator[Finding]:
        """The native fields of an object in the role activity."""
        mapped, kind = self.mapped, self.mapped.activity
        for native in mapped.of:
            yield from self._read_only(("of",), native)
        for native in mapped.at:
            yield from self._moment(("at",), native)
        for native in mapped.when:
            yield from self._read_only(("when", native), native)
        for name, attribute in mapped.attributes.items():
            yield from self._read_only(("attributes", name), attribute.field)
            info = self.described.get(attribute.field)
            if info is not None and not gives(attribute.type, info):
                yield self._say(
                    ("attributes", name),
                    f"{with_article(attribute.type)} cannot be read from {attribute.field}, "
                    f"{with_article(info.type)}",
                )
        yield from self._read_only(("per",), mapped.per)
        yield from self._read_only(("activity",), None if kind is None else kind.field)
