"""Rereading: seeing what the records show before anything is sent, where nobody knows.

After a lost answer or an expired lease, before a person is created on a side that is not wholly known, and
when a platform says that a record is gone or in the way. What is seen is stored as any observation, and the
leads are planned anew from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from connector.installation import Installation
from connector.intake.keeping_out import keep_out
from connector.intake.link import link_records
from connector.intake.missing import as_deleted
from connector.intake.taking_in import take_in
from connector.lane import Lane
from connector.observation import Observation, RecordKey, digest
from connector.platforms.errors import PlatformError, Refused, RetryLater
from connector.refusals import NEW_RECORD, WHOLE_RECORD
from connector.store import leads as lead_store
from connector.store import outbox, quarantine
from connector.store.links import Link, linked, put_links
from connector.store.observations import store_observations
from mappings.object_mapping import ObjectMapping


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What a look brought: the rows that may be sent as planned, how many leads were seen anew and will be
    planned again, and how many rows wait because the platform did not answer."""

    ready: Sequence[outbox.Row] = ()
    reread: int = 0
    postponed: int = 0


def described_row(installation: Installation, row: outbox.Row) -> ObjectMapping:
    """The mapping of the object that a row writes to."""
    return installation.policy.mapping.sides[row.side].objects[row.object]


def most_urgent(rows: Iterable[outbox.Row]) -> Lane:
    """The lane of a call for these rows: what a hand-off needs must not wait for the next day's calls."""
    return Lane(min(row.lane for row in rows))


def unique_key(installation: Installation, row: outbox.Row) -> str | None:
    """The native field that carries leadloop's own id, by which a repeated create finds the first one."""
    pair = described_row(installation, row).output("lead_id")
    return pair.native if pair is not None else None


def reread(installation: Installation, side: str, token: str, rows: Sequence[outbox.Row]) -> LookedUp:
    """Nobody knows whether these were carried out: see what the records show, and let the leads be planned
    anew from that. A create is looked for by leadloop's own id. What was not carried out is wished for again
    in its old place, with its attempts: each try is a longer wait after the one before."""
    try:
        seen, missing = _see(installation, side, rows)
    except PlatformError as error:
        _postpone(installation, token, rows, error, unknown=True)
        return LookedUp(postponed=len(rows))
    ids = {row.object: unique_key(installation, row) for row in rows}
    made = {item.fields.get(ids[item.object] or "") for item in seen if item.object in ids}
    over = [row.id for row in rows if row.op == "create" and row.lead_id in made]
    kept = [row.id for row in rows if row.id not in over]
    now_ms = installation.clock.now_ms()
    with installation.database.begin() as conn:
        take_in(conn, installation, seen, now_ms)
        outbox.finish(conn, token, over)
        # not sent before the lead is decided again, since it is dirty
        outbox.postpone(conn, token, [(row_id, now_ms, False) for row_id in kept], tried=False)
        lead_store.mark_dirty(conn, {row.lead_id for row in rows}, now_ms)
    if missing:
        observe_missing(installation, side, missing)
    return LookedUp(reread=len(rows))


def _natives(installation: Installation, side: str, name: str) -> tuple[str, ...]:
    """The fields that an object is read with. Raises Refused where it may not be read any more."""
    natives = installation.feeds[side].objects.get(name)
    if natives is None:
        raise Refused(f"{side} does not let leadloop read {name}")
    return natives


def _see(
    installation: Installation, side: str, rows: Sequence[outbox.Row]
) -> tuple[list[Observation], list[outbox.Row]]:
    platform = installation.platforms[side]
    lane = most_urgent(rows)
    seen: list[Observation] = []
    missing: list[outbox.Row] = []
    for name in sorted({row.object for row in rows}):
        natives = _natives(installation, side, name)
        updates = {row.record_id: row for row in rows if row.object == name and row.record_id is not None}
        if updates:
            reading = platform.read(name, list(updates), natives, lane)
            seen.extend(reading.found)
            missing.extend(updates[record_id] for record_id in reading.missing if record_id in updates)
        creates = [row for row in rows if row.object == name and row.record_id is None]
        key = unique_key(installation, creates[0]) if creates else None
        if key is not None:
            seen.extend(platform.find(name, key, [row.lead_id for row in creates], natives, lane))
    return seen, missing


def _postpone(
    installation: Installation,
    token: str,
    rows: Sequence[outbox.Row],
    error: PlatformError,
    *,
    unknown: bool,
) -> None:
    """The rows could not be looked at. Where that is the whole side's trouble, they have not been tried."""
    later = error if isinstance(error, RetryLater) else RetryLater(str(error), 60.0)
    not_before_ms = installation.clock.now_ms() + int(later.after_seconds * 1_000)
    with installation.database.begin() as conn:
        postponed = [(row.id, not_before_ms, unknown) for row in rows]
        outbox.postpone(conn, token, postponed, tried=later.concerns == "request")


def look_up_first(installation: Installation, side: str, token: str, rows: Sequence[outbox.Row]) -> LookedUp:
    """Before creating people on a side that is not wholly known, look for them there by their identity
    fields. Before the verdict fields are written, which belong to sales, and before hand-offs where
    configured, read the record once more: a reason that was given a moment ago must not be overwritten."""
    unsure: list[outbox.Row] = []
    if side not in installation.complete:
        unsure.extend(row for row in rows if row.op == "create")
    unsure.extend(
        row
        for row in rows
        if row.op == "update"
        and (
            _touches_verdict(installation, row)
            or (installation.read_before_handoff and row.lane == Lane.HANDOFF)
        )
    )
    if not unsure:
        return LookedUp(list(rows))
    try:
        seen = _look_for(installation, side, [row for row in unsure if row.op == "create"])
        updates = [row for row in unsure if row.op == "update"]
        if updates:
            found, _ = _see(installation, side, updates)
            seen.extend(found)
    except PlatformError as error:
        _postpone(installation, token, unsure, error, unknown=False)
        held = {row.id for row in unsure}
        return LookedUp([row for row in rows if row.id not in held], postponed=len(unsure))
    now_ms = installation.clock.now_ms()
    with installation.database.begin() as conn:
        changed = take_in(conn, installation, seen, now_ms).leads
        stale = [row for row in rows if row.lead_id in changed]
        outbox.finish(conn, token, [row.id for row in stale])
        lead_store.mark_dirty(conn, {row.lead_id for row in stale}, now_ms)
    return LookedUp([row for row in rows if row.lead_id not in changed], reread=len(stale))


def _touches_verdict(installation: Installation, row: outbox.Row) -> bool:
    verdict = described_row(installation, row).verdict
    if verdict is None or installation.policy.mapping.sides[row.side].kind != "crm":
        return False
    return not set(verdict.natives).isdisjoint(row.fields)


def _look_for(installation: Installation, side: str, creates: Sequence[outbox.Row]) -> list[Observation]:
    """Records of these people that exist on the side already, by each identity field of each object."""
    mapping = installation.policy.mapping
    platform = installation.platforms[side]
    seen: list[Observation] = []
    for target in mapping.sides[side].person_objects if creates else ():
        for pair in target.pairs:
            if not mapping.fields[pair.canonical].identity:
                continue
            sent_as = {
                made.native
                for row in creates
                if (made := described_row(installation, row).pair(pair.canonical)) is not None
            }
            values = {
                str(row.fields[native]) for row in creates for native in sent_as if row.fields.get(native)
            }
            if values:
                natives = _natives(installation, side, target.object)
                seen.extend(
                    platform.find(target.object, pair.native, sorted(values), natives, most_urgent(creates))
                )
    return seen


def meet_existing(installation: Installation, side: str, existing: Sequence[tuple[outbox.Row, str]]) -> None:
    """A create was refused because the person exists there: read that record, so that it is linked."""
    for name in sorted({row.object for row, _ in existing}):
        ids = sorted({record_id for row, record_id in existing if row.object == name})
        try:
            lane = most_urgent([row for row, record_id in existing if record_id in ids])
            natives = _natives(installation, side, name)
            reading = installation.platforms[side].read(name, ids, natives, lane)
        except PlatformError as error:
            # the leads are dirty already: the create is planned again and meets the record once more
            installation.on_event("read_failed", {"side": side, "reason": str(error)})
            continue
        _adopt(installation, reading.found, {record_id: row for row, record_id in existing})


def _adopt(
    installation: Installation, found: Sequence[Observation], wanted_by: Mapping[str, outbox.Row]
) -> None:
    """Link records that the platform itself says are these people, whatever their address. One that
    belongs to another lead already is a hold, never a guess."""
    now_ms = installation.clock.now_ms()
    with installation.database.begin() as conn:
        known = linked(conn, [item.key for item in found])
        put_links(
            conn,
            [
                Link(item.side, item.object, item.record_id, wanted_by[item.record_id].lead_id, "primary")
                for item in found
                if item.key not in known and item.record_id in wanted_by
            ],
        )
        # one that shows nothing new has a lead now: whether its names lead to others too is another matter
        stored = [
            item if item.observation.key in known else item._replace(status="changed")
            for item in store_observations(conn, keep_out(conn, installation, found, now_ms))
        ]
        link_records(conn, installation, stored, now_ms)
        rivals = [
            (wanted_by[key.record_id], link)
            for key, link in known.items()
            if key.record_id in wanted_by and link.lead_id != wanted_by[key.record_id].lead_id
        ]
        quarantine.put(
            conn,
            [
                quarantine.Refusal(
                    side=row.side,
                    object=row.object,
                    record_id=NEW_RECORD + row.lead_id,
                    field=WHOLE_RECORD,
                    value_hash=digest(row.fields),
                    code="AMBIGUOUS",
                    reason=f"it exists there as {link.record_id}, which belongs to lead {link.lead_id}",
                    since_ms=now_ms,
                )
                for row, link in rivals
            ],
        )
        lead_store.mark_dirty(conn, {row.lead_id for row in wanted_by.values()}, now_ms)


def observe_missing(installation: Installation, side: str, rows: Sequence[outbox.Row]) -> None:
    """A record that we wrote to is gone: note it as deleted, unless a read tells more (a merge)."""
    keys = {RecordKey(side, row.object, row.record_id) for row in rows if row.record_id is not None}
    now_ms = installation.clock.now_ms()
    with installation.database.begin() as conn:
        take_in(conn, installation, as_deleted(conn, keys, now_ms), now_ms)
        lead_store.mark_dirty(conn, {row.lead_id for row in rows}, now_ms)
