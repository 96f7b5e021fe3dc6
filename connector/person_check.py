"""Person check: what a person's object has beside its fields: leadloop's own, stage, verdict, creates.

Pure; asks nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from connector.claims import REASON_NEEDED
from connector.field_fit import is_text, listed, not_offered, speaks, takes, with_article
from connector.object_check import MAY_EDIT, Finding, ObjectCheck
from connector.platforms.protocol import FieldInfo
from mappings.document import LEADLOOP_FIELDS, PairDocument
from mappings.document import StageFieldDocument as StageDocument
from mappings.problems import Path, did_you_mean
from mappings.stages import Stage
from rules.rejection import known_reason

LEAD_ID_LENGTH: Final = 25
"""Characters of leadloop's own ids: an L and 24 digits."""

MOMENT_LENGTH: Final = 20
"""Characters of a moment as leadloop writes it: 2027-01-15T08:00:00Z."""

_RESPONSE_STATES: Final = ("running", "due soon", "met", "breached")


class PersonCheck(ObjectCheck):
    """Checks one object in the role person, which leadloop writes."""

    writes = True

    def findings(self) -> Iterator[Finding]:
        """All that is wrong with it, in no particular order."""
        yield from super().findings()
        for name, pair in self.mapped.fields.items():
            yield from self._written_texts(("fields", name), name, pair)
        for name, pair in self.mapped.leadloop.items():
            yield from self._pair(("leadloop", name), pair, LEADLOOP_FIELDS.get(name, "text"), writes=True)
            yield from self._output(name, pair)
        for place, field in enumerate(self.mapped.stage):
            yield from self._stage(("stage", place), field)
        yield from self._verdict()
        yield from self._required()

    def _written_texts(self, path: Path, name: str, pair: PairDocument) -> Iterator[Finding]:
        """What a canonical field may hold, against what the platform lets stand there."""
        info = self.described.get(pair.field)
        if info is None or pair.direction == "read":
            return
        if self.types.get(name) == "text" and is_text(info) and info.length and pair.max_length is None:
            yield self._say(
                (*path, "field"),
                f"{pair.field} takes {info.length} characters; a longer text would be refused",
                f"max_length: {info.length}, and if it may be cut, too_long: truncate",
                warning=True,
            )
        native = {str(meant): spelled for spelled, meant in (pair.table or {}).items()}
        lacking = not_offered(info, [native.get(value, value) for value in self.values.get(name, ())])
        if lacking:
            yield self._say(
                (*path, "field"),
                f"{pair.field} does not offer {listed(lacking)}, which {name} may hold",
                "add the values there, or say in a table how they are spelled",
            )
        create = self.mapped.create
        stand_in = None if create is None else create.defaults.get(name)
        if isinstance(stand_in, str):
            text = native.get(stand_in, stand_in)
            if not_offered(info, [text]):
                yield self._say(("create", "defaults", name), f'{pair.field} does not offer "{text}"')

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
        if info.options is None and name in ("stage_since", "response_due", "rejected_at"):
            yield from self._too_short(path, pair.field, info, ["0" * MOMENT_LENGTH])
        rules = self.rules
        tracks = {*rules.nurture.tracks, *(reason.track for reason in rules.reasons.values())} - {None}
        wanted: Mapping[str, Collection[str]] = {
            "stage": [stage.value for stage in Stage],
            "response_state": _RESPONSE_STATES,
            "verdict": ("accepted", "rejected"),
            "outcome": ("won", "lost"),
            "rejection_reason": self.reasons,
            "grade": [letter for letter, _ in rules.grades.letters] if rules.grades else (),
            "nurture_track": sorted(map(str, tracks)),
        }
        if name not in wanted:
            kind = with_article(LEADLOOP_FIELDS[name])
            fixed = info.options is not None and info.restricted and LEADLOOP_FIELDS[name] != "picklist"
            if fixed and takes(LEADLOOP_FIELDS[name], info):
                yield self._say(path, f"{pair.field} takes none but its own values; leadloop writes {kind}")
            return
        spelled = {str(meant): native for native, meant in (pair.table or {}).items()}
        written = [spelled.get(value, value) for value in wanted[name]]
        if pair.max_length is None:
            yield from self._too_short(path, pair.field, info, written)
        lacking = [value for value in written if value not in (info.options or ())]
        if lacking and info.options is not None and info.restricted:
            yield self._say(path, f"{pair.field} does not offer {listed(lacking)}", "add the values there")

    def _stage(self, path: Path, field: StageDocument) -> Iterator[Finding]:
        missing = self._missing((*path, "field"), field.field)
        if missing is not None:
            yield missing
            return
        info = self.described[field.field]
        if not info.updateable:
            yield self._say(
                (*path, "field"), f"{field.field} is read-only here: no stage can be written", MAY_EDIT
            )
        if not speaks(info, list(field.values)):
            yield self._say(
                (*path, "field"), f"{field.field} is {with_article(info.type)}: no stage can be kept there"
            )
            return
        if info.options is None:
            spelled = [native for native, value in field.values.items() if not value.never_write]
            yield from self._too_short((*path, "field"), field.field, info, spelled)
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
            hint = f"it offers {listed(info.options)}" if len(info.options) <= 12 else ""
            yield self._say(
                (*path, "values"),
                f"{field.field} offers no value that is written for {', '.join(lost)}",
                hint,
            )
        if absent:
            yield self._say(
                (*path, "values", absent[0]),
                f"{field.field} does not offer {listed(absent)}",
                "what is not offered is never written",
                warning=True,
            )
        unknown = [option for option in info.options if option not in field.values]
        if unknown and field.claims:
            yield self._say(
                (*path, "values"),
                f"{field.field} also offers {listed(unknown)}",
                "say what each stands for; unknown values claim nothing",
                warning=True,
            )

    def _verdict(self) -> Iterator[Finding]:
        verdict = self.mapped.verdict
        if verdict is None:
            return
        yield from self._read_only(("verdict", "field"), verdict.field)
        yield from self._read_only(("verdict", "comment"), verdict.comment)
        yield from self._cleared(("verdict", "field"), verdict.field)
        yield from self._cleared(("verdict", "comment"), verdict.comment)
        info = self.described.get(verdict.field)
        if info is not None and not speaks(info, list(verdict.values)):
            yield self._say(
                ("verdict", "field"),
                f"{verdict.field} is {with_article(info.type)}: no verdict can stand there",
            )
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
        yield from self._cleared(("verdict", "reason", "field"), verdict.reason.field)
        info = self.described[verdict.reason.field]
        table = {native: str(meant) for native, meant in (verdict.reason.table or {}).items()}
        yield from self._table(("verdict", "reason"), verdict.reason, info, writes=False)
        if self.side.kind == "crm":
            yield from self._asked(verdict.reason.field, info)
        if info.options is None:
            return
        meant = {known_reason(table.get(option, option), self.reasons) for option in info.options}
        lacking = [reason for reason in self.reasons if reason not in meant]
        if lacking:
            yield self._say(
                ("verdict", "reason", "field"),
                f"sales cannot choose {listed(lacking)}: {verdict.reason.field} does not offer it",
                warning=True,
            )
        strange = [
            option
            for option in info.options
            if known_reason(table.get(option, option), self.reasons) is None and option != REASON_NEEDED
        ]
        if strange:
            yield self._say(
                ("verdict", "reason", "field"),
                f"{verdict.reason.field} offers {listed(strange)}, which no rule knows",
                "the default reason would apply; add it to the rules or to a table",
                warning=True,
            )

    def _cleared(self, path: Path, native: str | None) -> Iterator[Finding]:
        """A field in which sales speaks, which leadloop empties in the CRM when a lead goes there again."""
        info = self.described.get(native or "")
        if self.side.kind == "crm" and info is not None and not info.updateable:
            yield self._say(
                path,
                f"{native} is read-only here: an old rejection could not be cleared for a new hand-off",
                MAY_EDIT,
            )

    def _asked(self, native: str, info: FieldInfo) -> Iterator[Finding]:
        """Where leadloop asks sales for a reason that it has not given."""
        path: Path = ("verdict", "reason", "field")
        if not speaks(info, self.reasons):
            yield self._say(path, f"{native} is {with_article(info.type)}: no reason can stand there")
        yield from self._too_short(path, native, info, [REASON_NEEDED])
        if not_offered(info, [REASON_NEEDED]):
            yield self._say(
                path,
                f'{native} does not offer "{REASON_NEEDED}", with which leadloop asks for a reason',
                "add the value there",
                warning=True,
            )

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
