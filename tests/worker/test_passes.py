"""One pass over more leads than can be decided within the time in which a write is to be seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.installation import Installation
from connector.platforms.errors import RetryLater
from connector.record_view import CONFIRM_AFTER_MS
from connector.settle import Settled, settle
from connector.worker import passes
from tests.world import World

LEADS = 12


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as made:
        made.leadloop  # noqa: B018  # connected before anybody acts, so that everything here is new
        yield made


def test_a_pass_ends_and_reads_nothing_by_its_id_although_deciding_takes_long(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = [f"p{number}@x{number}.example" for number in range(LEADS)]
    for address in addresses:
        world.hubspot.create("contacts", email=address, lastname="Lovelace", phone="+14162711082")
        world.salesforce.insert("Lead", Email=address, LastName="Lovelace", Company="Engines")
    world.later(minutes=1)

    def slowly(installation: Installation) -> Settled:
        """A lead at a time, and all of them take longer than a write is waited for."""
        settled = settle(installation, 1)
        if settled.leads:
            world.clock.advance(3 * CONFIRM_AFTER_MS / 1_000 / LEADS)
        return settled

    monkeypatch.setattr(passes, "settle", slowly)
    monkeypatch.setattr(passes, "BATCHES_AT_ONCE", 1)
    world.hubspot.requests.reset()
    done = passes.run_until_quiet(world.leadloop)
    assert done.leads < 5 * LEADS
    assert not [kind for _, kind in world.hubspot.requests.by_kind if kind.endswith("batch/read")]
    for address in addresses:
        assert world.sf_lead(address)["Phone"] == "+14162711082"
        assert world.contact(address)["leadloop_id"] == world.sf_lead(address)["Leadloop_Id__c"]


@pytest.mark.parametrize(("away", "request_line"), [("salesforce", "composite"), ("hubspot", "search")])
def test_a_side_that_does_not_answer_keeps_no_other_from_being_looked_at(
    world: World, away: str, request_line: str
) -> None:
    world.hubspot.create("contacts", email="ada@x.example", lastname="Lovelace")
    world.salesforce.insert("Lead", Email="bob@x.example", LastName="Babbage", Company="Engines")
    getattr(world, away).faults.fail_next(5, 503, match=request_line)

    with pytest.raises(RetryLater):
        passes.look(world.leadloop, passes.Pass())

    assert world.lead("bob@x.example" if away == "hubspot" else "ada@x.example").lead_id
