"""What people do in Salesforce becomes activities that count once: campaign members, tasks, events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.configuration import shipped
from connector.intake.timetable import looked_of
from connector.observation import RecordKey
from connector.platforms.salesforce.records import Columns
from connector.store.activities import ActivityRow, activities_of
from connector.store.cursors import cursors_of
from connector.store.holds import INSTALLATION, open_holds
from connector.store.leads import find_leads
from connector.store.observations import observations_by_key
from connector.worker.actors import Duties
from tests.world import RULES, START_MS, World, configuration

ANN = "ann@acme.example"
DAY_MS = 86_400_000
MEMBERS = """    - {rule: responded, on: campaign_response, points: 12}
    - {rule: attended, on: event_attendance, points: 18}
"""
SCORED_MEMBERS = RULES.replace("gates:", MEMBERS + "gates:")
SCORED = RULES.replace(
    "gates:",
    MEMBERS
    + """    - {rule: called, on: call, when: activity.seconds >= 60, points: 7}
    - {rule: met, on: meeting, when: 'contains(activity.subject, "demo")', points: 25}
gates:""",
)


def with_tasks_and_events() -> str:
    """The shipped mapping with the # before its tasks and events taken away."""
    before, marker, commented = shipped("mappings", "salesforce").partition("  # Task:\n")
    assert marker
    return before + "  Task:\n" + re.sub(r"(?m)^  # ", "  ", commented)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    config = configuration(SCORED, {"preset:salesforce": with_tasks_and_events()})
    with World(tmp_path, config) as made:
        made.leadloop  # noqa: B018  # connected before anybody acts
        yield made


def enter_ann(world: World) -> str:
    """Ann in HubSpot and in Salesforce; returns the id of her Lead."""
    world.hubspot.create("contacts", email=ANN, firstname="Ann", lastname="Lee", company="Acme")
    lead_id = world.salesforce.insert("Lead", LastName="Lee", FirstName="Ann", Company="Acme", Email=ANN)
    world.run()
    return lead_id


def respond(world: World, lead_id: str) -> str:
    campaign = world.salesforce.insert("Campaign", Name="Spring fair")
    member = world.salesforce.insert("CampaignMember", CampaignId=campaign, LeadId=lead_id, Status="Sent")
    world.run()
    world.salesforce.update("CampaignMember", member, Status="Responded")
    return member


def log_a_call(world: World, person_id: str, **fields: object) -> str:
    logged = {"Status": "Completed", "TaskSubtype": "Call", "CallDurationInSeconds": 90, **fields}
    return world.salesforce.insert("Task", WhoId=person_id, Subject="Call", **logged)


def activities(world: World, text: str = ANN) -> list[ActivityRow]:
    lead_id = world.lead(text).lead_id
    with world.database.read() as conn:
        return activities_of(conn, [lead_id])[lead_id]


def kinds(world: World, text: str = ANN) -> list[str]:
    return [item.kind for item in activities(world, text)]


def publish(world: World) -> None:
    """A score that stands alone is shown after a day."""
    world.later(days=1, minutes=5)
    world.run()
    world.run()


def test_a_campaign_response_scores_the_lead_once_on_both_platforms(world: World) -> None:
    member = respond(world, enter_ann(world))
    world.run()
    assert kinds(world) == ["campaign_response"]
    assert activities(world)[0].attributes["status"] == "Responded"
    publish(world)
    assert world.sf_lead(ANN)["Leadloop_Score__c"] == 12
    assert world.contact(ANN)["leadloop_score"] == "12"
    world.salesforce.update("CampaignMember", member, Status="Sent")
    world.run()
    world.salesforce.update("CampaignMember", member, Status="Responded")
    publish(world)
    assert kinds(world) == ["campaign_response"], "the same response again is not a new one"
    assert world.sf_lead(ANN)["Leadloop_Score__c"] == 12


def test_a_member_who_was_only_invited_is_no_activity(world: World) -> None:
    lead_id = enter_ann(world)
    campaign = world.salesforce.insert("Campaign", Name="Spring fair")
    world.salesforce.insert("CampaignMember", CampaignId=campaign, LeadId=lead_id, Status="Sent")
    world.run()
    assert kinds(world) == []


def test_a_new_status_of_a_member_is_an_activity_of_its_own(world: World) -> None:
    world.salesforce.responded = frozenset({"Responded", "Attended"})
    member = respond(world, enter_ann(world))
    world.run()
    world.later(days=9)
    attended_ms = world.clock.now_ms()
    world.salesforce.update("CampaignMember", member, Status="Attended")
    world.run()
    assert kinds(world) == ["campaign_response", "event_attendance"]
    assert activities(world)[1].at_ms == attended_ms, "not the date of the first response"


def test_a_completed_call_counts_with_its_attributes(world: World) -> None:
    lead_id = enter_ann(world)
    called_ms = world.clock.now_ms()
    log_a_call(world, lead_id)
    log_a_call(world, lead_id, CallDurationInSeconds=20)
    log_a_call(world, lead_id, Status="Not Started")
    log_a_call(world, lead_id, TaskSubtype="Task")
    world.run()
    assert kinds(world) == ["call", "call"], "planned ones, and tasks that are no calls, are none"
    assert {item.at_ms for item in activities(world)} == {called_ms}
    assert sorted(item.attributes["seconds"] for item in activities(world)) == [20, 90]
    publish(world)
    assert world.sf_lead(ANN)["Leadloop_Engagement__c"] == 7


def test_a_meeting_counts_when_it_has_begun(world: World) -> None:
    lead_id = enter_ann(world)
    start = "2027-01-18T09:00:00.000+0000"
    meeting = {"WhoId": lead_id, "StartDateTime": start, "DurationInMinutes": 30}
    world.salesforce.insert("Event", Subject="Product demo", **meeting)
    cancelled = world.salesforce.insert("Event", Subject="Another demo", **meeting)
    world.run()
    assert kinds(world) == []
    world.salesforce.delete("Event", cancelled)
    world.run()
    world.later(days=4)
    world.run()
    assert kinds(world) == ["meeting"], "it has begun, and nothing was changed on either platform since"
    assert activities(world)[0].at_ms == START_MS + 3 * DAY_MS + 3_600_000
    publish(world)
    assert world.contact(ANN)["leadloop_score"] == "25"


def test_reading_again_and_starting_again_count_nothing_twice(world: World) -> None:
    lead_id = enter_ann(world)
    member, task = respond(world, lead_id), log_a_call(world, lead_id)
    world.run()
    world.salesforce.touch("CampaignMember", member)
    world.salesforce.touch("Task", task)
    world.later(minutes=20)  # a look that goes far back
    world.run()
    world.reconnect()
    world.salesforce.update("Task", task, Subject="Called her")
    world.run()
    assert sorted(kinds(world)) == ["call", "campaign_response"]


def test_a_deleted_record_takes_nothing_back(world: World) -> None:
    task = log_a_call(world, enter_ann(world))
    world.run()
    world.salesforce.delete("Task", task)
    world.run()
    assert kinds(world) == ["call"]


def by_itself(world: World, minutes: int) -> None:
    """Time passes, and a worker looks at what is due, decides and sends, minute by minute."""
    duties = Duties(world.leadloop, lambda _duty: None)
    for _ in range(minutes):
        world.later(minutes=1)
        for side in world.leadloop.feeds:
            duties.poll(side)
        duties.settle()
        for side in world.leadloop.feeds:
            duties.deliver(side)


def test_a_task_that_is_read_minutes_after_its_lead_raises_the_score_then(world: World) -> None:
    lead_id = enter_ann(world)
    by_itself(world, 6)
    while world.salesforce.query("SELECT Id FROM Task") == []:
        with world.database.read() as conn:
            looked = looked_of(conn, "salesforce")
        if looked["Task"].at_ms == world.clock.now_ms():  # the next look at tasks is five minutes away
            world.later(seconds=5)
            log_a_call(world, lead_id)
            world.salesforce.update("Lead", lead_id, Title="Director")
        else:
            by_itself(world, 1)
    by_itself(world, 1)
    assert world.contact(ANN)["jobtitle"] == "Director", "the lead itself is not kept waiting"
    assert kinds(world) == []
    by_itself(world, 4)
    assert kinds(world) == ["call"]
    world.later(days=1)
    by_itself(world, 2)
    assert world.sf_lead(ANN)["Leadloop_Engagement__c"] == 7
    assert world.contact(ANN)["leadloop_engagement"] == "7"


def test_what_is_deleted_before_it_counts_never_does(world: World) -> None:
    lead_id = enter_ann(world)
    start = "2027-01-18T09:00:00.000+0000"
    meeting = world.salesforce.insert(
        "Event", WhoId=lead_id, StartDateTime=start, DurationInMinutes=30, Subject="Product demo"
    )
    planned = log_a_call(world, lead_id, Status="Not Started")
    campaign = world.salesforce.insert("Campaign", Name="Spring fair")
    member = world.salesforce.insert("CampaignMember", CampaignId=campaign, LeadId=lead_id, Status="Sent")
    by_itself(world, 6)
    for name, record_id in (("Event", meeting), ("Task", planned), ("CampaignMember", member)):
        world.salesforce.delete(name, record_id)
    by_itself(world, 6)
    with world.database.read() as conn:
        seen = observations_by_key(
            conn,
            [
                RecordKey("salesforce", name, record_id)
                for name, record_id in (("Event", meeting), ("Task", planned), ("CampaignMember", member))
            ],
        )
    assert [item.deleted for item in seen.values()] == [True, True, True]
    world.later(days=4)
    by_itself(world, 6)
    assert kinds(world) == []


def test_an_activity_that_salesforce_has_archived_is_seen_all_the_same(world: World) -> None:
    lead_id = enter_ann(world)
    task = log_a_call(world, lead_id)
    world.salesforce.touch("Task", task, IsArchived=True)
    assert world.salesforce.query("SELECT Id FROM Task") == [], "a plain query does not show it"
    by_itself(world, 6)
    assert kinds(world) == ["call"]


def test_what_was_done_stays_with_the_lead_after_a_conversion(world: World) -> None:
    lead_id = enter_ann(world)
    respond(world, lead_id)
    log_a_call(world, lead_id)
    world.run()
    result = world.salesforce.convert_lead(lead_id)
    world.run()
    assert sorted(kinds(world)) == ["call", "campaign_response"]
    log_a_call(world, result.contact_id)
    world.run()
    assert sorted(kinds(world)) == ["call", "call", "campaign_response"]


def test_two_leads_that_are_merged_keep_what_both_did_once(world: World) -> None:
    first = enter_ann(world)
    other = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email="a.lee@home.example")
    log_a_call(world, first)
    log_a_call(world, other)
    world.run()
    world.salesforce.merge(first, other)
    world.run()
    world.run()
    assert kinds(world) == ["call", "call"]


def from_before(folder: Path, documents: dict[str, str] | None = None) -> World:
    """A world in which Ann's Lead, and what she has done, are older than leadloop."""
    world = World(folder, configuration(SCORED_MEMBERS, documents))
    lead_id = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN)
    campaign = world.salesforce.insert("Campaign", Name="Last year's fair")
    world.salesforce.insert("CampaignMember", CampaignId=campaign, LeadId=lead_id, Status="Responded")
    world.later(days=30)
    return world


def test_a_person_whose_record_is_read_later_gets_what_was_done_before(tmp_path: Path) -> None:
    with from_before(tmp_path) as world:
        world.leadloop  # noqa: B018  # connected
        lead_id = world.sf_lead(ANN)["Id"]
        respond(world, lead_id)
        world.run()
        with world.database.read() as conn:
            assert find_leads(conn, ANN) == [], "her Lead has not been read yet"
        world.reconnect()
        world.salesforce.touch("Lead", lead_id)
        world.run()
        assert kinds(world) == ["campaign_response"]
        assert not world.lead(ANN).resting, "she has done something since leadloop went live"


@pytest.mark.parametrize("history", [False, True])
def test_what_was_done_before_going_live_counts_where_the_mapping_says_so(
    tmp_path: Path, history: bool
) -> None:
    text = shipped("mappings", "salesforce")
    document = text.replace("    per: Status\n", f"    per: Status\n    history: {str(history).lower()}\n")
    with from_before(tmp_path, {"preset:salesforce": document}) as world:
        world.leadloop  # noqa: B018  # connected
        world.salesforce.touch("Lead", world.sf_lead(ANN)["Id"])
        world.salesforce.touch("CampaignMember", world.salesforce.rows("CampaignMember")[0]["Id"])
        world.run()
        assert kinds(world) == (["campaign_response"] if history else [])
        assert world.lead(ANN).resting, "an old response wakes nobody"


def test_an_object_that_the_user_may_not_see_is_told_once_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with World(tmp_path, configuration(SCORED_MEMBERS)) as world:
        seen = world.salesforce.find_object
        monkeypatch.setattr(
            world.salesforce, "find_object", lambda name: None if name == "CampaignMember" else seen(name)
        )
        assert [each for each in world.connected.warnings if "CampaignMember" in each] == [
            "salesforce has no object CampaignMember"
        ]
        enter_ann(world)
        assert world.sf_lead(ANN)["Leadloop_Stage__c"]
        with world.database.read() as conn:
            told = open_holds(conn, [INSTALLATION])[INSTALLATION]
        assert [hold.subject for hold in told] == ["salesforce has no object CampaignMember"]
        monkeypatch.undo()
        world.reconnect()
        respond(world, world.sf_lead(ANN)["Id"])
        world.run()
        assert kinds(world) == ["campaign_response"], "from when it may be seen"


def test_an_object_that_is_mapped_later_is_looked_at_from_then_on(tmp_path: Path) -> None:
    with World(tmp_path, configuration(SCORED_MEMBERS)) as world:
        lead_id = enter_ann(world)
        log_a_call(world, lead_id)
        world.run()
        world.config = configuration(SCORED, {"preset:salesforce": with_tasks_and_events()})
        world.reconnect()
        world.run()
        with world.database.read() as conn:
            assert {"Task", "deep:Task"} <= set(cursors_of(conn, "salesforce"))
        log_a_call(world, lead_id)
        world.run()
        assert kinds(world) == ["call"]


def test_a_custom_object_with_a_lookup_to_the_person_is_an_activity() -> None:
    lead_id, contact_id = "00QKG00000AbCdE2AV", "003KG00000AbCdE2AV"
    columns = Columns.of("Webinar_Seat__c", ["Lead__c", "Contact__c", "Topic__c"])
    row = {
        "Id": "a01KG00000AbCdE2AV",
        "SystemModstamp": "2027-01-15T08:00:00.000+0000",
        "IsDeleted": False,
        "LastModifiedById": "005KG00000AbCdE2AV",
        "Lead__c": lead_id,
        "Contact__c": contact_id,
        "Topic__c": "003 ways to sell",
    }
    (seen,) = columns.observe([row], "salesforce", START_MS)
    assert seen.refs == {"Lead": (lead_id,), "Contact": (contact_id,)}
