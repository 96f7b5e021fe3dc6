"""A field that both sides have changed: the newer change counts, told by history where stamps do not tell
it."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.agree import set_ms
from connector.configuration import shipped
from connector.lead import Baseline, Decided, LeadState
from connector.observation import Observation, PastValue
from connector.record_view import RecordView, look
from tests.connector.test_life_of_a_lead import ANN, make_mql
from tests.world import RULES, World, configuration

HISTORY = ("POST", "/crm/v3/objects/contacts/batch/read")


@pytest.fixture
def linked(world: World) -> World:
    """Ann is on both sides, in step, and an hour has passed since."""
    make_mql(world)
    world.run()
    world.later(hours=1)
    return world


def change(world: World, *, salesforce: str | None = None, hubspot: str | None = None) -> None:
    """Somebody changes Ann's first name; ten seconds pass."""
    if salesforce is not None:
        world.salesforce.update("Lead", world.sf_lead(ANN)["Id"], FirstName=salesforce)
    if hubspot is not None:
        world.hubspot.update("contacts", world.contact(ANN)["id"], firstname=hubspot)
    world.later(seconds=10)


def touch(world: World) -> None:
    """HubSpot calculates something, which moves the stamp of the contact."""
    world.hubspot.touch("contacts", world.contact(ANN)["id"])
    world.later(seconds=10)


def names(world: World) -> tuple[str, str]:
    return world.sf_lead(ANN)["FirstName"], world.contact(ANN)["firstname"]


def decided(world: World) -> Decided:
    return world.lead(ANN).decided["first_name"]


def test_history_tells_that_the_change_in_hubspot_came_last(linked: World) -> None:
    change(linked, salesforce="Anna")
    at_ms = linked.clock.now_ms()
    change(linked, hubspot="Annie")
    linked.run()

    assert names(linked) == ("Annie", "Annie")
    how = decided(linked)
    assert (how.by, how.winner) == ("newest", "hubspot")
    assert how.moments["hubspot"] == (at_ms, at_ms)
    assert how.moments["salesforce"][1] == at_ms - 10_000
    assert linked.run().written == 0


def test_where_history_leaves_it_open_else_decides(linked: World) -> None:
    change(linked, hubspot="Annie")
    change(linked, salesforce="Anna")
    linked.run()
    assert names(linked) == ("Anna", "Anna")
    assert (decided(linked).by, decided(linked).winner) == ("salesforce", "salesforce")


def test_a_later_stamp_of_the_record_is_not_a_later_change_of_the_field(tmp_path: Path) -> None:
    lead = shipped("mappings", "lead").replace(
        "first_name:   {type: text, policy: newest, else: salesforce",
        "first_name:   {type: text, policy: newest, else: hold",
    )
    with World(tmp_path, configuration(RULES, {"preset:lead": lead})) as world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        make_mql(world)
        world.run()
        world.later(hours=1)
        change(world, hubspot="Annie")
        change(world, salesforce="Anna")
        touch(world)
        world.run()
        assert names(world) == ("Anna", "Annie")
        (hold,) = world.holds(ANN)
        assert hold.kind == "conflict"
        assert decided(world).winner is None


def test_a_history_that_does_not_come_leaves_it_to_else(linked: World) -> None:
    change(linked, salesforce="Anna")
    change(linked, hubspot="Annie")
    told: list[str] = []
    linked.leadloop.on_event = lambda name, _facts: told.append(name)
    linked.hubspot.faults.fail_next(1, 502, match="contacts/batch/read")
    linked.run()
    assert names(linked) == ("Anna", "Anna")
    assert told.count("history_not_read") == 1


def test_only_conflicts_are_asked_about_and_fifty_of_them_in_a_call(world: World) -> None:
    emails = [f"p{number}@acme.example" for number in range(60)]
    for email in emails:
        world.salesforce.insert("Lead", LastName="Lee", FirstName="Ann", Company="Acme", Email=email)
    world.run()
    world.later(hours=1)
    world.hubspot.requests.reset()
    for email in emails:
        world.salesforce.update("Lead", world.sf_lead(email)["Id"], FirstName="Anna", Title="CEO")
    world.later(seconds=10)
    for email in emails:
        world.hubspot.update("contacts", world.contact(email)["id"], firstname="Annie", city="Bonn")
    world.run()

    assert world.hubspot.requests.by_kind[HISTORY] == 2
    assert {world.contact(email)["firstname"] for email in emails} == {"Annie"}
    assert {world.sf_lead(email)["FirstName"] for email in emails} == {"Annie"}


def test_a_history_that_salesforce_keeps_tells_that_the_change_there_came_last(tmp_path: Path) -> None:
    lead = shipped("mappings", "lead").replace(
        "first_name:   {type: text, policy: newest, else: salesforce",
        "first_name:   {type: text, policy: newest, else: hubspot",
    )
    with World(tmp_path, configuration(RULES, {"preset:lead": lead})) as world:
        world.salesforce.track("Lead", ["FirstName"])
        world.leadloop  # noqa: B018  # connected before anybody acts
        make_mql(world)
        world.run()
        world.later(hours=1)
        change(world, hubspot="Annie")
        at_ms = world.clock.now_ms()
        change(world, salesforce="Anna")
        world.salesforce.update("Lead", world.sf_lead(ANN)["Id"], Fax="1")  # moves the record's stamp only
        touch(world)
        world.run()
        assert names(world) == ("Anna", "Anna")
        how = decided(world)
        assert (how.by, how.winner, how.moments["salesforce"]) == ("newest", "salesforce", (at_ms, at_ms))


# the moment in a history --------------------------------------------------------------------------------


def shown(world: World, value: str, **baseline: object) -> RecordView:
    mapped = world.config.mapping.sides["hubspot"].objects["contacts"]
    item = Observation("hubspot", "contacts", "1", 90_000, 95_000, {"firstname": value})
    base = Baseline(shown={"firstname": "Ann"}, shown_stamp_ms=1_000, **baseline)  # type: ignore[arg-type]  # as given
    return look(item, base, mapped, None)


def test_what_leadloop_wrote_itself_is_nobodys_change(world: World) -> None:
    view = shown(world, "Annie", history={"firstname": ((60_000, "Ann"),)})
    person, ours = PastValue("Annie", 40_000), PastValue("Ann", 59_500)
    assert set_ms(view, "firstname", [ours, person]) == 40_000
    assert set_ms(view, "firstname", [PastValue("Ann", 70_000, own=True), person]) == 40_000


def test_a_history_that_tells_of_another_value_tells_nothing(world: World) -> None:
    view = shown(world, "Annie")
    assert set_ms(view, "firstname", [PastValue("Anke", 80_000), PastValue("Annie", 40_000)]) is None
    assert set_ms(view, "firstname", []) is None


def test_how_a_conflict_was_decided_survives_being_stored() -> None:
    how = Decided("newest", "hubspot", {"hubspot": (5, 5), "salesforce": (1, 4)})
    state = LeadState("L1", "hubspot", 0, decided={"first_name": how})
    assert LeadState.from_json(state.to_json()) == state
