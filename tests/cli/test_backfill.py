"""`leadloop backfill`: tells first, reads what was there, goes on where it was, creates only when told to."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from connector.cli.backfill_progress import Bar, Pace
from connector.clock import ManualClock
from connector.intake.backfill import Standing
from connector.lane import Lane
from connector.platforms.errors import Refused
from connector.platforms.protocol import BulkPage
from connector.platforms.salesforce.adapter import Salesforce
from connector.side_limits import Terms
from connector.store.schema import metadata
from tests.cli.live import Live
from tests.cli.shell import Shell
from tests.connector.test_ambiguity import ANNS_PHONE, BOBS_PHONE, WITH_PHONE
from tests.world import World, configuration


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Ann on both platforms, Bob and Cy in Salesforce, Dora in HubSpot, and a contact with Bob's telephone
    number, which is identity as well; all of them a day before leadloop."""
    with World(tmp_path, configuration(documents={"preset:lead": WITH_PHONE})) as made:
        for name, phone in (("ann", ANNS_PHONE), ("bob", BOBS_PHONE), ("cy", None)):
            made.salesforce.insert(
                "Lead", LastName=name.title(), Company="Acme", Email=f"{name}@acme.example", Phone=phone
            )
        for name in ("ann", "dora"):
            made.hubspot.create("contacts", email=f"{name}@acme.example", lastname=name.title())
        made.hubspot.create("contacts", email="mixed@acme.example", phone=BOBS_PHONE, lastname="Mixed")
        made.later(days=1)
        yield made


@pytest.fixture
def leadloop(world: World, leadloop: Shell) -> Shell:
    (leadloop.folder / "lead.yaml").write_text(WITH_PHONE, encoding="utf-8")
    (leadloop.folder / "leadloop.yaml").write_text(
        "rules: [rules.yaml]\nmappings: [lead.yaml, preset:salesforce, preset:hubspot]\n", encoding="utf-8"
    )
    return leadloop


def rows_of(world: World) -> dict[str, list[Any]]:
    """Every row of every table."""
    with world.database.read() as conn:
        return {table.name: list(conn.execute(select(table))) for table in metadata.sorted_tables}


def shown_by(world: World) -> str:
    """All that both platforms have, whatever time it is there: a command may have waited."""
    salesforce, hubspot = world.salesforce.to_json(), world.hubspot.to_json()
    del hubspot["crm"]["latest_ms"]
    return json.dumps([salesforce, hubspot], default=str, sort_keys=True)


def test_a_dry_run_tells_what_would_follow(world: World, leadloop: Shell) -> None:
    told = leadloop("backfill", "--dry-run", "--json").json

    records = {f"{each['side']}:{each['object']}": each["records"] for each in told["objects"]}
    assert (records["salesforce:Lead"], records["hubspot:contacts"]) == (3, 3)
    assert told["dry_run"] is told["finished"] is True
    assert told["leads"] == {"before": 0, "after": 4}
    assert told["on_both_sides"] == {"before": 0, "after": 2}
    assert told["on_one_side"] == {"hubspot": 1, "salesforce": 1}
    assert told["would_create"] == {"hubspot": 1}
    assert told["would_update"] == {"hubspot": 3, "salesforce": 3}
    assert told["calls"]["hubspot"] > 0


def test_a_dry_run_changes_nothing_anywhere(world: World, leadloop: Shell) -> None:
    leadloop("backfill", "--object", "salesforce:Lead")
    leadloop("run", "--once")
    before, shown = rows_of(world), shown_by(world)

    told = leadloop("backfill", "--dry-run", "--json").json

    assert told["leads"]["before"] == 3
    assert told["leads"]["after"] == 4
    assert rows_of(world) == before
    assert shown_by(world) == shown


def test_a_dry_run_needs_no_database_and_makes_none(leadloop: Shell, tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    told = leadloop("backfill", "--dry-run", "--json", LEADLOOP_DATABASE_URL=f"sqlite:///{path}")
    assert told.json["leads"]["after"] == 4
    assert not path.exists()


def test_the_dry_run_comes_true(world: World, leadloop: Shell) -> None:
    told = leadloop("backfill", "--dry-run", "--json").json

    done = leadloop("backfill", "--create", "--json").json
    leadloop("run", "--once")

    assert done["leads"] == told["leads"]
    assert done["on_both_sides"] == told["on_both_sides"]
    assert done["may_be_created"] == 2
    assert len(world.hubspot.rows("contacts")) == 3 + told["would_create"]["hubspot"]
    assert len(world.salesforce.rows("Lead")) == 3
    assert world.contact("cy@acme.example")["leadloop_id"] == world.lead("cy@acme.example").lead_id


def test_without_create_nothing_is_created(world: World, leadloop: Shell) -> None:
    leadloop("backfill")
    leadloop("run", "--once")
    assert (len(world.salesforce.rows("Lead")), len(world.hubspot.rows("contacts"))) == (3, 3)


def test_ambiguous_records_are_listed_and_written(world: World, leadloop: Shell, folder: Path) -> None:
    world.hubspot.update("contacts", world.contact("ann@acme.example")["hs_object_id"], phone=BOBS_PHONE)
    page = leadloop("backfill", "--dry-run", "--csv", "doubts.csv")
    [doubt] = leadloop("backfill", "--dry-run", "--json").json["ambiguous"]

    assert doubt["record"].startswith("hubspot:contacts:")
    assert doubt["fields"] == ["email", "phone"]
    assert len(doubt["candidates"]) >= 2
    assert f"{doubt['record']} by its email and phone" in page.out
    with (folder / "doubts.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["may be the person of"] for row in rows] == doubt["candidates"]


def test_it_goes_on_where_it_was_and_says_so(world: World, leadloop: Shell) -> None:
    world.hubspot.faults.fail_next(
        20,
        429,
        body={"status": "error", "errorType": "RATE_LIMIT", "policyName": "DAILY", "message": "no"},
        match="GET /crm/v3/objects/contacts",
    )
    stopped = leadloop("backfill")
    assert stopped.code == 1
    assert "the same command goes on from there" in stopped.err
    assert "side paused" in stopped.err
    assert "side paused" not in stopped.out
    world.hubspot.faults.clear()
    world.later(minutes=16)  # HubSpot is asked again only every quarter of an hour

    done = leadloop("backfill", "--json").json

    assert done["finished"]
    assert done["leads"] == {"before": 3, "after": 4}


def test_what_was_read_before_is_told_as_that_and_what_reads_it_again(world: World, leadloop: Shell) -> None:
    first = leadloop("backfill").out
    again = leadloop("backfill").out
    anew = leadloop("backfill", "--anew").out

    assert [text.count("read before") for text in (first, anew)] == [0, 0]
    assert again.count("read before\n") == first.count(" read\n") > 0
    assert "What was read before is not read again without --anew." in again


def test_one_lead_is_told_as_one(folder: Path, live: Live) -> None:
    live.sandbox.hubspot.create("contacts", email="ann@acme.example", lastname="Arbor")
    done = Shell(folder, live.environment)("backfill")
    assert "1 lead is known, +1 by this" in done.out


def test_the_share_of_the_days_calls_stops_it(world: World, leadloop: Shell) -> None:
    world.salesforce.daily_limit = 40
    stopped = leadloop("backfill")
    assert stopped.code == 1
    assert "the share of a backfill of the day's calls is used up" in stopped.err
    world.salesforce.daily_limit = 15_000
    assert leadloop("backfill", "--json").json["finished"]


def test_an_object_that_is_refused_does_not_keep_the_others_away(
    leadloop: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = Salesforce.everything

    def everything(self: Salesforce, name: str, *rest: Any, **named: Any) -> Iterator[BulkPage]:
        if name == "Contact":
            raise Refused("Give the integration user access to it.", "INSUFFICIENT_ACCESS")
        yield from usual(self, name, *rest, **named)

    monkeypatch.setattr(Salesforce, "everything", everything)
    stopped = leadloop("backfill", "--json")
    assert stopped.code == 1
    assert "salesforce:Contact was refused: INSUFFICIENT_ACCESS" in stopped.err
    assert [each["object"] for each in stopped.json["objects"] if not each["finished"]] == ["Contact"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--object", "contcts"], 'did you mean "contacts"'),
        (["--since", "yesterday"], "is no day"),
        (["--since", "2099-01-01"], "lies in the future"),
        (["--create", "--since", "2027-01-01"], "leave out --since and --object"),
        (["--create", "--object", "Lead"], "would not have been read wholly"),
        (["--csv", "nowhere/doubts.csv"], "--csv nowhere/doubts.csv cannot be written"),
    ],
)
def test_what_is_typed_wrongly_is_told_with_the_remedy(
    leadloop: Shell, arguments: list[str], told: str
) -> None:
    done = leadloop("backfill", *arguments)
    assert done.code == 2
    assert told.lower() in done.err.lower()
    assert "read" not in done.out, "nothing was read before it was told"


def test_what_is_typed_wrongly_leaves_no_database_behind(leadloop: Shell, folder: Path) -> None:
    """Connecting makes leadloop go live: what changes from then on is decided about."""
    url = {"LEADLOOP_DATABASE_URL": "sqlite:///new.db"}

    assert leadloop("backfill", "--object", "leads", **url).code == 2
    assert leadloop("backfill", "--since", "soon", **url).code == 2
    assert not (folder / "new.db").exists()
    assert leadloop("backfill", "--object", "Lead", **url).code == 0


def test_progress_tells_rate_and_time_left() -> None:
    clock = ManualClock(1_800_000_000_000)
    begun = Standing("salesforce", "Lead", None, "", total=10_000)
    pace = Pace(clock, [begun])
    clock.advance(10)
    half = Standing("salesforce", "Lead", None, "", records=5_000, total=10_000)
    pace.moved(half)
    assert pace.told(half) == "5,000 of about 10,000 (50 %), 500 a second, 10 seconds left"
    assert pace.told(half, 30.0) == (
        "5,000 of about 10,000 (50 %), waiting 30 s for salesforce, 500 a second, 10 seconds left"
    )


def test_the_time_of_a_run_that_goes_on_counts_what_it_reads_itself() -> None:
    clock = ManualClock(1_800_000_000_000)
    pace = Pace(clock, [Standing("salesforce", "Lead", None, "", records=9_000, total=10_000)])
    clock.advance(10)
    pace.moved(Standing("salesforce", "Lead", None, "", records=9_100, total=10_000))
    assert pace.rate() == 10
    assert pace.left_ms() == 90_000


def test_lines_tell_how_far_it_is(leadloop: Shell) -> None:
    done = leadloop("backfill")
    assert "salesforce:Lead: 3 read" in done.err
    assert "hubspot:contacts: 3 read" in done.err
    assert "1 on hubspot alone" in done.out


def test_a_terminal_shows_a_bar_for_each_object(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "120")
    clock = ManualClock(1_800_000_000_000)
    begun = Standing("salesforce", "Lead", None, "", total=10_000)
    with Bar(clock, [begun]) as bar:
        bar.page(begun, 2.0)
        clock.advance(10)
        bar.page(Standing("salesforce", "Lead", None, "", records=5_000, total=10_000), 0.0)
    shown = capsys.readouterr().err
    assert "salesforce:Lead" in shown
    assert "5,000 of about 10,000 (50 %), 500 a second, 10 seconds left" in shown


def test_a_terminal_shows_what_is_done_as_done_and_how_far_the_leads_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "120")
    clock = ManualClock(1_800_000_000_000)
    begun = [Standing("salesforce", name, None, "", total=10_000) for name in ("Lead", "Contact")]
    with Bar(clock, begun) as bar:
        clock.advance(10)
        bar.page(Standing("salesforce", "Lead", None, "", records=10_000, total=10_000, done=True), 0.0)
        bar.leads(500, 2_000, "decided")
        clock.advance(1)
        bar.leads(1_000, 2_000, "decided")
    lines = capsys.readouterr().err.splitlines()
    read = next(line for line in lines[::-1] if "salesforce:Lead" in line)
    leads = next(line for line in lines[::-1] if "decided" in line)
    assert read.rstrip().endswith("10,000 read"), "of what is done no time is left"
    assert "decided: 1,000 of about 2,000 (50 %), 500 a second, 2 seconds left" in leads


def test_a_backfill_leaves_calls_to_updates_and_those_leave_some_to_hand_offs() -> None:
    terms = Terms(day_limit=15_000, quota_percent=50, reserve_percent=20)
    assert [terms.ceiling(lane) for lane in (Lane.HANDOFF, Lane.UPDATE, Lane.BACKFILL)] == [
        7_500,
        6_000,
        4_800,
    ]
