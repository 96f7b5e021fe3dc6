"""Compile activity records: objects with `role: activity`, each record of which is something a person did."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import MappingProxyType

from mappings.document import ObjectDocument, SideDocument
from mappings.object_mapping import ActivityRecord, Attribute, shown_as
from mappings.problems import ConfigError, Path
from mappings.source import Document
from mappings.values import FieldType

ACTIVITY_NAME = re.compile(r"[a-z][a-z0-9_]*")
NAME_HINT = "lower-case letters, digits and _, a letter first"


def compile_activity(
    document: Document, path: Path, mapped: ObjectDocument, errors: list[ConfigError]
) -> ActivityRecord:
    """The activity that a record of this object is; what is wrong is appended to `errors`."""

    def error(at: Path, message: str, hint: str = "", *, key: bool = False) -> None:
        errors.append(document.error((*path, *at), message, hint, key=key))

    if not mapped.of:
        error(("role",), '"of" is missing: the native fields that name the person', "of: [LeadId, ContactId]")
    kind = mapped.activity
    if kind is None or (kind.kind is None and not kind.table):
        error(("role",) if kind is None else ("activity",), "no kind of activity is given", "activity: call")
    elif (kind.field is None) != (not kind.table):
        error(("activity",), '"field" and "table" go together: which field, and what its values are')
    named: dict[Path, str] = (
        {} if kind is None else {("activity", "table", native): name for native, name in kind.table.items()}
    )
    if kind is not None and kind.kind is not None:
        # the short form has no key of its own
        place: Path = ("activity", "kind") if "field" in kind.model_fields_set else ("activity",)
        named[place] = kind.kind
    for at, name in named.items():
        if not ACTIVITY_NAME.fullmatch(name):
            error(at, f'"{name}" cannot be the name of an activity', NAME_HINT)
    for name in mapped.attributes:
        if not ACTIVITY_NAME.fullmatch(name) or name == "at":
            hint = "it is when the activity was" if name == "at" else NAME_HINT
            error(("attributes", name), f'"{name}" cannot be the name of an attribute', hint, key=True)
    return ActivityRecord(
        of=tuple(mapped.of),
        kind=None if kind is None else kind.kind,
        kind_field=None if kind is None else kind.field,
        kinds=MappingProxyType({} if kind is None else kind.table),
        when=MappingProxyType(
            {
                native: frozenset(text for value in values if (text := shown_as(value)) is not None)
                for native, values in mapped.when.items()
            }
        ),
        at=tuple(mapped.at),
        per=mapped.per,
        attributes=MappingProxyType(
            {name: Attribute(item.field, item.type) for name, item in mapped.attributes.items()}
        ),
        history=mapped.history,
    )


def check_attribute_types(sides: Sequence[tuple[Document, SideDocument]], errors: list[ConfigError]) -> None:
    """An attribute of a kind of activity has one type, whichever records give it; a counter's detail is
    text."""
    known: dict[tuple[str, str], FieldType] = {}
    for _, side in sides:
        for mapped in side.objects.values():
            known.update({(one.activity, "detail"): "text" for one in mapped.activities if one.detail})
    for document, side in sides:
        for name, mapped in side.objects.items():
            kind = mapped.activity
            kinds = set() if kind is None else {kind.kind, *kind.table.values()} - {None}
            for attribute, item in mapped.attributes.items():
                for one in sorted(map(str, kinds)):
                    first = known.setdefault((one, attribute), item.type)
                    if first != item.type:
                        errors.append(
                            document.error(
                                ("objects", name, "attributes", attribute),
                                f'the attribute "{attribute}" of "{one}" is {first} elsewhere',
                                "one type for all",
                            )
                        )
