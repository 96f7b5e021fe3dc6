"""HubSpot's worlds: the sandbox portal, and a real account."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
import requests

from connector.observation import Raw
from connector.platforms.hubspot import connect
from connector.platforms.protocol import FreeMeter, Platform
from connector.sandbox import (
    HUBSPOT_ACCESS_TOKEN,
    HUBSPOT_CLIENT_ID,
    HUBSPOT_CLIENT_SECRET,
    HUBSPOT_PORTAL_ID,
    HUBSPOT_REFRESH_TOKEN,
)
from connector.settings import load_settings
from tests.contract.worlds import Names, RealWorld, SandboxWorld, Values, World

PREFIX = "LEADLOOP_HUBSPOT__"
CONTACT = Names(
    person="contacts",
    other="companies",
    first="firstname",
    last="lastname",
    email="email",
    phone="phone",
    key="leadloop_id",
    number="leadloop_score",
    unknown_id="999999999999",
)


class HubSpotWorld(World):
    """What both have in common."""

    names = CONTACT
    account_id = str(HUBSPOT_PORTAL_ID)
    refused_batch: ClassVar[Any] = {"status": "error", "category": "VALIDATION_ERROR", "message": "no"}
    wrong_account: ClassVar[Mapping[str, str]] = {f"{PREFIX}PORTAL_ID": "1"}

    def connect(self, meter: FreeMeter, **changed: str) -> Platform:
        settings = load_settings({}, {**self.environment(), **changed})
        platform = connect(settings.hubspot, "map", meter, self.clock)
        self.open.append(platform)
        return platform


class HubSpotSandbox(HubSpotWorld, SandboxWorld):
    """The sandbox portal."""

    def environment(self, login: bool = False) -> dict[str, str]:
        credentials = {"ACCESS_TOKEN": HUBSPOT_ACCESS_TOKEN}
        if login:
            credentials = {
                "CLIENT_ID": HUBSPOT_CLIENT_ID,
                "CLIENT_SECRET": HUBSPOT_CLIENT_SECRET,
                "REFRESH_TOKEN": HUBSPOT_REFRESH_TOKEN,
            }
        credentials["BASE_URL"] = self.url
        return {PREFIX + name: value for name, value in credentials.items()}

    def connect(self, meter: FreeMeter, **changed: str) -> Platform:
        if changed.pop("login", ""):
            changed = {**self.environment(login=True), f"{PREFIX}ACCESS_TOKEN": "", **changed}
        return super().connect(meter, **changed)

    def create(self, *people: Values) -> list[str]:
        body = {"object": "contacts", "records": [dict(values) for values in people]}
        ids: list[str] = self.control("POST", "records", body)["ids"]
        return ids

    def edit(self, record_id: str, **values: Raw) -> None:
        self.control("POST", "records", {"object": "contacts", "records": [{"id": record_id, **values}]})

    def remove(self, record_id: str) -> None:
        self.control("POST", "archive", {"object": "contacts", "id": record_id})

    def merge(self, survivor: str, loser: str) -> str:
        return str(self.control("POST", "merge", {"primary": survivor, "other": loser})["id"])

    def add_owner(self, name: str, email: str) -> str:
        first, _, last = name.partition(" ")
        body = {"email": email, "first_name": first, "last_name": last}
        return str(self.control("POST", "owners", body)["id"])

    def settings(self, **switches: Any) -> None:
        self.control("POST", "settings", switches)

    def make(self, object_name: str, *records: Values) -> list[str]:
        """Records of another object than people."""
        body = {"object": object_name, "records": [dict(values) for values in records]}
        ids: list[str] = self.control("POST", "records", body)["ids"]
        return ids

    def associate(
        self, origin: str, origin_id: str, target: str, target_id: str, *, end: bool = False
    ) -> None:
        """Associate two records, or end that."""
        ends = {"from": origin, "from_id": origin_id, "to": target, "to_id": target_id}
        self.control("POST", "dissociate" if end else "associate", ends)

    def small_pages(self) -> int:
        return 200

    def small_lists(self) -> int:
        return 100


class RealHubSpot(HubSpotWorld, RealWorld):
    """A real account, by `LEADLOOP_CONTRACT_HUBSPOT__…`."""

    account_id = ""

    def environment(self, login: bool = False) -> dict[str, str]:
        given = {
            name.replace("_CONTRACT", "", 1): value
            for name, value in os.environ.items()
            if name.startswith("LEADLOOP_CONTRACT_HUBSPOT__")
        }
        if not given:
            pytest.skip("LEADLOOP_CONTRACT_HUBSPOT__… is not set")
        return given

    def connect(self, meter: FreeMeter, **changed: str) -> Platform:
        if changed.pop("login", ""):
            pytest.skip("a real token cannot be made to expire")
        return self.noting(super().connect(meter, **changed))

    def settings(self, **switches: Any) -> None:
        pytest.skip("a real account has no switches for what is not known of it")

    def make(self, object_name: str, *records: Values) -> list[str]:
        pytest.skip("the contract makes only people in a real account")

    def associate(
        self, origin: str, origin_id: str, target: str, target_id: str, *, end: bool = False
    ) -> None:
        pytest.skip("the contract makes only people in a real account")

    def remove(self, record_id: str) -> None:
        settings = load_settings({}, self.environment()).hubspot
        assert settings.access_token is not None, "recording needs an access token"
        requests.delete(
            f"{settings.base_url}/crm/v3/objects/contacts/{record_id}",
            headers={"Authorization": f"Bearer {settings.access_token.get_secret_value()}"},
            timeout=30,
        )


class ReplayedHubSpot(RealHubSpot):
    """A recording of a real account."""

    def environment(self, login: bool = False) -> dict[str, str]:
        names = ("CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN") if self.renewable else ("ACCESS_TOKEN",)
        return {f"{PREFIX}BASE_URL": self.url, **{PREFIX + name: "recorded" for name in names}}

    def settle(self, seconds: float = 60) -> None:
        self.clock.advance(seconds)
