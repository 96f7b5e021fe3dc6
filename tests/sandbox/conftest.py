"""A HubSpot portal that is served on loopback, and ways to talk to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connector.clock import ManualClock
from connector.sandbox import HUBSPOT_ACCESS_TOKEN
from connector.sandbox.control import Control
from connector.sandbox.hubspot import HubSpotPortal
from connector.sandbox.server import Server, serve
from tests.sandbox.wire import Wire

START_MS = 1_790_000_000_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_MS)


@pytest.fixture
def portal(clock: ManualClock) -> HubSpotPortal:
    """A portal with leadloop's fields whose limits are out of the way."""
    portal = HubSpotPortal(clock)
    portal.add_leadloop_fields()
    portal.limits.searches_per_second = 1_000
    return portal


@pytest.fixture
def hubspot_server(portal: HubSpotPortal, clock: ManualClock) -> Iterator[Server]:
    server = serve(Control(portal, clock))
    yield server
    server.stop()


@pytest.fixture
def hubspot(hubspot_server: Server) -> Iterator[Wire]:
    """The portal over HTTP, as the private app sees it."""
    with Wire(hubspot_server.url, HUBSPOT_ACCESS_TOKEN) as wire:
        yield wire
