"""Signals: what a record's counters say that the person has done since. Pure; no I/O."""

from __future__ import annotations

from collections.abc import Sequence

from connector.moments import native_moment_ms
from connector.observation import Raw
from connector.plan import NewActivity
from connector.record_view import RecordView


def new_activities(views: Sequence[RecordView], live_since_ms: int) -> tuple[NewActivity, ...]:
    """Counters that rose since the baseline. Decreases only re-baseline, and so does the first sight of a
    record that was there before leadloop. One that was born since then began with nothing: the form that
    made it is its first activity."""
    found: list[NewActivity] = []
    for view in views:
        for counter in view.mapping.counters:
            if counter.counter in view.changed:
                before = view.before[counter.counter]
            elif counter.counter in view.fresh and born_ms(view) >= live_since_ms:
                before = None
            else:
                continue
            count, earlier = _count(view.fields[counter.counter]), _count(before)
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


def born_ms(view: RecordView) -> int:
    """When the record was created; 0 where the platform does not tell, or leadloop made it from a person
    that was there already."""
    created = view.mapping.created
    born_ms = native_moment_ms(view.fields.get(created)) if created is not None else None
    return 0 if born_ms is None or view.made or view.baseline.sent else born_ms


def _count(raw: Raw) -> int | None:
    if raw is None:
        return 0
    try:
        return int(float(raw))
    except (ValueError, OverflowError):
        return None
