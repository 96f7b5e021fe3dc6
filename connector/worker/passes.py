"""Passes: the three functions of the worker, one after another, until nothing is left to do.

What `leadloop run` does in threads and the dramatiq actors do on many machines, in one deterministic order:
for tests, for the demo on real input, and for one-off runs.
"""

from __future__ import annotations

from dataclasses import dataclass

from connector.delivery import deliver
from connector.installation import Installation
from connector.intake.hints import follow_hints
from connector.intake.poll import poll
from connector.settle import settle
from connector.store.at_work import at_work

ROUNDS_AT_MOST = 60


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


def act(installation: Installation, result: Pass) -> int:
    """Settle and deliver until neither has anything left that can be done now; returns writes made."""
    written = 0
    for _ in range(ROUNDS_AT_MOST):
        moved = False
        while (settled := settle(installation)).leads:
            result.leads += settled.leads
            result.moves += settled.moves
            moved = True
        for side in installation.feeds:
            # what is written leaves the outbox, and nothing is planned meanwhile: this comes to an end
            while (delivered := deliver(installation, side)).written:
                written += delivered.written
                result.refused += delivered.refused
                moved = True
            result.refused += delivered.refused
            moved = moved or bool(delivered)
        if not moved:
            result.written += written
            return written
    raise NeverQuiet(f"after {ROUNDS_AT_MOST} rounds of settling and delivery there is still work")


def run_until_quiet(installation: Installation, between_seconds: float = 0.0) -> Pass:
    """Poll, settle and deliver until a look at every side brings nothing that has to be written, with
    `between_seconds` of the clock's time between two looks.

    Raises NeverQuiet past a bound, and RetryLater or Refused when a platform does not answer a poll."""
    result = Pass()
    with at_work(installation.database):
        for _ in range(ROUNDS_AT_MOST):
            result.rounds += 1
            look(installation, result)
            if not act(installation, result):
                return result
            installation.clock.sleep(between_seconds)
    raise NeverQuiet(f"after {ROUNDS_AT_MOST} looks at the platforms there is still something to write")
