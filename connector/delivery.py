"""Delivery: from the outbox to a platform, in the platform's largest batches, and what became of each write.

The one owner of retries for writes. Every input is matched with its own result: done, later, refused,
missing, ambiguous, or unknown, and then the record is read again before anything is sent a second time. One
bad record never fails its batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil

from sqlalchemy import Connection

from connector.clock import DAY_MS, MINUTE_MS
from connector.installation import Installation
from connector.intake.forgetting import forget_made
from connector.lead import Baseline
from connector.observation import RecordKey, digest
from connector.platforms.errors import Ambiguous, Missing, Refused, RetryLater
from connector.platforms.protocol import RecordWrite, Written
from connector.refusals import GOES_WITH, NEW_RECORD, WHOLE_RECORD
from connector.rereading import (
    described_row,
    look_up_first,
    meet_existing,
    most_urgent,
    observe_missing,
    reread,
    unique_key,
)
from connector.store import leads as lead_store
from connector.store import outbox, quarantine
from connector.store.baselines import baselines_of, put_baselines
from connector.store.budgets import is_left_alone
from connector.store.links import Link, put_links

LEASE_MS = 10 * MINUTE_MS
"""Outlives every HTTP timeout of a batch, so that no second sender starts while a first one may be at it."""

LONGEST_WAIT_SECONDS = 3_600.0
LONGEST_JITTER_SECONDS = 30.0
CLAIMED_AT_MOST = 4_000

SUSPECT_ATTEMPTS = 2
"""After so many calls that failed with it, a write goes apart from the others, which it may have held up."""

SUSPECT_CALLS = 8
"""So many calls all of those share in one delivery: each time fewer in a call, until the one on which the
platform fails is alone; and no more calls than these after an outage, when all of them are innocent."""


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
        _doubt(conn, stale, now_ms)
    doubtful = [*stale, *(row for row in rows if row.unknown)]
    ready = [row for row in rows if not row.unknown]
    if doubtful:
        seen = reread(installation, side, token, doubtful)
        result.reread, result.postponed = seen.reread, seen.postponed
    looked_up = look_up_first(installation, side, token, ready)
    result.reread += looked_up.reread
    result.postponed += looked_up.postponed
    for op in ("create", "update"):
        # lanes share a batch, since the platforms charge by the call: the urgent rows are merely first
        waiting = sorted((row for row in looked_up.ready if row.op == op), key=lambda row: (row.lane, row.id))
        for batch in _batches(waiting, installation.platforms[side].batching.write):
            _send(installation, side, token, batch, result)
    return result


# sending ------------------------------------------------------------------------------------------------


def _batches(rows: Sequence[outbox.Row], size: int) -> Iterator[Sequence[outbox.Row]]:
    """As few batches as the platform allows, but for those that failed before."""
    suspects = [row for row in rows if row.attempts >= SUSPECT_ATTEMPTS]
    others = [row for row in rows if row.attempts < SUSPECT_ATTEMPTS]
    few = max(1, min(size, ceil(len(suspects) / SUSPECT_CALLS)))
    for group, most in ((others, size), (suspects, few)):
        for start in range(0, len(group), most):
            yield group[start : start + most]


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
            unique_key=unique_key(installation, row) if row.op == "create" else None,
        )
        for row in rows
    ]
    by_token = {str(row.id): row for row in rows}
    answers = [
        _Answer(by_token[item.token], item.outcome)
        for item in installation.platforms[side].write(writes, most_urgent(rows))
    ]
    written = [answer for answer in answers if isinstance(answer.outcome, Written)]
    later = [answer for answer in answers if isinstance(answer.outcome, RetryLater)]
    now_ms = installation.clock.now_ms()
    with installation.database.begin() as conn:
        _store_written(conn, token, written, now_ms)
        _postpone(conn, installation, token, later, is_left_alone(conn, side, now_ms), now_ms)
        _doubt(conn, [a.row for a in later if _is_unsure(a.outcome)], now_ms)
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
        observe_missing(installation, side, gone)
    existing = [
        (a.row, a.outcome.existing_id)
        for a in answers
        if isinstance(a.outcome, Refused) and a.outcome.existing_id and a.row.op == "create"
    ]
    if existing:
        meet_existing(installation, side, existing)


def _store_written(conn: Connection, token: str, answers: Sequence[_Answer], now_ms: int) -> None:
    mine = set(outbox.finish(conn, token, [answer.row.id for answer in answers]))
    theirs = lead_store.standing(conn, {answer.row.lead_id for answer in answers})
    known = baselines_of(conn, set(theirs.values()))
    nobodys: list[RecordKey] = []
    baselines: list[tuple[RecordKey, str, bytes]] = []
    links: list[Link] = []
    again: set[str] = set()
    for answer in answers:
        row, done = answer.row, answer.outcome
        assert isinstance(done, Written)  # noqa: S101  # the caller chose these; told to mypy
        key = RecordKey(row.side, row.object, row.record_id or done.record_id)
        lead_id = theirs.get(row.lead_id)
        if lead_id is None:  # the person was forgotten while this was under way
            nobodys.append(key)
            continue
        baseline = Baseline.from_json(known[key]) if key in known else Baseline()
        if row.op == "create":
            baseline = replace(baseline, made=True)
        acknowledged = baseline.acknowledged(
            row.fields, done.answered_ms, now_ms - DAY_MS, done.stamp_ms or 0
        )
        baselines.append((key, lead_id, acknowledged.to_json()))
        if row.op == "create":
            links.append(Link(key.side, key.object, key.record_id, lead_id, "primary"))
        if row.then or row.id not in mine:
            again.add(lead_id)
    forget_made(conn, nobodys, now_ms)
    put_links(conn, links)
    put_baselines(conn, baselines)
    lead_store.mark_dirty(conn, again, now_ms)


def _is_unsure(outcome: object) -> bool:
    return isinstance(outcome, RetryLater) and outcome.applied_unknown


def _doubt(conn: Connection, rows: Sequence[outbox.Row], now_ms: int) -> None:
    """Remember what was sent without an answer, so that it is not taken for somebody's change when a record
    shows it."""
    rows = [row for row in rows if row.record_id is not None and row.fields]
    theirs = lead_store.standing(conn, {row.lead_id for row in rows})
    rows = [row for row in rows if row.lead_id in theirs]
    known = baselines_of(conn, set(theirs.values()))
    doubted: dict[RecordKey, tuple[str, Baseline]] = {}
    for row in rows:
        key = RecordKey(row.side, row.object, row.record_id or "")
        baseline = Baseline.from_json(known[key]) if key in known else Baseline()
        doubted[key] = (theirs[row.lead_id], baseline.doubted(row.fields, now_ms))
    put_baselines(conn, [(key, lead_id, item.to_json()) for key, (lead_id, item) in doubted.items()])


def _postpone(
    conn: Connection,
    installation: Installation,
    token: str,
    answers: Iterable[_Answer],
    paused: bool,
    now_ms: int,
) -> None:
    tried: list[tuple[int, int, bool]] = []
    waiting: list[tuple[int, int, bool]] = []
    jitter = installation.jitter()  # one for all, so that what was one call is one call again
    for answer in answers:
        outcome = answer.outcome
        assert isinstance(outcome, RetryLater)  # noqa: S101  # the caller chose these; told to mypy
        wait = outcome.after_seconds
        # what was sent, and got the answer of a side that is away, which answers others
        chokes = outcome.concerns == "side" and outcome.applied_unknown and not paused
        if chokes or outcome.concerns == "request":
            wait = wait * 2 ** min(answer.row.attempts, 8)
            wait = min(wait, max(LONGEST_WAIT_SECONDS, outcome.after_seconds)) * (1 + 0.2 * jitter)
            postponed = tried
        else:  # no fault of the row's: it goes once the platform may be called again
            wait += min(0.2 * wait, LONGEST_JITTER_SECONDS) * jitter
            postponed = waiting
        postponed.append((answer.row.id, now_ms + int(wait * 1_000), outcome.applied_unknown))
    outbox.postpone(conn, token, tried)
    outbox.postpone(conn, token, waiting, tried=False)


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
        named = (
            [name for name in outcome.fields if name in row.fields] if isinstance(outcome, Refused) else []
        )
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
                    reason=GOES_WITH + ", ".join(named) if named and name not in named else str(outcome),
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
    own = {pair.native for pair in described_row(installation, row).outputs}
    others = [name for name in row.fields if name not in own]
    return others if others and len(others) < len(row.fields) else [WHOLE_RECORD]
