"""Both worlds on loopback ports: `Sandbox` for tests and the demo, `run_sandbox` for the command line.

It starts, stops, saves and restores; what the platforms do is in their own packages.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

from connector.clock import Clock, SystemClock
from connector.sandbox import (
    HUBSPOT_ACCESS_TOKEN,
    HUBSPOT_CLIENT_ID,
    HUBSPOT_CLIENT_SECRET,
    HUBSPOT_REFRESH_TOKEN,
    SALESFORCE_CLIENT_ID,
    SALESFORCE_CLIENT_SECRET,
    SALESFORCE_SESSION_ID,
    SALESFORCE_USERNAME,
)
from connector.sandbox.control import Control
from connector.sandbox.hubspot import HubSpotPortal
from connector.sandbox.salesforce.org import SalesforceOrg
from connector.sandbox.seed import SeedError, plant, read_seed
from connector.sandbox.server import Server, serve
from connector.sandbox.shifted_clock import ShiftedClock
from connector.sandbox.state_file import StateFile, StateFileError

if TYPE_CHECKING:
    from connector.sandbox.salesforce.pubsub_server import PubSubServer

SAVE_EVERY_SECONDS = 10.0
SEND_EVERY_SECONDS = 0.25
CAPTURED = ("Lead", "Contact", "Opportunity")
"""The objects whose changes are told by the sandbox's own Pub/Sub API, until somebody selects others."""


class Sandbox:
    """A Salesforce and a HubSpot that share one clock. `with Sandbox(clock) as sandbox:` starts and stops it.

    Without `salesforce` or `hubspot`, a new org or portal is made. `state`: a file that both worlds are read
    from at the start (where it exists), and saved to every ten seconds and at the end."""

    def __init__(
        self,
        clock: Clock,
        salesforce: SalesforceOrg | None = None,
        hubspot: HubSpotPortal | None = None,
        state: Path | None = None,
    ) -> None:
        self.clock = clock
        self.salesforce = SalesforceOrg(clock) if salesforce is None else salesforce
        self.hubspot = HubSpotPortal(clock) if hubspot is None else hubspot
        self.restored = False
        self._file = None if state is None else StateFile(state)
        self._servers: list[Server] = []
        self._pubsub: PubSubServer | None = None
        self._ended = threading.Event()
        self._saver: threading.Thread | None = None

    @property
    def salesforce_url(self) -> str:
        """Where the org answers, without a slash at the end."""
        return self._servers[0].url

    @property
    def hubspot_url(self) -> str:
        """Where the portal answers, without a slash at the end."""
        return self._servers[1].url

    @property
    def salesforce_stream_url(self) -> str | None:
        """Where the org's Pub/Sub API answers; None when it does not."""
        return None if self._pubsub is None else self._pubsub.url

    def add_leadloop_fields(self) -> None:
        """leadloop's own fields in both worlds, under their default names (design, section 9)."""
        self.salesforce.add_leadloop_fields()
        self.hubspot.add_leadloop_fields()

    def restore(self) -> bool:
        """Read the state file, once; returns whether there was one. Raises StateFileError."""
        saved = self._file.read() if self._file is not None and not self.restored else None
        if self._file is not None and saved is not None:
            try:
                self.salesforce.from_json(saved["salesforce"])
                self.hubspot.from_json(saved["hubspot"])
                if isinstance(self.clock, ShiftedClock):
                    self.clock.offset_ms = int(saved["clock_offset_ms"])
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                raise StateFileError(
                    f"{self._file.path} is no complete state of a sandbox ({type(error).__name__}: {error}): "
                    "name another --state file, or remove this one to begin anew"
                ) from error
            self.restored = True
        return self.restored

    def prove_writable(self) -> None:
        """The state file, where there is one, can be written. Raises StateFileError."""
        if self._file is not None:
            self._file.prove_writable()

    def save(self) -> None:
        """Write the state file now, where there is one. Raises StateFileError."""
        if self._file is not None:
            self._file.write(self._state())

    def _state(self) -> dict[str, Any]:
        return {
            "salesforce": self.salesforce.to_json(),
            "hubspot": self.hubspot.to_json(),
            "clock_offset_ms": self.clock.offset_ms if isinstance(self.clock, ShiftedClock) else 0,
        }

    def start(
        self,
        salesforce_port: int = 0,
        hubspot_port: int = 0,
        stream_port: int | None = None,
        keepalive_seconds: float = 20.0,
    ) -> Sandbox:
        """Listen on loopback; port 0 takes a free one. `stream_port`: of the Pub/Sub API, which needs the
        extra `salesforce-streams`. Raises PortTakenError, StateFileError, ModuleNotFoundError."""
        self.restore()
        self._ended.clear()
        try:
            for world, port in ((self.salesforce, salesforce_port), (self.hubspot, hubspot_port)):
                self._servers.append(serve(Control(world, self.clock), port))
            if stream_port is not None:
                from connector.sandbox.salesforce.pubsub_server import PubSubServer

                if not self.salesforce.changes.selected:
                    self.salesforce.changes.select(*CAPTURED)
                self._pubsub = PubSubServer(self.salesforce, stream_port, keepalive_seconds)
        except BaseException:
            self._stop_servers()
            raise
        if self._file is not None:
            self._saver = threading.Thread(target=self._save_now_and_then, name="sandbox:state", daemon=True)
            self._saver.start()
        return self

    def stop(self) -> None:
        """Stop answering, and save. Raises StateFileError."""
        self._ended.set()
        self._stop_servers()
        if self._saver is not None:
            self._saver.join()
            self._saver = None
            self.save()

    def send(self) -> list[int]:
        """Send the webhooks and outbound messages that are pending; returns the status of each."""
        return [*self.hubspot.crm.webhooks.send(self.clock.now_ms()), *self.salesforce.outbound.send()]

    def _stop_servers(self) -> None:
        for server in self._servers:
            server.stop()
        self._servers = []
        if self._pubsub is not None:
            self._pubsub.stop()
            self._pubsub = None

    def _save_now_and_then(self) -> None:
        # real time, whatever the worlds' clock does: what is protected is this process
        while not self._ended.wait(SAVE_EVERY_SECONDS):
            try:
                self.save()
            except StateFileError:
                continue  # a full disk may be emptied; the save at the end raises

    def __enter__(self) -> Sandbox:
        return self if self._servers else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def run_sandbox(
    salesforce_port: int,
    hubspot_port: int,
    seed: Path | None = None,
    state: Path | None = None,
    leadloop_fields: bool = True,
    stream_port: int | None = None,
    announce: Callable[[str], object] = sys.stdout.write,
) -> None:
    """Run both platforms until SIGTERM or SIGINT; for the main thread. `announce` gets the text that tells
    where they are and how to sign in. A seed is planted only where there is no saved state yet.

    Raises SeedError, StateFileError, PortTakenError; each one's text is a sentence for a person."""
    ended = threading.Event()

    def end(signal_number: int, frame: FrameType | None) -> None:
        del signal_number, frame
        ended.set()

    planted = read_seed(seed) if seed is not None else {}
    sandbox = Sandbox(ShiftedClock(SystemClock()), state=state)
    if not sandbox.restore():
        if leadloop_fields:
            sandbox.add_leadloop_fields()
        try:
            plant(planted, sandbox.salesforce, sandbox.hubspot)
        except SeedError as error:
            raise SeedError(f"{seed}: {error}") from error
    sandbox.prove_writable()
    before = {each: signal.signal(each, end) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        with sandbox.start(salesforce_port, hubspot_port, stream_port):
            announce(introduction(sandbox))
            while not ended.wait(SEND_EVERY_SECONDS):
                sandbox.send()
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def introduction(sandbox: Sandbox) -> str:
    """Where the two platforms are and how to sign in, in the settings' own names, to be pasted into a shell
    (which would take an unquoted `!` for its history). Nothing is secret: this opens only the sandbox."""
    stream = sandbox.salesforce_stream_url
    streamed = (
        f"  LEADLOOP_SALESFORCE__STREAM=true\n  LEADLOOP_SALESFORCE__STREAM_URL={stream}\n" if stream else ""
    )
    return f"""\
Salesforce  {sandbox.salesforce_url}   (control: /_sandbox/)
  LEADLOOP_SALESFORCE__INSTANCE_URL={sandbox.salesforce_url}
  LEADLOOP_SALESFORCE__SESSION_ID='{SALESFORCE_SESSION_ID}'
  or client credentials {SALESFORCE_CLIENT_ID} / {SALESFORCE_CLIENT_SECRET}, user {SALESFORCE_USERNAME}
  organization {sandbox.salesforce.organization_id}
{streamed}HubSpot     {sandbox.hubspot_url}   (control: /_sandbox/)
  LEADLOOP_HUBSPOT__BASE_URL={sandbox.hubspot_url}
  LEADLOOP_HUBSPOT__ACCESS_TOKEN={HUBSPOT_ACCESS_TOKEN}
  or OAuth {HUBSPOT_CLIENT_ID} / {HUBSPOT_CLIENT_SECRET}, refresh token {HUBSPOT_REFRESH_TOKEN}
  portal {sandbox.hubspot.portal_id}
"""
