"""Delivery: from the outbox to a platform, in the platform's largest batches, and what became of each write.

The one owner of retries for writes. Every input is matched with its own result: done, later, refused,
missing, ambiguous, or unknown, and then the record is read again before anything is sent a second time. One
bad record never fails its batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from connector.clock import DAY_MS, MINUTE_MS
from connector.desired import NEW_RECORD, WHOLE_RECORD
from connector.installation import Installation
from connector.intake.link import link_records
from connector.lane import Lane
from connector.lead import Baseline
from connector.observation import Observation, RecordKey, digest
from connector.platforms.errors import Ambiguous, Missing, PlatformError, Refused, RetryLater
from connector.platforms.protocol import RecordWrite, Written
from connector.store import leads as lead_store
from connector.store import outbox, quarantine
from connector.store.baselines import baselines_of, put_baselines
from connector.store.links import Link, linked, put_links
from connector.store.observations import observations_by_key, store_observations
from mappings.mapping import ObjectMapping

LEASE_MS = 10 * MINUTE_MS
"""Outlives every HTTP timeout of a batch, so that no second sender starts while a first one may be at it."""

LONGEST_WAIT_SECONDS = 3_600.0
CLAIMED_AT_MOST = 4_000


@dataclass(slots=True)
class Delivered:
    """What one delivery did."""

    written: int = 0
    postponed: int = 0
    refused: int = 0
    reread: int = 0

    def __bool__(self) -> bool:
        return bool(self.written or self.refused or self.reread)


@dataclass(frozen=True, slots=True)
class _Answer:
    row: outbox.Row
    outcome: Written | RetryLater | Refused | Missing | Ambiguous


def deliver(installation: Installation, side: str, limit: int = CLAIMED_AT_MOST) -> Delivered:
    """Send what is due for a side, most urgent lane first. Never raises for what the platform says."""
    now_ms = installation.clock.now_ms()
    token = installation.new_token()
    result = Delivered()
    with installation.database.begin() as conn:
        stale = outbox.claim_expired(conn, side, token, now_ms, LEASE_MS)
        rows = outbox.claim_writes(conn, side, token, now_ms, LEASE_MS, limit)
    doubtful = [*stale, *(row for row in rows if row.unknown)]
    ready = [row for row in rows if not row.unknown]
    if doubtful:
        _reread(installation, side, token, doubtful, result)
    ready = _look_up_first(installation, side, token, ready, result)
    for op in ("create", "update"):
        # lanes share a batch, since the platforms charge by the call: the urgent rows are merely first
        waiting = sorted((row for row in ready if row.op == op), key=lambda row: (row.lane, row.id))
        size = installation.platforms[side].batching.write
        for start in range(0, len(waiting), size):
            _send(installation, side, token, waiting[start : start + size], result)
    return result


# sending ------------------------------------------------------------------------------------------------


def _send(
    installation: Installation,
    side: str,
    token: str,
    rows: Sequence[outbox.Row],
    result: Delivered,
) -> None:
    writes = [
        RecordWrite(
            token=str(row.id),
            object=row.object,
            record_id=row.record_id,
            fields=row.fields,
            unique_key=_unique_key(installation, row) if row.op == "create" else None,
        )
        for row in rows
    ]
    by_token = {str(row.id): row for row in rows}
    answers = [
        _Answer(by_token[item.token], item.outcome)
        for item in installation.platforms[side].write(writes, Lane(min(row.lane for row in rows)))
    ]
    now_ms = installation.clock.now_ms()
    with installation.database.begin() as conn:
        _store_written(conn, token, [a for a in answers if isinstance(a.outcome, Written)], now_ms)
        _postpone(
            conn, installation, token, [a for a in answers if isinstance(a.outcome, RetryLater)], now_ms
        )
        _store_refused(conn, installation, token, answers, now_ms)
    for answer in answers:
        if isinstance(answer.outcome, Written):
            result.written += 1
        elif isinstance(answer.outcome, RetryLater):
            result.postponed += 1
        else:
            result.refused += 1
            installation.on_event(
                "refused", {"side": side, "lead": answer.row.lead_id, "reason": str(answer.outcome)}
            )
    gone = [a.row for a in answers if isinstance(a.outcome, Missing)]
    if gone:
        _observe_missing(installation, side, gone)
    existing = [
        (a.row, a.outcome.existing_id)
        for a in answers
        if isinstance(a.outcome, Refused) and a.outcome.existing_id and a.row.op == "create"
    ]
    if existing:
        _meet_existing(installation, side, existing)


def _store_written(conn: Connection, token: str, answers: Sequence[_Answer], now_ms: int) -> None:
    mine = set(outbox.finish(conn, token, [answer.row.id for answer in answers]))
    known = baselines_of(conn, {answer.row.lead_id for answer in answers})
    baselines: list[tuple[RecordKey, str, bytes]] = []
    links: list[Link] = []
    again: set[str] = set()
    for answer in answers:
        row, done = answer.row, answer.outcome
        assert isinstance(done, Written)  # noqa: S101  # the caller chose these; told to mypy
        key = RecordKey(row.side, row.object, row.record_id or done.record_id)
        baseline = Baseline.from_json(known[key]) if key in known else Baseline()
        acknowledged = baseline.acknowledged(row.fields, done.answered_ms, now_ms - DAY_MS)
        baselines.append((key, row.lead_id, acknowledged.to_json()))
        if row.op == "create":
            links.append(Link(key.side, key.object, key.record_id, row.lead_id, "primary"))
        if row.then or row.id not in mine:
            again.add(row.lead_id)
    put_links(conn, links)
    put_baselines(conn, baselines)
    lead_store.mark_dirty(conn, again, now_ms)


def _postpone(
    conn: Connection, installation: Installation, token: str, answers: Iterable[_Answer], now_ms: int
) -> None:
    later: list[tuple[int, int, bool]] = []
    for answer in answers:
        assert isinstance(answer.outcome, RetryLater)  # noqa: S101  # the caller chose these; told to mypy
        wait = answer.outcome.after_seconds * 2 ** min(answer.row.attempts, 8)
        wait = min(wait, max(LONGEST_WAIT_SECONDS, answer.outcome.after_seconds))
        wait *= 1 + 0.2 * installation.jitter()
        later.append((answer.row.id, now_ms + int(wait * 1_000), answer.outcome.applied_unknown))
    outbox.postpone(conn, token, later)


def _store_refused(
    conn: Connection, installation: Installation, token: str, answers: Iterable[_Answer], now_ms: int
) -> None:
    """Quarantine what was refused and let the lead be planned again without it."""
    refusals: list[quarantine.Refusal] = []
    done: list[outbox.Row] = []
    for answer in answers:
        row, outcome = answer.row, answer.outcome
        if not isinstance(outcome, Refused | Ambiguous | Missing):
            continue
        done.append(row)
        if isinstance(outcome, Missing) or _is_there_already(row, outcome):
            continue
        code = outcome.code if isinstance(outcome, Refused) else "AMBIGUOUS"
        for name in _quarantined_fields(installation, row, outcome):
            value = digest(row.fields) if name == WHOLE_RECORD else digest(row.fields.get(name))
            refusals.append(
                quarantine.Refusal(
                    side=row.side,
                    object=row.object,
                    record_id=row.record_id or NEW_RECORD + row.lead_id,
                    field=name,
                    value_hash=value,
                    code=code,
                    reason=str(outcome),
                    since_ms=now_ms,
                )
            )
    outbox.finish(conn, token, [row.id for row in done])
    quarantine.put(conn, refusals)
    lead_store.mark_dirty(conn, {row.lead_id for row in done}, now_ms)


def _is_there_already(row: outbox.Row, outcome: Refused | Ambiguous) -> bool:
    """A create that met the person's own record: it is linked instead."""
    return row.op == "create" and isinstance(outcome, Refused) and outcome.existing_id is not None


def _quarantined_fields(
    installation: Installation, row: outbox.Row, outcome: Refused | Ambiguous
) -> Sequence[str]:
    """The fields to leave out next time: those the platform named; with one of the hand-off the whole
    hand-off; where it named none, everything but the leadloop fields, and then the record."""
    if isinstance(outcome, Ambiguous):
        return [WHOLE_RECORD]
    named = [name for name in outcome.fields if name in row.fields]
    if outcome.fields and not named:
        return [WHOLE_RECORD]  # it misses a field that was not sent: leaving fields out cannot help
    if named:
        together = list(row.groups) if set(named) & set(row.groups) else []
        return list(dict.fromkeys([*named, *together]))
    if row.op == "create":
        return [WHOLE_RECORD]  # a record of leadloop fields alone is nobody's lead
    own = {pair.native for pair in _described(installation, row).outputs}
    others = [name for name in row.fields if name not in own]
    return others if others and len(others) < len(row.fields) else [WHOLE_RECORD]


def _described(installation: Installation, row: outbox.Row) -> ObjectMapping:
    return installation.policy.mapping.sides[row.side].objects[row.object]


def _unique_key(installation: Installation, row: outbox.Row) -> str | None:
    pair = _described(installation, row).output("lead_id")
    return pair.native if pair is not None else None


# reading before writing ---------------------------------------------------------------------------------


def _reread(
    installation: Installation, side: str, token: str, rows: Sequence[outbox.Row], result: Delivered
) -> None:
    """Nobody knows whether these were carried out: see what the records show, and let the leads be planned
    anew from that. A create is looked for by leadloop's own id."""
    try:
        seen, missing = _see(installation, side, rows)
    except PlatformError as error:
        after = error.after_seconds if isinstance(error, RetryLater) else 60.0
        now_ms = installation.clock.now_ms()
        with installation.database.begin() as conn:
            outbox.postpone(conn, token, [(row.id, now_ms + int(after * 1_000), True) for row in rows])
        result.postponed += len(rows)
        return
    _observe(installation, seen, {row.lead_id for row in rows}, [(token, row.id) for row in rows])
    if missing:
        _observe_missing(installation, side, missing)
    result.reread += len(rows)


def _see(
    installation: Installation, side: str, rows: Sequence[outbox.Row]
) -> tuple[list[Observation], list[outbox.Row]]:
    platform, feed = installation.platforms[side], installation.feeds[side]
    seen: list[Observation] = []
    missing: list[outbox.Row] = []
    for name in sorted({row.object for row in rows}):
        natives = feed.objects[name]
        updates = {row.record_id: row for row in rows if row.object == name and row.record_id is not None}
        if updates:
            reading = platform.read(name, list(updates), natives)
            seen.extend(reading.found)
            missing.extend(updates[record_id] for record_id in reading.missing if record_id in updates)
        creates = [row for row in rows if row.object == name and row.record_id is None]
        key = _unique_key(installation, creates[0]) if creates else None
        if key is not None:
            seen.extend(platform.find(name, key, [row.lead_id for row in creates], natives))
    return seen, missing


def _look_up_first(
    installation: Installation, side: str, token: str, rows: Sequence[outbox.Row], result: Delivered
) -> list[outbox.Row]:
    """Before creating people on a side that is not wholly known, look for them there by their identity
    fields; before hand-offs, where configured, read the record once more."""
    unsure: list[outbox.Row] = []
    if side not in installation.complete:
        unsure.extend(row for row in rows if row.op == "create")
    if installation.read_before_handoff:
        unsure.extend(row for row in rows if row.op == "update" and row.lane == Lane.HANDOFF)
    if not unsure:
        return list(rows)
    try:
        seen = _look_for(installation, side, [row for row in unsure if row.op == "create"])
        updates = [row for row in unsure if row.op == "update"]
        if updates:
            found, _ = _see(installation, side, updates)
            seen.extend(found)
    except PlatformError as error:
        after = error.after_seconds if isinstance(error, RetryLater) else 60.0
        now_ms = installation.clock.now_ms()
        with installation.database.begin() as conn:
            outbox.postpone(conn, token, [(row.id, now_ms + int(after * 1_000), False) for row in unsure])
        result.postponed += len(unsure)
        held = {row.id for row in unsure}
        return [row for row in rows if row.id not in held]
    changed = _observe(installation, seen, set(), [])
    stale = [row for row in rows if row.lead_id in changed]
    if stale:
        now_ms = installation.clock.now_ms()
        with installation.database.begin() as conn:
            outbox.finish(conn, token, [row.id for row in stale])
            lead_store.mark_dirty(conn, {row.lead_id for row in stale}, now_ms)
        result.reread += len(stale)
    return [row for row in rows if row.lead_id not in changed]


def _look_for(installation: Installation, side: str, creates: Sequence[outbox.Row]) -> list[Observation]:
    """Records of these people that exist on the side already, by each identity field of each object."""
    mapping = installation.policy.mapping
    platform, feed = installation.platforms[side], installation.feeds[side]
    seen: list[Observation] = []
    for target in mapping.sides[side].person_objects if creates else ():
        for pair in target.pairs:
            if not mapping.fields[pair.canonical].identity:
                continue
            sent_as = {
                made.native
                for row in creates
                if (made := _described(installation, row).pair(pair.canonical)) is not None
            }
            values = {
                str(row.fields[native]) for row in creates for native in sent_as if row.fields.get(native)
            }
            if values:
                seen.extend(
                    platform.find(target.object, pair.native, sorted(values), feed.objects[target.object])
                )
    return seen


def _observe(
    installation: Installation,
    seen: Sequence[Observation],
    also_dirty: set[str],
    finished: Sequence[tuple[str, int]],
) -> set[str]:
    """Store what was read; returns the leads that it changed something for."""
    now_ms = installation.clock.now_ms()
    with installation.database.begin() as conn:
        stored = store_observations(conn, seen)
        changed = link_records(conn, installation, stored, now_ms)
        for token in {token for token, _ in finished}:
            outbox.finish(conn, token, [row_id for held, row_id in finished if held == token])
        lead_store.mark_dirty(conn, also_dirty - changed, now_ms)
    return changed


def _meet_existing(installation: Installation, side: str, existing: Sequence[tuple[outbox.Row, str]]) -> None:
    """A create was refused because the person exists there: read that record, so that it is linked."""
    feed = installation.feeds[side]
    for name in sorted({row.object for row, _ in existing}):
        ids = sorted({record_id for row, record_id in existing if row.object == name})
        try:
            reading = installation.platforms[side].read(name, ids, feed.objects[name])
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
        stored = store_observations(conn, found)
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


def _observe_missing(installation: Installation, side: str, rows: Sequence[outbox.Row]) -> None:
    """A record that we wrote to is gone: note it as deleted, unless a read tells more (a merge)."""
    keys = {RecordKey(side, row.object, row.record_id) for row in rows if row.record_id is not None}
    now_ms = installation.clock.now_ms()
    with installation.database.read() as conn:
        known = observations_by_key(conn, keys)
    gone = [
        replace(item, deleted=True, read_started_ms=now_ms) for item in known.values() if not item.deleted
    ]
    _observe(installation, gone, {row.lead_id for row in rows}, [])
