"""Metadata check: a mapping document against what a platform says of its own fields. Pure; asks nobody.

What leadloop could not do is an error; what it can do without is a warning. Both point at the line in the
mapping that says it. A native field that is absent is found here for `check --live` and for the start.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from connector.claims import REASON_NEEDED
from connector.platforms.field_kinds import FieldKind, kind_of
from connector.platforms.protocol import FieldInfo, Metadata
from mappings.document import LEADLOOP_FIELDS, ROLE_FIELDS, ObjectDocument, PairDocument, SideDocument
from mappings.document import StageFieldDocument as StageDocument
from mappings.mapping import SideMapping
from mappings.problems import ConfigError, Path, did_you_mean
from mappings.source import Document
from mappings.stages import Stage

LEAD_ID_LENGTH: Final = 25
"""Characters of leadloop's own ids: an L and 24 digits."""

_TEXTS: Final[frozenset[FieldKind]] = frozenset({"text", "choice", "choices", "other"})
_HOLDS: Final[dict[str, frozenset[FieldKind]]] = {
    "number": frozenset({"number", "text", "choice", "choices", "other"}),
    "money": frozenset({"number", "text", "other"}),
    "boolean": frozenset({"boolean", "text", "choice", "choices", "number", "other"}),
    "date": frozenset({"date", "datetime", "text", "other"}),
    "datetime": frozenset({"datetime", "text", "other"}),
    "owner": frozenset({"reference", "text", "choice", "choices", "number", "other"}),
}
"""Canonical type to the kinds of field that take it; every other type is written as text."""

_RESPONSE_STATES: Final = ("running", "met", "breached")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not go together: an error, or a warning where leadloop can work without."""

    error: ConfigError
    warning: bool = False


def missing_fields(side: SideMapping, metadata: Metadata) -> list[str]:
    """One sentence for each mapped object and field that the platform does not have."""
    missing = []
    for name, target in sorted(side.objects.items(), key=lambda item: item[1].role == "person"):
        described = metadata.objects.get(name)
        if described is None:
            missing.append(f"{side.side} has no object {name}")
            continue
        missing += [
            f"{side.side} has no field {name}.{native}"
            for native in target.natives
            if native not in described
        ]
    return missing


def check_metadata(
    document: Document,
    side: SideDocument,
    metadata: Metadata,
    types: Mapping[str, str],
    reasons: Collection[str],
) -> list[Finding]:
    """Everything in a side's document that its platform would not take. `types`: canonical field to its type;
    `reasons`: the rejection reasons of the rules."""
    found: list[Finding] = []
    for name, mapped in side.objects.items():
        path: Path = ("objects", name)
        described = metadata.objects.get(name)
        if described is None:
            hint = did_you_mean(name, metadata.objects)
            error = document.error(path, f"{side.side} has no object {name}", hint, key=True)
            found.append(Finding(error, warning=mapped.role == "activity"))  # leads do without
            continue
        checked = _ObjectCheck(document, side, name, mapped, described, types, tuple(reasons))
        found.extend(checked.findings())
    unique = {(item.error.line, item.error.column, item.error.message): item for item in found}
    return sorted(unique.values(), key=lambda item: (item.error.line, item.error.column))


class _ObjectCheck:
    """Checks one object."""

    def __init__(
        self,
        document: Document,
        side: SideDocument,
        name: str,
        mapped: ObjectDocument,
        described: Mapping[str, FieldInfo],
        types: Mapping[str, str],
        reasons: tuple[str, ...],
    ) -> None:
        self.document, self.side, self.name, self.mapped = document, side, name, mapped
        self.described, self.reasons = described, reasons
        self.types: Mapping[str, str] = ROLE_FIELDS.get(mapped.role, types)

    def findings(self) -> Iterator[Finding]:
        mapped, person = self.mapped, self.mapped.role == "person"
        for name, pair in mapped.fields.items():
            path: Path = ("fields", name)
            yield from self._pair(path, pair, self.types.get(name, "text"), writes=person)
        for name, pair in mapped.leadloop.items():
            yield from self._pair(("leadloop", name), pair, LEADLOOP_FIELDS.get(name, "text"))
            yield from self._output(name, pair)
        for place, field in enumerate(mapped.stage):
            yield from self._stage(("stage", place), field)
        yield from self._verdict()
        for place, counter in enumerate(mapped.activities):
            for key in ("counter", "at", "detail"):
                yield from self._read_only(("activities", place, key), getattr(counter, key))
            info = self.described.get(counter.counter)
            if info is not None and kind_of(info.type) not in ("number", "text", "other"):
                yield self._say(
                    ("activities", place, "counter"), f"{counter.counter} is a {info.type}, not a number"
                )
        yield from self._read_only(("created",), mapped.created)
        yield from self._activity()
        yield from self._required()

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

    def _pair(self, path: Path, pair: PairDocument, kind: str, *, writes: bool = True) -> Iterator[Finding]:
        missing = self._missing((*path, "field"), pair.field)
        if missing is not None:
            yield missing
            return
        info, native_kind = self.described[pair.field], kind_of(self.described[pair.field].type)
        writes = writes and pair.direction != "read"
        if writes and not info.updateable:
            if info.createable:
                yield self._say(
                    (*path, "field"), f"{pair.field} can be set by a create only, not changed", warning=True
                )
            else:
                yield self._say((*path, "field"), f"{pair.field} is read-only here", 'use "direction: read"')
        if writes and native_kind not in _HOLDS.get(kind, _TEXTS):
            yield self._say((*path, "field"), f"a {kind} cannot be written to {pair.field}, a {info.type}")
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

    def _output(self, name: str, pair: PairDocument) -> Iterator[Finding]:
        """A leadloop field, which must take everything that leadloop writes there."""
        info = self.described.get(pair.field)
        if info is None:
            return
        path: Path = ("leadloop", name, "field")
        if name == "lead_id" and info.length is not None and info.length < LEAD_ID_LENGTH:
            yield self._say(
                path, f"{pair.field} takes {info.length} characters; a lead id has {LEAD_ID_LENGTH}"
            )
        if name == "lead_id" and not info.unique:
            yield self._say(
                path, f"{pair.field} is not unique: a repeated create could make a double", warning=True
            )
        wanted: Mapping[str, Collection[str]] = {
            "stage": [stage.value for stage in Stage],
            "response_state": _RESPONSE_STATES,
            "verdict": ("accepted", "rejected"),
            "rejection_reason": self.reasons,
        }
        if name not in wanted or info.options is None or not info.restricted:
            return
        spelled = {str(meant): native for native, meant in (pair.table or {}).items()}
        lacking = [value for value in wanted[name] if spelled.get(value, value) not in info.options]
        if lacking:
            yield self._say(path, f"{pair.field} does not offer {_listed(lacking)}", "add the values there")

    def _stage(self, path: Path, field: StageDocument) -> Iterator[Finding]:
        missing = self._missing((*path, "field"), field.field)
        if missing is not None:
            yield missing
            return
        info = self.described[field.field]
        if not info.updateable:
            yield self._say((*path, "field"), f"{field.field} is read-only here: no stage can be written")
        if info.options is None:
            return
        absent = [native for native in field.values if native not in info.options]
        written = [native for native, value in field.values.items() if not value.never_write]
        lost = [
            str(stage)
            for stage in Stage
            if (spelled := [native for native in written if stage in field.values[native].stages])
            and stage not in field.write
            and not any(native in info.options for native in spelled)
        ]
        lost += [
            f"{name} (as {native})"
            for name, native in field.write.items()
            if native is not None and native not in info.options
        ]
        if lost:
            hint = f"it offers {_listed(info.options)}" if len(info.options) <= 12 else ""
            yield self._say(
                (*path, "values"),
                f"{field.field} offers no value that is written for {', '.join(lost)}",
                hint,
            )
        if absent:
            yield self._say(
                (*path, "values", absent[0]),
                f"{field.field} does not offer {_listed(absent)}",
                "what is not offered is never written",
                warning=True,
            )
        unknown = [option for option in info.options if option not in field.values]
        if unknown and field.claims:
            yield self._say(
                (*path, "values"),
                f"{field.field} also offers {_listed(unknown)}",
                "say what each stands for; unknown values claim nothing",
                warning=True,
            )

    def _verdict(self) -> Iterator[Finding]:
        verdict = self.mapped.verdict
        if verdict is None:
            return
        yield from self._read_only(("verdict", "field"), verdict.field)
        yield from self._read_only(("verdict", "comment"), verdict.comment)
        info = self.described.get(verdict.field)
        if info is not None and info.options is not None:
            for native in verdict.values:
                if native not in info.options:
                    yield self._say(
                        ("verdict", "values", native),
                        f'{verdict.field} does not offer "{native}"',
                        did_you_mean(native, info.options),
                        warning=True,
                    )
        if verdict.reason is None:
            return
        missing = self._missing(("verdict", "reason", "field"), verdict.reason.field)
        if missing is not None:
            yield missing
            return
        info = self.described[verdict.reason.field]
        table = {native: str(meant) for native, meant in (verdict.reason.table or {}).items()}
        yield from self._table(("verdict", "reason"), verdict.reason, info, writes=False)
        if info.options is None:
            return
        meant = {table.get(option, option) for option in info.options}
        lacking = [reason for reason in self.reasons if reason not in meant]
        if lacking:
            yield self._say(
                ("verdict", "reason", "field"),
                f"sales cannot choose {_listed(lacking)}: {verdict.reason.field} does not offer it",
                warning=True,
            )
        strange = [
            option
            for option in info.options
            if table.get(option, option) not in self.reasons and option != REASON_NEEDED
        ]
        if strange:
            yield self._say(
                ("verdict", "reason", "field"),
                f"{verdict.reason.field} offers {_listed(strange)}, which no rule knows",
                "the default reason would apply; add it to the rules or to a table",
                warning=True,
            )

    def _activity(self) -> Iterator[Finding]:
        """The native fields of an object in the role activity."""
        mapped, kind = self.mapped, self.mapped.activity
        for key, natives in (("of", mapped.of), ("at", mapped.at)):
            for native in natives:
                yield from self._read_only((key,), native)
        for native in mapped.when:
            yield from self._read_only(("when", native), native)
        for name, attribute in mapped.attributes.items():
            yield from self._read_only(("attributes", name), attribute.field)
        yield from self._read_only(("per",), mapped.per)
        yield from self._read_only(("activity",), None if kind is None else kind.field)

    def _required(self) -> Iterator[Finding]:
        """Fields that a create must fill."""
        create = self.mapped.create
        if create is None:
            return
        sent = {pair.field: name for name, pair in self.mapped.fields.items() if pair.direction != "read"}
        always = {pair.field for pair in self.mapped.leadloop.values()}
        always |= {field.field for field in self.mapped.stage}
        for native, info in self.described.items():
            if not info.required or native in always:
                continue
            if native not in sent:
                yield self._say(
                    ("create",),
                    f"{self.side.side} needs {native} to create a record of {self.name}",
                    "map a field to it, with a value under defaults",
                )
            elif sent[native] not in create.defaults:
                yield self._say(
                    ("fields", sent[native], "field"),
                    f"{native} is required, and leads without {sent[native]} would be refused",
                    f'give "{sent[native]}" a value under create: defaults',
                    warning=True,
                )


def _listed(values: Collection[str]) -> str:
    shown = [f'"{value}"' for value in list(values)[:8]]
    return ", ".join(shown) + (f" and {len(values) - 8} more" if len(values) > 8 else "")
