"""Merge: what one field's value becomes when several sides have something to say about it. Three-way, pure.

`merge_field` compares each side with the value both last agreed on; `first_contact` has nothing to compare
with. Neither knows platforms: a side is a name. Which side has changed is the caller's to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from mappings.mapping import FieldRule
from mappings.values import Value


class SideView(NamedTuple):
    """What one side shows for the field. `changed`: it differs in meaning from what the side last showed;
    then the change happened after `unchanged_at_ms` (last seen unchanged) and not later than `changed_by_ms`
    (the record's stamp). Where the platform's history tells the moment t, they are t - 1 and t."""

    side: str
    value: Value
    changed: bool = False
    unchanged_at_ms: int = 0
    changed_by_ms: int = 0


@dataclass(frozen=True, slots=True)
class Merged:
    """The outcome. `winner`: the side whose word it is (None: nothing new). `held`: a sentence when a person
    must decide; then `value` is what was agreed before and the field is to be left alone on every side.
    `differences`: the sides whose own word lost, with that word. `decided`: which policy decided between
    sides that changed differently, the field's own or its `else`; None where there was nothing to decide."""

    value: Value
    winner: str | None = None
    held: str | None = None
    differences: dict[str, Value] = field(default_factory=dict)
    decided: str | None = field(default=None, compare=False)  # how, not what


def same(one: Value, other: Value) -> bool:
    """Whether two canonical values are the same. A tuple that was stored as JSON comes back as a list."""
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return tuple(one) == tuple(other)
    return one == other


def merge_field(rule: FieldRule, agreed: Value, views: Sequence[SideView]) -> Merged:
    """Three-way merge of one field over the sides that show it. The order of `views` does not matter.

    Nobody changed: what was agreed. One side changed: it wins. Several changed differently: the policy. A
    blank that may not erase (`blank: keep`) is never a winner; it is reported in `differences`."""
    if rule.policy == "opt_out":
        return _merge_opt_out(agreed, views)
    changed = [view for view in views if view.changed]
    speaking = changed
    if rule.blank == "keep":
        speaking = [view for view in changed if view.value is not None]
    if not speaking:
        return _kept(agreed, changed)
    if _all_same(speaking):
        return _won(speaking, speaking[0].value, changed)
    decided = rule.policy
    winner = _by_policy(rule.policy, speaking)
    if winner is None and rule.otherwise is not None:
        decided = rule.otherwise
        winner = _by_policy(rule.otherwise, speaking)
    if winner is None:
        return Merged(agreed, None, _conflict(rule, speaking), _losers(agreed, changed), "hold")
    won = _won([view for view in speaking if same(view.value, winner.value)], winner.value, changed)
    return replace(won, decided=decided)


def first_contact(rule: FieldRule, views: Sequence[SideView]) -> Merged:
    """The first value of a field on which nothing was ever agreed. `views` are in the mapping's order of
    sides. Blanks are filled; what differs from the value taken is reported and left alone."""
    speaking = [view for view in views if view.value is not None]
    if not speaking:
        return Merged(None)
    if rule.policy == "opt_out":
        return _merge_opt_out(None, views)
    if rule.first_contact == "hold" and not _all_same(speaking):
        return Merged(None, None, _conflict(rule, speaking), _losers(None, speaking))
    named = [view for view in speaking if view.side == rule.first_contact]
    taken = (named or speaking)[0]
    return Merged(taken.value, taken.side, None, _losers(taken.value, speaking))


def _merge_opt_out(agreed: Value, views: Sequence[SideView]) -> Merged:
    """Opted out anywhere is opted out. Back in only where no record needs to change for it: when every side,
    and more than one, says so itself. One side alone never takes an opt-out back."""
    out = sorted(view.side for view in views if view.value is True)
    if out:
        winner = None if agreed is True else out[0]
        return Merged(
            True, winner, None, {view.side: False for view in views if view.changed and view.value is False}
        )
    refused = sorted(view.side for view in views if view.value is False)
    if agreed is True:
        if len(refused) == len(views) > 1:
            return Merged(False, refused[0])
        return Merged(True, None, None, _losers(True, [view for view in views if view.changed]))
    value = False if refused or agreed is False else None
    return Merged(value, refused[0] if refused and agreed is None else None)


def _by_policy(policy: str, speaking: Sequence[SideView]) -> SideView | None:
    """The winning view, or None where this policy cannot tell. 'hold' never can."""
    if policy == "not_blank":
        filled = [view for view in speaking if view.value is not None]
        return filled[0] if filled and _all_same(filled) else None
    if policy == "newest":
        return _newest(speaking)
    return next((view for view in speaking if view.side == policy), None)


def _newest(speaking: Sequence[SideView]) -> SideView | None:
    """The view whose change certainly came last: its interval begins when every other one has ended. Sides
    that say the same as the winner need not be earlier."""
    latest = max(speaking, key=lambda view: (view.unchanged_at_ms, view.changed_by_ms, view.side))
    for view in speaking:
        if not same(view.value, latest.value) and view.changed_by_ms > latest.unchanged_at_ms:
            return None
    return latest


def _won(winners: Sequence[SideView], value: Value, changed: Sequence[SideView]) -> Merged:
    return Merged(value, min(view.side for view in winners), None, _losers(value, changed))


def _kept(agreed: Value, changed: Sequence[SideView]) -> Merged:
    return Merged(agreed, None, None, _losers(agreed, changed))


def _losers(value: Value, views: Sequence[SideView]) -> dict[str, Value]:
    return {view.side: view.value for view in views if not same(view.value, value)}


def _all_same(views: Sequence[SideView]) -> bool:
    return all(same(view.value, views[0].value) for view in views)


def _conflict(rule: FieldRule, views: Sequence[SideView]) -> str:
    """The sentence of a hold. Values of personal fields stay out of it: it is stored, logged and counted."""
    if rule.personal:
        return f"{rule.name} differs between {' and '.join(sorted(view.side for view in views))}"
    told = sorted(f"{view.side} ({'blank' if view.value is None else _shown(view.value)})" for view in views)
    return f"{rule.name} differs between {' and '.join(told)}"


def _shown(value: Value) -> str:
    text = ", ".join(value) if isinstance(value, list | tuple) else str(value)
    return f'"{text[:80]}…"' if len(text) > 80 else f'"{text}"'
