"""Embedded: everything in one process on threads, for `leadloop run` and the demo. No server is needed.

One thread a side polls and delivers (so that a platform's connection stays in one thread), one thread
settles. They wake each other; the truth is in the database, so a kill at any moment loses nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from connector.clock import MINUTE_MS, SECOND_MS
from connector.delivery import deliver
from connector.installation import Installation
from connector.intake.hints import follow_hints
from connector.intake.poll import poll
from connector.intake.sweep import sweep
from connector.intake.timetable import due_objects, next_poll_ms, plan_next
from connector.learning import LEARN_EVERY_MS, learn_again
from connector.platforms.errors import PlatformError, RetryLater, concerns_all
from connector.settle import settle
from connector.store import inbox, outbox
from connector.store import leads as lead_store
from connector.store.at_work import at_work
from connector.store.errors import LeaseLost, StoreBusy, StoreError
from connector.store.leases import end_leases
from connector.store.sweeps import next_sweep_ms

LONGEST_SLEEP_SECONDS = 60.0
STORE_PAUSE_SECONDS = 5.0
"""How long to leave a database alone that does not answer."""

BATCHES_AT_ONCE = 5
"""How many batches are leased at once: few enough to be sent within the lease even if each one times out."""

VERIFY_SLICE_MS = 5 * SECOND_MS
"""How long a sweep goes on before deliveries and polls get their turn."""

VERIFY_ASK_MS = MINUTE_MS
"""How often it is asked whether a sweep is due."""

log = structlog.get_logger()


class Embedded:
    """The worker of one process. `run` blocks until `stop` is called, from a signal handler or a test."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._stopping = threading.Event()
        self._to_settle = threading.Event()
        self._to_deliver = {side: threading.Event() for side in installation.feeds}
        self._to_poll: set[str] = set()
        self._failure: BaseException | None = None
        self.last_poll_ms: dict[str, int] = {}

    def stop(self) -> None:
        """Finish the batches that are under way, then return from `run`."""
        self._stopping.set()
        self._to_settle.set()
        for event in self._to_deliver.values():
            event.set()

    def wake(self, side: str) -> None:
        """There is something for a side: its platform told of a record. For any thread. A side that the
        applied configuration does not have, and the files have already, has nobody to wake."""
        if side in self._to_deliver:
            self._to_deliver[side].set()

    def poll_soon(self, side: str) -> None:
        """Poll a side now, whatever its interval: some of what its platform told is lost. For any thread."""
        self._to_poll.add(side)
        self.wake(side)

    def run(self) -> None:
        """Work until stopped. Raises what a thread failed with, after the others have stopped."""
        with at_work(self._installation.database, self._take_over):
            self._run()

    def _take_over(self) -> None:
        """Nobody else is at work: what a process that was killed had leased need not be waited for."""
        now_ms = self._installation.clock.now_ms()
        try:
            with self._installation.database.begin() as conn:
                left = end_leases(conn, now_ms)
        except StoreError as error:
            log.warning("leases left to run out", reason=str(error))
            return
        if any(left):
            log.info("taken over", leads=left.leads, writes=left.writes)

    def _run(self) -> None:
        loops: dict[str, Callable[[], None]] = {"settle": self._settle_loop}
        for side in self._installation.feeds:
            loops[side] = lambda side=side: self._side_loop(side)  # type: ignore[misc]  # binds the name now
        threads = [
            threading.Thread(target=self._guarded, args=(name, loop), name=f"leadloop-{name}")
            for name, loop in loops.items()
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._failure is not None:
            raise self._failure

    def _guarded(self, name: str, loop: Callable[[], None]) -> None:
        try:
            loop()
        except BaseException as error:  # noqa: BLE001  # handed to run(), which raises it
            log.error("thread failed", thread=name, error=type(error).__name__)
            self._failure = error
            self.stop()

    def _side_loop(self, side: str) -> None:
        clock, wake = self._installation.clock, self._to_deliver[side]
        turn = _SideTurn(learn_ms=clock.now_ms() + LEARN_EVERY_MS)
        while not self._stopping.is_set():
            wake.clear()
            try:
                wait_seconds = self._take_turn(side, turn)
            except StoreError as error:
                log.warning("database not usable", side=side, reason=str(error))
                wait_seconds = STORE_PAUSE_SECONDS
            clock.sleep(wait_seconds, wake)

    def _take_turn(self, side: str, turn: _SideTurn) -> float:
        """Poll if it is time, read what was told of, and deliver what is due; returns how many seconds there
        is nothing to do."""
        clock, database = self._installation.clock, self._installation.database
        with database.read() as conn:
            poll_ms = next_poll_ms(conn, side, clock.now_ms())
        if side in self._to_poll or clock.now_ms() >= poll_ms:
            self._to_poll.discard(side)
            poll_ms = self._poll(side, turn)
        if not 0 < turn.learn_ms - clock.now_ms() <= LEARN_EVERY_MS:  # a later one: our clock was put back
            turn.learn_ms = clock.now_ms() + LEARN_EVERY_MS
            self._learn_again(side)
        if self._stopping.is_set():
            return 0.0
        delivered = self._deliver(side)
        if self._follow_hints(side) or delivered or self._verify(side, turn):
            return 0.0
        with database.read() as conn:
            next_write_ms = outbox.next_write_ms(conn, side)
            next_hint_ms = inbox.next_hint_ms(conn, side)
        wait_ms = poll_ms - clock.now_ms()
        if next_hint_ms is not None:
            wait_ms = min(wait_ms, next_hint_ms - clock.now_ms())
        if next_write_ms is not None:
            # a row whose lead is dirty waits for the settling thread, which wakes this one
            wait_ms = min(wait_ms, max(next_write_ms - clock.now_ms(), SECOND_MS))
        return max(0.0, min(wait_ms / SECOND_MS, LONGEST_SLEEP_SECONDS))

    def _poll(self, side: str, turn: _SideTurn) -> int:
        """Look at what is due, once; returns the moment of the next look."""
        clock, database = self._installation.clock, self._installation.database
        seconds = self._installation.feeds[side].poll_seconds
        with database.read() as conn:
            due = due_objects(conn, side, seconds, clock.now_ms())
        patience_seconds = self._look(side, due, turn) if due else 0.0
        with database.begin() as conn:
            return plan_next(conn, side, seconds, clock.now_ms(), patience_seconds)

    def _look(self, side: str, due: Sequence[str], turn: _SideTurn) -> float:
        """Look once at these objects; returns how many seconds the platform wants to be left alone."""
        try:
            polled = poll(self._installation, side, due)
        except RetryLater as error:
            log.warning("poll postponed", side=side, reason=error.reason, after_seconds=error.after_seconds)
            self._to_settle.set()  # for what came before the fault
            return error.after_seconds if concerns_all(error) else 0.0
        except PlatformError as error:
            log.error("poll refused", side=side, reason=str(error))
            turn.learn_ms = 0  # a field may be gone
            self._to_settle.set()
            return 0.0
        self.last_poll_ms[side] = self._installation.clock.now_ms()
        if polled.leads:
            log.info("polled", side=side, records=polled.records, changed=polled.changed, leads=polled.leads)
            self._to_settle.set()
        return 0.0

    def _follow_hints(self, side: str) -> bool:
        """Read what the platform told of; True when it told of something, so that there may be more."""
        followed = follow_hints(self._installation, side)
        if followed.taken:
            log.info(
                "told",
                side=side,
                records=followed.records,
                missing=followed.missing,
                leads=followed.leads,
            )
        if followed.leads:
            self._to_settle.set()
        return bool(followed.taken)

    def _verify(self, side: str, turn: _SideTurn) -> bool:
        """Go on for a while with proving that nothing was missed, if it is time; True while there is more."""
        installation = self._installation
        now_ms = installation.clock.now_ms()
        if 0 < turn.verify_ms - now_ms <= VERIFY_ASK_MS:
            return False
        with installation.database.read() as conn:
            due_ms = next_sweep_ms(conn, side, installation.verify_every_ms, now_ms)
        if due_ms is None or due_ms > now_ms:
            turn.verify_ms = now_ms + VERIFY_ASK_MS
            return False
        until_ms = now_ms + VERIFY_SLICE_MS
        try:
            swept = sweep(
                installation,
                side,
                enough=lambda: self._stopping.is_set() or installation.clock.now_ms() >= until_ms,
            )
        except PlatformError as error:
            log.warning("verifying goes on later", side=side, reason=str(error))
            turn.verify_ms = now_ms + VERIFY_ASK_MS
            return False
        self._to_settle.set()
        if swept is None:  # somebody says `leadloop verify` just now
            turn.verify_ms = now_ms + VERIFY_ASK_MS
        return swept is not None and swept.ended_ms is None

    def _learn_again(self, side: str) -> None:
        try:
            learn_again(self._installation, side)
        except PlatformError as error:
            log.warning("users and fields not read", side=side, reason=str(error))

    def _deliver(self, side: str) -> bool:
        """Send what is due; True when something was, so that there may be more."""
        size = self._installation.platforms[side].batching.write
        delivered = deliver(self._installation, side, BATCHES_AT_ONCE * size)
        if delivered:
            log.info(
                "delivered", side=side, written=delivered.written, refused=delivered.refused,
                postponed=delivered.postponed, reread=delivered.reread,
            )  # fmt: skip
            self._to_settle.set()
        return bool(delivered)

    def _settle_loop(self) -> None:
        clock = self._installation.clock
        while not self._stopping.is_set():
            self._to_settle.clear()
            try:
                wait_seconds = self._settle()
            except StoreError as error:
                log.warning("settling again", reason=str(error))
                lost = isinstance(error, LeaseLost | StoreBusy)
                wait_seconds = 1.0 if lost else STORE_PAUSE_SECONDS
            clock.sleep(wait_seconds, self._to_settle)

    def _settle(self) -> float:
        """Decide one batch; returns how many seconds there is nothing to do."""
        settled = settle(self._installation)
        if settled.leads:
            if settled.moves or settled.writes:
                log.info("settled", leads=settled.leads, moves=settled.moves, writes=settled.writes)
            for event in self._to_deliver.values():
                event.set()
            return 0.0
        with self._installation.database.read() as conn:
            due_ms = lead_store.next_due_ms(conn)
        if due_ms is None:
            return LONGEST_SLEEP_SECONDS
        # one that is due already waits for its write in flight: no reason to spin meanwhile
        wait_ms = max(due_ms - self._installation.clock.now_ms(), SECOND_MS)
        return min(wait_ms / SECOND_MS, LONGEST_SLEEP_SECONDS)


@dataclass(slots=True)
class _SideTurn:
    """When a side's users, fields and picklists are read next, and whether it is to be verified."""

    learn_ms: int
    verify_ms: int = 0
