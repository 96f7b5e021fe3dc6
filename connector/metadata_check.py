"""Metadata check: a mapping document against what a platform says of its own fields. Pure; asks nobody.

What leadloop could not do is an error; what it can do without is a warning. Both point at the line in the
mapping that says it. A native field that is absent is found here for `check --live` and for the start.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from connector.object_check import Finding, ObjectCheck
from connector.person_check import PersonCheck
from connector.platforms.protocol import Metadata
from mappings.document import SideDocument
from mappings.mapping import FieldRule, SideMapping
from mappings.problems import Path, did_you_mean
from mappings.source import Document
from rules.evaluate import Rules


def missing_fields(side: SideMapping, metadata: Metadata, refused: Mapping[str, str]) -> list[str]:
    """One sentence for each mapped object and field that the platform does not have, or lets leadloop not
    see. `refused`: objects that leadloop may not read, and why."""
    missing = []
    for name, target in sorted(side.objects.items(), key=lambda item: item[1].role == "person"):
        if name in refused:
            missing.append(f"{side.side} does not let leadloop read {name} ({refused[name]})")
            continue
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


def names_to_describe(side: SideMapping) -> list[str]:
    """The mapped objects, and the relationships that mapped fields cross, such as `Contact.Account`."""
    crossed = {
        f"{name}.{native.partition('.')[0]}"
        for name, target in side.objects.items()
        for native in target.natives
        if "." in native
    }
    return [*side.objects, *sorted(crossed)]


def check_metadata(
    document: Document,
    side: SideDocument,
    metadata: Metadata,
    fields: Mapping[str, FieldRule],
    rules: Rules,
    refused: Mapping[str, str] = MappingProxyType({}),
) -> list[Finding]:
    """Everything in a side's document that its platform would not take. `fields`: the canonical fields;
    `rules`: whose reasons, tracks and grades are written there; `refused`: objects that leadloop may not
    read, and why."""
    found: list[Finding] = []
    for name, mapped in side.objects.items():
        path: Path = ("objects", name)
        described = metadata.objects.get(name)
        if name in refused:
            told = f"{side.side} does not let leadloop read {name}: {refused[name]}"
            found.append(Finding(document.error(path, told, key=True)))
            continue
        if described is None:
            hint = did_you_mean(name, metadata.objects)
            error = document.error(path, f"{side.side} has no object {name}", hint, key=True)
            found.append(Finding(error, warning=mapped.role == "activity"))  # leads do without
            continue
        check = PersonCheck if mapped.role == "person" else ObjectCheck
        checked = check(document, side, name, mapped, described, fields, rules)
        found.extend(checked.findings())
    unique = {(item.error.line, item.error.column, item.error.message): item for item in found}
    return sorted(unique.values(), key=lambda item: (item.error.line, item.error.column))
