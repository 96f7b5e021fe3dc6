"""`leadloop forget` erases a person here, names what is left on the platforms, and can let one come back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connector.store.waiting_activities import WaitingActivity, put
from tests.cli.people import ANN, sales_rejects_ann
from tests.cli.shell import Shell
from tests.cli.test_apply_filter import apply_filter
from tests.connector.forgetting.traces import everything, installation_holds, nobody_is_known
from tests.world import World


def test_asks_first_and_changes_nothing_without_a_yes(world: World, leadloop: Shell) -> None:
    sales_rejects_ann(world)
    answer = leadloop("forget", ANN, typed="n\n")
    assert answer.code == 1
    assert answer.out.startswith(f"Lead {world.lead(ANN).lead_id}, in the stage nurture.\n")
    assert f"What 2 records showed: hubspot:contacts:{world.contact(ANN)['id']}, " in answer.out
    assert "Erase this person here for good? Nothing of it can be brought back." in answer.out
    assert world.lead(ANN).stage == "nurture"


def test_erases_the_person_and_names_what_is_left_to_erase(world: World, leadloop: Shell) -> None:
    lead_id = sales_rejects_ann(world)
    known = world.lead(ANN).lead_id

    answer = leadloop("forget", ANN, "--yes")

    assert answer.code == 0
    assert answer.out.splitlines()[0] == f"Lead {known} is forgotten."
    assert answer.out.splitlines()[1].startswith("2 records of this person are still there: ")
    assert f"salesforce:Lead:{lead_id}" in answer.out
    assert leadloop("explain", ANN).code == 1
    held = leadloop("holds", "--json").json["holds"]
    assert {(hold["lead"], hold["kind"]) for hold in held} == {(None, "forgotten")}
    assert f'leadloop forget --undo "salesforce Lead {lead_id}"' in leadloop("holds").out.replace(
        "\n    ", " "
    )


def test_nothing_of_the_person_is_left_in_the_files_though_leadloop_is_at_work_on_them(
    world: World, leadloop: Shell, tmp_path: Path
) -> None:
    """The world's own connections stay open, as those of `leadloop run` do."""
    sales_rejects_ann(world)
    files = [tmp_path / "leadloop.db", tmp_path / "leadloop.db-wal"]
    assert any(ANN.encode() in file.read_bytes() for file in files), "else this test could not fail"
    assert leadloop("forget", ANN, "--yes").code == 0
    for file in files:
        content = file.read_bytes()
        assert [word for word in (ANN.encode(), b"Arbor", b"in the third quarter") if word in content] == []


def test_tells_the_same_as_json(world: World, leadloop: Shell) -> None:
    sales_rejects_ann(world)
    known = world.lead(ANN).lead_id
    told = leadloop("forget", ANN, "--json").json
    assert told["lead"] == known
    assert len(told["still_there"]) == len(told["records"]) == 2


def test_who_came_back_may_be_known_again(world: World, leadloop: Shell) -> None:
    lead_id = sales_rejects_ann(world)
    leadloop("forget", ANN, "--yes")
    assert leadloop("forget", "--undo", "nobody@acme.example").code == 1
    assert leadloop("forget", "--undo", ANN, "--json").json == {"released": 1}
    assert leadloop("forget", "--undo", f"salesforce Lead {lead_id}").code == 0
    world.salesforce.update("Lead", lead_id, Phone="+4940999888")
    world.run()
    assert world.lead(ANN).stage == "nurture"


def test_nobody_is_forgotten_who_is_not_known(world: World, leadloop: Shell) -> None:
    world.run()
    answer = leadloop("forget", "nobody@acme.example", "--yes")
    assert answer.code == 1
    assert "Nobody is known by 'nobody@acme.example'" in answer.err


OLGA = "olga@other.example"


@pytest.fixture
def outside(world: World, leadloop: Shell, folder: Path) -> str:
    """Olga is in Salesforce, outside the filter there; returns her Lead's id."""
    apply_filter(world, leadloop, folder, 'lead_source == "Web"')
    world.run()
    record = world.salesforce.insert("Lead", LastName="Ivanova", Company="Other", Email=OLGA)
    world.run()
    assert nobody_is_known(world)
    assert OLGA.encode() in everything(world), "else this test could not fail"
    return str(record)


def test_somebody_whom_a_filter_leaves_out_is_erased_and_kept_out(
    world: World, leadloop: Shell, outside: str
) -> None:
    declined = leadloop("forget", OLGA, typed="n\n")
    assert declined.code == 1
    assert declined.out.splitlines()[:2] == [
        "This person is no lead: no record of theirs takes part.",
        f"What 1 record showed: salesforce:Lead:{outside}",
    ]
    assert OLGA.encode() in everything(world)

    answer = leadloop("forget", OLGA, typed="y\n")

    assert answer.code == 0
    assert f"{OLGA} is forgotten, who was no lead." in answer.out
    assert f"1 record of this person is still there: salesforce:Lead:{outside}" in answer.out
    assert OLGA.encode() not in everything(world)
    assert b"Ivanova" not in everything(world)
    assert installation_holds(world) == [f"salesforce Lead {outside}"]
    world.salesforce.update("Lead", outside, LeadSource="Web")
    contact = world.hubspot.create("contacts", email=OLGA, lastname="Ivanova")
    world.run()
    assert nobody_is_known(world)
    assert b"Ivanova" not in everything(world)
    assert f"hubspot contacts {contact}" in installation_holds(world)
    assert world.verify().amiss == 0
    assert leadloop("forget", OLGA, "--yes").code == 1


@pytest.mark.parametrize("said", ["{}", "salesforce:Lead:{}"])
def test_somebody_outside_is_erased_by_a_record(
    world: World, leadloop: Shell, outside: str, said: str
) -> None:
    told = leadloop("forget", said.format(outside), "--json")
    assert told.code == 0
    record = f"salesforce:Lead:{outside}"
    assert told.json == {"lead": None, "records": [record], "activities": 0, "still_there": [record]}
    assert OLGA.encode() not in everything(world)


def test_somebody_outside_who_came_back_may_be_known_again(
    world: World, leadloop: Shell, outside: str
) -> None:
    leadloop("forget", OLGA, "--yes")
    assert leadloop("forget", "--undo", OLGA, "--json").json == {"released": 1}
    assert leadloop("forget", "--undo", f"salesforce:Lead:{outside}", "--json").json == {"released": 1}
    assert installation_holds(world) == []
    world.salesforce.update("Lead", outside, LeadSource="Web")
    world.run()
    assert world.lead(OLGA).values["last_name"] == "Ivanova"
    leadloop("forget", OLGA, "--yes")
    world.salesforce.update("Lead", outside, Title="Buyer")
    world.run()
    assert nobody_is_known(world)


def test_what_waits_for_an_address_that_nobody_has_shown_is_erased(world: World, leadloop: Shell) -> None:
    world.run()
    with world.database.begin() as conn:
        put(conn, [WaitingActivity(f"source:product:{n}", OLGA, "login", 1, {"page": OLGA}) for n in (1, 2)])
    assert "2 activities" in leadloop("forget", OLGA, typed="n\n").out
    told = leadloop("forget", OLGA, "--json").json
    assert told == {"lead": None, "records": [], "activities": 2, "still_there": []}
    assert OLGA.encode() not in everything(world)
    world.hubspot.create("contacts", email=OLGA, lastname="Ivanova")
    world.run()
    assert nobody_is_known(world)


def test_people_outside_behind_a_shared_mailbox_are_named_one_by_one(
    world: World, leadloop: Shell, outside: str
) -> None:
    shared = "info@other.example"
    records = {
        name: world.salesforce.insert("Lead", LastName=name, Company="Other", Email=shared)
        for name in ("Lee", "Ray")
    }
    world.run()
    answer = leadloop("forget", shared, "--yes")
    assert answer.code == 1
    assert "2 people who are no leads are known by" in answer.out
    matches = json.loads(leadloop("forget", shared, "--json").out)["matches"]
    assert sorted(one["records"] for one in matches) == sorted(
        [f"salesforce:Lead:{record}"] for record in records.values()
    )

    assert leadloop("forget", f"{shared} Lee", "--yes").code == 0

    assert installation_holds(world) == [f"salesforce Lead {records['Lee']}"]
    assert b"Ray" in everything(world)
    assert leadloop("forget", shared, "--yes").code == 0, "now there is one"
    assert shared.encode() not in everything(world)
