"""Owners: matched by e-mail; one who is missing on a side is a hold with a remedy, not a wrong owner."""

from __future__ import annotations

from pathlib import Path

from connector.learning import learn_again
from tests.connector.test_life_of_a_lead import ANN, enter_ann
from tests.world import RULES, World, configuration

ONLY_LOU = RULES.replace(
    "{route: everyone, pool: [sam@sales.example, kim@sales.example]}",
    "{route: everyone, owner: lou@sales.example}",
)


def test_an_owner_who_joins_later_gets_the_lead_then(tmp_path: Path) -> None:
    with World(tmp_path, configuration(ONLY_LOU)) as world:
        lou = world.salesforce.add_user("Lou", "lou@sales.example")
        world.leadloop  # noqa: B018  # connected before anybody acts
        enter_ann(world)
        world.run()
        world.hubspot.submit_form(ANN, "Pricing")
        world.run()
        assert world.sf_lead(ANN)["OwnerId"] == lou
        assert world.contact(ANN)["hubspot_owner_id"] is None
        hold = world.holds(ANN)[0]
        assert (hold.kind, hold.subject) == ("owner_unknown", "hubspot")
        assert hold.remedy == "Invite lou@sales.example to hubspot, or change the route."
        joined = world.hubspot.add_owner("lou@sales.example")
        learn_again(world.leadloop, "hubspot")
        world.run()
        assert world.contact(ANN)["hubspot_owner_id"] == joined
        assert world.holds(ANN) == []


def test_a_route_to_a_queue_that_salesforce_lacks_is_a_hold(tmp_path: Path) -> None:
    rules = ONLY_LOU.replace("lou@sales.example", '"queue:Inbound Leads"')
    with World(tmp_path, configuration(rules)) as world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        enter_ann(world)
        world.run()
        world.hubspot.submit_form(ANN, "Pricing")
        world.run()
        world.run()
        holds = {(hold.kind, hold.subject): hold.remedy for hold in world.holds(ANN)}
        assert holds == {
            ("owner_unknown", "salesforce"): "Make the queue on salesforce, or change the route."
        }
        assert world.contact(ANN)["leadloop_stage"] == "mql", "nobody has been given the lead"
        assert world.sf_lead(ANN)["Leadloop_Owner__c"] is None
        queue = world.salesforce.add_queue("Inbound Leads")
        learn_again(world.leadloop, "salesforce")
        world.run()
        assert world.sf_lead(ANN)["OwnerId"] == queue
        assert world.contact(ANN)["leadloop_stage"] == "distributed"
        assert world.holds(ANN) == []


def test_an_owner_who_could_not_be_read_is_taken_up_once_the_user_is_known(world: World) -> None:
    lou = world.hubspot.add_owner("lou@sales.example")
    contact_id = enter_ann(world, hubspot_owner_id=lou)
    world.run()
    lead = world.lead(ANN)
    assert "hubspot.owner" in lead.unreadable
    assert "owner" not in lead.differences
    learn_again(world.leadloop, "hubspot")
    world.hubspot.update("contacts", contact_id, jobtitle="CEO")
    world.run()
    lead = world.lead(ANN)
    assert lead.values["owner"] == "lou@sales.example"
    assert lead.unreadable == {}
    assert world.contact(ANN)["hubspot_owner_id"] == lou


def test_a_queue_that_owns_a_lead_is_named_in_hubspot_whose_own_owner_is_left_alone(tmp_path: Path) -> None:
    rules = ONLY_LOU.replace("lou@sales.example", '"queue:Inbound Leads"')
    with World(tmp_path, configuration(rules)) as world:
        queue = world.salesforce.add_queue("Inbound Leads")
        world.leadloop  # noqa: B018  # connected before anybody acts
        sam, kim = (
            str(world.leadloop.policy.directory.native_of("hubspot", f"{name}@sales.example"))
            for name in ("sam", "kim")
        )
        enter_ann(world, hubspot_owner_id=sam)
        world.run()
        world.hubspot.submit_form(ANN, "Pricing")
        world.run()
        lead, contact = world.sf_lead(ANN), world.contact(ANN)
        assert lead["OwnerId"] == queue
        assert lead["Leadloop_Owner__c"] == contact["leadloop_owner"] == "queue:Inbound Leads"
        assert contact["leadloop_stage"] == "distributed"
        assert contact["hubspot_owner_id"] == sam, "HubSpot has no queues"
        assert "hubspot.owner" in world.lead(ANN).unspelled, "it is reported"
        assert world.holds(ANN) == []
        assert world.run().written == 0

        world.salesforce.update("Lead", lead["Id"], OwnerId=world.users["kim@sales.example"])
        world.run()
        assert world.contact(ANN)["hubspot_owner_id"] == kim
        assert world.lead(ANN).unspelled == {}


def test_a_lead_that_is_passed_on_before_anybody_accepts_it_names_the_one_who_has_it_now(
    world: World,
) -> None:
    enter_ann(world)
    world.run()
    world.hubspot.submit_form(ANN, "Pricing")
    world.run()
    lead = world.sf_lead(ANN)
    assert lead["Leadloop_Owner__c"] == "sam@sales.example"

    world.salesforce.update("Lead", lead["Id"], OwnerId=world.users["kim@sales.example"])
    world.run()

    assert world.sf_lead(ANN)["Leadloop_Owner__c"] == "kim@sales.example"
    contact = world.contact(ANN)
    assert contact["leadloop_owner"] == "kim@sales.example"
    assert contact["leadloop_stage"] == "distributed"


def test_who_passed_a_lead_on_does_not_get_it_back_when_it_is_routed_again(tmp_path: Path) -> None:
    three = RULES.replace("kim@sales.example]", "kim@sales.example, lou@sales.example]")
    with World(tmp_path, configuration(three)) as world:
        world.salesforce.add_user("Lou", "lou@sales.example")
        world.hubspot.add_owner("lou@sales.example")
        world.leadloop  # noqa: B018  # connected before anybody acts
        enter_ann(world)
        world.run()
        world.hubspot.submit_form(ANN, "Pricing")
        world.run()
        lead, kim = world.sf_lead(ANN), world.users["kim@sales.example"]
        assert lead["Leadloop_Owner__c"] == "sam@sales.example"

        world.salesforce.update("Lead", lead["Id"], OwnerId=kim)
        world.run()
        world.salesforce.update(
            "Lead",
            lead["Id"],
            by_user=kim,
            Leadloop_Verdict__c="rejected",
            Leadloop_Rejection_Reason__c="wrong_territory",
        )
        world.run()

        assert world.sf_lead(ANN)["Leadloop_Owner__c"] == "lou@sales.example"
