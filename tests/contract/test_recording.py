"""What recording against a real account leaves behind there: nothing. The sandbox plays the account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from connector.clock import ManualClock
from connector.platforms.protocol import FreeMeter, RecordWrite
from connector.sandbox import HUBSPOT_ACCESS_TOKEN, SALESFORCE_SESSION_ID
from tests.contract.contract import PlatformContract
from tests.contract.steps import create, seen_changes, written
from tests.contract.test_hubspot import TestHubSpot as HubSpotContract
from tests.contract.test_salesforce import TestSalesforce as SalesforceContract

ACCOUNTS: Mapping[str, tuple[type[PlatformContract], dict[str, str]]] = {
    "salesforce": (SalesforceContract, {"SESSION_ID": SALESFORCE_SESSION_ID}),
    "hubspot": (HubSpotContract, {"ACCESS_TOKEN": HUBSPOT_ACCESS_TOKEN}),
}


@pytest.mark.parametrize("platform", ACCOUNTS)
def test_a_real_account_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    contract, credentials = ACCOUNTS[platform]
    made: Any = contract
    clock = ManualClock(1_790_000_000_000)
    with made.sandbox(clock) as url:
        for name, value in {"BASE_URL": url, **credentials}.items():
            monkeypatch.setenv(f"LEADLOOP_CONTRACT_{platform.upper()}__{name}", value)
        world = made.real_world("", clock, "one")
        there = world.connect(FreeMeter())
        written(there.write([create(world, "keyed", **{world.names.key: "ll-keyed-one"})]))
        written(there.write([RecordWrite("t", world.names.person, None, world.person("plain"))]))
        world.create(world.person("given"))
        world.clean()
        clock.advance(60)
        later = made.real_world("", clock, "two")
        left = [each for each in seen_changes(later.platform, later, world.began_ms) if not each.deleted]
        later.clean()
        there.close()
    assert left == []
