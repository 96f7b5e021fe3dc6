"""Service: what `leadloop run` runs, from connecting to a graceful stop, with its health and metrics.

Connects, waits where a platform does not answer yet, works until stopped, and connects anew when another
configuration was applied, or after some hours, to learn of new users and fields.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

import structlog

from connector.clock import HOUR_MS, SECOND_MS, Clock
from connector.configuration import Configuration
from connector.intake.timetable import Looked, looked_of
from connector.metrics import CONTENT_TYPE, Metrics
from connector.platforms.errors import RetryLater
from connector.settings import Settings, SettingsError
from connector.store.configurations import applied_configuration
from connector.store.database import Database
from connector.store.errors import StoreError
from connector.webhooks.reception import OpenReception
from connector.webhooks.telling import Teller
from connector.wiring import Connected, choose_configuration, connect
from connector.worker.embedded import Embedded
from connector.worker.passes import PATIENT_TIMES, Pass, run_until_quiet
from connector.worker.stream_threads import OpenedStream, StreamThreads, open_stream

LOOK_SECONDS = 20.0
"""Time between two looks for another applied configuration."""

RECONNECT_MS = 6 * HOUR_MS
"""Users, queues and fields change; connecting costs a few calls."""

PATIENCE_SECONDS = 60.0
"""So long a single pass waits for a platform that asks for it: longer than any limit by the second, shorter
than anything that a person should hear of first."""

LATE_POLLS = 5
"""A side with an object that has missed so many looks is not ready."""

log = structlog.get_logger()


class Service:
    """One process of leadloop. `run` blocks until `stop`, which may be called from any thread. `connected` is
    what it works on now, None while it is not connected."""

    def __init__(self, wanted: Configuration, settings: Settings, database: Database, clock: Clock) -> None:
        self._wanted = wanted
        self._settings = settings
        self._database = database
        self._clock = clock
        self._stopping = threading.Event()
        self._worker: Embedded | None = None
        self.connected: Connected | None = None
        self._began_ms = clock.now_ms()
        self._metrics = Metrics(database, clock, wanted.mapping.sides, self._last_poll_ms)
        self._teller = Teller(clock)

    def open_reception(self) -> OpenReception:
        """What takes webhooks for this process, not started yet. Raises SettingsError, OSError."""
        sides = {name: side.platform for name, side in self._wanted.mapping.sides.items()}
        return OpenReception(
            sides, self._settings, self._database, self._clock, self._webhook, self._wake_sides
        )

    def _webhook(self, event: str, facts: Mapping[str, object]) -> None:
        self._metrics.count(event, facts)
        self._teller.tell(event, facts)

    def _wake_sides(self, sides: Iterable[str]) -> None:
        worker = self._worker
        if worker is None:  # not connected: the hints are found once it is
            return
        for side in sides:
            worker.wake(side)

    def stop(self) -> None:
        """Finish what is under way and end."""
        self._stopping.set()
        worker = self._worker
        if worker is not None:
            worker.stop()

    def run(self) -> None:
        """Work until stopped. Raises SettingsError, WrongAccount, Refused, StoreError when it cannot begin,
        and what a thread of the worker failed with."""
        while not self._stopping.is_set():
            connected = self._connect_patiently()
            if connected is None:
                return
            self._work(connected)
        log.info("stopped")

    def run_once(self) -> Pass:
        """One pass, until nothing is left to do. Raises RetryLater as well, where a platform wants to be left
        alone for longer than a moment."""
        connected = self._connect_once()
        try:
            return run_until_quiet(connected.installation, patience_seconds=PATIENCE_SECONDS)
        finally:
            self._disconnect(connected)

    def not_ready(self) -> str | None:
        """None when every side was looked at lately and the database answers; otherwise what is amiss."""
        connected, worker = self.connected, self._worker
        if connected is None or worker is None:
            return "not connected yet"
        try:
            with self._database.read() as conn:
                looked = {side: looked_of(conn, side) for side in connected.installation.feeds}
        except StoreError as error:
            return str(error)
        now_ms = self._clock.now_ms()
        for side, feed in connected.installation.feeds.items():
            for name, seconds in feed.poll_seconds.items():
                last_ms = looked[side].get(name, Looked()).at_ms
                if not last_ms:
                    return f"{side} has not been looked at yet"
                if now_ms - last_ms > LATE_POLLS * seconds * SECOND_MS:
                    return f"{side} has not been looked at for {(now_ms - last_ms) // SECOND_MS} seconds"
        return None

    def metrics(self) -> tuple[str, bytes]:
        """Content type and page of the metrics. Raises StoreError."""
        return CONTENT_TYPE, self._metrics.text()

    # connecting -----------------------------------------------------------------------------------------

    def _connect_patiently(self) -> Connected | None:
        """Connected, or None when stopped before a platform answered."""
        while not self._stopping.is_set():
            try:
                return self._connect()
            except RetryLater as error:
                log.warning("not connected yet", reason=error.reason, after_seconds=error.after_seconds)
                self._clock.sleep(error.after_seconds, self._stopping)
        return None

    def _connect_once(self) -> Connected:
        """Connected, with the patience of a single pass. Raises RetryLater when that is not enough, and at
        once where nobody answers: a setting may be wrong."""
        waited = 0
        while True:
            try:
                return self._connect()
            except RetryLater as later:
                waited += 1
                enough = later.after_seconds > PATIENCE_SECONDS or waited > PATIENT_TIMES
                if enough or not later.answered:
                    raise
                log.warning("waiting", reason=later.reason, seconds=later.after_seconds)
                self._clock.sleep(later.after_seconds)

    def _connect(self) -> Connected:
        with self._database.read() as conn:
            begun = applied_configuration(conn) is not None
        if begun:
            configuration, sentence = self._in_force()
            if sentence is not None:
                log.warning("configuration changed", remedy=sentence)
            connected = connect(configuration, self._settings, self._database, self._clock)
        else:
            # applied only once it has connected: a first start that fails leaves nothing in force
            connected = connect(self._wanted, self._settings, self._database, self._clock)
            self._in_force()
        connected.installation.on_event = self._told
        for warning in connected.warnings:
            log.warning("field missing", field=warning)
        for side, account in connected.accounts.items():
            log.info("connected", side=side, account=account.account_id)
        self._began_ms = self._clock.now_ms()
        return connected

    def _in_force(self) -> tuple[Configuration, str | None]:
        return choose_configuration(self._database, self._wanted, self._clock.now_ms())

    def _disconnect(self, connected: Connected) -> None:
        for platform in connected.installation.platforms.values():
            platform.close()
        connected.installation.aside.close()

    # working --------------------------------------------------------------------------------------------

    def _streams(self, connected: Connected) -> dict[str, OpenedStream]:
        """The streams that are switched on. Raises SettingsError."""
        installation, opened = connected.installation, {}
        for name, side in installation.policy.mapping.sides.items():
            if name in connected.budgets:
                made = open_stream(
                    name,
                    side.platform,
                    installation.feeds[name].objects,
                    connected.accounts[name].account_id,
                    self._settings,
                    connected.budgets[name],
                    self._clock,
                    connected.accounts[name].ahead_ms,
                )
                if not isinstance(made, str):
                    opened[name] = made
        return opened

    def _work(self, connected: Connected) -> None:
        worker = Embedded(connected.installation)
        try:
            opened = self._streams(connected)
        except SettingsError:
            self._disconnect(connected)
            raise
        streams = StreamThreads(
            opened,
            self._database,
            self._clock,
            self._metrics.count,
            worker.wake,
            worker.poll_soon,
        )
        self.connected, self._worker = connected, worker
        ended = threading.Event()
        watcher = threading.Thread(
            target=self._watch, args=(connected, worker, ended), name="leadloop-watch", daemon=True
        )
        watcher.start()
        log.info("started", configuration=connected.installation.configuration)
        try:
            if self._stopping.is_set():  # `stop` came before it could see this worker
                worker.stop()
            streams.start()
            worker.run()
        finally:
            streams.stop()
            ended.set()
            watcher.join()
            self.connected = self._worker = None
            self._disconnect(connected)

    def _watch(self, connected: Connected, worker: Embedded, ended: threading.Event) -> None:
        """End the worker, so that leadloop connects anew, when there is a reason to."""
        until_ms = self._clock.now_ms() + RECONNECT_MS
        while not ended.is_set():
            self._clock.sleep(LOOK_SECONDS, ended)
            try:
                with self._database.read() as conn:
                    applied = applied_configuration(conn)
            except StoreError as error:
                log.warning("database busy", reason=str(error))
                continue
            if applied is not None and applied.version != connected.installation.configuration:
                log.info("another configuration was applied", configuration=applied.version)
                worker.stop()
                return
            if not 0 < until_ms - self._clock.now_ms() <= RECONNECT_MS:
                log.info("connecting anew")
                worker.stop()
                return

    def _told(self, event: str, facts: Mapping[str, object]) -> None:
        """Log and count what the installation tells of."""
        self._metrics.count(event, facts)
        told = dict(facts)
        if "error" in told:
            # an exception quotes values; its type is enough to find the hold that explains it
            told["error"] = str(told["error"]).partition("(")[0]
        level = log.info if event == "moved" else log.warning
        level(event.replace("_", " "), **told)

    def _last_poll_ms(self) -> Mapping[str, int]:
        worker = self._worker
        return {} if worker is None else dict(worker.last_poll_ms)
