"""Agree on the canonical values of a lead: the three-way merge, field by field, over its primary records.

The merge rule itself is `mappings.merge`; this file gathers what each side shows, what it showed before, and
what was agreed. Pure; no I/O.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from connector.clock import MINUTE_MS
from connector.lead import Decided, LeadState
from connector.observation import PastValue, RecordKey
from connector.record_view import RecordView
from mappings.mapping import FieldRule
from mappings.mapping import Mapping as LeadMapping
from mappings.merge import Merged, SideView, first_contact, merge_field, same
from mappings.object_mapping import Pair
from mappings.values import OwnerDirectory, Unreadable, Value

OWN_WRITE_MS = 2 * MINUTE_MS
"""How long before its answer a write of ours can have been carried out, at the most: a request times out."""

NOTHING_TOLD: Mapping[tuple[RecordKey, str], Sequence[PastValue]] = {}


@dataclass(frozen=True, slots=True)
class Agreement:
    """The agreed values; the fields in which the sides differ and that are left alone, with what they show;
    the values that could not be read, with the reason, and the fields that are left alone for that; the
    fields that wait for a person, with a sentence; and whose word was taken. `decided`: how it was decided
    between several changes of a field whose policy is `newest`; `undated`: the native fields whose history
    might say more of that."""

    values: Mapping[str, Value]
    differences: Mapping[str, Mapping[str, Value]]
    unreadable: Mapping[str, str]
    left_alone: tuple[str, ...]
    held: Mapping[str, str]
    changed_by: Mapping[str, str]
    decided: Mapping[str, Decided]
    undated: tuple[tuple[RecordKey, str], ...] = ()


class _Shown(NamedTuple):
    """One side's word on one field, and the native field that says so. `default`: the platform itself put it
    into a record that leadloop has just made; it fills a blank and is nobody's word."""

    side: SideView
    fresh: bool
    native: tuple[RecordKey, str]
    default: bool = False


def agree(
    state: LeadState,
    views: Sequence[RecordView],
    mapping: LeadMapping,
    directory: OwnerDirectory,
    histories: Mapping[tuple[RecordKey, str], Sequence[PastValue]] = NOTHING_TOLD,
) -> Agreement:
    """Merge what the primary records in `views` (one a side) show with what was agreed before."""
    values: dict[str, Value] = dict(state.values)
    differences = dict(state.differences)
    unreadable = _still_unreadable(state, views, directory)
    left_alone = set(state.left_alone)
    held = dict(state.held)
    changed_by: dict[str, str] = {}
    decided = dict(state.decided)
    undated: list[tuple[RecordKey, str]] = []
    shown: dict[str, list[_Shown]] = {}
    own_words: set[str] = set()
    # what can be read by now (a user who has joined) is met as at a first contact
    readable_now = {
        where
        for where in state.unreadable.keys() - unreadable.keys()
        if where.partition(".")[2] in left_alone
    }
    moved_names = _names_to_merge(views) | {where.partition(".")[2] for where in readable_now}
    for view in views if moved_names else ():
        country = _country(view, directory)
        for pair in view.mapping.pairs:
            name = pair.canonical
            if name not in moved_names or not pair.reads or pair.native not in view.fields:
                continue
            where = f"{view.side}.{name}"
            unreadable.pop(where, None)
            try:
                word = _side_word(view, pair, country, directory, histories)
                if where in readable_now and not word.side.changed:
                    word = word._replace(fresh=True)
                    left_alone.discard(name)
                shown.setdefault(name, []).append(word)
            except Unreadable as why:
                unreadable[where] = str(why)
                if pair.native in view.changed or pair.native in view.fresh:
                    own_words.add(name)
    for name, words in shown.items():
        rule = mapping.fields[name]
        merged, moved = _merge(rule, values.get(name), words)
        values[name] = merged.value
        if moved:
            differences.pop(name, None)
            left_alone.discard(name)
            held.pop(name, None)
        if rule.policy == "newest" and merged.decided is not None:
            rivals = [word for word in words if word.side.changed]
            decided[name] = _how(merged, rivals)
            if merged.decided != "newest":
                undated += [word.native for word in rivals if word.native not in histories]
        if merged.winner is not None:
            changed_by[name] = merged.winner
        if merged.differences:
            differences[name] = dict(merged.differences)
        if merged.held is not None:
            held[name] = merged.held
            differences[name] = {word.side.side: word.side.value for word in words}
    left_alone |= own_words  # until a side says something readable
    return Agreement(
        values,
        differences,
        unreadable,
        tuple(sorted(left_alone)),
        held,
        changed_by,
        decided,
        tuple(undated),
    )


def _how(merged: Merged, rivals: Sequence[_Shown]) -> Decided:
    moments = {
        word.side.side: (min(word.side.unchanged_at_ms + 1, word.side.changed_by_ms), word.side.changed_by_ms)
        for word in rivals
    }
    return Decided(merged.decided or "", merged.winner, moments)


def _still_unreadable(
    state: LeadState, views: Sequence[RecordView], directory: OwnerDirectory
) -> dict[str, str]:
    """What is reported as unreadable, without what has been overwritten since."""
    unreadable = dict(state.unreadable)
    for view in views if unreadable else ():
        for pair in view.mapping.pairs:
            where = f"{view.side}.{pair.canonical}"
            if where in unreadable and pair.native in view.fields:
                try:
                    pair.read(view.fields[pair.native], directory, _country(view, directory))
                except Unreadable:
                    continue
                del unreadable[where]
    return unreadable


def _names_to_merge(views: Sequence[RecordView]) -> set[str]:
    """The fields in which some side shows what it did not show before; the others stay as they were left."""
    names: set[str] = set()
    for view in views:
        if view.changed or view.fresh:
            names.update(
                pair.canonical
                for pair in view.mapping.pairs
                if pair.reads and (pair.native in view.changed or pair.native in view.fresh)
            )
    return names


def _country(view: RecordView, directory: OwnerDirectory) -> str | None:
    """Where this record's phone numbers and states are read in."""
    pair = view.mapping.pair("country")
    if pair is None or pair.native not in view.fields:
        return view.mapping.default_country
    try:
        country = pair.read(view.fields[pair.native], directory)
    except Unreadable:
        country = None
    return country if isinstance(country, str) else view.mapping.default_country


def _side_word(
    view: RecordView,
    pair: Pair,
    country: str | None,
    directory: OwnerDirectory,
    histories: Mapping[tuple[RecordKey, str], Sequence[PastValue]],
) -> _Shown:
    value = pair.read(view.fields[pair.native], directory, country)
    changed = False
    if pair.native in view.changed:
        try:
            changed = not same(pair.read(view.before[pair.native], directory, country), value)
        except Unreadable:
            changed = True
    native = (view.key, pair.native)
    at_ms = set_ms(view, pair.native, histories[native]) if native in histories else None
    side = SideView(
        side=view.side,
        value=value,
        changed=changed,
        unchanged_at_ms=view.unchanged_at_ms if at_ms is None else at_ms - 1,
        changed_by_ms=view.observation.stamp_ms if at_ms is None else at_ms,
    )
    fresh = pair.native in view.fresh
    return _Shown(side, fresh, native, default=fresh and view.made)


def set_ms(view: RecordView, native: str, history: Sequence[PastValue]) -> int | None:
    """When somebody other than leadloop set the value that the record shows; None where the history does not
    tell that, or tells of another value by now."""
    sends = view.baseline.history.get(native, ())
    for past in history:
        if past.own or any(
            sent == past.value and sent_ms - OWN_WRITE_MS <= past.at_ms <= sent_ms for sent_ms, sent in sends
        ):
            continue
        return past.at_ms if past.value == view.fields[native] else None
    return None


def _merge(rule: FieldRule, agreed: Value, words: Sequence[_Shown]) -> tuple[Merged, bool]:
    """The merged value, and whether any side moved away from what it showed before. In the result,
    `differences` are only those that are to be left alone: what differs at first contact, and a blank that
    may not erase. A side whose change lost is put right, and so is one that would undo an opt-out."""
    known = [word.side for word in words if not word.fresh]
    fresh = [word.side for word in words if word.fresh and not (word.default and agreed is not None)]
    moved = any(side.changed for side in known)
    merged = merge_field(rule, agreed, known) if known else Merged(agreed)
    if merged.differences and (merged.winner is not None or rule.policy == "opt_out"):
        merged = replace(merged, differences={})
    if not fresh or (rule.policy == "opt_out" and merged.value is True):
        return merged, moved  # who has opted out stays so, whatever a record says that is met anew
    standing = [SideView(side.side, merged.value) for side in known]
    met = first_contact(rule, [*standing, *fresh])
    if not known and met.value is None and agreed is not None:
        return merged, moved
    left_alone = {} if rule.policy == "opt_out" else {**merged.differences, **met.differences}
    return Merged(met.value, merged.winner or met.winner, merged.held or met.held, left_alone), moved
