"""What sales does with a lead after the hand-off, as people on both platforms see it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from connector.configuration import shipped
from mappings.problems import ConfigErrors
from tests.connector.test_life_of_a_lead import ANN, make_mql
from tests.world import RULES, World, configuration

QUEUE = RULES.replace(
    "{route: everyone, pool: [sam@sales.example, kim@sales.example]}",
    '{route: everyone, owner: "queue:Inbound"}',
)
LOSS_REASON = {
    "      # Why it was lost, and": "      lost_reason: Loss_Reason__c\n      # Why it was lost, and"
}


@contextmanager
def world_with(folder: Path, rules: str = RULES, changes: Mapping[str, str] | None = None) -> Iterator[World]:
    """A world in which the shipped Salesforce mapping has these texts changed."""
    text = shipped("mappings", "salesforce")
    for old, new in (changes or {}).items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    with World(folder, configuration(rules, {"preset:salesforce": text})) as world:
        yield world


def open_opportunity(world: World, amount: float | None = None, stage: str = "Prospecting") -> str:
    """Ann's contact has an opportunity; her Lead is converted first where it is not yet."""
    contacts = [row for row in world.salesforce.rows("Contact") if row["Email"] == ANN]
    if contacts:
        contact_id = contacts[0]["Id"]
    else:
        contact_id = world.salesforce.convert_lead(world.sf_lead(ANN)["Id"], "Closed - Converted").contact_id
    opportunity = world.salesforce.insert(
        "Opportunity", Name="Acme", StageName=stage, CloseDate="2027-06-30", Amount=amount
    )
    world.salesforce.insert("OpportunityContactRole", OpportunityId=opportunity, ContactId=contact_id)
    return opportunity


def lose(world: World, opportunity: str, reason: str | None = None) -> None:
    more = {} if reason is None else {"Loss_Reason__c": reason}
    world.salesforce.update("Opportunity", opportunity, StageName="Closed Lost", **more)
    world.run()


# acceptance ---------------------------------------------------------------------------------------------


def test_who_takes_a_lead_out_of_the_queue_has_accepted_it(tmp_path: Path) -> None:
    with world_with(tmp_path, QUEUE) as world:
        world.salesforce.add_queue("Inbound")
        lead_id = make_mql(world)
        assert world.contact(ANN)["leadloop_stage"] == "distributed"

        kim = world.users["kim@sales.example"]
        world.salesforce.update("Lead", lead_id, by_user=kim, OwnerId=kim)
        world.run()

        lead, contact = world.sf_lead(ANN), world.contact(ANN)
        assert lead["Leadloop_Stage__c"] == contact["leadloop_stage"] == "accepted"
        assert lead["Leadloop_Owner__c"] == contact["leadloop_owner"] == "kim@sales.example"
        assert contact["leadloop_verdict"] == "accepted"
        assert lead["Status"] == "Working - Contacted"
        assert world.run().written == 0


def test_who_is_given_a_lead_by_somebody_else_has_not_accepted_it(tmp_path: Path) -> None:
    with world_with(tmp_path, QUEUE) as world:
        world.salesforce.add_queue("Inbound")
        lead_id = make_mql(world)
        sam, kim = world.users["sam@sales.example"], world.users["kim@sales.example"]

        world.salesforce.update("Lead", lead_id, by_user=sam, OwnerId=kim)
        world.run()

        assert world.contact(ANN)["leadloop_stage"] == "distributed"


def test_where_the_mapping_says_given_whoever_becomes_the_owner_has_accepted(tmp_path: Path) -> None:
    given = {"accepted_by_owner: taken": "accepted_by_owner: given"}
    with world_with(tmp_path, QUEUE, given) as world:
        world.salesforce.add_queue("Inbound")
        lead_id = make_mql(world)
        sam, kim = world.users["sam@sales.example"], world.users["kim@sales.example"]

        world.salesforce.update("Lead", lead_id, by_user=sam, OwnerId=kim)
        world.run()

        assert world.contact(ANN)["leadloop_stage"] == "accepted"
        assert world.contact(ANN)["leadloop_owner"] == "kim@sales.example"


def test_where_the_mapping_says_nothing_of_it_ownership_accepts_nothing(tmp_path: Path) -> None:
    with world_with(tmp_path, QUEUE, {"    accepted_by_owner: taken\n": ""}) as world:
        world.salesforce.add_queue("Inbound")
        lead_id = make_mql(world)
        kim = world.users["kim@sales.example"]

        world.salesforce.update("Lead", lead_id, by_user=kim, OwnerId=kim)
        world.run()

        assert world.contact(ANN)["leadloop_stage"] == "distributed"


def test_who_takes_a_lead_that_was_not_handed_over_moves_no_stage(world: World) -> None:
    lead_id = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN)
    world.run()
    kim = world.users["kim@sales.example"]
    world.salesforce.update("Lead", lead_id, by_user=kim, OwnerId=kim)
    world.run()
    assert world.contact(ANN)["leadloop_stage"] == "nurture"
    assert world.holds(ANN) == []


def test_who_takes_a_lead_and_rejects_it_at_once_has_rejected_it(world: World) -> None:
    lead_id = make_mql(world)
    kim = world.users["kim@sales.example"]
    world.salesforce.update(
        "Lead",
        lead_id,
        by_user=kim,
        OwnerId=kim,
        Leadloop_Verdict__c="rejected",
        Leadloop_Rejection_Reason__c="timing",
    )
    world.run()
    assert world.contact(ANN)["leadloop_stage"] == "nurture"
    assert world.contact(ANN)["leadloop_rejected_by"] == "kim@sales.example"


# reasons ------------------------------------------------------------------------------------------------


def test_a_reason_that_the_picklist_spells_for_people_is_understood(world: World) -> None:
    lead_id = make_mql(world)
    world.salesforce.update(
        "Lead", lead_id, Leadloop_Verdict__c="rejected", Leadloop_Rejection_Reason__c="Bad data"
    )
    world.run()
    assert world.contact(ANN)["leadloop_stage"] == "disqualified"
    assert world.contact(ANN)["leadloop_rejection_reason"] == "bad_data"
    assert world.holds(ANN) == []


@pytest.mark.parametrize("said", ["  BAD DATA ", "Bad data.", "bad\u2011data", "bad / data", "Bad\u00a0Data"])
def test_what_stands_between_the_words_of_a_reason_does_not_matter(world: World, said: str) -> None:
    lead_id = make_mql(world)
    world.salesforce.update(
        "Lead", lead_id, Leadloop_Verdict__c="rejected", Leadloop_Rejection_Reason__c=said
    )
    world.run()
    assert world.contact(ANN)["leadloop_rejection_reason"] == "bad_data"
    assert world.holds(ANN) == []


def test_the_question_for_a_reason_is_no_reason_however_it_is_spelled(world: World) -> None:
    lead_id = make_mql(world)
    world.salesforce.update(
        "Lead", lead_id, Leadloop_Verdict__c="rejected", Leadloop_Rejection_Reason__c="Reason needed"
    )
    world.run()
    assert world.contact(ANN)["leadloop_stage"] == "distributed"
    assert world.contact(ANN)["leadloop_rejection_reason"] is None


def test_a_lead_that_was_accepted_in_the_wrong_territory_is_given_to_somebody_else(world: World) -> None:
    lead_id = make_mql(world)
    sam = world.users["sam@sales.example"]
    world.salesforce.update("Lead", lead_id, by_user=sam, Status="Working - Contacted")
    world.run()
    assert world.contact(ANN)["leadloop_stage"] == "accepted"

    rejected = {"Leadloop_Verdict__c": "rejected", "Leadloop_Rejection_Reason__c": "wrong_territory"}
    world.salesforce.update("Lead", lead_id, by_user=sam, **rejected)
    world.run()

    lead, contact = world.sf_lead(ANN), world.contact(ANN)
    assert lead["Leadloop_Stage__c"] == contact["leadloop_stage"] == "distributed"
    assert (contact["leadloop_cycle"], contact["leadloop_owner"]) == ("1", "kim@sales.example")
    assert lead["OwnerId"] == world.users["kim@sales.example"]
    assert (lead["Status"], lead["Leadloop_Verdict__c"]) == ("Open - Not Contacted", None)
    assert world.run().written == 0


def test_a_reason_that_nobody_mapped_counts_as_the_default_and_is_a_hold_with_a_remedy(world: World) -> None:
    lead_id = make_mql(world)
    world.salesforce.update(
        "Lead", lead_id, Leadloop_Verdict__c="rejected", Leadloop_Rejection_Reason__c="bad karma"
    )
    world.run()
    assert world.contact(ANN)["leadloop_stage"] == "nurture"
    assert world.contact(ANN)["leadloop_rejection_reason"] == "bad karma"
    (hold,) = world.holds(ANN)
    assert hold.kind == "reason_unknown"
    assert hold.message == (
        'Sales rejected this lead for "bad karma", which is no rejection reason of the rules; '
        "it was treated as unspecified."
    )
    assert hold.remedy.startswith("Add the reason to rejection: reasons: in the rules")


def test_a_table_with_a_reason_that_no_rule_knows_is_a_mistake_at_its_place() -> None:
    table = "{Too early: timming, Spam: bad data}"
    verdict = f"    verdict:\n      field: V\n      reason: {{field: R, table: {table}}}\n"
    lead = f"objects:\n  Lead:\n    role: person\n{verdict}"
    documents = {"preset:salesforce": f"side: salesforce\nplatform: salesforce\nkind: crm\n{lead}"}
    with pytest.raises(ConfigErrors) as found:
        configuration(documents=documents)
    told = 'no rule says what follows the rejection reason "timming"; did you mean "timing"?'
    assert [str(error) for error in found.value.errors] == [f"salesforce.yaml:9:45: {told}"]


def test_a_rejection_that_waited_for_its_reason_is_dated_by_when_sales_said_it(world: World) -> None:
    lead_id = make_mql(world)
    world.salesforce.update("Lead", lead_id, Status="Closed - Not Converted")
    said_ms = world.clock.now_ms()
    world.later(hours=3)  # leadloop was not running
    world.run()
    assert world.contact(ANN)["leadloop_stage"] == "distributed"
    world.salesforce.update("Lead", lead_id, Leadloop_Rejection_Reason__c="timing")
    world.run()
    rejection = world.lead(ANN).rejections[-1]
    assert rejection.at_ms == said_ms - said_ms % 1_000


# opportunities ------------------------------------------------------------------------------------------


def test_an_opportunity_in_a_stage_that_means_qualified_is_no_opportunity_yet(tmp_path: Path) -> None:
    early = {"    #   stages: {Prospecting": "    stages: {Prospecting"}
    with world_with(tmp_path, changes=early) as world:
        make_mql(world)
        opportunity = open_opportunity(world)
        world.run()
        assert world.contact(ANN)["leadloop_stage"] == "qualified"

        world.salesforce.update("Opportunity", opportunity, StageName="Proposal/Price Quote")
        world.run()
        assert world.contact(ANN)["leadloop_stage"] == "opportunity"

        world.salesforce.update("Opportunity", opportunity, StageName="Prospecting")
        world.run()
        assert world.contact(ANN)["leadloop_stage"] == "qualified"
        assert world.run().written == 0

        lose(world, opportunity)
        assert world.contact(ANN)["leadloop_stage"] == "closed"


def test_how_an_opportunity_closed_with_its_reason_and_amount_is_seen_in_marketing(tmp_path: Path) -> None:
    with world_with(tmp_path, changes=LOSS_REASON) as world:
        make_mql(world)
        opportunity = open_opportunity(world, amount=25_000)
        world.run()
        contact = world.contact(ANN)
        assert (contact["leadloop_amount"], contact["leadloop_outcome"]) == ("25000", None)

        lose(world, opportunity, "went with a competitor")

        contact = world.contact(ANN)
        assert contact["leadloop_stage"] == "closed"
        assert contact["leadloop_outcome"] == "lost"
        assert contact["leadloop_closed_reason"] == "went with a competitor"
        assert contact["leadloop_amount"] == "25000"
        assert world.run().written == 0


def test_of_several_opportunities_the_newest_open_one_counts_then_the_one_closed_last(world: World) -> None:
    make_mql(world)
    first = open_opportunity(world, amount=100)
    world.run()
    second = open_opportunity(world, amount=200)
    world.run()
    lose(world, second)
    assert world.contact(ANN)["leadloop_stage"] == "opportunity"
    assert world.contact(ANN)["leadloop_amount"] == "100"

    world.salesforce.update("Opportunity", first, StageName="Closed Won")
    world.run()

    contact = world.contact(ANN)
    assert (contact["leadloop_stage"], contact["leadloop_outcome"]) == ("closed", "won")
    assert contact["leadloop_amount"] == "100"


def test_a_contact_who_never_was_a_lead_is_followed_to_the_end(world: World) -> None:
    contact_id = world.salesforce.insert("Contact", LastName="Lee", FirstName="Ann", Email=ANN)
    world.run()
    assert world.contact(ANN)["leadloop_stage"] == "nurture"
    opportunity = open_opportunity(world, amount=5_000)
    world.run()
    assert world.contact(ANN)["leadloop_stage"] == "opportunity"
    world.salesforce.update("Opportunity", opportunity, StageName="Closed Won")
    world.run()
    assert world.salesforce.get("Contact", contact_id)["Leadloop_Stage__c"] == "closed"
    assert world.contact(ANN)["leadloop_outcome"] == "won"
    assert world.salesforce.rows("Lead") == []


def test_a_note_on_an_opportunity_that_was_closed_before_does_not_make_it_the_last(world: World) -> None:
    make_mql(world)
    first = open_opportunity(world, amount=100)
    world.run()
    world.salesforce.update("Opportunity", first, StageName="Closed Won")
    world.run()
    world.later(days=10)
    lose(world, open_opportunity(world, amount=200))
    world.later(days=1)

    world.salesforce.update("Opportunity", first, Description="They like it")
    world.run()

    contact = world.contact(ANN)
    assert (contact["leadloop_outcome"], contact["leadloop_amount"]) == ("lost", "200")
    assert world.run().written == 0


def test_an_opportunity_that_is_deleted_while_open_leaves_no_amount_in_marketing(world: World) -> None:
    make_mql(world)
    opportunity = open_opportunity(world, amount=77)
    world.run()
    world.salesforce.delete("Opportunity", opportunity)
    world.run()
    contact = world.contact(ANN)
    assert (contact["leadloop_stage"], contact["leadloop_amount"]) == ("qualified", None)
    assert world.run().written == 0


def test_a_closed_opportunity_that_is_deleted_takes_nothing_back(world: World) -> None:
    make_mql(world)
    opportunity = open_opportunity(world, amount=77)
    world.run()
    lose(world, opportunity)
    world.salesforce.delete("Opportunity", opportunity)
    world.run()
    contact = world.contact(ANN)
    assert (contact["leadloop_stage"], contact["leadloop_outcome"]) == ("closed", "lost")
    assert world.run().written == 0


def test_an_opportunity_that_sales_wins_after_it_gave_the_lead_back_counts(tmp_path: Path) -> None:
    early = {"    #   stages: {Prospecting": "    stages: {Prospecting"}
    with world_with(tmp_path, changes=early) as world:
        make_mql(world)
        opportunity = open_opportunity(world)
        world.run()
        (contact,) = world.salesforce.rows("Contact")
        world.salesforce.update(
            "Contact", contact["Id"], Leadloop_Verdict__c="rejected", Leadloop_Rejection_Reason__c="timing"
        )
        world.run()
        assert world.contact(ANN)["leadloop_stage"] == "nurture"
        assert world.run().written == 0, "that it is still open is no news"

        world.later(days=2)
        world.salesforce.update("Opportunity", opportunity, StageName="Closed Won", Amount=5)
        world.run()

        shown = world.contact(ANN)
        assert (shown["leadloop_stage"], shown["leadloop_outcome"]) == ("closed", "won")
        assert shown["leadloop_amount"] == "5"
        assert world.run().written == 0
