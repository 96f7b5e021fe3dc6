"""Agreement: whether a record shows what its lead was agreed to be, field by field. Pure; no I/O.

Says what differs, not why, and not what follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from connector.lead import LeadState
from connector.observation import Fields, Raw
from connector.outputs import output_values
from mappings.mapping import FieldRule
from mappings.merge import same
from mappings.object_mapping import ObjectMapping, Pair
from mappings.stage_fields import StageField
from mappings.values import NoSpelling, OwnerDirectory, Unreadable, Value


class Difference(NamedTuple):
    """A native field that shows something else than was agreed. `name` is the lead's field, or leadloop's own
    (`kind` output); of a native stage field the native name."""

    native: str
    name: str
    kind: Literal["field", "output", "stage"]
    shown: Raw
    agreed: Value


def differences(
    state: LeadState,
    fields: Fields,
    target: ObjectMapping,
    rules: Mapping[str, FieldRule],
    directory: OwnerDirectory,
) -> list[Difference]:
    """What a record of this object shows otherwise than the lead has it. Fields that were not read, and those
    about which nothing was agreed yet, are passed over. Who has not opted out shows so by a blank as well."""
    country = state.values.get("country")
    where = country if isinstance(country, str) else None
    found: list[Difference] = []
    for pair in target.pairs:
        if pair.canonical in state.values and pair.native in fields:
            agreed, shown = state.values[pair.canonical], fields[pair.native]
            if shown is None and not agreed and rules[pair.canonical].policy == "opt_out":
                continue
            if not shows(pair, shown, agreed, directory, where):
                found.append(Difference(pair.native, pair.canonical, "field", shown, agreed))
    outputs = output_values(state)
    for pair in target.outputs:
        if pair.canonical not in outputs or pair.native not in fields:
            continue
        shown, wanted = fields[pair.native], outputs[pair.canonical]
        if pair.canonical == "lead_id" and shown in state.aliases:
            continue  # the id of a lead that became part of this one
        if not shows(pair, shown, wanted, directory, where):
            found.append(Difference(pair.native, pair.canonical, "output", shown, wanted))
    for stage_field in target.stage_fields:
        if stage_field.native in fields and _incompatible(stage_field, fields, state):
            wanted = stage_field.spelling(state.stage, state.outcome)
            found.append(
                Difference(
                    stage_field.native, stage_field.native, "stage", fields[stage_field.native], wanted
                )
            )
    return found


def shows(pair: Pair, shown: Raw, value: Value, directory: OwnerDirectory, country: str | None) -> bool:
    """Whether a native value means this canonical one, or is its very spelling."""
    try:
        if same(pair.read(shown, directory, country), value):
            return True
    except Unreadable:
        pass  # it may still be just what leadloop writes there
    try:
        return value is not None and shown == pair.write(value, directory, country)
    except NoSpelling:
        return False


def stage_disagreement(target: ObjectMapping, fields: Mapping[str, Any], state: LeadState) -> str | None:
    """What the stage that a record shows has to say against the lead's; None where they agree."""
    pair = target.output("stage")
    shown = fields.get(pair.native) if pair is not None else None
    if shown != state.stage.value:
        return f"shows {shown!r}, is {state.stage.value!r}"
    for stage_field in target.stage_fields:
        if _incompatible(stage_field, fields, state):
            return f"{stage_field.native} = {fields.get(stage_field.native)!r} does not go with {shown!r}"
    return None


def _incompatible(stage_field: StageField, fields: Mapping[str, Any], state: LeadState) -> bool:
    native = fields.get(stage_field.native)
    standing = None if native in (None, "") else str(native)
    if stage_field.compatible(standing, state.stage) is not False:
        return False
    # a value that leadloop never takes back, or for which it has no word, stands by design
    return stage_field.spelling(state.stage, state.outcome) is not None and stage_field.may_leave(standing)
