"""What a field and an object are, and the compact text tables in which the standard ones are written down.

A table line reads `Name type size flags…`. Size is the length of a text, `precision.scale` of a number, `-`
where there is none, and for a reference the objects it may point at. The flags, as letters: c createable,
u updateable, n nillable, d defaulted on create, i idLookup, r restricted picklist, x not filterable, N name
field, `.` none. Then `@Relationship`, `^Compound` and `=Picklist` where they apply. This file holds no rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

Value = str | int | float | bool | None
Row = dict[str, Any]

TEXT_TYPES: Final = frozenset(
    {"string", "textarea", "picklist", "multipicklist", "email", "phone", "url", "combobox"}
)
NUMBER_TYPES: Final = frozenset({"int", "double", "currency", "percent"})
LONG_TEXT = 255
"""Text areas longer than this can be neither filtered nor sorted by, and shrink query pages."""

_CUSTOM_TYPES: Final[Mapping[str, str]] = {
    "text": "string",
    "number": "double",
    "checkbox": "boolean",
    "lookup": "reference",
    "longtext": "textarea",
}


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field. Types are those of describe. `picklist` are the active values; `default` is what a new row
    gets. Custom fields (`…__c`) are made with `custom_field`."""

    name: str
    type: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    label: str = ""
    createable: bool = True
    updateable: bool = True
    nillable: bool = True
    defaulted: bool = False
    default: Value = None
    id_lookup: bool = False
    external_id: bool = False
    unique: bool = False
    case_sensitive: bool = False
    restricted: bool = False
    picklist: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    relationship: str | None = None
    compound: str | None = None
    name_field: bool = False
    unfilterable: bool = False

    @property
    def custom(self) -> bool:
        return self.name.endswith("__c")

    @property
    def polymorphic(self) -> bool:
        return len(self.references) > 1

    @property
    def long_text(self) -> bool:
        return self.type == "textarea" and self.length > LONG_TEXT

    @property
    def filterable(self) -> bool:
        return not (self.unfilterable or self.long_text)

    @property
    def sortable(self) -> bool:
        return self.filterable and self.type not in ("address", "multipicklist")

    @property
    def key(self) -> bool:
        """Whether it can be named as the key of an upsert."""
        return self.external_id or self.id_lookup


@dataclass(slots=True)
class ObjectSpec:
    """One object with its fields by name. `find` forgives letter case, as Salesforce does."""

    name: str
    prefix: str
    fields: dict[str, FieldSpec]
    label: str = ""
    plural: str = ""
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    undeletable: bool = True
    mergeable: bool = False
    relationships: dict[str, FieldSpec] = field(default_factory=dict)
    defaults: dict[str, Value] = field(default_factory=dict)
    required: tuple[FieldSpec, ...] = ()
    unique: tuple[FieldSpec, ...] = ()
    _by_lower: dict[str, FieldSpec] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.label = self.label or words(self.name)
        self.plural = self.plural or self.label + "s"
        self._index()

    def add(self, spec: FieldSpec) -> None:
        """Add a field, or replace the one of the same name."""
        self.fields[spec.name] = spec
        self._index()

    def find(self, name: str) -> FieldSpec | None:
        """The field of this name in any letter case."""
        return self.fields.get(name) or self._by_lower.get(name.lower())

    def relationship(self, name: str) -> FieldSpec | None:
        """The reference field behind a relationship name, in any letter case."""
        return self.relationships.get(name.lower())

    def _index(self) -> None:
        specs = self.fields.values()
        self._by_lower = {spec.name.lower(): spec for spec in specs}
        self.relationships = {
            spec.relationship.lower(): spec for spec in specs if spec.relationship and spec.references
        }
        self.defaults = {spec.name: spec.default for spec in specs if spec.default is not None}
        self.required = tuple(
            spec
            for spec in specs
            if spec.createable and not (spec.nillable or spec.defaulted or spec.type == "boolean")
        )
        self.unique = tuple(spec for spec in specs if spec.unique)


def words(name: str) -> str:
    """A label made of an API name: `NumberOfEmployees` is "Number Of Employees"."""
    plain = re.sub(r"__c$", "", name).replace("_", " ")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", plain)


def field_table(text: str, picklists: Mapping[str, tuple[str, ...]]) -> dict[str, FieldSpec]:
    """The fields of a compact table. A picklist value that ends in `*` is the default."""
    specs = [_field(line.split(), picklists) for line in text.splitlines() if line]
    return {spec.name: spec for spec in specs}


def _field(parts: list[str], picklists: Mapping[str, tuple[str, ...]]) -> FieldSpec:
    name, type_, size, flags, *rest = parts
    more: dict[str, Any] = {}
    for token in rest:
        if token[0] == "@":
            more["relationship"] = token[1:]
        elif token[0] == "^":
            more["compound"] = token[1:]
        elif token[0] == "=":
            more |= _picked(picklists[token[1:]])
    if type_ in ("reference", "id"):
        more["length"] = 18
        more["references"] = () if size == "-" else tuple(size.split(","))
    elif "." in size:
        more["precision"], more["scale"] = (int(part) for part in size.split("."))
    elif size != "-":
        more["length"] = int(size)
    if type_ == "boolean":
        more["default"] = False
    return FieldSpec(
        name,
        type_,
        label=words(name),
        createable="c" in flags,
        updateable="u" in flags,
        nillable="n" in flags,
        defaulted="d" in flags,
        id_lookup="i" in flags,
        restricted="r" in flags,
        unfilterable="x" in flags,
        name_field="N" in flags,
        **more,
    )


def _picked(values: tuple[str, ...]) -> dict[str, Any]:
    default = next((value[:-1] for value in values if value.endswith("*")), None)
    return {"picklist": tuple(value.removesuffix("*") for value in values), "default": default}


def custom_field(name: str, type: str = "string", **options: Any) -> FieldSpec:  # noqa: A002  # Salesforce's own word for it
    """A custom field as an admin would add it, `name` ending in `__c`.

    `type`: a describe type, or text, number, checkbox, lookup, longtext. `options`: the attributes of
    `FieldSpec` (length, precision, scale, picklist, unique, external_id, case_sensitive, references,
    default, label) and `required`. Picklists are restricted unless told otherwise. Raises ValueError."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*__c", name):
        raise ValueError(f"a custom field's name is letters, digits and _, and ends in __c: {name!r}")
    native = _CUSTOM_TYPES.get(type, type)
    if native not in TEXT_TYPES | NUMBER_TYPES | {"boolean", "date", "datetime", "reference"}:
        raise ValueError(f"{name}: no such field type: {type!r}")
    if options.pop("required", False):
        options["nillable"] = False
    for listed in ("picklist", "references"):
        if listed in options:
            options[listed] = tuple(options[listed])
    spec = FieldSpec(name, native, **options)
    changes: dict[str, Any] = {"label": spec.label or words(name)}
    if native in TEXT_TYPES and not spec.length:
        changes["length"] = {"email": 80, "phone": 40, "textarea": 32_768 if type == "longtext" else 255}.get(
            native, 255
        )
    if native in NUMBER_TYPES and not spec.precision:
        changes["precision"] = 18
    if native in ("picklist", "multipicklist") and "restricted" not in options:
        changes["restricted"] = True
    if native == "boolean":
        changes |= {"nillable": False, "defaulted": True, "default": bool(spec.default)}
    if native == "reference":
        changes |= {"length": 18, "relationship": spec.relationship or name.removesuffix("__c") + "__r"}
    return replace(spec, **changes)
