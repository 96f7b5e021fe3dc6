"""Stream service: what `leadloop streams` runs, with its health and metrics.

It proves whose accounts these are, follows every stream that is switched on, and begins anew when another
configuration was applied, or after some hours, to learn of new fields. A platform that does not answer holds
up no other. It reads no record and writes to no platform.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from functools import partial

import structlog

from connector.access import access_to
from connector.cli.service import LOOK_SECONDS, RECONNECT_MS
from connector.clock import MINUTE_MS, SECOND_MS, Clock
from connector.configuration import Configuration, compile_documents
from connector.learning import readable
from connector.metrics import CONTENT_TYPE, Metrics
from connector.platforms.errors import RetryLater
from connector.settings import Settings, SettingsError
from connector.store.configurations import applied_configuration
from connector.store.database import Database
from connector.store.errors import StoreError
from connector.store.settings_values import get_value
from connector.wiring import budget_of, open_platform
from connector.worker.poll_lease import last_polls_ms, poll_soon
from connector.worker.stream_threads import OpenedStream, StreamThreads, open_stream
from mappings.mapping import SideMapping

FIRST_START_SECONDS = 15.0
"""How often it is asked whether a worker has connected for the first time."""

WITHOUT_MS = MINUTE_MS
"""How long the streams that there are are followed at least, before another one is tried again."""

log = structlog.get_logger()


class StreamService:
    """One process that follows streams. `run` blocks until `stop`, which may be called from any thread."""

    def __init__(self, wanted: Configuration, settings: Settings, database: Database, clock: Clock) -> None:
        self._wanted = wanted
        self._settings = settings
        self._database = database
        self._clock = clock
        self._stopping = threading.Event()
        self._following = False
        self._metrics = Metrics(database, clock, wanted.mapping.sides, self._last_poll_ms)

    def stop(self) -> None:
        """Store what has come and end."""
        self._stopping.set()

    def run(self) -> None:
        """Follow until stopped. Raises SettingsError when nothing is switched on, WrongAccount, Refused,
        StoreError when it cannot begin."""
        while not self._stopping.is_set():
            configuration = self._in_force()
            streams, wait_seconds = self._open(configuration)
            if not streams:
                self._clock.sleep(wait_seconds, self._stopping)
                continue
            again_ms = max(int(wait_seconds * SECOND_MS), WITHOUT_MS) if wait_seconds else RECONNECT_MS
            self._follow(streams, configuration, self._clock.now_ms() + again_ms)
        log.info("stopped")

    def not_ready(self) -> str | None:
        """None when streams are followed, by this process or by the one that it stands by for."""
        if not self._following:
            return "not connected yet"
        try:
            with self._database.read():
                return None
        except StoreError as error:
            return str(error)

    def metrics(self) -> tuple[str, bytes]:
        """Content type and page of the metrics. Raises StoreError."""
        return CONTENT_TYPE, self._metrics.text()

    def _open(self, configuration: Configuration) -> tuple[dict[str, OpenedStream], float]:
        """Every stream that is switched on and whose platform answers, and how many seconds to wait for the
        others; 0 where there are none. Raises SettingsError, WrongAccount, Refused."""
        opened: dict[str, OpenedStream] = {}
        closed: list[str] = []
        wait_seconds = 0.0
        for name, side in configuration.mapping.sides.items():
            try:
                made = self._open_side(name, side)
            except RetryLater as error:
                log.warning(
                    "not connected yet", side=name, reason=error.reason, after_seconds=error.after_seconds
                )
                wait_seconds = max(wait_seconds, error.after_seconds)
                continue
            if isinstance(made, str):
                closed.append(made)
            else:
                opened[name] = made
        if not opened and not wait_seconds:
            raise SettingsError("\n".join(("No stream is switched on.", *closed)))
        return opened, wait_seconds

    def _open_side(self, name: str, side: SideMapping) -> OpenedStream | str:
        """A side's stream, or why it has none. Raises RetryLater, SettingsError, WrongAccount, Refused."""
        budget = budget_of(name, side.platform, self._settings, self._database, self._clock)
        with self._database.read() as conn:
            known = get_value(conn, f"account:{name}")
        opening = partial(open_stream, name, side.platform)
        rest = (str(known), self._settings, budget, self._clock)
        made = opening({}, *rest)  # whether there is one; what of, only the platform can tell
        if isinstance(made, str):
            return made
        made.stream.close()
        if known is None:
            raise RetryLater("leadloop has never connected: start a worker once", FIRST_START_SECONDS)
        platform = open_platform(name, side.platform, self._settings, budget, self._clock)
        try:
            account = platform.prove_identity()
            objects = readable(side, access_to(platform, side).metadata)
        finally:
            platform.close()
        if account.account_id != known:
            raise SettingsError(
                f"This database belongs to the {name} account {known}, but the credentials are for "
                f"{account.account_id}: use another LEADLOOP_DATABASE_URL or the right credentials."
            )
        budget.serves(account.time_zone)
        return opening(objects, *rest, account.ahead_ms)

    def _follow(
        self, streams: Mapping[str, OpenedStream], configuration: Configuration, until_ms: int
    ) -> None:
        """Follow until stopped, until another configuration was applied, or until a moment."""
        threads = StreamThreads(
            streams, self._database, self._clock, self._metrics.count, poll_soon=self._poll_soon
        )
        threads.start()
        self._following = True
        log.info("started", configuration=configuration.version, streams=sorted(streams))
        try:
            while not self._stopping.is_set() and self._clock.now_ms() < until_ms:
                self._clock.sleep(LOOK_SECONDS, self._stopping)
                try:
                    with self._database.read() as conn:
                        applied = applied_configuration(conn)
                except StoreError as error:
                    log.warning("database busy", reason=str(error))
                    continue
                if applied is not None and applied.version != configuration.version:
                    log.info("another configuration was applied", configuration=applied.version)
                    return
        finally:
            self._following = False
            threads.stop()

    def _in_force(self) -> Configuration:
        """The configuration that was applied. The first one is applied by a worker, once it has connected."""
        with self._database.read() as conn:
            applied = applied_configuration(conn)
        return self._wanted if applied is None else compile_documents(applied.documents)

    def _poll_soon(self, side: str) -> None:
        try:
            poll_soon(self._database, self._clock, side, uuid.uuid4().hex)
        except StoreError as error:  # it is polled in its own time then
            log.warning("not polled at once", side=side, reason=str(error))

    def _last_poll_ms(self) -> Mapping[str, int]:
        with self._database.read() as conn:
            return last_polls_ms(conn, self._wanted.mapping.sides)
