"""Following: HubSpot's journal as leadloop reads it, on a sandbox over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connector.clock import ManualClock
from connector.platforms import hubspot
from connector.platforms.hubspot.journal import Journal
from connector.platforms.protocol import FreeMeter
from connector.platforms.pushes import Told
from connector.platforms.streams import StreamBatch
from connector.sandbox import HUBSPOT_CLIENT_ID, HUBSPOT_CLIENT_SECRET
from connector.sandbox.hubspot import HubSpotPortal
from connector.settings import load_settings

START_MS = 1_790_000_000_000
DAY_SECONDS = 86_400
OBJECTS: Mapping[str, Sequence[str]] = {"contacts": ("email", "lastname"), "deals": ("amount",)}


@dataclass
class Following:
    """Whoever follows the journal of one portal. `position` is what would be stored."""

    url: str
    portal_id: int
    clock: ManualClock
    position: str | None = None
    meter: FreeMeter = field(default_factory=FreeMeter)
    given: Mapping[str, str] = field(default_factory=dict)
    _journal: Journal | None = None

    @property
    def journal(self) -> Journal:
        """The stream; a new one after `restart`."""
        if self._journal is None:
            environment = {
                "LEADLOOP_HUBSPOT__BASE_URL": self.url,
                "LEADLOOP_HUBSPOT__CLIENT_ID": HUBSPOT_CLIENT_ID,
                "LEADLOOP_HUBSPOT__CLIENT_SECRET": HUBSPOT_CLIENT_SECRET,
                "LEADLOOP_HUBSPOT__JOURNAL": "true",
                **self.given,
            }
            made = hubspot.stream(
                load_settings({}, environment).hubspot,
                "hubspot",
                OBJECTS,
                str(self.portal_id),
                self.meter,
                self.clock,
            )
            assert isinstance(made, Journal)
            self._journal = made
        return self._journal

    def restart(self) -> None:
        """The process ends, and another one goes on from the stored position."""
        if self._journal is not None:
            self._journal.close()
        self._journal = None

    def batches(self, most: int = 1_000) -> list[StreamBatch]:
        """All batches until nothing is new, or the first ones; their position is stored."""
        found: list[StreamBatch] = []
        stream = self.journal.batches(self.position, lambda: False)
        for batch in stream:
            found.append(batch)
            self.position = batch.position or self.position
            if len(found) >= most or not batch.events:
                break
        stream.close()
        return found

    def told(self) -> list[Told]:
        """What is told of until nothing is new."""
        return [each for batch in self.batches() for each in batch.told]


def calls(portal: HubSpotPortal, text: str) -> int:
    """How many requests had this in their path."""
    return sum(1 for each in portal.requests.log if text in each.path)
