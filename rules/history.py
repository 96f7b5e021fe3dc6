"""What the functions of the expression language know of a lead's past: its activities and rejections.

Pure functions that generated code calls; those whose result changes by time alone tell the `Wake`. They are
given clean values and never raise. An activity that is dated in the future has not happened yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rules.facts import Activity, LeadFacts
from rules.wake import DAY_MS, Wake

ByKind = Mapping[str, Sequence[Activity]]


def group_by_kind(activities: Iterable[Activity]) -> dict[str, list[Activity]]:
    """The activities of each kind, in the order given."""
    groups: dict[str, list[Activity]] = {}
    for activity in activities:
        group = groups.get(activity.kind)
        if group is None:
            groups[activity.kind] = [activity]
        else:
            group.append(activity)
    return groups


def count(kind: str, days: float | None, by_kind: ByKind, now: int, wake: Wake) -> int:
    """How many activities of this kind there are, of the last `days` days if given."""
    return _count(by_kind.get(kind, ()), days, now, wake)


def touches(days: float | None, facts: LeadFacts, now: int, wake: Wake) -> int:
    """How many activities of any kind there are, of the last `days` days if given."""
    return _count(facts.activities, days, now, wake)


def first_activity(kind: str | None, facts: LeadFacts, by_kind: ByKind, now: int, wake: Wake) -> int | None:
    """When the first activity (of this kind, if given) was, epoch milliseconds."""
    return min(_moments(kind, facts, by_kind, now, wake), default=None)


def last_activity(kind: str | None, facts: LeadFacts, by_kind: ByKind, now: int, wake: Wake) -> int | None:
    """When the last activity (of this kind, if given) was, epoch milliseconds."""
    return max(_moments(kind, facts, by_kind, now, wake), default=None)


def rejected(reason: str | None, facts: LeadFacts) -> bool:
    """Whether sales rejected the lead in any cycle, for this reason if given."""
    if reason is None:
        return bool(facts.rejections)
    return any(rejection.reason == reason for rejection in facts.rejections)


def _moments(kind: str | None, facts: LeadFacts, by_kind: ByKind, now: int, wake: Wake) -> list[int]:
    moments: list[int] = []
    for activity in facts.activities if kind is None else by_kind.get(kind, ()):
        if activity.at_ms <= now:
            moments.append(activity.at_ms)
        else:
            wake.at(activity.at_ms)
    return moments


def _count(activities: Sequence[Activity], days: float | None, now: int, wake: Wake) -> int:
    span_ms = int(days * DAY_MS) if days is not None and abs(days) < 1e6 else None
    counted = 0
    for activity in activities:
        at_ms = activity.at_ms
        if at_ms > now:
            wake.at(at_ms)
        elif span_ms is None:
            counted += 1
        elif at_ms > now - span_ms:
            counted += 1
            wake.at(at_ms + span_ms)
    return counted
