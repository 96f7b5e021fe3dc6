"""The report's counters: kept with the ledger, the same as counted anew, neither doubled nor lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from connector.lead import LeadState
from connector.report import history
from connector.report.context import DEFAULT_FIELDS, MoveContext
from connector.report.journey import Key
from connector.store import rollups
from connector.store.database import Database
from connector.store.leads import insert_leads
from connector.store.ledger import LedgerRow
from connector.store.settings_values import get_value
from tests.at_once import at_once
from tests.cli.people import ANN, sales_rejects_ann
from tests.store.conftest import a_lead
from tests.world import START_MS, World

DAY = 86_400_000


def counted(database: Database, figure: str, dimension: str = "all") -> Counter[tuple[str, ...]]:
    """The counters of one figure: (value, stage, how, reason) to number."""
    found: Counter[tuple[str, ...]] = Counter()
    with database.read() as conn:
        for key, number in rollups.all_counts(conn).items():
            if key.figure == figure and key.dimension == dimension:
                found[key.value, key.stage, key.how, key.reason] += number
    return found


def kept(database: Database) -> dict[Key, int]:
    with database.read() as conn:
        return rollups.all_counts(conn)


def rebuilt(database: Database) -> dict[Key, int]:
    with database.begin() as conn:
        history.rebuild(conn, DEFAULT_FIELDS)
        return rollups.all_counts(conn)


def move(lead: str, target: str, origin: str | None = None, day: float = 0, **given: object) -> LedgerRow:
    values: dict[str, object] = {
        "cycle": 1,
        "skipped": (),
        "cause": "rules" if origin else "created",
        "actor": None,
        "rules": [],
        "reason": None,
        "outcome": None,
        "configuration": "c1",
        **given,
    }
    at_ms = START_MS + int(day * DAY)
    values |= {"happened_ms": at_ms, "recorded_ms": at_ms}
    return LedgerRow(lead, origin=origin, target=target, **values)  # type: ignore[arg-type]  # right ones


def write(database: Database, *rows: LedgerRow, **about: object) -> None:
    """Each row in a transaction of its own, as over the weeks."""
    for row in rows:
        with database.begin() as conn:
            history.write_down(conn, [(row, MoveContext(**about))])  # type: ignore[arg-type]  # as above


def to_mql(lead: str, day: float = 0) -> list[LedgerRow]:
    fired = [
        {"rule": "senior", "part": "fit", "points": 20, "saw": {}},
        {"rule": "bounced", "part": "engagement", "points": -5, "saw": {}},
    ]
    return [
        move(lead, "inquiry", day=day),
        move(lead, "mql", "inquiry", day=day + 1, actor="mql gate", rules=fired, skipped=("nurture",)),
        move(lead, "distributed", "mql", day=day + 1, actor="everyone"),
    ]


def test_a_rejected_mql_is_counted_for_the_rules_that_made_it(database: Database) -> None:
    write(database, *to_mql("one"), owner="sam@x.example", source="Web")
    rejected = move("one", "nurture", "distributed", 3, cycle=2, cause="sales", reason="timing")
    write(database, rejected, owner="sam@x.example", source="Web")

    assert counted(database, "mql", "rule") == {
        ("senior", "fit", "made", ""): 1,
        ("senior", "fit", "rejected", "timing"): 1,
        ("mql gate", "gate", "made", ""): 1,
        ("mql gate", "gate", "rejected", "timing"): 1,
    }
    assert counted(database, "rejected", "owner") == {
        ("sam@x.example", "distributed", "nurture", "timing"): 1
    }
    assert counted(database, "skipped") == {("", "nurture", "", ""): 1}


def test_a_lead_that_is_routed_again_is_one_mql(database: Database) -> None:
    write(database, *to_mql("one"))
    write(
        database,
        move("one", "mql", "distributed", 2, cause="sales", reason="wrong_territory"),
        move("one", "distributed", "mql", 2),
        move("one", "accepted", "distributed", 3, cause="sales"),
    )

    assert counted(database, "mql") == {("", "mql", "made", ""): 1, ("", "mql", "accepted", ""): 1}
    assert counted(database, "rejected") == {("", "distributed", "mql", "wrong_territory"): 1}
    assert counted(database, "again") == {("", "mql", "", ""): 1, ("", "distributed", "", ""): 1}


def test_an_opportunity_that_is_opened_again_is_not_lost_any_more(database: Database) -> None:
    write(
        database,
        *to_mql("one"),
        move("one", "opportunity", "distributed", 4, cause="fact", skipped=("accepted", "qualified")),
        move("one", "closed", "opportunity", 9, cause="fact", outcome="lost", reason="price"),
        move("one", "opportunity", "closed", 10, cause="fact"),
        move("one", "closed", "opportunity", 20, cause="fact", outcome="won"),
    )

    outcomes = {how: number for (_, _, how, _), number in counted(database, "mql").items()}
    assert outcomes == {"made": 1, "accepted": 1, "won": 1}


def test_a_lead_that_came_back_counts_in_its_later_cycle(database: Database) -> None:
    write(database, *to_mql("one"))
    write(
        database,
        move("one", "nurture", "distributed", 3, cycle=2, cause="sales", reason="timing"),
        move("one", "mql", "nurture", 40, cycle=2, actor="mql gate"),
    )

    made = {key.cycle: number for key, number in kept(database).items()
            if key.dimension == "all" and key.how == "made"}  # fmt: skip
    assert made == {1: 1, 2: 1}


def test_rebuilt_counters_are_the_kept_ones(database: Database) -> None:
    write(database, *to_mql("one"), source="Web", owner="a@x.example", touches=3)
    write(database, move("one", "accepted", "distributed", 2.5, cause="sales"), source="Mail")
    write(database, *to_mql("two", 5), source="Web")
    write(database, move("two", "nurture", "distributed", 9, cycle=2, cause="clock", reason="no answer"))
    write(database, move("three", "accepted", cause="imported"))
    write(database, move("three", "opportunity", "accepted", 3, cause="fact"))

    before = kept(database)

    assert rebuilt(database) == before
    assert rebuilt(database) == before


def test_a_ledger_from_before_there_were_counters_is_counted_once(database: Database) -> None:
    state = LeadState("one", "hubspot", 1, values={"country": "DE"}).to_json()
    with database.begin() as conn:
        insert_leads(conn, [a_lead("one", state=state)])
    write(database, *to_mql("one"))
    with database.begin() as conn:
        conn.execute(text("DELETE FROM rollups"))
        conn.execute(text("DELETE FROM move_contexts"))
    told: list[str] = []

    history.ensure_counted(database, DEFAULT_FIELDS, lambda: told.append("counting"))
    history.ensure_counted(database, DEFAULT_FIELDS, lambda: told.append("again"))

    assert told == ["counting"]
    with database.read() as conn:
        assert get_value(conn, history.COUNTED) == history.VERSION
    assert counted(database, "mql", "segment") == {("DE", "mql", "made", ""): 1}


def test_two_workers_at_once_lose_no_count(database: Database) -> None:
    def work(name: str) -> None:
        for number in range(15):
            write(database, *to_mql(f"{name}{number}"))

    at_once(work, ["a", "b"])

    assert counted(database, "mql") == {("", "mql", "made", ""): 30}


def test_odd_characters_of_a_platform_can_be_counted(database: Database) -> None:
    write(database, *to_mql("one"), source="a\0b\ud800<b>")

    assert list(counted(database, "mql", "source")) == [("a\ufffdb\ufffd<b>", "mql", "made", "")]


# two leads that become one ------------------------------------------------------------------------------


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as made:
        made.leadloop  # noqa: B018  # connected before anybody acts, so that everything here is new
        yield made


def make_mql(world: World, email: str = ANN) -> str:
    """A contact asks for prices and is handed to sales; returns the id of the Salesforce Lead."""
    world.run()
    world.hubspot.create(
        "contacts", email=email, firstname="Ann", lastname="Lee", company="Acme", jobtitle="VP Sales"
    )
    world.run()
    world.hubspot.submit_form(email, "Pricing")
    world.run()
    return str(world.sf_lead(email)["Id"])


def test_what_settling_writes_is_what_counting_anew_gives(world: World) -> None:
    sales_rejects_ann(world)
    owner = world.sf_lead(ANN)["OwnerId"]
    email = next(email for email, user in world.users.items() if user == owner)
    before = kept(world.database)

    assert counted(world.database, "rejected", "owner") == {(email, "distributed", "nurture", "timing"): 1}
    assert counted(world.database, "mql", "rule")["form", "engagement", "rejected", "timing"] == 1
    assert rebuilt(world.database) == before


# two leads that become one ------------------------------------------------------------------------------


def outcomes(database: Database) -> dict[str, int]:
    return {how: number for (_, _, how, _), number in counted(database, "mql").items()}


def test_an_mql_that_is_merged_into_a_lead_in_nurture_stays_one_mql(world: World) -> None:
    pursued = make_mql(world)
    other = world.salesforce.insert("Lead", LastName="Lee", Company="Acme", Email="a.lee@acme.example")
    world.run()
    world.salesforce.merge(other, pursued)
    world.run()
    assert outcomes(world.database) == {"made": 1}
    world.later(hours=3)
    world.salesforce.update("Lead", other, Leadloop_Verdict__c="accepted")
    world.run()

    assert world.lead(other).stage.value == "accepted"
    assert outcomes(world.database) == {"made": 1, "accepted": 1}
    before = kept(world.database)
    assert rebuilt(world.database) == before


def test_an_mql_that_is_merged_into_another_one_ends_there(world: World) -> None:
    one = make_mql(world)
    two = make_mql(world, "a.lee@acme.example")
    world.salesforce.merge(two, one)
    world.run()

    assert outcomes(world.database) == {"made": 2, "merged": 1}
    before = kept(world.database)
    assert rebuilt(world.database) == before


def test_a_customer_who_loses_a_second_deal_stays_won(database: Database) -> None:
    write(
        database,
        *to_mql("one"),
        move("one", "opportunity", "distributed", 4, cause="fact", skipped=("accepted", "qualified")),
        move("one", "closed", "opportunity", 9, cause="fact", outcome="won"),
        move("one", "opportunity", "closed", 200, cause="fact"),
    )
    assert outcomes(database) == {"made": 1, "accepted": 1, "won": 1}

    write(database, move("one", "closed", "opportunity", 230, cause="fact", outcome="lost", reason="price"))

    assert outcomes(database) == {"made": 1, "accepted": 1, "won": 1}
    assert kept(database) == rebuilt(database)


def test_a_lead_that_was_given_back_and_is_won_all_the_same_counts_as_accepted_and_once(
    database: Database,
) -> None:
    write(
        database,
        *to_mql("one"),
        move("one", "disqualified", "distributed", 3, cause="sales", reason="not_a_fit"),
        move("one", "opportunity", "disqualified", 4, cause="fact"),
        move("one", "closed", "opportunity", 9, cause="fact", outcome="won"),
        *to_mql("two"),
        move("two", "accepted", "distributed", 3, cause="sales"),
        move("two", "disqualified", "accepted", 4, cause="sales", reason="not_a_fit"),
        move("two", "opportunity", "disqualified", 5, cause="fact"),
    )
    assert outcomes(database) == {"made": 2, "accepted": 2, "won": 1}
    assert kept(database) == rebuilt(database)
