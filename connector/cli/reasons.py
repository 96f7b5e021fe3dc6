"""Reasons: why a planned write sets a field, in one clause. Reads the plan; decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mappings.values import Unreadable

if TYPE_CHECKING:
    from connector.cli.offline import Preview
    from connector.lead_input import Policy
    from connector.plan import PlannedWrite
    from mappings.object_mapping import ObjectMapping, Pair
    from mappings.values import Value


def why_written(seen: Preview, policy: Policy, write: PlannedWrite, native: str) -> str:
    """What the native field stands for, and what made its value differ from the record's."""
    target = policy.mapping.sides[write.side].objects[write.object]
    for stage_field in target.stage_fields:
        if stage_field.native == native:
            return _why_stage(seen, write, native)
    for pair in target.outputs:
        if pair.native == native:
            return _why_output(seen, write, pair)
    for pair in target.pairs:
        if pair.native == native and pair.writes:
            return _why_value(seen, policy, target, pair)
    return "the mapping"


def _why_stage(seen: Preview, write: PlannedWrite, native: str) -> str:
    stage = seen.plan.state.stage.value
    if write.op == "create":
        return f"stage {stage}"
    cleared = ", cleared first: it only moves forward" if native in write.then else ""
    return f"stage {stage} is not among those it stood for{cleared}"


def _why_output(seen: Preview, write: PlannedWrite, pair: Pair) -> str:
    if pair.canonical in ("verdict", "rejection_reason", "rejection_comment"):
        if write.fields[pair.native] is None:
            return "cleared: a new round begins"
        if seen.plan.state.awaited_reason is not None:
            return "asks sales for the reason"
    return f"leadloop's {pair.canonical.replace('_', ' ')}"


def _why_value(seen: Preview, policy: Policy, target: ObjectMapping, pair: Pair) -> str:
    name = pair.canonical
    before, after = seen.known.state.values.get(name), seen.plan.state.values.get(name)
    if name == "owner" and after is not None and after == seen.plan.state.owner:
        deadline = seen.plan.state.deadline
        escalated = not seen.plan.moves and deadline is not None and deadline.state == "breached"
        return "owner: escalated to them" if escalated else "owner: routed to them"
    if before == after:
        return f"{name}, as agreed"
    sides = [side for side in _sides_showing(seen, policy, name, after) if side != target.side]
    return f"{name}, from {' and '.join(sides)}" if sides else name


def _sides_showing(seen: Preview, policy: Policy, name: str, value: Value) -> list[str]:
    """The sides whose records show this value of a canonical field."""
    found: list[str] = []
    for record in seen.known.observations:
        side = policy.mapping.sides.get(record.side)
        target = side.objects.get(record.object) if side is not None else None
        pair = target.pair(name) if target is not None else None
        if pair is None or not pair.reads or pair.native not in record.fields:
            continue
        try:
            country = seen.plan.state.values.get("country")
            known = country if isinstance(country, str) else None
            if pair.read(record.fields[pair.native], policy.directory, known) == value:
                found.append(record.side)
        except Unreadable:
            continue
    return list(dict.fromkeys(found))
