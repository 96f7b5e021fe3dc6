"""The page about the sandbox names all that can be asked of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import pytest

from connector.clock import ManualClock
from connector.sandbox.host import Sandbox
from connector.sandbox.hubspot import control as hubspot
from connector.sandbox.quiet_faults import How
from connector.sandbox.salesforce import control as salesforce
from connector.sandbox.seed import plant, read_seed
from tests.docs.pages import ROOT, blocks_of, text_of
from tests.sandbox.wire import Wire

PAGE = text_of(ROOT / "docs" / "sandbox.md")


@pytest.mark.parametrize(
    ("actions", "heading", "end"),
    [
        (salesforce.ACTIONS, "On Salesforce's, by POST:", "On HubSpot's"),
        (hubspot.ACTIONS, "On HubSpot's, by POST:", "## What goes wrong"),
    ],
    ids=["salesforce", "hubspot"],
)
def test_every_control_endpoint_is_explained(actions: Mapping[str, object], heading: str, end: str) -> None:
    table = PAGE.split(heading)[1].split(end)[0]
    assert set(re.findall(r"`/_sandbox/([a-z-]+)`", table)) == set(actions)


def test_every_fault_is_explained() -> None:
    with Sandbox(ManualClock(0)) as sandbox, Wire(sandbox.hubspot_url, None) as wire:
        told = wire.post("/_sandbox/faults", {"nothing": 1}).body["error"]
    table = PAGE.split("## What goes wrong")[1]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(
        told.partition("there are: ")[2].split(", ")
    )
    assert all(f"`{how}`" in table for how in get_args(How))


def test_the_seed_that_is_shown_can_be_planted(tmp_path: Path) -> None:
    (shown,) = [block.text for block in blocks_of(PAGE) if block.language == "yaml"]
    (tmp_path / "seed.yaml").write_text(shown, encoding="utf-8")
    sandbox = Sandbox(ManualClock(1_790_000_000_000))
    assert plant(read_seed(tmp_path / "seed.yaml"), sandbox.salesforce, sandbox.hubspot) == 5
    assert [row["Email"] for row in sandbox.salesforce.rows("Lead")] == ["ada@engines.example"]
