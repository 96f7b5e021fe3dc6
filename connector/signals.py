"""Signals: what a record's counters say that the person has done since. Pure; no I/O."""

from __future__ import annotations

from collections.abc import Sequence

from connector.moments import native_moment_ms
from connector.observation import Raw
from connector.plan import NewActivity
from connector.record_view import RecordView


def new_activities(views: Sequence[RecordView]) -> tuple[NewActivity, ...]:
    """Counters that rose since the baseline. First sight and decreases only re-baseline."""
    found: list[NewActivity] = []
    for view in views:
        for counter in view.mapping.counters:
            if counter.counter not in view.changed:
                continue
            count, earlier = _count(view.fields[counter.counter]), _count(view.before[counter.counter])
            if count is None or count <= (earlier or 0):
                continue
            at_ms = native_moment_ms(view.fields.get(counter.at)) if counter.at else None
            detail = view.fields.get(counter.detail) if counter.detail else None
            found.append(
                NewActivity(
                    key=f"{view.key}:{counter.counter}:{count}",
                    kind=counter.activity,
                    at_ms=at_ms if at_ms is not None else view.observation.stamp_ms,
                    attributes={"detail": detail} if detail is not None else {},
                )
            )
    return tuple(found)


def _count(raw: Raw) -> int | None:
    if raw is None:
        return 0
    try:
        return int(float(raw))
    except (ValueError, OverflowError):
        return None
