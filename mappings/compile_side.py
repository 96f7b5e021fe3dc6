"""Compile one side: its objects, pairs and stage fields, checked against the lead's fields.

A side is compiled as far as it goes even when something in it is wrong, so that all errors are told at once;
the caller throws the result away then.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal

from mappings.compile_activity import compile_activity
from mappings.compile_pair import PairCompiler
from mappings.compile_stage import compile_stage_field
from mappings.document import LEADLOOP_FIELDS, ROLE_FIELDS, ObjectDocument, SideDocument
from mappings.mapping import ACCOUNT_OWNER, FieldRule, SideMapping
from mappings.normalise import normalise
from mappings.object_mapping import Counter, CreateRule, FilterRule, ObjectMapping, Pair, Verdict
from mappings.problems import ConfigError, Path, did_you_mean
from mappings.source import Document
from mappings.stages import Stage
from mappings.values import FieldType, Unreadable, Value


def compile_side(
    document: Document,
    side: SideDocument,
    fields: dict[str, FieldRule],
    default_country: str | None,
    errors: list[ConfigError],
) -> SideMapping:
    """One side's mapping; what is wrong is appended to `errors`."""
    objects = {
        name: _ObjectCompiler(document, side, name, mapped, fields, default_country, errors).compiled()
        for name, mapped in side.objects.items()
    }
    people = [name for name, mapped in side.objects.items() if mapped.role == "person"]
    if not people:
        errors.append(document.error(("objects",), 'no object of this side has "role: person"', key=True))
    by_precedence: dict[int, str] = {}
    for name in people:
        other = by_precedence.setdefault(side.objects[name].precedence, name)
        if other != name:
            errors.append(
                document.error(
                    ("objects", name, "precedence"),
                    f'"{name}" and "{other}" have the same precedence',
                    "the lower one is preferred as a lead's primary record",
                )
            )
    creating = [name for name in people if side.objects[name].create is not None]
    errors.extend(
        document.error(
            ("objects", name, "create"),
            f'leads are created in one object only, here in "{creating[0]}"',
            key=True,
        )
        for name in creating[1:]
    )
    return SideMapping(side.side, side.platform, side.kind, MappingProxyType(objects))


class _ObjectCompiler:
    """Compiles one object."""

    def __init__(
        self,
        document: Document,
        side: SideDocument,
        name: str,
        mapped: ObjectDocument,
        fields: dict[str, FieldRule],
        default_country: str | None,
        errors: list[ConfigError],
    ) -> None:
        self.document, self.side, self.name, self.mapped = document, side.side, name, mapped
        self.objects = side.objects
        self.fields, self.default_country, self.errors = fields, default_country, errors
        self.path: Path = ("objects", name)
        self.targets: dict[str, tuple[str, int]] = {}
        self.pairs = PairCompiler(document, side.side, default_country, errors)

    def compiled(self) -> ObjectMapping:
        mapped = self.mapped
        self._check_role()
        if mapped.role == "activity":
            return ObjectMapping(
                side=self.side,
                object=self.name,
                role="activity",
                precedence=mapped.precedence,
                primary=mapped.primary,
                pairs=(),
                default_country=self.default_country,
                activity=compile_activity(self.document, self.path, mapped, self.errors),
            )
        defaults = self._defaults()
        pairs = self._pairs()
        stages = []
        for index, field in enumerate(mapped.stage):
            path = (*self.path, "stage", index)
            self._claim_target(field.field, "the stage", (*path, "field"))
            stages.append(compile_stage_field(self.document, path, field, self.errors))
        verdict = self._verdict()
        outputs = self._outputs()
        if mapped.primary != "hold" and mapped.created is None and mapped.role == "person":
            self._error(
                ("primary",),
                f'"primary: {mapped.primary}" needs "created", the native field with the record\'s birth',
            )
        return ObjectMapping(
            side=self.side,
            object=self.name,
            role=mapped.role,
            precedence=mapped.precedence,
            primary=mapped.primary,
            pairs=pairs,
            outputs=outputs,
            stage_fields=tuple(stages),
            verdict=verdict,
            counters=tuple(Counter(c.counter, c.activity, c.at, c.detail) for c in mapped.activities),
            create=self._create(defaults),
            created=mapped.created,
            default_country=self.default_country,
            filter=self._filter(),
            accepted_by_owner=self._accepted_by_owner(),
            stages=self._opportunity_stages(),
            account=self._account(),
            also_known_by=self._also_known_by(),
            reason=self._reason(),
        )

    def _filter(self) -> FilterRule | None:
        if self.mapped.filter is None:
            return None
        line, column = self.document.place((*self.path, "filter"))
        return FilterRule(self.mapped.filter, self.document.source.name, line, column)

    def _reason(self) -> Pair | None:
        if self.mapped.reason is None:
            return None
        return self.pairs.compiled(
            (*self.path, "reason"), "rejection_reason", self.mapped.reason, "picklist", read_only=True
        )

    def _account(self) -> str | None:
        accounts = [name for name, mapped in self.objects.items() if mapped.role == "account"]
        if self.mapped.account is not None and self.mapped.role == "person" and not accounts:
            hint = 'map the object that it names, with "role: account", or leave it out'
            self._error(
                ("account",), '"account" needs an object with "role: account" beside it', hint, key=True
            )
        return self.mapped.account

    def _also_known_by(self) -> MappingProxyType[str, str]:
        identities = [
            name for name in self.mapped.fields if name in self.fields and self.fields[name].identity
        ]
        for name in self.mapped.also_known_by:
            if self.mapped.role == "person" and name not in identities:
                told = f'"{name}" is no field with "identity: true" that "{self.name}" has under "fields"'
                self._error(("also_known_by", name), told, did_you_mean(name, identities), key=True)
        return MappingProxyType(self.mapped.also_known_by)

    def _accepted_by_owner(self) -> Literal["taken", "given"] | None:
        owner = self.mapped.fields.get("owner")
        if self.mapped.accepted_by_owner is not None and (owner is None or owner.direction == "write"):
            self._error(
                ("accepted_by_owner",),
                '"accepted_by_owner" needs "owner" under "fields"',
                "add owner",
                key=True,
            )
        return self.mapped.accepted_by_owner

    def _opportunity_stages(self) -> MappingProxyType[str, Stage]:
        if self.mapped.stages and "stage_name" not in self.mapped.fields:
            self._error(("stages",), '"stages" needs "stage_name" under "fields"', key=True)
        return MappingProxyType({name: Stage(meant) for name, meant in self.mapped.stages.items()})

    def _error(self, path: Path, message: str, hint: str = "", *, key: bool = False) -> None:
        self.errors.append(self.document.error((*self.path, *path), message, hint, key=key))

    def _claim_target(self, native: str, by: str, path: Path) -> None:
        """Two writers of one native field would overwrite each other for ever. Platforms do not tell the case
        of field names apart."""
        line, _ = self.document.place(path)
        first, first_line = self.targets.setdefault(native.lower(), (by, line))
        if first_line != line or first != by:
            self.errors.append(
                self.document.error(
                    path,
                    f'"{native}" is written by {first} already, in line {first_line}',
                    "keep one of the two",
                )
            )

    def _check_role(self) -> None:
        role, written = self.mapped.role, self.mapped.model_fields_set
        if role != "activity":
            for key in ("of", "activity", "when", "at", "per", "attributes", "history"):
                if key in written:
                    self._error((key,), f'"{key}" is for objects with "role: activity"', key=True)
        if role != "opportunity" and "stages" in written:
            self._error(("stages",), '"stages" is for objects with "role: opportunity"', key=True)
        if role != "sales_lead" and "reason" in written:
            self._error(("reason",), '"reason" is for objects with "role: sales_lead"', key=True)
        if role == "sales_lead":
            self._check_sales_lead()
        if role == "person":
            return
        for key in (
            *(() if role == "sales_lead" else ("stage",)),
            "verdict",
            "leadloop",
            "activities",
            "create",
            "primary",
            "accepted_by_owner",
            "filter",
            "account",
            "also_known_by",
        ):
            if key in written:
                self._error((key,), f'"{key}" is for objects with "role: person"', key=True)
        if role == "account":
            self._check_account()
        if role == "activity" and "fields" in written:
            self._error(("fields",), "leadloop reads no fields of an activity", 'use "attributes"', key=True)

    def _check_sales_lead(self) -> None:
        """A sales lead counts by its birth, and says something by its stage."""
        if self.mapped.created is None:
            self._error(("role",), 'a sales lead needs "created", the native field with its birth')
        if not self.mapped.stage:
            self._error(("role",), 'a sales lead needs "stage", what its stages mean')

    def _check_account(self) -> None:
        """An account is of use where it can be matched, has an owner, and the lead has a field for that."""
        if "owner" not in self.mapped.fields:
            self._error(("role",), 'an account needs "owner" under "fields"', "add owner")
        if not {"name", "website"} & self.mapped.fields.keys():
            self._error(
                ("role",),
                'an account needs "website" or "name" under "fields"',
                "leads are matched with them",
            )
        known = self.fields.get(ACCOUNT_OWNER)
        if known is None or known.type != "owner":
            self._error(
                ("role",),
                f'an account needs a field "{ACCOUNT_OWNER}" of the type owner',
                "add it to what a lead is",
            )

    def _pairs(self) -> tuple[Pair, ...]:
        pairs = []
        known: dict[str, FieldType] = ROLE_FIELDS.get(
            self.mapped.role, {name: rule.type for name, rule in self.fields.items()}
        )
        for name, pair in self.mapped.fields.items():
            path = (*self.path, "fields", name)
            if name not in known:
                self._error(("fields", name), f'unknown field "{name}"', did_you_mean(name, known), key=True)
                continue
            rule = self.fields.get(name) if self.mapped.role == "person" else None
            if self.mapped.role != "person" and pair.direction == "write":
                self._error(("fields", name, "direction"), "leadloop reads this object and never writes it")
            if self.mapped.role == "person" and pair.direction != "read":
                self._claim_target(pair.field, f'"{name}"', (*path, "field"))
            compiled = self.pairs.compiled(
                path,
                name,
                pair,
                known[name],
                values=None if rule is None else rule.values,
                read_only=self.mapped.role != "person",
            )
            pairs.append(compiled)
        return tuple(pairs)

    def _outputs(self) -> tuple[Pair, ...]:
        outputs = []
        for name, pair in self.mapped.leadloop.items():
            path = (*self.path, "leadloop", name)
            if name not in LEADLOOP_FIELDS:
                self._error(
                    ("leadloop", name),
                    f'unknown leadloop field "{name}"',
                    did_you_mean(name, LEADLOOP_FIELDS),
                    key=True,
                )
                continue
            if pair.direction == "read":
                self._error(
                    ("leadloop", name, "direction"), "leadloop writes this field; it cannot be read only"
                )
            self._claim_target(pair.field, f'the leadloop field "{name}"', (*path, "field"))
            outputs.append(self.pairs.compiled(path, name, pair, LEADLOOP_FIELDS[name]))
        return tuple(outputs)

    def _verdict(self) -> Verdict | None:
        verdict = self.mapped.verdict
        if verdict is None:
            return None
        path = (*self.path, "verdict")
        self._claim_target(verdict.field, "the verdict", (*path, "field"))
        reason = None
        if verdict.reason is not None:
            self._claim_target(verdict.reason.field, "the verdict's reason", (*path, "reason", "field"))
            reason = self.pairs.compiled((*path, "reason"), "rejection_reason", verdict.reason, "picklist")
        if verdict.comment is not None:
            self._claim_target(verdict.comment, "the verdict's comment", (*path, "comment"))
        for wanted in ("accepted", "rejected"):
            if wanted not in verdict.values.values():
                self._error(("verdict", "values"), f'no value of the verdict means "{wanted}"', key=True)
        return Verdict(verdict.field, MappingProxyType(verdict.values), reason, verdict.comment)

    def _defaults(self) -> dict[str, Value]:
        """The canonical values that a create sends when the lead has none."""
        defaults: dict[str, Value] = {}
        if self.mapped.create is None:
            return defaults
        writing = {name for name, pair in self.mapped.fields.items() if pair.direction != "read"}
        for name, value in self.mapped.create.defaults.items():
            path = ("create", "defaults", name)
            if name not in writing or name not in self.fields:
                self._error(
                    path,
                    f'"{name}" is not a field that "{self.name}" writes',
                    did_you_mean(name, writing),
                    key=True,
                )
                continue
            try:
                defaults[name] = normalise(self.fields[name].type, value, self.default_country)
            except Unreadable as why:
                self._error(path, str(why))
        return defaults

    def _create(self, defaults: dict[str, Value]) -> CreateRule | None:
        create = self.mapped.create
        if create is None:
            return None
        if "lead_id" not in self.mapped.leadloop:
            self._error(
                ("create",),
                '"create" needs "lead_id" under "leadloop", so that a repeated create finds the first one',
                key=True,
            )
        line, column = self.document.place((*self.path, "create", "when"))
        return CreateRule(create.when, MappingProxyType(defaults), self.document.source.name, line, column)
