"""Agree on the canonical values of a lead: the three-way merge, field by field, over its primary records.

The merge rule itself is `mappings.merge`; this file gathers what each side shows, what it showed before, and
what was agreed. Pure; no I/O.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connector.lead import LeadState
from connector.plan import WantedHold
from connector.record_view import RecordView
from mappings.mapping import FieldRule, Pair
from mappings.mapping import Mapping as LeadMapping
from mappings.merge import Merged, SideView, first_contact, merge_field, same
from mappings.values import OwnerDirectory, Unreadable, Value


@dataclass(frozen=True, slots=True)
class Agreement:
    """The agreed values, the fields in which the sides differed at first contact and still do, the fields
    that no side's value could be read from (with the reason), and the holds that follow."""

    values: Mapping[str, Value]
    differences: Mapping[str, Mapping[str, Value]]
    unreadable: Mapping[str, str]
    holds: tuple[WantedHold, ...]
    changed_by: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Shown:
    """One side's word on one field."""

    side: SideView
    fresh: bool


def agree(
    state: LeadState, views: Sequence[RecordView], mapping: LeadMapping, directory: OwnerDirectory
) -> Agreement:
    """Merge what the primary records in `views` (one a side) show with what was agreed before."""
    values: dict[str, Value] = dict(state.values)
    differences = dict(state.differences)
    unreadable: dict[str, str] = {}
    holds: list[WantedHold] = []
    changed_by: dict[str, str] = {}
    shown: dict[str, list[_Shown]] = {}
    for view in views:
        read = view.mapping.read(view.fields, directory)
        unreadable.update((f"{view.side}.{name}", why) for name, why in read.unreadable.items())
        for pair in view.mapping.pairs:
            if pair.reads and pair.canonical in read.values:
                word = _side_word(view, pair, read.values, directory)
                shown.setdefault(pair.canonical, []).append(word)
    for name, words in shown.items():
        rule = mapping.fields[name]
        merged, moved = _merge(rule, values.get(name), words)
        values[name] = merged.value
        if moved:
            differences.pop(name, None)
        if merged.winner is not None:
            changed_by[name] = merged.winner
        if merged.differences:
            differences[name] = dict(merged.differences)
        if merged.held is not None:
            holds.append(
                WantedHold(
                    kind="conflict",
                    subject=name,
                    message=merged.held,
                    remedy=f"Set {name} to the same value on both platforms.",
                    details={word.side.side: word.side.value for word in words},
                )
            )
    return Agreement(values, differences, unreadable, tuple(holds), changed_by)


def _side_word(view: RecordView, pair: Pair, read: Mapping[str, Value], directory: OwnerDirectory) -> _Shown:
    value = read[pair.canonical]
    changed = False
    if pair.native in view.changed:
        country = read.get("country")
        try:
            earlier = pair.read(
                view.before[pair.native], directory, country if isinstance(country, str) else None
            )
            changed = not same(earlier, value)
        except Unreadable:
            changed = True
    side = SideView(
        side=view.side,
        value=value,
        changed=changed,
        unchanged_at_ms=view.unchanged_at_ms,
        changed_by_ms=view.observation.stamp_ms,
    )
    return _Shown(side, fresh=pair.native in view.fresh)


def _merge(rule: FieldRule, agreed: Value, words: Sequence[_Shown]) -> tuple[Merged, bool]:
    """The merged value, and whether any side moved away from what it showed before."""
    known = [word.side for word in words if not word.fresh]
    fresh = [word.side for word in words if word.fresh]
    moved = any(side.changed for side in known)
    merged = merge_field(rule, agreed, known) if known else Merged(agreed, None, None, {})
    if not fresh:
        return merged, moved
    standing = [SideView(side.side, merged.value, False, 0, 0) for side in known]
    met = first_contact(rule, [*standing, *fresh])
    if not known and met.value is None and agreed is not None:
        return merged, moved
    return Merged(met.value, merged.winner or met.winner, merged.held or met.held, met.differences), moved
