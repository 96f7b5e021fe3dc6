"""What the functions of the expression language know of a lead's past: its activities and rejections.

Pure functions that generated code calls; those whose result changes by time alone tell the `Wake`. They are
given clean values and never raise. An activity that is dated in the future has not happened yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rules.facts import Activity, LeadFacts, Rejection
from rules.wake import DAY_MS, MOST_DAYS, Wake

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


def rejections(reason: str | None, days: float | None, facts: LeadFacts, now: int, wake: Wake) -> int:
    """How often sales rejected the lead, for this reason and in the last `days` days if given. A rejection
    counts from when it is known."""
    span_ms = _span_ms(days)
    counted = 0
    for rejection in facts.rejections:
        if reason is not None and rejection.reason != reason:
            continue
        if span_ms is None:
            counted += 1
        elif rejection.at_ms > now - span_ms:
            counted += 1
            wake.at(rejection.at_ms + span_ms)
    return counted


def last_rejection(reason: str | None, facts: LeadFacts) -> int | None:
    """When sales last rejected the lead (for this reason, if given), epoch milliseconds."""
    return max((each.at_ms for each in facts.rejections if reason in (None, each.reason)), default=None)


def last_rejection_reason(facts: LeadFacts) -> str | None:
    """Why sales last rejected the lead."""
    last: Rejection | None = None
    for rejection in facts.rejections:
        if last is None or rejection.at_ms >= last.at_ms:
            last = rejection
    return None if last is None else last.reason or None


def _span_ms(days: float | None) -> int | None:
    """The last so many days in milliseconds; None for all time."""
    return None if days is None else int(max(0, min(days, MOST_DAYS)) * DAY_MS)


def _moments(kind: str | None, facts: LeadFacts, by_kind: ByKind, now: int, wake: Wake) -> list[int]:
    moments: list[int] = []
    for activity in facts.activities if kind is None else by_kind.get(kind, ()):
        if activity.at_ms <= now:
            moments.append(activity.at_ms)
        else:
            wake.at(activity.at_ms)
    return moments


def _count(activities: Sequence[Activity], days: float | None, now: int, wake: Wake) -> int:
    span_ms = _span_ms(days)
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
