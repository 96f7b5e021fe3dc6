"""Named: the leads that the report lists one by one: those nobody has touched, and those on which the sides
disagree. As they are now, whatever the period. Pure: states come in one at a time, few are kept.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from connector.clock import DAY_MS
from connector.lead import LeadState
from connector.moments import moment_ms
from connector.report.context import ReportFields, context_of
from mappings.mapping import Mapping as LeadMapping
from mappings.stages import Stage

LISTED: Final = 100
"""Leads that are listed by name; the others are counted."""

UNTOUCHED_AFTER_MS: Final = DAY_MS
"""A lead that was handed over less than a day ago is not listed: sales has not had its chance yet."""

WAITING_STAGES: Final = (Stage.MQL.value, Stage.DISTRIBUTED.value)
"""The stages in which a lead waits for sales."""

DIFFERING: Final = ("differences", "held", "unspelled", "unreadable")
"""The parts of a lead's state that say where its sides disagree."""


def wanted(state: LeadState, fields: ReportFields, only: tuple[str, str] | None) -> bool:
    """Whether a lead belongs to the value of the dimension that the report is about."""
    return only is None or getattr(context_of(state, fields), only[0]) == only[1]


def untouched(
    states: Iterable[LeadState], fields: ReportFields, only: tuple[str, str] | None, now_ms: int
) -> dict[str, Any]:
    """Leads that wait for sales, without a verdict and without an activity of sales since the hand-over: how
    many, since when by owner, and the longest waiting as `leads` (lead id, owner, stage, since)."""
    fresh = total = 0
    numbers: Counter[str] = Counter()
    oldest: dict[str, int] = {}
    longest: list[tuple[int, str, str, str, int]] = []
    for state in states:
        if state.resting or not wanted(state, fields, only) or _touched(state):
            continue
        if now_ms - state.stage_since_ms < UNTOUCHED_AFTER_MS:
            fresh += 1
            continue
        total += 1
        owner = context_of(state, fields).owner
        numbers[owner] += 1
        oldest[owner] = min(oldest.get(owner, state.stage_since_ms), state.stage_since_ms)
        item = (-state.stage_since_ms, state.lead_id, owner, state.stage.value, state.cycle)
        if len(longest) < LISTED:
            heapq.heappush(longest, item)
        else:
            heapq.heappushpop(longest, item)
    return {
        "number": total,
        "handed_over_lately": fresh,
        "owners": [
            {"owner": owner, "number": number, "oldest_ms": oldest[owner]}
            for owner, number in sorted(numbers.items(), key=lambda one: (-one[1], one[0]))[:LISTED]
        ],
        "leads": [
            {"lead": lead_id, "owner": owner, "stage": stage, "cycle": cycle, "since_ms": -minus_ms}
            for minus_ms, lead_id, owner, stage, cycle in sorted(longest, reverse=True)
        ],
    }


def _touched(state: LeadState) -> bool:
    if state.awaited_reason is not None:
        return True  # sales has said no, and is only asked why
    touch_ms = moment_ms(state.values.get("last_sales_touch"))
    return touch_ms is not None and touch_ms > state.stage_since_ms


def disagreements(
    states: Iterable[LeadState],
    refused: Iterable[tuple[str, str, str, str]],
    mapping: LeadMapping,
    fields: ReportFields,
    only: tuple[str, str] | None,
) -> dict[str, Any]:
    """Where the sides show different things: how many leads, by field, and the first of them as `list`.
    `refused` values (lead, side, native field, reason) are added where the report is about all leads."""
    leads: set[str] = set()
    numbers: Counter[tuple[str, str]] = Counter()
    listed: list[dict[str, Any]] = []
    for state in states:
        if not wanted(state, fields, only):
            continue
        for item in _of_lead(state, mapping):
            leads.add(state.lead_id)
            numbers[item["field"], item["kind"]] += 1
            if len(listed) < LISTED:
                listed.append({"lead": state.lead_id, **item})
    for lead_id, side, native, reason in refused if only is None else ():
        leads.add(lead_id)
        numbers[native, "refused"] += 1
        if len(listed) < LISTED:
            item = {"field": native, "kind": "refused", "shows": {}, "told": f"{side} refuses it: {reason}"}
            listed.append({"lead": lead_id, **item})
    return {
        "leads": len(leads),
        "fields": [
            {"field": name, "kind": kind, "number": number}
            for (name, kind), number in sorted(numbers.items(), key=lambda one: (-one[1], one[0]))
        ],
        "list": listed,
    }


def _of_lead(state: LeadState, mapping: LeadMapping) -> Sequence[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name in sorted({*state.differences, *state.held}):
        kind = "held" if name in state.held else "left alone"
        shows = _shows(name, state.differences.get(name, {}), mapping)
        found.append({"field": name, "kind": kind, "shows": shows, "told": None})
    for kind, places in (("not written", state.unspelled), ("unreadable", state.unreadable)):
        for where, why in sorted(places.items()):
            side, _, name = where.partition(".")
            told = f"{side}: {why}" if not _is_personal(name, mapping) else f"{side}: a personal value"
            found.append({"field": name, "kind": kind, "shows": {}, "told": told})
    return found


def _shows(name: str, values: Mapping[str, Any], mapping: LeadMapping) -> dict[str, Any]:
    """What each side shows; personal values are left out of reports."""
    hidden = _is_personal(name, mapping)
    return {side: "(personal)" if hidden and value is not None else value for side, value in values.items()}


def _is_personal(name: str, mapping: LeadMapping) -> bool:
    described = mapping.fields.get(name)
    return described is not None and described.personal
