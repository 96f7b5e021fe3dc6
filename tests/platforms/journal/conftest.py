"""Fixtures: a portal that keeps a journal, and somebody who follows it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer

from connector.clock import ManualClock
from connector.sandbox.control import Control
from connector.sandbox.hubspot import HubSpotPortal
from connector.sandbox.server import serve
from tests.platforms.journal.following import START_MS, Following
from tests.platforms.journal.strange import Strange


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_MS)


@pytest.fixture
def portal(clock: ManualClock) -> HubSpotPortal:
    return HubSpotPortal(clock)


@pytest.fixture
def following(portal: HubSpotPortal, clock: ManualClock) -> Iterator[Following]:
    """Somebody who has begun, so that the journal is subscribed to."""
    server = serve(Control(portal, clock))
    made = Following(server.url, portal.portal_id, clock)
    made.batches()
    yield made
    made.restart()
    server.stop()


@pytest.fixture
def strange(httpserver: HTTPServer, clock: ManualClock) -> Iterator[Strange]:
    made = Strange(httpserver, clock)
    yield made
    made.following.restart()
