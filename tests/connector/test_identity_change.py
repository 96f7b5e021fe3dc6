"""When another mapping says who is who by other fields, everybody who is known is known by those."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.configuration import Configuration, shipped
from connector.intake import identity_change
from connector.observation import RecordKey
from connector.store import leads as lead_store
from connector.store.links import drop_keys, keys_of_leads, linked
from tests.connector.test_ambiguity import ANNS_PHONE, BOB, BOBS_PHONE, WITH_PHONE, ambiguities
from tests.connector.test_life_of_a_lead import ANN, enter_ann
from tests.world import World, configuration

BY_PHONE = configuration(documents={"preset:lead": WITH_PHONE})
BY_ADDRESS_ALONE = configuration()
BY_MOBILE_PHONE = configuration(
    documents={
        "preset:lead": WITH_PHONE,
        "preset:hubspot": shipped("mappings", "hubspot")
        .replace("      mobile_phone: mobilephone\n", "")
        .replace("      phone: phone\n", "      phone: mobilephone\n"),
    }
)
WITHOUT_PHONE_IN_HUBSPOT = configuration(
    documents={
        "preset:hubspot": shipped("mappings", "hubspot").replace("      phone: phone\n", ""),
    }
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as made:
        yield made


def put_in_force(world: World, config: Configuration) -> None:
    """leadloop starts again with another configuration."""
    world.reconnect()
    world.config = config
    world.leadloop  # noqa: B018  # connected


def enter_in_hubspot(world: World, **numbers: str) -> None:
    world.leadloop  # noqa: B018  # connected before anybody acts
    world.hubspot.create("contacts", email=ANN, firstname="Ann", lastname="Lee", **numbers)
    world.run()


def enter_nameless(world: World, phone: str) -> str:
    """Sales enters a Lead of which it has the number alone; returns its lead id."""
    record = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Phone=phone)
    world.run()
    return world.lead(record).lead_id


def numbers_of(world: World, lead_id: str) -> list[str]:
    with world.database.read() as conn:
        return [key.value for key in keys_of_leads(conn, [lead_id])[lead_id] if key.kind == "phone"]


def dirty(world: World) -> int:
    with world.database.read() as conn:
        return lead_store.backlog(conn, world.clock.now_ms()).dirty


def test_who_was_known_before_a_field_became_identity_is_known_by_it(world: World) -> None:
    enter_in_hubspot(world, phone=ANNS_PHONE)
    ann = world.lead(ANN).lead_id
    put_in_force(world, BY_PHONE)
    assert dirty(world) == 0, "nobody is judged anew"
    assert enter_nameless(world, ANNS_PHONE) == ann
    assert len(world.hubspot.rows("contacts")) == 1
    assert ambiguities(world) == []
    assert world.verify().amiss == 0


def test_two_people_who_show_one_number_are_held_and_stay_two(world: World) -> None:
    enter_in_hubspot(world, phone=ANNS_PHONE)
    world.hubspot.create("contacts", email=BOB, firstname="Bob", lastname="Ray", phone=ANNS_PHONE)
    world.run()
    both = sorted([world.lead(ANN).lead_id, world.lead(BOB).lead_id])
    put_in_force(world, BY_PHONE)
    assert sorted(hold.lead_id for hold in ambiguities(world)) == both
    third = world.salesforce.insert("Lead", LastName="Kim", Company="Acme", Phone=ANNS_PHONE)
    world.run()
    with world.database.read() as conn:
        assert linked(conn, [RecordKey("salesforce", "Lead", third)]) == {}, "it may be either"
    assert world.lead(ANN).lead_id != world.lead(BOB).lead_id
    bob = world.contact(BOB)["hs_object_id"]
    world.hubspot.update("contacts", bob, phone=BOBS_PHONE)
    world.run()
    assert ambiguities(world) == []
    assert numbers_of(world, world.lead(BOB).lead_id) == ["+18506444300"]
    assert world.lead(third).lead_id == world.lead(ANN).lead_id


def test_a_field_that_is_identity_no_more_frees_its_names_and_ends_its_holds(world: World) -> None:
    put_in_force(world, BY_PHONE)
    enter_in_hubspot(world, phone=ANNS_PHONE)
    world.hubspot.create("contacts", email=BOB, firstname="Bob", lastname="Ray", phone=BOBS_PHONE)
    world.run()
    mixed = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN, Phone=BOBS_PHONE)
    world.run()
    assert len(ambiguities(world)) == 2
    put_in_force(world, BY_ADDRESS_ALONE)
    assert ambiguities(world) == []
    assert world.lead(mixed).lead_id == world.lead(ANN).lead_id
    assert numbers_of(world, world.lead(ANN).lead_id) == []
    assert enter_nameless(world, ANNS_PHONE) != world.lead(ANN).lead_id


def test_a_number_that_another_field_tells_now_frees_the_one_of_the_field_before(world: World) -> None:
    put_in_force(world, BY_PHONE)
    enter_in_hubspot(world, phone=ANNS_PHONE, mobilephone=BOBS_PHONE)
    ann = world.lead(ANN).lead_id
    put_in_force(world, BY_MOBILE_PHONE)
    assert numbers_of(world, ann) == ["+18506444300"]
    assert enter_nameless(world, ANNS_PHONE) != ann
    assert enter_nameless(world, BOBS_PHONE) == ann


def test_a_number_that_was_never_read_replaces_the_one_before_without_waiting_for_the_sweep(
    world: World,
) -> None:
    no_mobile = shipped("mappings", "hubspot").replace("      mobile_phone: mobilephone\n", "")
    documents = {"preset:lead": WITH_PHONE, "preset:hubspot": no_mobile}
    put_in_force(world, configuration(documents=documents))
    enter_in_hubspot(world, phone=ANNS_PHONE, mobilephone=BOBS_PHONE)
    ann = world.lead(ANN).lead_id
    world.later(hours=1)
    put_in_force(world, BY_MOBILE_PHONE)
    assert numbers_of(world, ann) == []
    world.run()
    assert numbers_of(world, ann) == ["+18506444300"]


def test_a_field_that_was_never_read_becomes_identity_with_the_sweep(world: World) -> None:
    put_in_force(world, WITHOUT_PHONE_IN_HUBSPOT)
    enter_in_hubspot(world, phone=ANNS_PHONE)
    ann = world.lead(ANN).lead_id
    world.later(hours=3)
    put_in_force(world, BY_PHONE)
    assert numbers_of(world, ann) == []
    assert world.verify().amiss == 0
    assert numbers_of(world, ann) == ["+18506444200"]
    assert enter_nameless(world, ANNS_PHONE) == ann


def test_who_was_linked_meanwhile_by_the_mapping_before_is_known_by_it_with_the_sweep(world: World) -> None:
    enter_in_hubspot(world, phone=ANNS_PHONE)
    ann = world.lead(ANN).lead_id
    put_in_force(world, BY_PHONE)
    with world.database.begin() as conn:
        drop_keys(conn, [("phone", "+18506444200", ann)])
    assert world.verify().amiss == 0
    assert enter_nameless(world, ANNS_PHONE) == ann


def test_a_name_of_a_record_that_was_emptied_is_still_nobody_elses(world: World) -> None:
    enter_in_hubspot(world, phone=ANNS_PHONE)
    ann = world.lead(ANN).lead_id
    world.hubspot.update("contacts", world.contact(ANN)["hs_object_id"], email=None)
    world.run()
    put_in_force(world, BY_PHONE)
    other = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN)
    world.run()
    assert world.lead(other).lead_id == ann


def test_another_country_of_numbers_frees_no_address(world: World) -> None:
    enter_in_hubspot(world, phone=ANNS_PHONE)
    ann = world.lead(ANN).lead_id
    world.hubspot.update("contacts", world.contact(ANN)["hs_object_id"], email=None)
    world.run()
    elsewhere = shipped("mappings", "lead").replace("default_country: US", "default_country: DE")
    assert elsewhere != shipped("mappings", "lead")
    put_in_force(world, configuration(documents={"preset:lead": elsewhere}))
    other = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN)
    world.run()
    assert world.lead(other).lead_id == ann


def test_a_process_that_was_killed_over_it_is_taken_up_where_it_was(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter_ann(world, phone=ANNS_PHONE)
    for number in range(4):
        phone = f"+1 850 644 430{number}"
        world.hubspot.create("contacts", email=f"bob{number}@acme.example", lastname="Ray", phone=phone)
    world.run()
    monkeypatch.setattr(identity_change, "LEADS_AT_ONCE", 1)
    make_anew, seen = identity_change._make_anew, list[Any]()

    def killed_at_the_third(*given: Any) -> None:
        seen.append(given[2])
        if len(seen) == 3:
            raise KeyboardInterrupt
        make_anew(*given)

    monkeypatch.setattr(identity_change, "_make_anew", killed_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        put_in_force(world, BY_PHONE)
    put_in_force(world, BY_PHONE)
    with world.database.read() as conn:
        everybody = lead_store.iterate_lead_ids(conn)
    assert [one for some in seen for one in some] == [*everybody[:3], *everybody[2:]]
    assert all(numbers_of(world, lead_id) for lead_id in everybody)
    seen.clear()
    put_in_force(world, BY_PHONE)
    assert seen == [], "it is done once"
