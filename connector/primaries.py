"""Primaries: which of a person's records speaks for each side, and what the others are. Pure; no I/O."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from connector.lead import Baseline
from connector.moments import native_moment_ms
from connector.observation import Observation, RecordKey
from connector.plan import RecordRole, WantedHold
from mappings.mapping import Mapping as LeadMapping
from mappings.object_mapping import ObjectMapping


def choose_primaries(
    observations: Sequence[Observation], mapping: LeadMapping, outside: Collection[RecordKey] = ()
) -> tuple[list[Observation], dict[RecordKey, RecordRole], list[WantedHold]]:
    """One primary record a side, in the order of the mapping's sides, and the role of every record.

    A converted Lead is the past of its Contact. Otherwise the object with the lower precedence wins; several
    open records of one object follow the mapping's `primary:` order, or are a hold. Records `outside` their
    object's filter are never primary."""
    roles: dict[RecordKey, RecordRole] = {}
    people: dict[str, list[tuple[int, Observation]]] = {}
    for item in observations:
        target = _mapped(item, mapping)
        if target is None:
            continue
        if target.role == "opportunity" or target.role == "opportunity_contact":
            roles[item.key] = target.role
        elif target.role != "person":
            continue  # it is of no one lead
        elif not item.alive:
            roles[item.key] = "past"
        elif item.key in outside:
            roles[item.key] = "outside"
        else:
            people.setdefault(item.side, []).append((target.precedence, item))
    primaries: list[Observation] = []
    holds: list[WantedHold] = []
    for side_name, side in mapping.sides.items():
        found = people.get(side_name)
        if not found:
            continue
        best = min(precedence for precedence, _ in found)
        rivals = sorted(
            (item for precedence, item in found if precedence == best),
            key=lambda item: _age(item, mapping),
        )
        order = side.objects[rivals[0].object].primary
        for _, item in found:
            roles[item.key] = "secondary"
        if len(rivals) > 1 and order == "hold":
            names = ", ".join(item.record_id for item in rivals)
            holds.append(
                WantedHold(
                    kind="several_records",
                    subject=side_name,
                    message=f"Several open records of this person on {side_name}: {names}.",
                    remedy="Merge them there, or set `primary:` in the mapping to oldest or newest.",
                    details={"candidates": [item.record_id for item in rivals]},
                )
            )
            continue
        chosen = rivals[-1] if order == "newest" else rivals[0]
        roles[chosen.key] = "primary"
        primaries.append(chosen)
    return primaries, roles, holds


def _age(item: Observation, mapping: LeadMapping) -> tuple[int, int, str]:
    """What orders records from the oldest on: when they were created; ids rise with time on both platforms,
    and tell where that is unknown or the same."""
    created = described(item, mapping).created
    born_ms = native_moment_ms(item.fields.get(created)) if created is not None else None
    return born_ms or 0, len(item.record_id), item.record_id


def described(item: Observation, mapping: LeadMapping) -> ObjectMapping:
    """The mapping of the record's object. Raises KeyError for one that the mapping does not name."""
    return mapping.sides[item.side].objects[item.object]


def _mapped(item: Observation, mapping: LeadMapping) -> ObjectMapping | None:
    """The mapping of the record's object; None for one that was taken out of the mapping."""
    side = mapping.sides.get(item.side)
    return side.objects.get(item.object) if side is not None else None


def inherited(
    item: Observation,
    observations: Sequence[Observation],
    baselines: Mapping[RecordKey, Baseline],
    mapping: LeadMapping,
) -> Baseline | None:
    """The baseline of a record that a converted one lives on in and that was never met before: what it shows
    just as the converted one did when it was last looked at is nothing new. None where there is none."""
    for past in observations:
        if (
            past.side != item.side
            or not past.converted
            or item.record_id not in past.refs.get(item.object, ())
        ):
            continue
        known = baselines.get(past.key)
        if known is None:
            continue
        target = _mapped(past, mapping)
        natives = {} if target is None else {pair.canonical: pair.native for pair in target.pairs}
        kept = {
            pair.native: shown
            for pair in described(item, mapping).pairs
            if (shown := item.fields.get(pair.native)) is not None
            and known.shown.get(natives.get(pair.canonical, "")) == shown
        }
        return Baseline(shown=kept, shown_stamp_ms=known.shown_stamp_ms)
    return None


def absorbed(
    item: Observation, observations: Sequence[Observation], baselines: Mapping[RecordKey, Baseline]
) -> list[Baseline]:
    """What is remembered of the records that were merged into this one."""
    return [
        baselines[past.key]
        for past in observations
        if past.merged_into == item.record_id
        and (past.side, past.object) == (item.side, item.object)
        and past.key in baselines
    ]


def cut_sides(
    cut_before: Sequence[str],
    observations: Sequence[Observation],
    roles: Mapping[RecordKey, RecordRole],
    mapping: LeadMapping,
) -> tuple[str, ...]:
    """Sides on which the person's record was deleted: they get no new one. A converted or merged record is
    no deletion, and a record that came back ends the cut."""
    alive = {key.side for key, role in roles.items() if role in ("primary", "secondary")}
    gone = {
        item.side
        for item in observations
        if item.deleted
        and not item.merged_into
        and (target := _mapped(item, mapping)) is not None
        and target.role == "person"
    }
    return tuple(sorted((set(cut_before) | gone) - alive))
