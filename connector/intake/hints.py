"""Hints: read the records that the platforms told of, store what they show, mark their leads dirty.

A hint says which record to look at, never what to do: what follows comes from the read alone. So hints may
be doubled, late, out of order or lost, and cost time and nothing else. A hint leaves the inbox in the
transaction that stores its observation; one whose record could not be read stays, and is tried again after a
growing pause.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connector.clock import DAY_MS, HOUR_MS, SECOND_MS
from connector.installation import Installation
from connector.intake.forgetting import forget_record
from connector.intake.forgotten_records import let_go
from connector.intake.missing import as_deleted
from connector.intake.taking_in import take_in
from connector.lane import Lane
from connector.observation import RecordKey
from connector.platforms.errors import PlatformError, RetryLater
from connector.platforms.protocol import Reading
from connector.store.inbox import Waiting, due_hints, finish_hints, postpone_hints
from connector.store.write_ahead_log import empty_if_asked

CALLS_AT_ONCE = 5
"""Batches of hints that are taken up at a time."""

FIRST_PAUSE_MS = 15 * SECOND_MS
LONGEST_PAUSE_MS = HOUR_MS
GIVEN_UP_MS = 7 * DAY_MS
"""A hint that could not be followed for so long is dropped, with an event that says so; the sweep finds what
it was about."""


@dataclass(slots=True)
class Followed:
    """What following some hints brought. `taken` of them were taken up; `records` were read, of which
    `missing` were not there any more; `leads` have something new."""

    taken: int = 0
    records: int = 0
    missing: int = 0
    forgotten: int = 0
    postponed: int = 0
    unwanted: int = 0
    leads: int = 0


def follow_hints(installation: Installation, side: str) -> Followed:
    """Follow the side's hints that are due, in batches of the platform's own size. Returns what was done;
    nothing was `taken` when none was due. Raises StoreError; what a platform refuses is waited for."""
    limit = CALLS_AT_ONCE * installation.platforms[side].batching.read
    now_ms = installation.clock.now_ms()
    with installation.database.read() as conn:
        due = due_hints(conn, side, now_ms, limit)
    result = Followed(taken=len(due))
    if not due:
        return result
    due = _without_old(installation, side, due)
    _forget(installation, [hint for hint in due if hint.kind == "forget"], result)
    objects = installation.feeds[side].objects
    unwanted = [hint for hint in due if hint.kind != "forget" and hint.object not in objects]
    if unwanted:
        result.unwanted += len(unwanted)
        with installation.database.begin() as conn:
            finish_hints(conn, unwanted)
    for name in objects:
        wanted = [hint for hint in due if hint.kind != "forget" and hint.object == name]
        if wanted:
            _follow(installation, side, name, wanted, result)
    return result


def _without_old(installation: Installation, side: str, due: Sequence[Waiting]) -> list[Waiting]:
    """The hints that are still worth following. What is to be forgotten is never given up."""
    before_ms = installation.clock.now_ms() - GIVEN_UP_MS
    old = [hint for hint in due if hint.attempts and hint.received_ms < before_ms and hint.kind != "forget"]
    if old:
        installation.on_event("hints_given_up", {"side": side, "hints": len(old)})
        with installation.database.begin() as conn:
            finish_hints(conn, old)
    return [hint for hint in due if hint not in old]


def _forget(installation: Installation, hints: Sequence[Waiting], result: Followed) -> None:
    """Each in a transaction of its own, and before anything is read: what is read of them stays out then."""
    for hint in hints:
        with installation.database.begin() as conn:
            key = RecordKey(hint.side, hint.object, hint.record_id)
            forget_record(conn, installation, key, installation.clock.now_ms())
            finish_hints(conn, [hint])
        result.forgotten += 1
    if hints:
        empty_if_asked(installation.database)


def _follow(
    installation: Installation, side: str, name: str, hints: Sequence[Waiting], result: Followed
) -> None:
    """Read the records of one object, and store what they show."""
    by_id: dict[str, list[Waiting]] = {}
    for hint in hints:
        by_id.setdefault(hint.record_id, []).append(hint)
    for ids, answer, started_ms in _readings(installation, side, name, list(by_id)):
        told = [hint for record_id in ids for hint in by_id[record_id]]
        if isinstance(answer, PlatformError):
            _postpone(installation, side, told, answer)
            result.postponed += len(told)
            continue
        _store(installation, side, name, told, answer, started_ms, result)


def _readings(
    installation: Installation, side: str, name: str, ids: Sequence[str]
) -> Iterator[tuple[Sequence[str], Reading | PlatformError, int]]:
    """Each batch of ids, what reading it brought, and when it began. A batch that is refused is read in
    halves, so that an id that the platform chokes on stops no other."""
    platform, natives = installation.platforms[side], installation.feeds[side].objects[name]
    size = platform.batching.read
    batches = [ids[start : start + size] for start in range(0, len(ids), size)]
    while batches:
        batch = batches.pop(0)
        started_ms = installation.clock.now_ms()
        try:
            yield batch, platform.read(name, batch, natives, Lane.UPDATE), started_ms
        except RetryLater as later:
            # one answer for all: the platform would say the same to each
            yield [record_id for each in (batch, *batches) for record_id in each], later, started_ms
            return
        except PlatformError as refused:
            if len(batch) == 1:
                yield batch, refused, started_ms
                continue
            half = len(batch) // 2
            batches[:0] = [batch[:half], batch[half:]]


def _postpone(installation: Installation, side: str, hints: Sequence[Waiting], error: PlatformError) -> None:
    now_ms = installation.clock.now_ms()
    after_ms = int(error.after_seconds * SECOND_MS) if isinstance(error, RetryLater) else 0
    installation.on_event("hints_postponed", {"side": side, "hints": len(hints), "reason": str(error)})
    with installation.database.begin() as conn:
        postpone_hints(conn, [(hint, now_ms + max(after_ms, pause_ms(hint.attempts))) for hint in hints])


def pause_ms(attempts: int) -> int:
    """How long a hint is left alone after so many attempts that failed before this one."""
    return min(FIRST_PAUSE_MS << min(attempts, 20), LONGEST_PAUSE_MS)


def _store(
    installation: Installation,
    side: str,
    name: str,
    hints: Sequence[Waiting],
    reading: Reading,
    started_ms: int,
    result: Followed,
) -> None:
    keys = [RecordKey(side, name, record_id) for record_id in reading.missing]
    now_ms = installation.clock.now_ms()
    with installation.database.begin() as conn:
        # what was found first: it may tell what became of the others
        leads = set(take_in(conn, installation, reading.found, now_ms).leads)
        leads |= take_in(conn, installation, as_deleted(conn, keys, started_ms), now_ms).leads
        let_go(conn, keys, now_ms)
        finish_hints(conn, hints)
    result.records += len(reading.found)
    result.missing += len(reading.missing)
    result.leads += len(leads)
