"""Actors: the worker's three functions, each done once for every wake-up that a dramatiq worker receives.

`Duties` is what is done, and knows no broker; `declare_actors` binds it to one. Whatever a duty leaves undone
(a busy database, a platform that does not answer, a worker that is killed) is still in the database, and the
clock sends another wake-up for it. So nothing here is retried, and a wake-up too many does no harm.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from threading import Event
from typing import cast

import dramatiq
import structlog

from connector.clock import MINUTE_MS, SECOND_MS
from connector.delivery import LEASE_MS as WRITE_LEASE_MS
from connector.delivery import deliver
from connector.installation import Installation
from connector.intake.hints import follow_hints
from connector.intake.poll import poll
from connector.intake.sweep import sweep
from connector.intake.timetable import due_objects
from connector.lane import Lane
from connector.learning import LEARN_EVERY_MS, learn_again
from connector.platforms.errors import PlatformError, RetryLater, concerns_all
from connector.platforms.protocol import ChangePage, ListPage, Platform, Watch
from connector.settle import BATCH, settle
from connector.store.configurations import applied_configuration
from connector.store.errors import LeaseLost, StoreError
from connector.store.leases import drop_lease, take_lease
from connector.store.sweeps import next_sweep_ms
from connector.worker.poll_lease import PollLease
from connector.worker.wakeups import SETTLE, deliver_of, duties_of, hints_of, poll_of, verify_of

SLICE_MS = 30 * SECOND_MS
"""How long one wake-up may go on with more of the same before others get their turn."""

CALLS_AT_ONCE = 5
"""Batches claimed at a time: with every call as slow as its timeouts allow, the claim outlives them all."""

HINTS_LEASE_MS = 6 * MINUTE_MS
"""Renewed with each few batches, and longer than the duty may take: two workers would read the same twice."""

# lower goes first among the messages that a worker has taken: what sales waits for, then news, then thought
_PRIORITY = {"deliver": 0, "hints": 5, "poll": 10, "settle": 20, "verify": 30}
# a stuck sender is stopped before its claim ends, and so before anybody else sends the same
_LIMIT_MS = {
    "deliver": WRITE_LEASE_MS - MINUTE_MS,
    "hints": 5 * MINUTE_MS,
    "verify": 30 * MINUTE_MS,
    "poll": 30 * MINUTE_MS,
    "settle": 5 * MINUTE_MS,
}

log = structlog.get_logger()


class Duties:
    """What a worker does when it is woken. Safe to share between threads, where `installation.platforms`
    gives each thread its own. `wake` sends a wake-up; `stopping` ends a slice early; `outdated` is called
    when another configuration than ours has been applied, and then nothing more is done."""

    def __init__(
        self,
        installation: Installation,
        wake: Callable[[str], object],
        stopping: Event | None = None,
        outdated: Callable[[], object] = lambda: None,
    ) -> None:
        self._installation = installation
        self._wake = wake
        self._stopping = stopping or Event()
        self._outdated = outdated
        self._learn_ms = installation.clock.now_ms() + LEARN_EVERY_MS

    @property
    def sides(self) -> tuple[str, ...]:
        """The sides of the installation."""
        return tuple(self._installation.feeds)

    def poll(self, side: str) -> None:
        """Look at a side if its time has come and nobody else is looking."""
        with self._patiently(poll_of(side)):
            database, clock = self._installation.database, self._installation.clock
            lease = PollLease(database, clock, side, self._installation.new_token())
            if not self._in_force() or not lease.begin():
                return
            seconds = self._installation.feeds[side].poll_seconds
            with database.read() as conn:
                due = due_objects(conn, side, seconds, clock.now_ms())
            patience_seconds, looked = 0.0, False
            try:
                if due:  # the intervals may have become longer since the look was planned
                    patience_seconds, looked = self._look(side, due, lease)
            finally:
                lease.end(seconds, patience_seconds, looked)

    def hints(self, side: str) -> None:
        """Read what a side's platform told of, if nobody else is reading it."""
        with self._patiently(hints_of(side)):
            token = self._installation.new_token()
            until_ms = self._installation.clock.now_ms() + SLICE_MS
            try:
                while self._in_force() and self._hold(hints_of(side), token):
                    followed = follow_hints(self._installation, side)
                    if not followed.taken:
                        return
                    log.info(
                        "told",
                        side=side,
                        records=followed.records,
                        missing=followed.missing,
                        leads=followed.leads,
                    )
                    if followed.leads:
                        self._wake(SETTLE)
                    if self._slice_is_over(until_ms):
                        return  # the clock wakes for what is left
            finally:
                with self._installation.database.begin() as conn:
                    drop_lease(conn, hints_of(side), token)

    def settle(self) -> None:
        """Reconcile leads until none is left that needs it; others are woken to help with a long queue."""
        with self._patiently(SETTLE):
            self._learn_again()
            until_ms = self._installation.clock.now_ms() + SLICE_MS
            while self._in_force():
                try:
                    settled = settle(self._installation)
                except LeaseLost as error:
                    log.warning("settling again", reason=str(error))
                    self._wake(SETTLE)
                    return
                if not settled.leads:
                    return
                if settled.moves or settled.writes:
                    log.info("settled", leads=settled.leads, moves=settled.moves, writes=settled.writes)
                if settled.writes:
                    for side in self.sides:
                        self._wake(deliver_of(side))
                if settled.leads >= BATCH:
                    self._wake(SETTLE)
                if self._slice_is_over(until_ms):
                    self._wake(SETTLE)
                    return

    def deliver(self, side: str) -> None:
        """Send a side what is due for it."""
        with self._patiently(deliver_of(side)):
            until_ms = self._installation.clock.now_ms() + SLICE_MS
            limit = CALLS_AT_ONCE * self._installation.platforms[side].batching.write
            while self._in_force():
                delivered = deliver(self._installation, side, limit)
                if not delivered:
                    return
                log.info(
                    "delivered", side=side, written=delivered.written, refused=delivered.refused,
                    postponed=delivered.postponed, reread=delivered.reread,
                )  # fmt: skip
                self._wake(SETTLE)
                if self._slice_is_over(until_ms):
                    self._wake(deliver_of(side))
                    return

    def _hold(self, duty: str, token: str) -> bool:
        now_ms = self._installation.clock.now_ms()
        with self._installation.database.begin() as conn:
            return take_lease(conn, duty, token, now_ms, HINTS_LEASE_MS)

    def verify(self, side: str) -> None:
        """Go on with proving that nothing of a side was missed, if it is time and nobody else is at it."""
        with self._patiently(verify_of(side)):
            now_ms = self._installation.clock.now_ms()
            with self._installation.database.read() as conn:
                due_ms = next_sweep_ms(conn, side, self._installation.verify_every_ms, now_ms)
            if due_ms is None or due_ms > now_ms or not self._in_force():
                return
            until_ms = now_ms + SLICE_MS
            try:
                swept = sweep(self._installation, side, enough=lambda: self._slice_is_over(until_ms))
            except PlatformError as error:
                log.warning("verifying goes on later", side=side, reason=str(error))
                return
            if swept is not None:
                self._wake(SETTLE if swept.ended_ms is not None else verify_of(side))

    def _slice_is_over(self, until_ms: int) -> bool:
        return self._stopping.is_set() or self._installation.clock.now_ms() >= until_ms

    def _in_force(self) -> bool:
        """Whether this worker's configuration is the one in force. Two workers that go by different ones
        would undo each other's work."""
        with self._installation.database.read() as conn:
            applied = applied_configuration(conn)
        if applied is None or applied.version == self._installation.configuration:
            return True
        log.warning("another configuration has been applied", ours=self._installation.configuration)
        self._outdated()
        return False

    def _learn_again(self) -> None:
        """Read users, fields and picklists again, now and then: each process decides by a copy of its own."""
        now_ms = self._installation.clock.now_ms()
        if 0 < self._learn_ms - now_ms <= LEARN_EVERY_MS:  # a later one: our clock has been put back since
            return
        self._learn_ms = now_ms + LEARN_EVERY_MS
        for side in self.sides:
            try:
                learn_again(self._installation, side)
            except PlatformError as error:
                log.warning("users and fields not read", side=side, reason=str(error))

    @contextmanager
    def _patiently(self, duty: str) -> Iterator[None]:
        """A database that is busy or away for a while costs this wake-up, no more."""
        try:
            yield
        except StoreError as error:
            log.warning("left for later", duty=duty, reason=str(error))

    def _look(self, side: str, due: Sequence[str], lease: PollLease) -> tuple[float, bool]:
        """Look once at these objects; returns how many seconds the platform wants to be left alone, and
        whether it answered for all of them."""
        platform = _Renewing(self._installation.platforms[side], lease)
        # polling reads changes and archived records, and nothing else of a platform
        leased = replace(self._installation, platforms={side: cast("Platform", platform)})
        try:
            polled = poll(leased, side, due)
        except RetryLater as error:
            log.warning("poll postponed", side=side, reason=error.reason, after_seconds=error.after_seconds)
            return error.after_seconds if concerns_all(error) else 0.0, False
        except PlatformError as error:
            log.error("poll refused", side=side, reason=str(error))
            self._learn_ms = 0  # a field may be gone
            self._wake(SETTLE)
            return 0.0, False
        finally:
            # pages that came before a fault are stored, and their leads are dirty
            if platform.pages:
                self._wake(SETTLE)
        if polled.leads:
            log.info("polled", side=side, records=polled.records, changed=polled.changed, leads=polled.leads)
        return 0.0, True


class _Renewing:
    """A platform of which every page renews the lease. `pages` counts those with something in
    them that were stored."""

    def __init__(self, platform: Platform, lease: PollLease) -> None:
        self._platform = platform
        self._lease = lease
        self.pages = 0

    def changes(self, watches: list[Watch], lane: Lane = Lane.LOOK) -> Iterator[ChangePage]:
        for page in self._platform.changes(watches, lane):
            self._lease.renew()
            yield page
            self.pages += bool(page.observations)

    def archived(self, object_name: str, after: str | None = None, lane: Lane = Lane.UPDATE) -> ListPage:
        self._lease.renew()
        page = self._platform.archived(object_name, after, lane)
        self.pages += bool(page.records)
        return page


def declare_actors(
    broker: dramatiq.Broker, duties: Duties, interrupted: Callable[[], object] = lambda: None
) -> None:
    """Bind the duties to a broker, each to a queue of its own name. `interrupted` is called in the thread of
    a duty that was stopped for taking too long: its connections may be half-way through an answer."""
    work: dict[str, Callable[[], None]] = {SETTLE: duties.settle}
    for side in duties.sides:
        work[poll_of(side)] = lambda side=side: duties.poll(side)  # type: ignore[misc]  # binds the name now
        work[verify_of(side)] = lambda side=side: duties.verify(side)  # type: ignore[misc]  # as above
        work[hints_of(side)] = lambda side=side: duties.hints(side)  # type: ignore[misc]  # as above
        work[deliver_of(side)] = lambda side=side: duties.deliver(side)  # type: ignore[misc]  # as above
    for duty in duties_of(duties.sides):
        verb = duty.partition(".")[0]
        declare = dramatiq.actor(
            actor_name=duty,
            queue_name=duty,
            broker=broker,
            priority=_PRIORITY[verb],
            time_limit=_LIMIT_MS[verb],
        )
        declare(_guarded(duty, work[duty], interrupted))


def _guarded(duty: str, work: Callable[[], None], interrupted: Callable[[], object]) -> Callable[[], None]:
    def guarded() -> None:
        try:
            work()
        except dramatiq.middleware.Interrupt:
            log.error("stopped for taking too long", duty=duty)
            interrupted()
            raise
        except Exception as error:
            # dramatiq's own line would quote the message, which may hold values of leads
            frames = "".join(traceback.format_tb(error.__traceback__)).splitlines()[-12:]
            log.error("duty failed", duty=duty, error=type(error).__name__, where=frames)
            raise

    return guarded
