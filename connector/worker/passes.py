"""Passes: the three functions of the worker, one after another, until nothing is left to do.

What `leadloop run` does in threads and the dramatiq actors do on many machines, in one deterministic order:
for tests, for the demo on real input, and for one-off runs.
"""

from __future__ import annotations

from dataclasses import dataclass

from connector.clock import MINUTE_MS
from connector.delivery import deliver
from connector.installation import Installation
from connector.intake.hints import follow_hints
from connector.intake.poll import poll
from connector.settle import settle
from connector.store.at_work import at_work

ROUNDS_AT_MOST = 60

BATCHES_AT_ONCE = 20
"""So many batches of leads are settled before what follows is sent."""

LOOK_AGAIN_MS = 5 * MINUTE_MS
"""So long leads are settled before the platforms are looked at again. What was written is to be seen there
within some minutes, or it is read by its id: of a million leads the first would be due again before the last
had its turn, and no pass came to an end."""


class NeverQuiet(RuntimeError):
    """The platforms and leadloop keep changing each other's values; says how many rounds were made."""


@dataclass(slots=True)
class Pass:
    """What a pass did."""

    told: int = 0
    polled: int = 0
    changed: int = 0
    leads: int = 0
    moves: int = 0
    written: int = 0
    refused: int = 0
    rounds: int = 0


def look(installation: Installation, result: Pass) -> int:
    """Poll every side once, and read what it told of; returns how many leads have something new."""
    leads = 0
    for side in installation.feeds:
        while (followed := follow_hints(installation, side)).taken:
            result.told += followed.records
            leads += followed.leads
        polled = poll(installation, side)
        result.polled += polled.records
        result.changed += polled.changed
        leads += polled.leads
    return leads


def act(installation: Installation, result: Pass, until_ms: int | None = None) -> bool:
    """Settle and deliver until neither has anything left that can be done now, or `until_ms` has passed;
    returns whether nothing is left."""
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
        if not moved:
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


def run_until_quiet(installation: Installation, between_seconds: float = 0.0) -> Pass:
    """Poll, settle and deliver until a look at every side brings nothing that has to be written, with
    `between_seconds` of the clock's time between two looks.

    Raises NeverQuiet past a bound, and RetryLater or Refused when a platform does not answer a poll."""
    result = Pass()
    clock = installation.clock
    with at_work(installation.database):
        while result.rounds < ROUNDS_AT_MOST:
            look(installation, result)
            before = result.written
            if not act(installation, result, clock.now_ms() + LOOK_AGAIN_MS):
                continue
            result.rounds += 1
            if result.written == before:
                return result
            clock.sleep(between_seconds)
    raise NeverQuiet(f"after {ROUNDS_AT_MOST} looks at the platforms there is still something to write")
