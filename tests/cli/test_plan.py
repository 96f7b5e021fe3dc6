"""`leadloop plan` tells what would be written and why, and changes nothing."""

from __future__ import annotations

from sqlalchemy import delete

from connector.store import leads as lead_store
from connector.store import outbox, pools
from connector.store.schema import settings_values
from tests.cli.people import ANN, ann_asks_for_prices, ann_fills_in_a_form, see
from tests.cli.shell import Shell
from tests.world import World


def test_says_which_moves_and_writes_follow_and_why(world: World, leadloop: Shell) -> None:
    ann_asks_for_prices(world)

    plan = leadloop("plan", ANN, "--json").json

    assert [(move["from"], move["to"], move["cause"]) for move in plan["moves"]] == [
        ("nurture", "mql", "rules"),
        ("mql", "distributed", "rules"),
    ]
    assert {"rule": "form", "points": 30}.items() <= next(
        rule for rule in plan["moves"][0]["rules"] if rule["rule"] == "form"
    ).items()
    writes = {(write["side"], write["operation"]): write for write in plan["writes"]}
    assert set(writes) == {("salesforce", "create"), ("hubspot", "update")}
    assert {write["lane"] for write in writes.values()} == {"handoff"}
    fields = {field["field"]: field for field in writes["hubspot", "update"]["fields"]}
    assert fields["leadloop_stage"] == {
        "field": "leadloop_stage",
        "was": "nurture",
        "becomes": "distributed",
        "why": "leadloop's stage",
    }
    created = {field["field"]: field["becomes"] for field in writes["salesforce", "create"]["fields"]}
    assert created["Email"] == ANN
    assert created["Leadloop_Owner__c"] == "sam@sales.example"


def test_changes_nothing_and_takes_no_turn(world: World, leadloop: Shell) -> None:
    ann_asks_for_prices(world)
    requests = world.hubspot.requests.count + world.salesforce.requests.count

    first = leadloop("plan", ANN, "--json")
    second = leadloop("plan", ANN, "--json")

    assert first.code == 0
    assert first.out == second.out
    with world.database.read() as conn:
        assert pools.read_states(conn, ["everyone"]) == {"everyone": {}}
        assert outbox.counts(conn) == {}
        assert lead_store.find_leads(conn, ANN)[0].stage == "nurture"
    assert world.hubspot.requests.count + world.salesforce.requests.count == requests
    world.run()
    assert world.sf_lead(ANN)["Leadloop_Owner__c"] == "sam@sales.example"


def test_reads_well_in_a_terminal(world: World, leadloop: Shell) -> None:
    contact = ann_fills_in_a_form(world)
    world.hubspot.update("contacts", contact, jobtitle="Chief [bold] \u202eSales")
    world.salesforce.insert("Lead", LastName="Arbor", Company="Acme", Email=ANN)
    see(world)

    said = leadloop("plan", ANN)

    assert said.code == 0
    assert max(len(line) for line in said.out.splitlines()) <= 100
    assert "\u202e" not in said.out
    lines = {" ".join(line.split()) for line in said.out.splitlines()}
    assert "Leadloop_Stage__c — → nurture leadloop's stage" in lines
    assert "Title — → Chief [bold] �Sales job_title, from hubspot" in lines


def test_says_when_nothing_would_be_written(world: World, leadloop: Shell) -> None:
    ann_fills_in_a_form(world)

    assert "Nothing would be written." in leadloop("plan", ANN).out
    assert leadloop("plan", ANN, "--json").json["writes"] == []


def test_finds_a_lead_by_id_and_by_record(world: World, leadloop: Shell) -> None:
    contact = ann_fills_in_a_form(world)
    lead = world.lead(ANN).lead_id

    for name in (ANN, ANN.upper(), lead, contact, f"hubspot:contacts:{contact}"):
        assert leadloop("plan", name, "--json").json["lead"] == lead


def test_lists_the_leads_when_several_match(world: World, leadloop: Shell) -> None:
    ann_fills_in_a_form(world)
    world.hubspot.create("contacts", email="ben@acme.example", lastname="Ben")
    world.run()
    from connector.store.links import put_keys

    ids = {world.lead(ANN).lead_id, world.lead("ben@acme.example").lead_id}
    with world.database.begin() as conn:
        put_keys(conn, [("badge", "42", lead) for lead in sorted(ids)[:1]])
        put_keys(conn, [("seat", "42", lead) for lead in sorted(ids)[1:]])

    asked, asked_json = leadloop("plan", "42"), leadloop("plan", "42", "--json")

    assert asked.code == asked_json.code == 1
    assert {match["lead"] for match in asked_json.json["matches"]} == ids
    assert asked_json.err == "2 leads are known by '42': name one by its id.\n"
    assert "2 leads are known by '42'; name one by its id" in asked.out
    assert ANN in asked.out


def test_an_unknown_lead_is_one_sentence(world: World, leadloop: Shell) -> None:
    asked = leadloop("plan", "nobody@nowhere.example")

    assert asked.code == 1
    assert asked.out == ""
    assert asked.err == (
        "No lead is known by 'nobody@nowhere.example': give its e-mail address, lead id, record id, or "
        "side:object:id.\n"
    )


def test_says_what_it_does_not_know_before_leadloop_has_connected(world: World, leadloop: Shell) -> None:
    ann_asks_for_prices(world)
    with world.database.begin() as conn:
        conn.execute(delete(settings_values).where(settings_values.c.key == "remembered:salesforce"))

    plan = leadloop("plan", ANN, "--json").json

    assert plan["notes"] == [
        "The users and queues of salesforce are not known here until `leadloop run` has connected: what is "
        "said of owners there may differ."
    ]
    assert plan["holds"] == []
