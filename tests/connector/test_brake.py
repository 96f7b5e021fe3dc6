"""The brake stops one kind of change, and counts each change once."""

from __future__ import annotations

from pathlib import Path

from connector.brake import BrakeLimit, BrakeLimits
from connector.store import brakes
from connector.store import leads as lead_store
from mappings.stages import Stage
from tests.connector.test_life_of_a_lead import ANN, make_mql
from tests.world import World, configuration


def counted(world: World, kind: str) -> int:
    """How many changes of this kind the current hour has had."""
    installation = world.leadloop
    with world.database.read() as conn:
        window_ms = installation.brake.window_start_ms(world.clock.now_ms())
        return brakes.counted(conn, installation.configuration, window_ms).get(kind, 0)


def at_most(tmp_path: Path, kind: str, number: int) -> World:
    """A leadloop whose configuration allows so many changes of this kind in an hour."""
    main = f"rules: [rules.yaml]\nbrake: {{limits: {{{kind}: {{share: 0, at_least: {number}}}}}}}\n"
    return World(tmp_path, configuration(documents={"leadloop.yaml": main}))


def release(world: World, kind: str) -> None:
    """What `leadloop brake release` does."""
    with world.database.begin() as conn:
        brakes.release(conn, world.leadloop.configuration, kind, world.clock.now_ms())
        lead_store.mark_all_dirty(conn, world.clock.now_ms())


def test_a_create_that_waits_is_counted_once_however_often_it_is_planned(world: World) -> None:
    lead_id = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN)
    world.hubspot.faults.fail_next(50, 503, match="batch/create")
    world.run()
    for title in ("Clerk", "Buyer", "Head of Buying"):
        world.salesforce.update("Lead", lead_id, Title=title)
        world.run()
    assert world.hubspot.rows("contacts") == []
    assert counted(world, "creates") == 1


def test_too_many_creates_are_stopped_and_released_by_hand(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.leadloop.brake = BrakeLimits({"creates": BrakeLimit(share=0.0, at_least=2)})
        for number in range(3):
            world.salesforce.insert(
                "Lead", LastName=f"No {number}", Company="Acme", Email=f"n{number}@acme.example"
            )
        world.run()
        assert len(world.hubspot.rows("contacts")) == 0, "a batch that goes too far is held as a whole"
        assert {hold.kind for hold in world.holds("n0@acme.example")} == {"brake"}
        assert world.sf_lead("n0@acme.example")["Leadloop_Stage__c"] == "nurture", "nothing else is stopped"
        with world.database.begin() as conn:
            brakes.release(conn, world.leadloop.configuration, "creates", world.clock.now_ms())
        world.salesforce.update("Lead", world.sf_lead("n0@acme.example")["Id"], Title="Clerk")
        world.run()
        assert [row["email"] for row in world.hubspot.rows("contacts")] == ["n0@acme.example"]


PEOPLE = [f"n{number}@acme.example" for number in range(3)]


def enter_people(world: World) -> None:
    """Sales enters three leads of its own, which are nurtured."""
    world.leadloop  # noqa: B018  # connected before anybody acts
    for email in PEOPLE:
        world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=email, OwnerId=sam(world))
    world.run()


def sam(world: World) -> str:
    return world.users["sam@sales.example"]


def test_owner_changes_are_counted_and_stopped_past_the_limit(tmp_path: Path) -> None:
    with at_most(tmp_path, "owner_changes", 2) as world:
        enter_people(world)
        kim = world.leadloop.policy.directory.native_of("hubspot", "kim@sales.example")
        first, *others = PEOPLE
        world.hubspot.update("contacts", world.contact(first)["hs_object_id"], hubspot_owner_id=kim)
        world.run()
        assert world.sf_lead(first)["OwnerId"] == world.users["kim@sales.example"]
        assert counted(world, "owner_changes") == 1

        for email in others:
            world.hubspot.update("contacts", world.contact(email)["hs_object_id"], hubspot_owner_id=kim)
        world.hubspot.update("contacts", world.contact(others[0])["hs_object_id"], jobtitle="Clerk")
        world.run()
        assert {world.sf_lead(email)["OwnerId"] for email in others} == {sam(world)}
        assert world.sf_lead(others[0])["Title"] == "Clerk", "nothing else is stopped"
        assert [(hold.kind, hold.subject) for hold in world.holds(others[1])] == [("brake", "owner_changes")]
        assert counted(world, "owner_changes") == 1

        release(world, "owner_changes")
        world.run()
        assert {world.sf_lead(email)["OwnerId"] for email in others} == {world.users["kim@sales.example"]}
        assert world.holds(others[1]) == []


def test_moves_back_by_rules_are_counted_and_stopped_past_the_limit(tmp_path: Path) -> None:
    with at_most(tmp_path, "regressions", 2) as world:
        enter_people(world)
        first, *others = PEOPLE
        world.salesforce.update("Lead", world.sf_lead(first)["Id"], Company="Rival Inc")
        world.run()
        assert world.sf_lead(first)["Leadloop_Stage__c"] == "disqualified"
        assert counted(world, "regressions") == 1

        for email in others:
            world.salesforce.update("Lead", world.sf_lead(email)["Id"], Company="Rival Inc")
        world.run()
        assert {world.sf_lead(email)["Leadloop_Stage__c"] for email in others} == {"nurture"}
        assert world.contact(others[0])["company"] == "Rival Inc", "nothing else is stopped"
        assert [(hold.kind, hold.subject) for hold in world.holds(others[0])] == [("brake", "regressions")]

        release(world, "regressions")
        world.run()
        assert {world.lead(email).stage for email in others} == {Stage.DISQUALIFIED}


def test_a_lead_of_the_wrong_territory_waits_without_an_owner_when_hand_offs_are_stopped(
    world: World,
) -> None:
    record_id = make_mql(world)
    by_sam = sam(world)
    with world.database.begin() as conn:
        brakes.trip(conn, world.leadloop.configuration, "handoff", "too many", world.clock.now_ms())
    world.salesforce.update(
        "Lead",
        record_id,
        by_user=by_sam,
        Leadloop_Verdict__c="rejected",
        Leadloop_Rejection_Reason__c="wrong_territory",
    )
    world.run()
    lead, contact = world.sf_lead(ANN), world.contact(ANN)
    assert lead["Leadloop_Stage__c"] == contact["leadloop_stage"] == "mql"
    assert lead["Leadloop_Owner__c"] is contact["leadloop_owner"] is None
    assert contact["leadloop_rejection_reason"] == "wrong_territory"
    assert contact["leadloop_cycle"] == "1"
    assert [(hold.kind, hold.subject) for hold in world.holds(ANN)] == [("brake", "handoff")]

    release(world, "handoff")
    world.run()
    lead, contact = world.sf_lead(ANN), world.contact(ANN)
    assert lead["Leadloop_Stage__c"] == contact["leadloop_stage"] == "distributed"
    assert lead["Leadloop_Owner__c"] == contact["leadloop_owner"] == "kim@sales.example"
    assert lead["OwnerId"] == world.users["kim@sales.example"]
    assert lead["Leadloop_Verdict__c"] is None
