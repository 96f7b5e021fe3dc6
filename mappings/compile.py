"""Compile: mapping documents into a `Mapping`, or everything that is wrong with them, at once.

Here: what a lead is, and what concerns several files. The sides are in `mappings/compile_side.py`.
"""

from __future__ import annotations

import hashlib
import keyword
import re
from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

from mappings.compile_activity import check_attribute_types
from mappings.compile_side import compile_side
from mappings.document import FieldDocument, LeadDocument, SideDocument
from mappings.mapping import FieldRule, Mapping, SideMapping
from mappings.normalise import normalise
from mappings.problems import ConfigError, ConfigErrors, did_you_mean
from mappings.round_trip import idempotence_fault
from mappings.source import Document, Source, parse
from mappings.validation import validate
from mappings.values import Unreadable

_NAME = re.compile(r"[a-z][a-z0-9_]*")
RESERVED: Final = frozenset(
    {
        *("stage", "cycle", "origin", "fit", "engagement", "score", "grade"),
        *("outcome", "closed_reason", "deal_amount", "activity", "now"),
    }
)
"""Names that mean something else in the rules' language."""

_POLICIES: Final = ("newest", "not_blank", "hold", "opt_out")
_OTHERWISE: Final = ("not_blank", "hold")
_FIRST_CONTACT: Final = ("fill", "hold")


def compile_mapping(sources: Sequence[Source]) -> Mapping:
    """See `mappings.mapping.load_mapping`. Raises ConfigErrors."""
    errors: list[ConfigError] = []
    leads: list[tuple[Document, LeadDocument]] = []
    sides: list[tuple[Document, SideDocument]] = []
    for source in sources:
        try:
            document = parse(source)
            if isinstance(document.data, dict) and "side" in document.data:
                sides.append((document, validate(SideDocument, document)))
            elif isinstance(document.data, dict) and "fields" in document.data:
                leads.append((document, validate(LeadDocument, document)))
            else:
                errors.append(_of_no_kind(document))
        except ConfigErrors as found:
            errors += found.errors
    if not leads and not errors:
        name = sources[0].name if sources else "mappings"
        errors.append(
            ConfigError(name, 1, 1, "no document says what a lead is", 'one needs "fields:" at its top')
        )
    for document, _ in leads[1:]:
        first = leads[0][0].source.name
        errors.append(
            document.error(
                ("fields",), f"a second document says what a lead is (the first is {first})", key=True
            )
        )
    if not leads or (errors and not sides):
        raise ConfigErrors(errors)

    names = _side_names(sides, errors)
    document, lead = leads[0]
    default_country = _default_country(document, lead, errors)
    # with a side missing because it is broken, its name would only be called unknown
    fields = _field_rules(document, lead, names if not errors else None, errors)
    compiled: dict[str, SideMapping] = {}
    for side_document, side in sides:
        compiled[side.side] = compile_side(side_document, side, fields, default_country, errors)
    check_attribute_types(sides, errors)
    if errors:
        order = {source.name: position for position, source in enumerate(sources)}
        raise ConfigErrors(
            sorted(errors, key=lambda error: (order.get(error.file, 0), error.line, error.column))
        )
    groups: dict[str, tuple[str, ...]] = {}
    for rule in fields.values():
        if rule.group is not None:
            groups[rule.group] = (*groups.get(rule.group, ()), rule.name)
    return Mapping(
        version=_version(sources),
        fields=MappingProxyType(fields),
        sides=MappingProxyType(compiled),
        illegal_moves=lead.illegal_moves,
        groups=MappingProxyType(groups),
        default_country=default_country,
    )


def _of_no_kind(document: Document) -> ConfigError:
    hint = 'a document of the lead has "fields:" at its top, that of a platform "side:"'
    if not isinstance(document.data, dict):
        return document.error((), "this is not a mapping document", hint)
    for key in document.data:
        near = did_you_mean(key, ("side", "fields"))
        if near.startswith("did you mean"):
            return document.error((key,), f'unknown key "{key}"', near, key=True)
    return document.error((), "this is not a mapping document", hint)


def _version(sources: Sequence[Source]) -> str:
    """The same texts have the same version, wherever their files are and in whatever order they came."""
    digest = hashlib.sha256()
    for text in sorted(source.text for source in sources):
        digest.update(hashlib.sha256(text.encode()).digest())
    return digest.hexdigest()


def _side_names(sides: Sequence[tuple[Document, SideDocument]], errors: list[ConfigError]) -> list[str]:
    names: list[str] = []
    for document, side in sides:
        if side.side in names:
            errors.append(document.error(("side",), f'two documents are about the side "{side.side}"'))
        if not _NAME.fullmatch(side.side) or side.side in (*_POLICIES, *_FIRST_CONTACT):
            hint = "lower-case letters, digits and _, beginning with a letter"
            errors.append(document.error(("side",), f'"{side.side}" cannot be the name of a side', hint))
        names.append(side.side)
    return names


def _default_country(document: Document, lead: LeadDocument, errors: list[ConfigError]) -> str | None:
    try:
        country = normalise("country", lead.default_country)
    except Unreadable as why:
        errors.append(document.error(("default_country",), str(why), "use a code such as US"))
        return None
    return None if country is None else str(country)


def _field_rules(
    document: Document, lead: LeadDocument, sides: list[str] | None, errors: list[ConfigError]
) -> dict[str, FieldRule]:
    """The canonical fields; `sides` None: not known, so their names are not checked."""
    if not lead.fields:
        errors.append(document.error(("fields",), "a lead needs at least one field"))
    for kind in sorted({field.type for field in lead.fields.values()}):
        fault = idempotence_fault(kind)
        if fault is not None:
            errors.append(document.error(("fields",), fault))
    rules: dict[str, FieldRule] = {}
    for name, field in lead.fields.items():
        path = ("fields", name)
        if not _NAME.fullmatch(name) or keyword.iskeyword(name) or name in RESERVED:
            taken = name in RESERVED or keyword.iskeyword(name)
            hint = "rules use this word" if taken else "lower-case letters, digits and _, a letter first"
            errors.append(document.error(path, f'"{name}" cannot be the name of a field', hint, key=True))
        if sides is not None:
            _check_policies(document, path, field, sides, errors)
        if field.policy == "newest" and field.otherwise is None:
            errors.append(
                document.error(
                    (*path, "policy"),
                    'policy "newest" needs "else" for changes whose order cannot be told',
                    f"else: {', '.join([*(sides or ()), *_OTHERWISE])}",
                )
            )
        if field.policy == "opt_out" and field.type != "boolean":
            errors.append(document.error((*path, "policy"), 'policy "opt_out" is for booleans only'))
        _check_values(document, path, field, errors)
        rules[name] = FieldRule(
            name=name,
            type=field.type,
            policy=field.policy,
            otherwise=field.otherwise,
            first_contact=field.first_contact,
            blank=field.blank,
            group=field.group,
            identity=field.identity,
            personal=field.personal,
            values=None if field.values is None else tuple(field.values),
        )
    return rules


def _check_policies(
    document: Document,
    path: tuple[str, str],
    field: FieldDocument,
    sides: Sequence[str],
    errors: list[ConfigError],
) -> None:
    for key, value, words in (
        ("policy", field.policy, _POLICIES),
        ("else", field.otherwise, _OTHERWISE),
        ("first_contact", field.first_contact, _FIRST_CONTACT),
    ):
        if value is not None and value not in (*sides, *words):
            hint = did_you_mean(value, (*sides, *words))
            errors.append(document.error((*path, key), f'unknown policy "{value}"', hint))


def _check_values(
    document: Document, path: tuple[str, str], field: FieldDocument, errors: list[ConfigError]
) -> None:
    if field.values is None:
        return
    if field.type not in ("picklist", "multi_select"):
        errors.append(
            document.error((*path, "values"), '"values" is for picklist and multi_select only', key=True)
        )
        return
    for index, value in enumerate(field.values):
        normal = normalise(field.type, value)
        if normal not in (value, (value,)):
            errors.append(
                document.error(
                    (*path, "values", index), f'"{value}" is not in its normal form', f'"{normal}"'
                )
            )
