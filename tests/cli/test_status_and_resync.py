"""`leadloop status` counts everything in one look; `leadloop resync` has leads looked at again."""

from __future__ import annotations

import pytest

from connector.store import leads as lead_store
from tests.cli.people import ANN, ann_asks_for_prices, ann_fills_in_a_form, sales_rejects_ann
from tests.cli.shell import Shell
from tests.world import World


def test_counts_leads_work_calls_and_cursors(world: World, leadloop: Shell) -> None:
    sales_rejects_ann(world)
    world.hubspot.create("contacts", email="ben@bolts.example", lastname="Ben")
    world.run()

    status = leadloop("status", "--json").json

    assert status["leads"] == 2
    assert status["stages"]["nurture"] == 2
    assert status["backlog"] == {
        "dirty": 0,
        "due": 0,
        "being_decided": 0,
        "oldest_since": None,
        "oldest_seconds": None,
    }
    assert status["configuration"] == world.config.version
    assert status["sides"]["salesforce"]["account"] == world.salesforce.organization_id
    for side, budget in world.connected.budgets.items():
        assert status["sides"][side]["calls"]["used"] == budget.total()
    contacts = status["sides"]["hubspot"]["cursors"]["contacts"]
    assert 0 <= contacts["age_seconds"] <= 120
    assert set(status["sides"]["salesforce"]["cursors"]) == {
        "CampaignMember",
        "Contact",
        "Lead",
        "Opportunity",
        "OpportunityContactRole",
    }


def test_shows_how_long_leads_have_been_waiting(world: World, leadloop: Shell) -> None:
    ann_asks_for_prices(world)
    world.later(hours=5)

    assert leadloop("status", "--json").json["backlog"]["oldest_seconds"] == 5 * 3_600
    text = leadloop("status").out
    assert "1 lead, the longest for 5 hours" in text
    assert max(len(line) for line in text.splitlines()) <= 100


def test_resync_has_one_lead_looked_at_again(world: World, leadloop: Shell) -> None:
    ann_fills_in_a_form(world)
    world.hubspot.create("contacts", email="ben@bolts.example", lastname="Ben")
    world.run()

    answer = leadloop("resync", ANN)

    assert answer.code == 0
    assert answer.out == "1 lead will be looked at again with the next pass.\n"
    with world.database.read() as conn:
        backlog = lead_store.backlog(conn, world.clock.now_ms())
    assert backlog.dirty == 1
    assert world.run().leads == 1


def test_resync_has_all_leads_looked_at_again(world: World, leadloop: Shell) -> None:
    ann_fills_in_a_form(world)
    world.hubspot.create("contacts", email="ben@bolts.example", lastname="Ben")
    world.run()

    assert leadloop("resync", "--all", "--json").json == {"leads": 2}
    assert leadloop("status", "--json").json["backlog"]["dirty"] == 2


@pytest.mark.parametrize("arguments", [(), (ANN, "--all")])
def test_resync_wants_to_know_what(world: World, leadloop: Shell, arguments: tuple[str, ...]) -> None:
    answer = leadloop("resync", *arguments)

    assert answer.code == 2
    assert answer.err == "Say what to look at again: one LEAD, or --all.\n"
