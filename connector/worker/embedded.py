"""Embedded: everything in one process on threads, for `leadloop run` and the demo. No server is needed.

One thread a side polls and delivers (so that a platform's connection stays in one thread), one thread
settles. They wake each other; the truth is in the database, so a kill at any moment loses nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from connector.clock import HOUR_MS, SECOND_MS
from connector.delivery import deliver
from connector.installation import Installation
from connector.intake.poll import poll
from connector.platforms.errors import PlatformError, RetryLater
from connector.settle import settle
from connector.store import leads as lead_store
from connector.store import outbox
from connector.store.errors import LeaseLost, StoreBusy
from connector.wiring import reload_owners

LONGEST_SLEEP_SECONDS = 60.0
BATCHES_AT_ONCE = 5
"""How many batches are leased at once: few enough to be sent within the lease even if each one times out."""

OWNERS_EVERY_MS = HOUR_MS
"""How often users and queues are read again: people join and leave."""

log = structlog.get_logger()


class Embedded:
    """The worker of one process. `run` blocks until `stop` is called, from a signal handler or a test."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._stopping = threading.Event()
        self._to_settle = threading.Event()
        self._to_deliver = {side: threading.Event() for side in installation.feeds}
        self._failure: BaseException | None = None
        self.last_poll_ms: dict[str, int] = {}

    def stop(self) -> None:
        """Finish the batches that are under way, then return from `run`."""
        self._stopping.set()
        self._to_settle.set()
        for event in self._to_deliver.values():
            event.set()

    def run(self) -> None:
        """Work until stopped. Raises what a thread failed with, after the others have stopped."""
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
            log.error("thread failed", thread=name, error=repr(error))
            self._failure = error
            self.stop()

    def _side_loop(self, side: str) -> None:
        clock, feed = self._installation.clock, self._installation.feeds[side]
        wake = self._to_deliver[side]
        next_poll_ms = 0
        owners_ms = clock.now_ms() + OWNERS_EVERY_MS
        while not self._stopping.is_set():
            wake.clear()
            if clock.now_ms() >= next_poll_ms:
                next_poll_ms = clock.now_ms() + int(feed.poll_seconds * SECOND_MS)
                wait_seconds = self._poll(side)
                if wait_seconds:
                    next_poll_ms = max(next_poll_ms, clock.now_ms() + int(wait_seconds * SECOND_MS))
            if clock.now_ms() >= owners_ms:
                owners_ms = clock.now_ms() + OWNERS_EVERY_MS
                self._reload_owners(side)
            if self._stopping.is_set():
                return
            delivered = self._deliver(side)
            if delivered:
                continue
            with self._installation.database.read() as conn:
                next_write_ms = outbox.next_write_ms(conn, side)
            wait_ms = next_poll_ms - clock.now_ms()
            if next_write_ms is not None:
                # a row whose lead is dirty waits for the settling thread, which wakes this one
                wait_ms = min(wait_ms, max(next_write_ms - clock.now_ms(), SECOND_MS))
            clock.sleep(max(0.0, min(wait_ms / SECOND_MS, LONGEST_SLEEP_SECONDS)), wake)

    def _poll(self, side: str) -> float:
        """Look once; returns how many seconds to leave the platform alone, 0 for the usual."""
        try:
            polled = poll(self._installation, side)
        except RetryLater as error:
            log.warning("poll postponed", side=side, reason=error.reason, after_seconds=error.after_seconds)
            return error.after_seconds
        except StoreBusy as error:
            log.warning("database busy", side=side, reason=str(error))
            return 1.0
        except PlatformError as error:
            log.error("poll refused", side=side, reason=str(error))
            return 300.0
        self.last_poll_ms[side] = self._installation.clock.now_ms()
        if polled.leads:
            log.info("polled", side=side, records=polled.records, changed=polled.changed, leads=polled.leads)
            self._to_settle.set()
        return 0.0

    def _reload_owners(self, side: str) -> None:
        try:
            reload_owners(self._installation, side)
        except PlatformError as error:
            log.warning("owners not read", side=side, reason=str(error))

    def _deliver(self, side: str) -> bool:
        """Send what is due; True when something was, so that there may be more."""
        try:
            size = self._installation.platforms[side].batching.write
            delivered = deliver(self._installation, side, BATCHES_AT_ONCE * size)
        except StoreBusy as error:
            log.warning("database busy", side=side, reason=str(error))
            return False
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
                settled = settle(self._installation)
            except (LeaseLost, StoreBusy) as error:
                log.warning("settling again", reason=str(error))
                clock.sleep(1.0)
                continue
            if settled.leads:
                if settled.moves or settled.writes:
                    log.info("settled", leads=settled.leads, moves=settled.moves, writes=settled.writes)
                for event in self._to_deliver.values():
                    event.set()
                continue
            with self._installation.database.read() as conn:
                due_ms = lead_store.next_due_ms(conn)
            wait_ms = LONGEST_SLEEP_SECONDS * SECOND_MS
            if due_ms is not None:
                wait_ms = min(wait_ms, max(due_ms - clock.now_ms(), 0))
            clock.sleep(wait_ms / SECOND_MS, self._to_settle)
