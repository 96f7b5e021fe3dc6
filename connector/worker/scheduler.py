"""Scheduler: the clock of `leadloop clock`, which wakes the workers for what the database says is to be done.

It holds no list of its own: sides whose time to be looked at has come, records that a platform told of,
leads that are dirty or due, writes whose moment has come or whose sender has died. So it can be killed,
started twice, or find Redis empty, and nothing is lost. Several may run; the one that holds a lease leads. It
does none of the work and needs no credentials of a platform.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from threading import Event

import structlog

from connector.clock import SECOND_MS, Clock
from connector.intake.timetable import next_poll_ms
from connector.store import inbox, outbox
from connector.store import leads as lead_store
from connector.store.configurations import applied_configuration
from connector.store.database import Database
from connector.store.errors import StoreError
from connector.store.leases import drop_lease, take_lease
from connector.store.noted_moments import has_come
from connector.store.sweeps import next_sweep_ms
from connector.worker.wakeups import SETTLE, deliver_of, hints_of, poll_of, verify_of

LEASE = "clock"
LEASE_MS = 15 * SECOND_MS
RENEW_MS = 5 * SECOND_MS
AGAIN_MS = 5 * SECOND_MS
"""What is still to be done this long after its wake-up is woken for again: the message may be lost."""

TICK_SECONDS = 1.0
AFTER_FAILURE_SECONDS = 5.0
log = structlog.get_logger()


class Scheduler:
    """One clock. `wake` sends a wake-up for a duty and says whether it did; `configuration` is the version
    whose sides these are, and `run` returns when another one has been applied. `verify_every_ms`: the time
    between two sweeps of a side; 0: never."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sides: Collection[str],
        wake: Callable[[str], bool],
        token: str,
        configuration: str | None = None,
        verify_every_ms: int = 0,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sides = sorted(sides)
        self._wake = wake
        self._token = token
        self._configuration = configuration
        self._verify_every_ms = verify_every_ms
        self._stopping = Event()
        self._leading = False
        self._ask_again_ms = 0
        self._woken_ms: dict[str, int] = {}

    def stop(self) -> None:
        """Return from `run` within moments. May be called by a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Tick until stopped. A database that is away for a while is waited for."""
        try:
            while not self._stopping.is_set():
                seconds = TICK_SECONDS
                try:
                    self.tick()
                except StoreError as error:
                    log.error("the clock waits for the database", reason=str(error))
                    self._ask_again_ms, seconds = 0, AFTER_FAILURE_SECONDS
                self._clock.sleep(seconds, self._stopping)
        finally:
            self._resign()

    def tick(self) -> bool:
        """Wake the workers for what is to be done now. False when another clock leads. Raises StoreError."""
        now_ms = self._clock.now_ms()
        if not self._leads(now_ms):
            return False
        due = self._due(now_ms)
        # a duty that was done in between is woken for at once when there is more
        self._woken_ms = {duty: woken_ms for duty, woken_ms in self._woken_ms.items() if duty in due}
        for duty in due:
            since_ms = now_ms - self._woken_ms.get(duty, -AGAIN_MS)
            # one to come: our clock has been put back since
            if not 0 <= since_ms < AGAIN_MS and self._wake(duty):
                self._woken_ms[duty] = now_ms
        return True

    def _leads(self, now_ms: int) -> bool:
        if 0 < self._ask_again_ms - now_ms <= RENEW_MS:
            return self._leading
        with self._database.begin() as conn:
            leads = take_lease(conn, LEASE, self._token, now_ms, LEASE_MS)
        if leads != self._leading:
            log.info("this clock leads" if leads else "another clock leads")
        self._leading = leads
        self._ask_again_ms = now_ms + RENEW_MS
        if leads:
            self._check_configuration()
        return leads

    def _check_configuration(self) -> None:
        with self._database.read() as conn:
            applied = applied_configuration(conn)
        if applied is not None and self._configuration not in (None, applied.version):
            log.warning("another configuration has been applied", ours=self._configuration)
            self.stop()

    def _due(self, now_ms: int) -> list[str]:
        with self._database.read() as conn:
            backlog = lead_store.backlog(conn, now_ms)
            due = [poll_of(side) for side in self._sides if next_poll_ms(conn, side, now_ms) <= now_ms]
            for side in self._sides:
                write_ms = outbox.next_write_ms(conn, side)
                if write_ms is not None and has_come(write_ms, now_ms):
                    due.append(deliver_of(side))
                hint_ms = inbox.next_hint_ms(conn, side)
                if hint_ms is not None and has_come(hint_ms, now_ms):
                    due.append(hints_of(side))
                sweep_ms = next_sweep_ms(conn, side, self._verify_every_ms, now_ms)
                if sweep_ms is not None and sweep_ms <= now_ms:
                    due.append(verify_of(side))
        if backlog.dirty + backlog.due > backlog.leased:
            due.append(SETTLE)
        return due

    def _resign(self) -> None:
        """Let another clock lead at once, where the database can still be told."""
        try:
            with self._database.begin() as conn:
                drop_lease(conn, LEASE, self._token)
        except StoreError as error:
            log.warning("the lease of the clock runs out by itself", reason=str(error))
