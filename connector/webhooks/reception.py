"""Opening the reception: the one place where settings, adapters and database become a receiver at work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from connector.clock import Clock
from connector.settings import Settings, SettingsError
from connector.store.database import Database
from connector.store.errors import StoreError
from connector.store.settings_values import get_value
from connector.webhooks.app import Door, Reception, Tell, reception_app
from connector.webhooks.group_commit import GroupCommit
from connector.webhooks.server import WebhookServer
from connector.webhooks.tls import Tls

if TYPE_CHECKING:
    from connector.platforms.pushes import Receiver


class OpenReception:
    """A receiver for the sides, given as side name to platform. `url` is where it answers here, `addresses`
    where each side's platform delivers to, without secrets; `closed` why others have no such place."""

    def __init__(
        self,
        sides: Mapping[str, str],
        settings: Settings,
        database: Database,
        clock: Clock,
        tell: Tell,
        stored: Callable[[Iterable[str]], object] = lambda _sides: None,
    ) -> None:
        """Take the port. Raises SettingsError when no side can receive anything or the certificates cannot be
        used, OSError for the port."""
        limits = settings.webhooks
        self._clock = clock
        self._tell = tell
        self._stored = stored
        self._limits = limits
        self._doors: dict[str, Door] = {}
        self.closed: dict[str, str] = {}
        for side, platform in sides.items():
            made = _receiver(platform, settings)
            if isinstance(made, str):
                self.closed[side] = made
            else:
                self._doors[side] = Door(made, partial(_account, database, side))
        if not self._doors:
            raise SettingsError("\n".join(("Nothing can be received.", *self.closed.values())))
        self._server = WebhookServer(limits.host, limits.port or 0, Tls.of(limits))
        self._database = database.durable()
        self.url = self._server.url
        self._base_url = limits.public_url or self.url
        self.addresses = {side: f"{self._base_url}/{side}" for side in self._doors}

    def start(self) -> None:
        """Take deliveries from now on."""
        commits = GroupCommit(self._database, self._clock, self._limits.max_waiting, self._stored)
        reception = Reception(self._doors, commits, self._clock, self._limits, self._base_url, self._tell)
        self._server.start(reception_app(reception, commits, self.not_ready))

    def not_ready(self) -> str | None:
        """None when the database answers; otherwise what is amiss."""
        try:
            with self._database.read():
                return None
        except StoreError as error:
            return str(error)

    def close(self) -> None:
        """Finish and store what has come."""
        self._server.stop()
        self._database.close()


def _receiver(platform: str, settings: Settings) -> Receiver | str:
    """What takes a platform's deliveries, or why nothing does."""
    for entry in entry_points(group="leadloop.platforms", name=platform):
        make = getattr(import_module(entry.module), "receiver", None)
        if make is not None:
            made: Receiver | str = make(getattr(settings, platform), settings.webhooks.max_events)
            return made
    return f"The platform {platform!r} sends nothing that leadloop can receive."


def _account(database: Database, side: str) -> str | None:
    with database.read() as conn:
        known = get_value(conn, f"account:{side}")
    return None if known is None else str(known)
