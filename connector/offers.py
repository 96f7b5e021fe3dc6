"""Offers: the picklist values that a platform offers, and those that the mapping names. Pure; asks nobody.

An admin may rename, remove or add a lead status, a lifecycle stage or an opportunity stage at any time. What
was offered when the mapping was written is taken as meant; what has changed since is told, until the platform
offers it again or the mapping says something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connector.field_fit import listed
from connector.plan import WantedHold
from connector.platforms.protocol import Metadata
from mappings.mapping import SideMapping
from mappings.object_mapping import ObjectMapping
from mappings.stages import Outcome, Stage

VANISHED: Final = "option_vanished"
UNKNOWN: Final = "option_unknown"
KINDS: Final = frozenset({VANISHED, UNKNOWN})

Offered = dict[str, dict[str, list[str]]]
"""Object and field, as `Lead.Status`, to the values that the mapping names (`named`) and the ones that were
offered when it began to name them, with those of the named ones that came later (`offered`)."""


def judge_offers(side: SideMapping, metadata: Metadata, before: Offered) -> tuple[list[WantedHold], Offered]:
    """What has changed since `before`, as the holds that tell it, and what to remember for the next time.
    `side` is the mapping as it is written."""
    holds: list[WantedHold] = []
    now: Offered = {}
    for name, target in side.objects.items():
        for native, named in _named(target).items():
            info = metadata.objects.get(name, {}).get(native)
            if info is None or info.options is None:
                continue
            place = f"{name}.{native}"
            last = before.get(place)
            known = last["offered"] if last is not None and last["named"] == named else list(info.options)
            known += [value for value in info.options if value in named and value not in known]
            now[place] = {"named": named, "offered": known}
            vanished = [value for value in named if value in known and value not in info.options]
            if vanished:
                holds.append(_vanished(side, target, native, vanished, info.options))
            new = [value for value in info.options if value not in known and value not in named]
            if new and _is_listened_to(target, native):
                holds.append(_unknown(side, name, native, new))
    return holds, now


def _named(target: ObjectMapping) -> dict[str, list[str]]:
    """Native field to the values of it that the mapping names."""
    named = {field.native: list(field.values) for field in target.stage_fields}
    if target.verdict is not None:
        named[target.verdict.field] = list(target.verdict.values)
    stage_name = target.pair("stage_name")
    if stage_name is not None and target.stages:
        named[stage_name.native] = list(target.stages)
    if target.activity is not None and target.activity.kind_field is not None:
        named[target.activity.kind_field] = list(target.activity.kinds)
    stage = target.output("stage")
    if stage is not None:
        named[stage.native] = [each.value for each in Stage]
    return named


def _is_listened_to(target: ObjectMapping, native: str) -> bool:
    """Whether somebody who sets a new value there says something that leadloop would not understand."""
    if target.verdict is not None and target.verdict.field == native:
        return True
    return any(field.native == native and field.claims for field in target.stage_fields)


def _vanished(
    side: SideMapping, target: ObjectMapping, native: str, values: list[str], options: tuple[str, ...]
) -> WantedHold:
    place = f"{target.object}.{native}"
    unwritten = _unwritten(target, native, options)
    then = f" Nothing is written for {', '.join(unwritten)} meanwhile." if unwritten else ""
    return WantedHold(
        kind=VANISHED,
        subject=f"{side.side}:{place}",
        message=f"{side.side} offers {listed(values)} no more for {place}: the mapping names it.{then}",
        remedy="Add it there again, or say in the mapping what stands in its place, and `leadloop apply`.",
        details={"values": values},
    )


def _unknown(side: SideMapping, name: str, native: str, values: list[str]) -> WantedHold:
    return WantedHold(
        kind=UNKNOWN,
        subject=f"{side.side}:{name}.{native}",
        message=f"{side.side} offers {listed(values)} for {name}.{native}. The mapping does not name it: who "
        "sets it says nothing to leadloop.",
        remedy="Say in the mapping what it stands for, and `leadloop apply`, or remove it there.",
        details={"values": values},
    )


def _unwritten(target: ObjectMapping, native: str, options: tuple[str, ...]) -> list[str]:
    """The stages for which the mapping writes a value that is not offered, and no other."""
    found: list[str] = []
    for field in target.stage_fields:
        if field.native != native:
            continue
        offered = field.offered(options)
        for stage in Stage:
            outcomes: tuple[Outcome | None, ...] = ("won", "lost") if stage is Stage.CLOSED else (None,)
            if any(
                field.spelling(stage, outcome) is not None and offered.spelling(stage, outcome) is None
                for outcome in outcomes
            ):
                found.append(stage.value)
    output = target.output("stage")
    if output is not None and output.native == native:
        found += [stage.value for stage in Stage if stage.value not in options]
    return found


def offered_from(stored: Any) -> Offered:
    """What `judge_offers` gave to remember, as it was stored; nothing where there is none."""
    return dict(stored) if isinstance(stored, Mapping) else {}
