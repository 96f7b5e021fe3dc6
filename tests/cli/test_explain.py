"""`leadloop explain` tells all about one lead: where it stands, why, and what is in the way."""

from __future__ import annotations

from connector.cli.output import iso
from connector.clock import DAY_MS
from connector.worker.passes import Pass, act
from tests.cli.people import ANN, ann_fills_in_a_form, sales_rejects_ann, see
from tests.cli.shell import Shell
from tests.world import World


def test_tells_records_and_history_with_causes(world: World, leadloop: Shell) -> None:
    lead = sales_rejects_ann(world)

    told = leadloop("explain", ANN, "--json").json

    assert told["stage"] == "nurture"
    assert told["cycle"] == 2
    assert [(link["side"], link["object"], link["record"], link["role"]) for link in told["links"]] == [
        ("hubspot", "contacts", str(world.contact(ANN)["hs_object_id"]), "primary"),
        ("salesforce", "Lead", lead, "primary"),
    ]
    assert [(row["to"], row["cause"], row["actor"]) for row in told["history"]] == [
        ("inquiry", "created", "hubspot"),
        ("qualification", "rules", "qualification gate"),
        ("nurture", "rules", "nurture gate"),
        ("mql", "rules", "mql gate"),
        ("distributed", "rules", "everyone"),
        ("nurture", "sales", told["rejections"][0]["by"]),
    ]
    assert told["history"][-1]["reason"] == "timing"
    (rejection,) = told["rejections"]
    assert (rejection["reason"], rejection["comment"], rejection["cycle"], rejection["score"]) == (
        "timing",
        "in the third quarter",
        1,
        50,
    )
    assert told["nurture_track"] == "later"
    assert told["known_by"] == [f"email {ANN}"]


def test_computes_the_score_anew_with_the_rules_that_fired(world: World, leadloop: Shell) -> None:
    sales_rejects_ann(world)

    score = leadloop("explain", ANN, "--json").json["score"]

    assert {(item["rule"], item["points"]) for item in score["fired"]} == {("senior title", 20), ("form", 30)}
    assert score["score"] == score["fit"] + score["engagement"] == 50
    assert score["gates"]["mql"]["passed"] is False
    rejected_ms = world.lead(ANN).rejections[-1].at_ms
    assert score["cooling_until"] == iso(rejected_ms + 30 * DAY_MS)
    published = world.lead(ANN).published
    assert score["published"]["score"] == published.score
    # what is explained is what reconcile decided by, when nothing has changed since
    assert (score["fit"], score["engagement"]) == (published.fit, published.engagement)


def test_shows_how_the_published_score_came_to_be_what_it_is(world: World, leadloop: Shell) -> None:
    sales_rejects_ann(world)

    told = leadloop("explain", ANN, "--json").json["score_moves"]
    text = leadloop("explain", ANN).out

    assert [(row["from"] and row["from"]["score"], row["to"]["score"]) for row in told] == [
        (None, 20),
        (20, 50),
    ]
    assert told[1]["rules"] == [{"rule": "form", "was": None, "now": 30}]
    assert "Published scores" in text
    assert "20    50  form +30" in text


def test_tells_differences_spellings_and_what_could_not_be_read(world: World, leadloop: Shell) -> None:
    contact = ann_fills_in_a_form(world)
    world.salesforce.insert("Lead", LastName="Arbour", Company="Acme", Email=ANN, Phone="ring me")
    world.salesforce.faults.apply(
        {"rewrite_on_save": [{"object": "Lead", "field": "Title", "how": "truncate", "argument": 6}]}
    )
    world.run()
    world.hubspot.update("contacts", contact, jobtitle="Vice President of Sales")
    world.run()
    world.run()

    told = leadloop("explain", ANN, "--json").json["values"]
    text = leadloop("explain", ANN).out

    assert told["last_name"] == {"agreed": "Arbor", "differs": {"salesforce": "Arbour"}}
    assert told["phone"]["unreadable"]["salesforce"].startswith("it is no phone number")
    (spelled,) = told["job_title"]["spelled"]
    assert (spelled["field"], spelled["sent"], spelled["shown"]) == (
        "Title",
        "Vice President of Sales",
        "Vice P",
    )
    assert "salesforce says Arbour, left alone" in text
    assert "salesforce spells Vice President of Sales as Vice P" in " ".join(text.split())


def test_tells_pending_writes_and_when_it_changes_next(world: World, leadloop: Shell) -> None:
    contact = ann_fills_in_a_form(world)
    world.hubspot.faults.fail_next(1, 502, match="batch/update")
    world.hubspot.update("contacts", contact, num_conversion_events="2", jobtitle="Chief of Sales")
    see(world)
    waiting = leadloop("explain", ANN, "--json").json
    act(world.leadloop, Pass())

    told = leadloop("explain", ANN, "--json").json

    assert waiting["waiting_since"] is not None
    assert waiting["would_change"] is True
    assert told["waiting_since"] is None
    (write,) = told["pending_writes"]
    assert (write["side"], write["operation"], write["state"], write["attempts"]) == (
        "hubspot",
        "update",
        "pending",
        1,
    )
    assert {"field": "leadloop_stage", "was": "nurture", "becomes": "distributed"} in write["fields"]
    assert "Pending write to hubspot: update" in leadloop("explain", ANN).out


def test_tells_the_same_next_change_as_plan(world: World, leadloop: Shell) -> None:
    contact = ann_fills_in_a_form(world)
    world.hubspot.faults.fail_next(1, 503, match="batch/update")
    world.hubspot.update("contacts", contact, num_conversion_events="2", jobtitle="Chief of Sales")
    see(world)
    act(world.leadloop, Pass())
    world.later(minutes=1)  # the write still waits, so what it leads to is later than it was when decided

    told = leadloop("explain", ANN, "--json").json
    planned = leadloop("plan", ANN, "--json").json

    assert told["next_due_at"] is not None
    assert told["next_due_at"] == planned["next_change_at"]


def test_tells_holds_and_refusals(world: World, leadloop: Shell) -> None:
    contact = ann_fills_in_a_form(world)
    world.hubspot.faults.bad_record("contacts", "leadloop_stage", "distributed", "INVALID_OPTION")
    world.hubspot.update("contacts", contact, num_conversion_events="2")
    world.run()

    told = leadloop("explain", ANN, "--json").json
    text = leadloop("explain", ANN).out

    assert "handoff_refused" in {hold["kind"] for hold in told["holds"]}
    assert all(hold["remedy"] for hold in told["holds"])
    refused = {row["field"]: row for row in told["quarantine"]}
    assert refused["leadloop_stage"]["record"] == contact
    assert "INVALID_OPTION" in refused["leadloop_stage"]["reason"]
    assert "Holds: these wait for a person" in text
    assert "Refused by a platform" in text


def test_fits_a_terminal_of_100_columns(world: World, leadloop: Shell) -> None:
    sales_rejects_ann(world)

    lines = leadloop("explain", ANN).out.splitlines()

    assert max(len(line) for line in lines) <= 100
    headings = [line for line in lines if line and not line.startswith(" ")]
    assert [heading.split(":")[0] for heading in headings[1:]] == [
        "Records",
        "History",
        "Rejections by sales",
        "Agreed values",
        "Score 50",
        "Published scores",
        "Activities",
    ]


def test_a_shared_address_names_everybody_behind_it(world: World, leadloop: Shell) -> None:
    world.run()
    world.hubspot.create("contacts", email="info@acme.example", lastname="Arbor", company="Acme")
    world.run()

    assert leadloop("explain", "info@acme.example").code == 0
    assert leadloop("explain", "INFO@acme.example").code == 0
    assert leadloop("explain", "nfo@acme.example").code == 1
    world.salesforce.insert("Lead", LastName="Bolt", Company="Acme", Email="info@acme.example")
    world.run()
    answer = leadloop("explain", "info@acme.example")
    assert answer.code == 1
    assert "2 leads are known by 'info@acme.example'" in answer.out
