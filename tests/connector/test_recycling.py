"""Lost leads come back by rule, or with their opportunity, as people on both platforms see it."""

from __future__ import annotations

from pathlib import Path

from mappings.stages import Stage
from tests.connector.test_life_of_a_lead import ANN, make_mql
from tests.connector.test_pursuit import LOSS_REASON, lose, open_opportunity, world_with
from tests.world import RULES

RECYCLING = (
    RULES
    + """
recycle:
  - {rule: small deals rest longer, when: outcome == "lost" and deal_amount < 1000, after_days: 365}
  - {rule: lost on timing, when: closed_reason == "timing", after_days: 90, reason: a new budget year}
  - {rule: lost, when: outcome == "lost", after_days: 180}
"""
)


def test_a_lost_lead_comes_back_by_rule_when_its_time_is_over_and_is_won_years_later(tmp_path: Path) -> None:
    with world_with(tmp_path, RECYCLING, LOSS_REASON) as world:
        make_mql(world)
        lose(world, open_opportunity(world, amount=9_000), "price")
        world.later(days=179)
        world.run()
        assert world.contact(ANN)["leadloop_stage"] == "closed"

        world.later(days=2)
        world.run()

        contact = world.contact(ANN)
        assert (contact["leadloop_stage"], contact["leadloop_cycle"]) == ("nurture", "2")
        assert (contact["leadloop_outcome"], contact["leadloop_closed_reason"]) == ("lost", "price")
        assert world.run().written == 0, "what it did before earns nothing now"

        world.later(days=800)
        world.hubspot.submit_form(ANN, "Pricing")
        world.run()
        assert world.contact(ANN)["leadloop_stage"] == "distributed"

        opportunity = open_opportunity(world, amount=40_000)
        world.run()
        world.salesforce.update("Opportunity", opportunity, StageName="Closed Won")
        world.run()
        contact = world.contact(ANN)
        assert (contact["leadloop_stage"], contact["leadloop_cycle"]) == ("closed", "2")
        assert (contact["leadloop_outcome"], contact["leadloop_amount"]) == ("won", "40000")


def test_the_first_rule_that_applies_says_when_and_why_a_lost_lead_comes_back(tmp_path: Path) -> None:
    with world_with(tmp_path, RECYCLING, LOSS_REASON) as world:
        make_mql(world)
        lose(world, open_opportunity(world, amount=9_000), "timing")
        world.later(days=91)
        world.run()
        lead = world.lead(ANN)
        assert (lead.stage, lead.cycle) == (Stage.NURTURE, 2)


def test_a_small_deal_waits_for_its_own_rule(tmp_path: Path) -> None:
    with world_with(tmp_path, RECYCLING) as world:
        make_mql(world)
        lose(world, open_opportunity(world, amount=500))
        world.later(days=200)
        world.run()
        assert world.lead(ANN).stage is Stage.CLOSED
        world.later(days=170)
        world.run()
        assert world.lead(ANN).stage is Stage.NURTURE


def test_a_lost_opportunity_that_is_opened_again_after_the_lead_came_back_takes_it_along(
    tmp_path: Path,
) -> None:
    with world_with(tmp_path, RECYCLING) as world:
        make_mql(world)
        opportunity = open_opportunity(world, 5_000)
        world.run()
        lose(world, opportunity)
        world.later(days=181)
        world.run()
        assert world.contact(ANN)["leadloop_stage"] == "nurture"

        world.salesforce.update("Opportunity", opportunity, Description="They have a budget again")
        world.run()
        assert world.contact(ANN)["leadloop_stage"] == "nurture", "a note on a lost opportunity is no news"

        world.later(days=30)
        world.salesforce.update("Opportunity", opportunity, StageName="Negotiation/Review")
        world.run()
        contact = world.contact(ANN)
        assert contact["leadloop_stage"] == "opportunity"
        assert contact["leadloop_cycle"] == "2"
        assert contact["leadloop_outcome"] in (None, "")

        world.later(days=10)
        world.salesforce.update("Opportunity", opportunity, StageName="Closed Won")
        world.run()
        assert (world.lead(ANN).stage, world.lead(ANN).outcome) == (Stage.CLOSED, "won")


def test_any_of_several_lost_opportunities_takes_the_lead_up_when_it_is_opened_again(tmp_path: Path) -> None:
    with world_with(tmp_path, RECYCLING) as world:
        make_mql(world)
        first, second = open_opportunity(world, 5_000), open_opportunity(world, 6_000)
        lose(world, first)
        world.later(days=1)
        lose(world, second)
        world.later(days=181)
        world.run()
        assert world.contact(ANN)["leadloop_stage"] == "nurture"

        world.salesforce.update("Opportunity", first, StageName="Negotiation/Review")
        world.run()

        contact = world.contact(ANN)
        assert (contact["leadloop_stage"], contact["leadloop_amount"]) == ("opportunity", "5000")
        assert world.run().written == 0


def test_a_won_lead_that_no_rule_names_stays_where_it_is(tmp_path: Path) -> None:
    with world_with(tmp_path, RECYCLING) as world:
        make_mql(world)
        world.salesforce.update("Opportunity", open_opportunity(world), StageName="Closed Won")
        world.run()
        world.later(days=900)
        world.run()
        assert world.lead(ANN).stage is Stage.CLOSED
