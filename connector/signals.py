"""Signals: what the platforms say that a person has done. Pure; no I/O.

A counter that rises on the person's own record is an activity without detail. A record of its own (a campaign
member, a task, an event) is one with its attributes, once by its key, however often it is read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from connector.clock import DAY_MS, HOUR_MS
from connector.lead import Baseline
from connector.moments import native_moment_ms
from connector.observation import Observation, Raw, RecordKey
from connector.plan import NewActivity
from connector.record_view import RecordView
from mappings.mapping import Mapping as LeadMapping
from mappings.normalise import normalise
from mappings.object_mapping import ActivityRecord, Counter, shown_as
from mappings.values import Unreadable, Value

NOTHING_ABSORBED: Mapping[RecordKey, Sequence[Baseline]] = {}


def new_activities(
    views: Sequence[RecordView],
    live_since_ms: int,
    counted: Collection[str] = (),
    absorbed: Mapping[RecordKey, Sequence[Baseline]] = NOTHING_ABSORBED,
) -> tuple[NewActivity, ...]:
    """Counters that rose since the baseline, and whose keys are not in `counted` yet. Decreases only
    re-baseline, and so does the first sight of a record that was there before leadloop. One that was born
    since then began with nothing: the form that made it is its first activity. `absorbed`: what the records
    last showed that were merged into one of these. What they had counted is nothing new there."""
    found: list[NewActivity] = []
    for view in views:
        merged = absorbed.get(view.key, ())
        for counter in view.mapping.counters:
            if counter.counter in view.changed:
                before = view.before[counter.counter]
            elif counter.counter in view.fresh and born_ms(view) >= live_since_ms:
                before = None
            else:
                continue
            count, earlier = _count(view.fields[counter.counter]), _count(before)
            if count is None or count <= (earlier or 0) or not _is_news(view, counter, count, merged):
                continue
            key = f"{view.key}:{counter.counter}:{count}"
            if key in counted:
                continue
            at_ms = native_moment_ms(view.fields.get(counter.at)) if counter.at else None
            detail = view.fields.get(counter.detail) if counter.detail else None
            found.append(
                NewActivity(
                    key=key,
                    kind=counter.activity,
                    at_ms=at_ms if at_ms is not None else view.observation.stamp_ms,
                    attributes={"detail": detail} if detail is not None else {},
                )
            )
    return tuple(found)


def _is_news(view: RecordView, counter: Counter, count: int, merged: Sequence[Baseline]) -> bool:
    """Whether a counter says more than those of the records merged into this one did. Whether a platform adds
    the counts up is not known; the date of the last activity tells in either case."""
    known = [each.shown for each in merged if counter.counter in each.shown]
    if not known:
        return True
    at_ms = native_moment_ms(view.fields.get(counter.at)) if counter.at else None
    if at_ms is not None and all(counter.at in shown for shown in known):
        if counter.at not in view.changed and counter.at not in view.fresh:
            return False  # its own last one: it was counted here, and only added to by the merge
        return all(at_ms > (native_moment_ms(shown[counter.at or ""]) or 0) for shown in known)
    return counter.counter in view.changed or count > sum(
        _count(shown[counter.counter]) or 0 for shown in known
    )


def recorded_activities(
    records: Sequence[Observation],
    mapping: LeadMapping,
    counted: Collection[str],
    live_since_ms: int,
    now_ms: int,
) -> tuple[tuple[NewActivity, ...], int | None]:
    """Records that are activities and whose keys are not in `counted` yet, and the moment of the next one
    that is dated ahead: a meeting next week has not happened. What happened before leadloop went live counts
    only where the mapping says `history`. A record that is deleted takes nothing back."""
    found: list[NewActivity] = []
    ahead_ms: int | None = None
    for record in records:
        mapped = mapping.sides[record.side].objects[record.object]
        rule = mapped.activity
        if rule is None or record.deleted or not _counts(record, rule):
            continue
        kind = rule.kinds.get(shown_as(record.fields.get(rule.kind_field or "")) or "", rule.kind)
        if kind is None:
            continue
        key = str(record.key)
        again = rule.per is not None and any(known.startswith(f"{key}:") for known in counted)
        if rule.per is not None:
            key = f"{key}:{shown_as(record.fields.get(rule.per)) or ''}"
        if key in counted:
            continue
        # the date of a record is that of its first value
        at_ms, latest_ms = (record.stamp_ms, record.stamp_ms) if again else _when(record, rule)
        if latest_ms < live_since_ms and not rule.history:
            continue
        if at_ms > now_ms:
            ahead_ms = at_ms if ahead_ms is None else min(ahead_ms, at_ms)
            continue
        found.append(NewActivity(key, kind, at_ms, _attributes(record, rule, mapped.default_country)))
    return tuple(found), ahead_ms


def _counts(record: Observation, rule: ActivityRecord) -> bool:
    return all(shown_as(record.fields.get(native)) in wanted for native, wanted in rule.when.items())


def _when(record: Observation, rule: ActivityRecord) -> tuple[int, int]:
    """When an activity was, and the latest that it can have been. A date without a time is a day somewhere on
    earth: a record that was saved on it says more."""
    for native in rule.at:
        raw = record.fields.get(native)
        at_ms = native_moment_ms(raw)
        if at_ms is None:
            continue
        if not isinstance(raw, str) or len(raw) != len("2027-01-15"):
            return at_ms, at_ms
        begins_ms, ends_ms = at_ms - 14 * HOUR_MS, at_ms + DAY_MS + 12 * HOUR_MS
        return (record.stamp_ms if begins_ms <= record.stamp_ms < ends_ms else at_ms), at_ms + DAY_MS
    return record.stamp_ms, record.stamp_ms


def _attributes(record: Observation, rule: ActivityRecord, country: str | None) -> dict[str, Value]:
    """What can be read of the attributes; what is blank or of another type is unknown."""
    attributes: dict[str, Value] = {}
    for name, attribute in rule.attributes.items():
        try:
            value = normalise(attribute.type, record.fields.get(attribute.native), country)
        except Unreadable:
            continue
        if value is not None:
            attributes[name] = value
    return attributes


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
