"""Links and identity keys: one lead per record, one lead per key, also when two workers ask at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.exc import IntegrityError

from connector.observation import RecordKey
from connector.store.database import Database
from connector.store.links import (
    IdentityKey,
    Link,
    Taken,
    drop_keys,
    keys_of,
    keys_of_leads,
    linked,
    links_of,
    move_keys,
    put_keys,
    put_links,
)
from tests.at_once import at_once

WithLeads = Callable[..., None]
CONTACT = Link("salesforce", "Contact", "003A", "one", "primary")
PERSON = Link("hubspot", "contacts", "12", "one", "primary")
LEAD = Link("salesforce", "Lead", "00QA", "two", "past")


def test_links_are_found_by_lead_and_by_record(database: Database, with_leads: WithLeads) -> None:
    with_leads("one", "two", "three")
    with database.begin() as conn:
        put_links(conn, [LEAD, CONTACT, PERSON])
        assert links_of(conn, ["one", "two", "three"]) == {
            "one": [PERSON, CONTACT],
            "two": [LEAD],
            "three": [],
        }
        assert linked(conn, [CONTACT.key, LEAD.key, RecordKey("hubspot", "contacts", "003A")]) == {
            CONTACT.key: CONTACT,
            LEAD.key: LEAD,
        }


def test_a_record_belongs_to_one_lead_at_a_time(database: Database, with_leads: WithLeads) -> None:
    with_leads("one", "two")
    moved = Link("salesforce", "Contact", "003A", "two", "secondary")
    with database.begin() as conn:
        put_links(conn, [CONTACT])
        put_links(conn, [moved])
        assert links_of(conn, ["one", "two"]) == {"one": [], "two": [moved]}


def test_a_link_to_no_lead_is_refused(database: Database) -> None:
    with pytest.raises(IntegrityError), database.begin() as conn:
        put_links(conn, [CONTACT])


def test_the_first_lead_with_a_key_keeps_it(database: Database, with_leads: WithLeads) -> None:
    with_leads("one", "two")
    ann, bob = IdentityKey("email", "ann@example.com"), IdentityKey("email", "bob@example.com")
    with database.begin() as conn:
        assert put_keys(conn, [(*ann, "one"), (*ann, "two"), (*bob, "two")]) == [Taken(ann, "two", "one")]
        assert put_keys(conn, [(*ann, "one"), (*bob, "one")]) == [Taken(bob, "one", "two")]
        assert keys_of(conn, [ann, bob, ("phone", "ann@example.com")]) == {ann: "one", bob: "two"}
        assert keys_of_leads(conn, ["one", "two"]) == {"one": [ann], "two": [bob]}


def test_keys_are_dropped_by_their_holder_only(database: Database, with_leads: WithLeads) -> None:
    with_leads("one", "two")
    with database.begin() as conn:
        put_keys(
            conn, [("email", "a@x.example", "one"), ("phone", "+1", "one"), ("email", "b@x.example", "two")]
        )
        drop_keys(conn, [("email", "a@x.example", "one"), ("email", "b@x.example", "one")])
        assert keys_of_leads(conn, ["one", "two"]) == {
            "one": [IdentityKey("phone", "+1")],
            "two": [IdentityKey("email", "b@x.example")],
        }


def test_keys_move_to_another_lead(database: Database, with_leads: WithLeads) -> None:
    with_leads("one", "two")
    with database.begin() as conn:
        put_keys(conn, [("email", "a@x.example", "one"), ("email", "b@x.example", "two")])
        move_keys(conn, "one", "two")
        assert set(keys_of(conn, [("email", "a@x.example"), ("email", "b@x.example")]).values()) == {"two"}


def test_two_workers_cannot_both_get_a_key(database: Database, with_leads: WithLeads) -> None:
    names = [f"lead-{number}" for number in range(4)]
    with_leads(*names)
    wanted = [f"{number}@x.example" for number in range(40)]

    def put(name: str) -> list[str]:
        order = wanted if int(name[-1]) % 2 else wanted[::-1]
        with database.begin() as conn:
            return [taken.key.value for taken in put_keys(conn, [("email", one, name) for one in order])]

    lost = dict(zip(names, at_once(put, names), strict=True))
    with database.read() as conn:
        held = {name: len(keys) for name, keys in keys_of_leads(conn, names).items()}
    assert sum(held.values()) == 40
    assert {name: 40 - len(lost[name]) for name in names} == held
