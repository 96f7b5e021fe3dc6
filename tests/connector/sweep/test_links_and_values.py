"""A sweep puts right links and values that are not what the platforms show, and finds nothing again."""

from __future__ import annotations

from sqlalchemy import update

from connector.settle import settle
from connector.store.links import Link, links_of, put_links
from connector.store.rows import from_json, to_json
from connector.store.schema import links, observations, outbox
from connector.worker.passes import Pass, look
from tests.connector.sweep.sweeping import (
    BOB,
    amiss,
    behind,
    bob_comes,
    edit_state,
    lead_of,
    put_right,
)
from tests.connector.test_life_of_a_lead import ANN
from tests.world import World


def test_a_record_linked_to_another_lead_by_hand_goes_back_to_its_own(known: World) -> None:
    contact = bob_comes(known)
    behind(known)
    own, other = lead_of(known, BOB), lead_of(known, ANN)
    with known.database.begin() as conn:
        conn.execute(update(links).where(links.c.record_id == contact).values(lead_id=other))
    found = put_right(known, linked_twice=2)
    assert f"hubspot:contacts:{contact}" in {one.record for one in found.named["linked_twice"]}
    with known.database.read() as conn:
        assert [link.record_id for link in links_of(conn, [own])[own]] == [contact]
    assert known.lead(ANN).values["first_name"] == "Ann"
    assert known.contact(BOB)["firstname"] == "Bob"


def test_a_link_to_a_record_that_never_was_goes(known: World) -> None:
    bob_comes(known)
    behind(known)
    lead_id = lead_of(known, BOB)
    with known.database.begin() as conn:
        put_links(conn, [Link("salesforce", "Lead", "00Q5g00000ZZZZZEAY", lead_id, "primary")])
    found = put_right(known, no_record=1)
    assert found.named["no_record"][0].lead_id == lead_id
    with known.database.read() as conn:
        assert [link.side for link in links_of(conn, [lead_id])[lead_id]] == ["hubspot"]


def test_a_record_that_lost_its_link_is_linked_again(known: World) -> None:
    contact = str(known.contact(ANN)["hs_object_id"])
    behind(known)
    with known.database.begin() as conn:
        conn.execute(links.delete().where(links.c.record_id == contact))
    put_right(known, unlinked=1)
    with known.database.read() as conn:
        lead_id = lead_of(known, ANN)
        assert contact in {link.record_id for link in links_of(conn, [lead_id])[lead_id]}


def test_a_value_edited_in_what_was_observed_is_read_again_and_written_nowhere(known: World) -> None:
    behind(known)
    contact = str(known.contact(ANN)["hs_object_id"])
    with known.database.begin() as conn:
        row = conn.execute(observations.select().where(observations.c.record_id == contact)).one()
        fields = {**from_json(row.fields), "jobtitle": "Nobody"}
        conn.execute(
            update(observations).where(observations.c.record_id == contact).values(fields=to_json(fields))
        )
    found = put_right(known, altered=1)
    assert found.named["altered"][0].fields == ("jobtitle",)
    assert known.sf_lead(ANN)["Title"] == "VP Sales"
    assert known.contact(ANN)["jobtitle"] == "VP Sales"


def test_an_agreed_value_edited_in_the_database_is_learnt_from_the_platforms(known: World) -> None:
    behind(known)
    edit_state(known, ANN, job_title="Nobody")
    found = known.verify()
    assert set(amiss(found)) == {"altered"}
    assert found.left == 0
    known.run()
    assert amiss(known.verify()) == {}
    assert known.lead(ANN).values["job_title"] == "VP Sales"
    assert known.sf_lead(ANN)["Title"] == "VP Sales"
    assert known.contact(ANN)["jobtitle"] == "VP Sales"


def test_a_write_that_was_lost_is_planned_again(known: World) -> None:
    behind(known)
    known.salesforce.update("Lead", known.sf_lead(ANN)["Id"], Title="Chief Buyer")
    known.later(minutes=1)
    look(known.leadloop, Pass())
    while settle(known.leadloop).leads:
        pass
    with known.database.begin() as conn:
        conn.execute(outbox.delete())
    assert known.run().written == 0
    assert known.contact(ANN)["jobtitle"] == "VP Sales"
    put_right(known, unplanned=1)
    assert known.contact(ANN)["jobtitle"] == "Chief Buyer"


def test_two_records_that_both_speak_for_a_lead_get_their_roles_again(known: World) -> None:
    known.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email=ANN)
    behind(known)
    lead_id = lead_of(known, ANN)
    with known.database.begin() as conn:
        conn.execute(update(links).where(links.c.lead_id == lead_id).values(role="primary"))
    put_right(known, linked_twice=1)
    with known.database.read() as conn:
        roles = [link.role for link in links_of(conn, [lead_id])[lead_id] if link.side == "salesforce"]
    assert sorted(roles) == ["primary", "secondary"]
