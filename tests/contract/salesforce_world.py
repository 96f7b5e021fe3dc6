"""Salesforce's worlds: the sandbox org, and a real one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from connector.lane import Lane
from connector.observation import Raw
from connector.platforms.protocol import FreeMeter, Platform
from connector.platforms.salesforce import connect
from connector.sandbox import (
    SALESFORCE_CLIENT_ID,
    SALESFORCE_CLIENT_SECRET,
    SALESFORCE_ORGANIZATION_ID,
    SALESFORCE_SESSION_ID,
)
from connector.settings import load_settings
from tests.contract.worlds import Names, RealWorld, SandboxWorld, Values, World

PREFIX = "LEADLOOP_SALESFORCE__"
LEAD = Names(
    person="Lead",
    other="Contact",
    first="FirstName",
    last="LastName",
    email="Email",
    phone="Phone",
    key="Leadloop_Id__c",
    number="Leadloop_Score__c",
    unknown_id="00Q000000000000AAA",
    required={"Company": "Nil Ltd"},
)


class SalesforceWorld(World):
    """What both have in common."""

    names = LEAD
    account_id = SALESFORCE_ORGANIZATION_ID
    refused_batch: ClassVar[Any] = [{"errorCode": "JSON_PARSER_ERROR", "message": "Cannot deserialize"}]
    wrong_account: ClassVar[Mapping[str, str]] = {f"{PREFIX}ORGANIZATION_ID": "00D000000000001EAA"}

    def connect(self, meter: FreeMeter, **changed: str) -> Platform:
        settings = load_settings({}, {**self.environment(), **changed})
        platform = connect(settings.salesforce, "crm", meter, self.clock)
        self.open.append(platform)
        return platform


class SalesforceSandbox(SalesforceWorld, SandboxWorld):
    """The sandbox org."""

    def environment(self, login: bool = False) -> dict[str, str]:
        credentials = {"SESSION_ID": SALESFORCE_SESSION_ID}
        if login:
            credentials = {"CONSUMER_KEY": SALESFORCE_CLIENT_ID, "CONSUMER_SECRET": SALESFORCE_CLIENT_SECRET}
        credentials["BASE_URL"] = self.url
        return {PREFIX + name: value for name, value in credentials.items()}

    def connect(self, meter: FreeMeter, **changed: str) -> Platform:
        if changed.pop("login", ""):
            changed = {**self.environment(login=True), f"{PREFIX}SESSION_ID": "", **changed}
        return super().connect(meter, **changed)

    def create(self, *people: Values) -> list[str]:
        records = [{"object": "Lead", "fields": dict(values)} for values in people]
        ids: list[str] = self.control("POST", "records", {"records": records})["ids"]
        return ids

    def edit(self, record_id: str, **values: Raw) -> None:
        self._record("update", record_id, fields=values)

    def remove(self, record_id: str) -> None:
        self._record("delete", record_id)

    def merge(self, survivor: str, loser: str) -> str:
        self.control("POST", "merge", {"master": survivor, "loser": loser})
        return survivor

    def convert(self, record_id: str) -> dict[str, Any]:
        body = {"lead_id": record_id, "status": "Closed - Converted", "opportunity_name": "A deal"}
        made: dict[str, Any] = self.control("POST", "convert", body)
        return made

    def add_owner(self, name: str, email: str) -> str:
        return str(self.control("POST", "people", {"name": name, "email": email})["id"])

    def add_queue(self, name: str) -> str:
        return str(self.control("POST", "people", {"queue": name})["id"])

    def small_pages(self) -> int:
        self.control("POST", "settings", {"page_size": 100})
        return 100

    def small_lists(self) -> int:
        self.control("POST", "settings", {"page_size": 20})
        return 20

    def bulk_jobs(self) -> int:
        """How many query jobs were made."""
        requests = self.control("GET", "requests")
        return int(requests["by_kind"].get("POST jobs/query", 0))

    def abort_bulk_jobs(self) -> None:
        """Somebody aborts every job in Setup."""
        self.control("POST", "settings", {"abort_bulk_jobs": True})

    def _record(self, action: str, record_id: str, **more: Any) -> None:
        self.control("POST", "records", {"object": "Lead", "action": action, "id": record_id, **more})


class RealSalesforce(SalesforceWorld, RealWorld):
    """A real org, by `LEADLOOP_CONTRACT_SALESFORCE__…`."""

    account_id = ""

    def environment(self, login: bool = False) -> dict[str, str]:
        given = {
            name.replace("_CONTRACT", "", 1): value
            for name, value in os.environ.items()
            if name.startswith("LEADLOOP_CONTRACT_SALESFORCE__")
        }
        if not given:
            pytest.skip("LEADLOOP_CONTRACT_SALESFORCE__… is not set")
        return given

    def connect(self, meter: FreeMeter, **changed: str) -> Platform:
        if changed.pop("login", ""):
            pytest.skip("a real session cannot be made to expire")
        return self.noting(super().connect(meter, **changed))

    def convert(self, record_id: str) -> dict[str, Any]:
        pytest.skip("REST cannot convert a lead")

    def add_queue(self, name: str) -> str:
        pytest.skip("the contract adds no queues to a real org")

    def remove(self, record_id: str) -> None:
        transport = self.platform._transport  # type: ignore[attr-defined]  # no delete in the protocol
        path = f"{transport.data_path}/composite/sobjects?ids={record_id}&allOrNone=false"
        transport.call("DELETE", path, None, Lane.BACKFILL, "write")


class ReplayedSalesforce(RealSalesforce):
    """A recording of a real org."""

    def environment(self, login: bool = False) -> dict[str, str]:
        names = ("CONSUMER_KEY", "CONSUMER_SECRET") if self.renewable else ("SESSION_ID",)
        return {f"{PREFIX}BASE_URL": self.url, **{PREFIX + name: "recorded" for name in names}}

    def settle(self, seconds: float = 60) -> None:
        self.clock.advance(seconds)
