"""Passes: the three functions of the worker, one after another, until nothing is left to do.

What `leadloop run` does in threads and the dramatiq actors do on many machines, in one deterministic order:
for tests, for the demo on real input, and for one-off runs.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from connector.clock import MINUTE_MS, SECOND_MS
from connector.delivery import deliver
from connector.installation import Installation
from connector.intake.hints import follow_hints
from connector.intake.poll import Polled, poll
from connector.platforms.errors import PlatformError, RetryLater, gravest
from connector.settle import settle
from connector.store import outbox
from connector.store.at_work import at_work

ROUNDS_AT_MOST = 60

BATCHES_AT_ONCE = 20
"""So many batches of leads are settled before what follows is sent."""

LOOK_AGAIN_MS = 5 * MINUTE_MS
"""So long leads are settled before the platforms are looked at again. What was written is to be seen there
within some minutes, or it is read by its id: of a million leads the first would be due again before the last
had its turn, and no pass came to an end."""

PATIENT_TIMES = 3
"""So often in a row a patient pass waits for a platform that gives no answer."""

log = structlog.get_logger()


class NeverQuiet(RuntimeError):
    """The platforms and leadloop keep changing each other's values; says how many rounds were made."""


@dataclass(slots=True)
class Pass:
    """What a pass did. `waiting` writes were put off, and are still to be sent."""

    told: int = 0
    polled: int = 0
    changed: int = 0
    leads: int = 0
    moves: int = 0
    written: int = 0
    refused: int = 0
    waiting: int = 0
    rounds: int = 0


def look(installation: Installation, result: Pass) -> int:
    """Poll every side once, and read what it told of; returns how many leads have something new. Raises
    RetryLater or Refused for a side that does not answer, once the others have been looked at."""
    leads = 0
    faults: list[PlatformError] = []
    for side in installation.feeds:
        polled = Polled()
        try:
            while (followed := follow_hints(installation, side)).taken:
                result.told += followed.records
                leads += followed.leads
            poll(installation, side, result=polled)
        except PlatformError as fault:
            faults.append(fault)
        finally:
            result.polled += polled.records
            result.changed += polled.changed
            leads += polled.leads
    if faults:
        raise gravest(faults)
    return leads


def act(
    installation: Installation, result: Pass, until_ms: int | None = None, patience_seconds: float = 0.0
) -> bool:
    """Settle and deliver until neither has anything left that can be done within `patience_seconds`, or
    `until_ms` has passed; returns whether nothing is left."""
    for _ in range(ROUNDS_AT_MOST):
        moved = False
        batches = 0
        while (settled := settle(installation)).leads:
            result.leads += settled.leads
            result.moves += settled.moves
            moved = True
            batches += 1
            if batches % BATCHES_AT_ONCE == 0:
                _deliver(installation, result)
                if until_ms is not None and installation.clock.now_ms() >= until_ms:
                    return False
        moved = _deliver(installation, result) or moved
        if not moved and not _wait_for_writes(installation, patience_seconds):
            return True
    raise NeverQuiet(f"after {ROUNDS_AT_MOST} rounds of settling and delivery there is still work")


def _deliver(installation: Installation, result: Pass) -> bool:
    """Send what waits for either side; returns whether there was anything."""
    moved = False
    for side in installation.feeds:
        # what is written leaves the outbox, and nothing is planned meanwhile: this comes to an end
        while delivered := deliver(installation, side):
            result.written += delivered.written
            result.refused += delivered.refused
            moved = True
            if not delivered.written:
                break
    return moved


def _wait_for_writes(installation: Installation, patience_seconds: float) -> bool:
    """Wait until the next write that was put off is due, if that is soon; returns whether one is."""
    now_ms = installation.clock.now_ms()
    with installation.database.read() as conn:
        due_ms = [outbox.next_write_ms(conn, side) for side in installation.feeds]
    ahead_ms = [moment - now_ms for moment in due_ms if moment is not None and moment > now_ms]
    if not ahead_ms or min(ahead_ms) > patience_seconds * SECOND_MS:
        return False
    installation.clock.sleep(min(ahead_ms) / SECOND_MS)
    return True


def _look_patiently(installation: Installation, result: Pass, patience_seconds: float) -> None:
    """Look, and go on where it broke off when a platform wants to be left alone for a moment. Raises as
    `look` does."""
    waited = 0
    while True:
        before = result.polled
        try:
            look(installation, result)
            return
        except RetryLater as later:
            waited = 1 if result.polled > before else waited + 1
            if later.after_seconds > patience_seconds or waited > PATIENT_TIMES:
                raise
            log.warning("waiting", reason=later.reason, seconds=later.after_seconds)
            installation.clock.sleep(later.after_seconds)


def run_until_quiet(
    installation: Installation, between_seconds: float = 0.0, patience_seconds: float = 0.0
) -> Pass:
    """Poll, settle and deliver until a look at every side brings nothing that has to be written, with
    `between_seconds` of the clock's time between two looks. What a platform puts off for no more than
    `patience_seconds` is waited for.

    Raises NeverQuiet past a bound, and RetryLater or Refused when a platform does not answer a poll."""
    result = Pass()
    clock = installation.clock
    with at_work(installation.database):
        while result.rounds < ROUNDS_AT_MOST:
            try:
                _look_patiently(installation, result, patience_seconds)
            except RetryLater:
                act(installation, result)  # what was seen before is decided, and hand-offs are sent
                raise
            before = result.written
            if not act(installation, result, clock.now_ms() + LOOK_AGAIN_MS, patience_seconds):
                continue
            result.rounds += 1
            if result.written == before:
                with installation.database.read() as conn:
                    result.waiting = sum(outbox.counts(conn).values())
                return result
            clock.sleep(between_seconds)
    raise NeverQuiet(f"after {ROUNDS_AT_MOST} looks at the platforms there is still something to write")
