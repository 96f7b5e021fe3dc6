"""Routing on both platforms: who gets a lead, who does not, why, and that nobody waits for somebody."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from connector.learning import learn_again
from connector.store import ledger
from tests.world import RULES, World, configuration

SAM, KIM = "sam@sales.example", "kim@sales.example"
EVERYONE = "{route: everyone, pool: [sam@sales.example, kim@sales.example]}"


def rules(routes: str, more: str = "") -> str:
    return RULES.replace("  - " + EVERYONE, routes) + more


def enter(world: World, email: str, **more: str) -> None:
    """Somebody who fits, and fills in a form: an MQL."""
    fields = {"lastname": email.partition("@")[0].title(), "jobtitle": "VP Sales", "company": "Acme", **more}
    world.hubspot.create("contacts", source="FORM", email=email, **fields)
    world.run()
    world.hubspot.submit_form(email, "Pricing")


def rejects(world: World, email: str, owner: str, reason: str) -> None:
    """The owner says no to the lead in Salesforce."""
    lead = world.sf_lead(email)["Id"]
    world.salesforce.update(
        "Lead",
        lead,
        by_user=world.users[owner],
        Status="Unqualified",
        Leadloop_Rejection_Reason__c=reason,
    )


def given(world: World, email: str) -> str | None:
    """Who owns the lead on both platforms, which say the same."""
    world.run()
    world.run()
    lead, contact = world.sf_lead(email), world.contact(email)
    assert lead["Leadloop_Owner__c"] == contact["leadloop_owner"]
    return lead["Leadloop_Owner__c"]


def last_move(world: World, email: str) -> tuple[str | None, str | None]:
    """The route, and why this owner, as the history has them."""
    with world.database.read() as conn:
        row = ledger.of_lead(conn, world.lead(email).lead_id)[-1]
    assert row.target == "distributed"
    return row.actor, row.reason


ANN, BOB, CAT = "ann@acme.example", "bob@acme.example", "cat@acme.example"


def test_who_is_away_or_at_the_cap_is_passed_over_and_the_history_says_so(tmp_path: Path) -> None:
    pools = """
pools:
  sdr:
    members:
      - {owner: sam@sales.example, away: [{from: 2027-01-11, until: 2027-01-22}]}
      - {owner: kim@sales.example, at_most_per_day: 1, time_zone: Europe/Berlin}
"""
    routes = "  - {route: sdr, pool: sdr}\n  - {route: rest, owner: 'queue:Inbound Leads'}"
    with World(tmp_path, configuration(rules(routes, pools))) as world:
        queue = world.salesforce.add_queue("Inbound Leads")
        world.leadloop  # noqa: B018  # connected before anybody acts
        for email in (ANN, BOB):
            enter(world, email)
        assert given(world, ANN) == KIM
        assert given(world, BOB) == "queue:Inbound Leads"
        assert world.sf_lead(BOB)["OwnerId"] == queue
        assert last_move(world, ANN) == (
            "sdr",
            "next in pool sdr; left out: sam@sales.example (away until 2027-01-22)",
        )
        assert last_move(world, BOB) == (
            "rest",
            "route sdr: nobody in pool sdr: sam@sales.example (away until 2027-01-22), "
            "kim@sales.example (has had 1 of 1 today)",
        )
        world.later(days=8)
        enter(world, CAT)
        assert given(world, CAT) == SAM, "he is back"


def test_a_member_who_is_no_user_on_one_side_is_passed_over_until_invited(tmp_path: Path) -> None:
    lou = "lou@sales.example"
    with World(tmp_path, configuration(rules(f"  - {{route: everyone, pool: [{lou}, {KIM}]}}"))) as world:
        world.salesforce.add_user("Lou", lou)
        world.leadloop  # noqa: B018  # connected before anybody acts
        enter(world, ANN)
        assert given(world, ANN) == KIM
        assert world.holds(ANN) == []
        assert last_move(world, ANN) == (
            "everyone",
            f"next in pool everyone; left out: {lou} (is no active user on hubspot)",
        )
        world.hubspot.add_owner(lou)
        learn_again(world.leadloop, "hubspot")
        enter(world, BOB)
        assert given(world, BOB) == lou


def test_when_all_members_are_gone_the_lead_is_held_with_a_remedy_and_goes_on_by_itself(
    tmp_path: Path,
) -> None:
    lou = "lou@sales.example"
    with World(tmp_path, configuration(rules(f"  - {{route: everyone, pool: [{lou}]}}"))) as world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        enter(world, ANN)
        world.run()
        (hold,) = world.holds(ANN)
        assert (hold.kind, hold.message, hold.remedy) == (
            "no_owner",
            "No route gives this lead an owner: route everyone: nobody in pool everyone: "
            f"{lou} (is no active user on salesforce).",
            "Add a last route to a queue, or put somebody who can have it into a pool.",
        )
        assert world.contact(ANN)["leadloop_stage"] == "mql"
        world.salesforce.add_user("Lou", lou)
        world.hubspot.add_owner(lou)
        learn_again(world.leadloop, "hubspot")
        learn_again(world.leadloop, "salesforce")
        assert given(world, ANN) == lou
        assert world.holds(ANN) == []


def test_a_held_lead_goes_by_itself_to_who_comes_back_from_days_away(tmp_path: Path) -> None:
    pool = "{owner: kim@sales.example, away: [{from: 2027-01-14, until: 2027-01-16}]}"
    with World(tmp_path, configuration(rules(f"  - {{route: everyone, pool: [{SAM}, {pool}]}}"))) as world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        enter(world, ANN)
        assert given(world, ANN) == SAM
        rejects(world, ANN, SAM, "wrong_territory")
        world.run()
        assert [hold.kind for hold in world.holds(ANN)] == ["no_owner"]
        world.later(days=2)  # it is the 17th
        assert given(world, ANN) == KIM
        assert world.holds(ANN) == []


def test_a_lead_that_comes_back_goes_to_its_previous_owner(tmp_path: Path) -> None:
    routes = "  - {route: knows them, to: previous_owner, may_return: true, when: cycle > 1}\n  - " + EVERYONE
    with World(tmp_path, configuration(rules(routes))) as world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        enter(world, ANN)
        assert given(world, ANN) == SAM
        rejects(world, ANN, SAM, "timing")
        world.run()
        assert world.contact(ANN)["leadloop_stage"] == "nurture"
        world.later(days=31)
        world.hubspot.submit_form(ANN, "Pricing again")
        assert given(world, ANN) == SAM
        assert last_move(world, ANN) == ("knows them", None)
        enter(world, BOB)
        assert given(world, BOB) == KIM, "the pool was not asked, so it is her turn"


def test_who_rejected_it_does_not_get_it_again_and_is_next_for_another_lead(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        enter(world, ANN)
        assert given(world, ANN) == SAM
        enter(world, BOB)
        assert given(world, BOB) == KIM
        rejects(world, ANN, SAM, "wrong_territory")
        assert given(world, ANN) == KIM
        assert last_move(world, ANN) == (
            "everyone",
            "next in pool everyone; left out: sam@sales.example (rejected it)",
        )
        enter(world, CAT)
        assert given(world, CAT) == SAM


def test_a_lead_that_everybody_rejected_is_held(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        enter(world, ANN)
        for owner in (SAM, KIM):
            assert given(world, ANN) == owner
            rejects(world, ANN, owner, "wrong_territory")
        world.run()
        (hold,) = world.holds(ANN)
        assert hold.kind == "no_owner"
        assert "sam@sales.example, kim@sales.example (rejected it)" in hold.message
        assert world.contact(ANN)["leadloop_stage"] == "mql"


def test_a_lead_that_the_one_person_of_the_last_route_rejected_is_held_with_a_remedy_that_fits(
    tmp_path: Path,
) -> None:
    with World(tmp_path, configuration(rules(f"  - {{route: sam alone, owner: {SAM}}}"))) as world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        enter(world, ANN)
        assert given(world, ANN) == SAM
        rejects(world, ANN, SAM, "wrong_territory")
        world.run()
        (hold,) = world.holds(ANN)
        assert (hold.kind, hold.message, hold.remedy) == (
            "no_owner",
            "No route gives this lead an owner: route sam alone: sam@sales.example rejected it.",
            "Add a last route to a queue, or name somebody else in the last one.",
        )


def test_the_owner_of_the_account_gets_whoever_is_in_it(tmp_path: Path) -> None:
    routes = "  - {route: customers, to: account_owner}\n  - " + EVERYONE
    with World(tmp_path, configuration(rules(routes))) as world:
        account = world.salesforce.insert("Account", Name="Acme", OwnerId=world.users[KIM])
        world.leadloop  # noqa: B018  # connected before anybody acts
        world.later(minutes=5)
        world.salesforce.insert(
            "Contact",
            Email=ANN,
            LastName="Lee",
            Title="VP Sales",
            AccountId=account,
            OwnerId=world.users[SAM],
        )
        world.run()
        world.run()
        world.hubspot.submit_form(ANN, "Pricing")
        world.run()
        world.run()
        contact = world.contact(ANN)
        assert (contact["leadloop_owner"], contact["leadloop_stage"]) == (KIM, "distributed")
        assert last_move(world, ANN) == ("customers", None)
        state = world.lead(ANN)
        assert (state.values["account_owner"], state.values["contact_owner"]) == (KIM, SAM)
        (record,) = world.salesforce.rows("Contact")
        assert record["OwnerId"] == world.users[SAM], "account teams would not like it"


def test_at_night_the_pool_says_who_gets_it(tmp_path: Path) -> None:
    pools = """
hours:
  office: {time_zone: Europe/Berlin, from: "09:00", to: "17:00"}
pools:
  sdr:
    hours: office
    outside_hours: next_at_work
    members: [{owner: sam@sales.example, time_zone: America/New_York}, kim@sales.example]
"""
    config = configuration(rules("  - {route: sdr, pool: sdr}", pools))
    with World(tmp_path, config) as world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        assert datetime.fromtimestamp(world.clock.now_ms() / 1000, UTC).hour == 8
        world.later(hours=11)  # 20:00 in Berlin, 14:00 in New York
        enter(world, ANN)
        assert given(world, ANN) == SAM
        world.later(hours=6)  # Saturday at 02:00 in Berlin, Friday 20:00 in New York
        enter(world, BOB)
        assert given(world, BOB) == KIM, "she is at work first on Monday"
