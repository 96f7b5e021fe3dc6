"""`leadloop verify` says in 100 columns what was missed and why, repairs it, and exits with 1 if not."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from connector.clock import HOUR_MS
from connector.intake.sweep import lease_of
from connector.store.leases import take_lease
from connector.store.schema import observations
from tests.cli.people import ANN, ann_asks_for_prices
from tests.cli.shell import Shell
from tests.world import World


def in_step(world: World) -> None:
    """Ann was handed to sales, and hours have gone by since."""
    ann_asks_for_prices(world)
    world.run()
    world.later(hours=3)
    world.run()
    world.run()


def forget_version(world: World) -> None:
    """The database has an older version of Ann's Lead than Salesforce."""
    with world.database.begin() as conn:
        conn.execute(update(observations).where(observations.c.side == "salesforce").values(stamp_ms=1))


def test_says_that_nothing_was_missed(world: World, leadloop: Shell) -> None:
    in_step(world)
    answer = leadloop("verify")
    assert answer.code == 0
    assert answer.out.splitlines()[-1] == "Nothing was missed, and nothing is unexplained."
    assert answer.err == "", "progress is for terminals"


def test_names_what_was_missed_and_puts_it_right(world: World, leadloop: Shell) -> None:
    in_step(world)
    forget_version(world)
    record = world.sf_lead(ANN)["Id"]

    looked = leadloop("verify", "--no-repair")
    assert looked.code == 1
    assert looked.out.splitlines()[-1] == "1 thing to put right: say it again with --repair."

    answer = leadloop("verify")
    assert answer.code == 0
    (line,) = [line for line in answer.out.splitlines() if record in line]
    assert line.split() == [ANN, f"salesforce:Lead:{record}"]
    assert "1 thing put right" in answer.out
    assert max(map(len, answer.out.splitlines())) <= 100
    world.run()
    assert leadloop("verify", "--json").json["repaired"] == 0


def test_a_side_that_does_not_answer_hides_nothing_of_the_others(world: World, leadloop: Shell) -> None:
    in_step(world)
    world.hubspot.faults.fail_next(50, 503, match="GET /crm/v3/objects/contacts")

    answer = leadloop("verify")

    assert answer.code == 1
    assert "salesforce: 1 record, 1 lead" in answer.out
    assert answer.err.splitlines()[-1].startswith(
        "hubspot was not verified to its end: HubSpot gave no usable"
    )
    assert "). The same command goes on from there." in answer.err
    world.hubspot.faults.clear()
    world.later(minutes=6)
    assert leadloop("verify").code == 0


@pytest.mark.parametrize("arguments", [("--side", "marketo"), ("--object", "Leed")])
def test_a_name_that_is_none_is_told_before_anybody_is_asked(
    world: World, leadloop: Shell, arguments: tuple[str, str]
) -> None:
    in_step(world)
    world.hubspot.faults.quota_exhausted = True

    answer = leadloop("verify", *arguments)

    assert answer.code == 2
    assert repr(arguments[1]) in answer.err
    assert ": there are " in answer.err


def test_tells_the_same_as_json(world: World, leadloop: Shell) -> None:
    in_step(world)
    forget_version(world)
    told = leadloop("verify", "--side", "salesforce", "--json").json
    assert (told["unexplained"], told["not_repaired"], told["repaired"]) == (0, 0, 1)
    (cause,) = told["sides"]["salesforce"]["causes"]
    assert (cause["cause"], cause["found"], cause["named"][0]["email"]) == ("missed", 1, ANN)


def test_looks_at_one_object_alone(world: World, leadloop: Shell) -> None:
    in_step(world)
    told = leadloop("verify", "--object", "contacts", "--json").json
    assert {side: known["records"] for side, known in told["sides"].items()} == {"hubspot": 1}
    wrong = leadloop("verify", "--object", "contract")
    assert wrong.code == 2
    assert "No object 'contract' is mapped: there are " in wrong.err
    assert "There is no side 'crm'" in leadloop("verify", "--side", "crm").err


def test_one_at_a_time(world: World, leadloop: Shell) -> None:
    in_step(world)
    with world.database.begin() as conn:
        take_lease(conn, lease_of("hubspot"), "another", world.clock.now_ms(), HOUR_MS)
    answer = leadloop("verify", "--side", "hubspot")
    assert answer.code == 1
    assert "Another process verifies hubspot just now" in answer.err
