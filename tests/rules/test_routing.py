"""Routes: the first that applies and yields somebody; why this one, and who was left out, in words."""

# the documents stand in one line each, so that columns can be counted

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mappings.source import Source
from rules.evaluate import Rules
from rules.load import load_rules
from rules.pools import PoolState
from rules.routing import Assignment, Standing, assign
from tests.rules.example_lead import FIELDS, NOW_MS, blank_lead

GATE = "gates: {mql: {}}\n"
QUEUE = '  - {route: rest, owner: "queue:Inbound Leads"}\n'


def load(*texts: str) -> Rules:
    fields = {**FIELDS, "account_owner": "owner", "state": "state"}
    return load_rules([Source(f"{number}.yaml", text) for number, text in enumerate(texts)], fields)


def assigned(
    text: str,
    standing: Standing | None = None,
    states: dict[str, PoolState] | None = None,
    now_ms: int = NOW_MS,
    **values: Any,
) -> Assignment:
    facts = blank_lead(values=values)
    matches = load(GATE + text).matches(facts, now_ms)
    return assign(matches, standing or Standing(values), states or {}, now_ms)


ROUTES = """
score: {fit: [{rule: staff, when: employees > 0, points: 30}]}
routes:
  - {route: top, when: score >= 30 and employees >= 500, owner: Boss@x.example}
  - {route: dach, when: 'country in ["DE", "AT"]', pool: [a@x.example, b@x.example, "queue:Team"]}
  - {route: rest, owner: "queue:Inbound Leads"}
"""


@pytest.mark.parametrize(
    ("values", "route", "owner"),
    [
        ({"employees": 500, "country": "DE"}, "top", "boss@x.example"),
        ({"employees": 499, "country": "DE"}, "dach", "a@x.example"),
        ({"employees": 499}, "rest", "queue:Inbound Leads"),
        ({}, "rest", "queue:Inbound Leads"),
    ],
)
def test_the_first_route_that_applies_takes_the_lead(values: dict[str, Any], route: str, owner: str) -> None:
    found = assigned(ROUTES, **values)
    assert found.route is not None
    assert (found.route.name, found.owner) == (route, owner)


def test_without_routes_nobody_gets_it() -> None:
    assert assigned("") == Assignment(None, None, None, (), {})


def test_who_is_named_gets_it_without_a_word() -> None:
    assert assigned(ROUTES, employees=500).told == ()


# pools --------------------------------------------------------------------------------------------------

SDR = """
pools:
  sdr:
    members:
      - {owner: a@x.example, away: [{from: 2020-01-01, until: 2020-12-31}]}
      - {owner: b@x.example, at_most_per_day: 1}
      - c@x.example
routes:
  - {route: everyone, pool: sdr}
  - {route: rest, owner: "queue:Inbound Leads"}
"""
IN_2020 = round(datetime(2020, 6, 1, tzinfo=ZoneInfo("UTC")).timestamp() * 1000)


def test_a_pool_by_name_says_whose_turn_it_was_and_who_was_left_out() -> None:
    found = assigned(SDR, now_ms=IN_2020)
    assert found.owner == "b@x.example"
    assert found.told == ("next in pool sdr; left out: a@x.example (away until 2020-12-31)",)
    again = assigned(SDR, states=dict(found.pools), now_ms=IN_2020)
    assert again.owner == "c@x.example"
    assert again.told == (
        "next in pool sdr; left out: a@x.example (away until 2020-12-31), b@x.example (has had 1 of 1 today)",
    )


def gone(owner: str) -> str | None:
    return "is gone" if owner == "b@x.example" else None


def test_a_pool_that_yields_nobody_leaves_the_lead_to_the_next_route_and_says_why() -> None:
    standing = Standing({}, barred={"c@x.example": "rejected it"}, unfit=gone)
    found = assigned(SDR, standing, now_ms=IN_2020)
    assert found.owner == "queue:Inbound Leads"
    assert found.told == (
        "route everyone: nobody in pool sdr: a@x.example (away until 2020-12-31), b@x.example (is gone), "
        "c@x.example (rejected it)",
    )


def test_two_routes_to_one_pool_share_its_turns() -> None:
    text = SDR.replace("routes:\n", "routes:\n  - {route: dach, when: 'country == \"DE\"', pool: sdr}\n")
    one = assigned(text, country="DE")
    two = assigned(text, states=dict(one.pools), country="FR")
    assert (one.owner, two.owner) == ("a@x.example", "b@x.example")
    assert set(one.pools) == {"pool:sdr"}


def test_all_pools_that_could_be_asked_are_named_so_that_they_can_be_locked() -> None:
    found = assigned(
        "routes:\n  - {route: a, pool: [a@x.example]}\n  - {route: b, pool: [b@x.example]}\n" + QUEUE
    )
    assert found.owner == "a@x.example"
    assert set(found.pools) == {"a", "b"}
    assert found.pools["b"] == PoolState()


def test_many_who_are_left_out_are_not_all_named() -> None:
    members = ", ".join(f"m{number}@x.example" for number in range(9))
    standing = Standing({}, unfit=lambda owner: None if owner == "m8@x.example" else "is gone")
    found = assigned(f"routes:\n  - {{route: all, pool: [{members}]}}\n", standing)
    assert found.owner == "m8@x.example"
    assert found.told == (
        "next in pool all; left out: m0@x.example, m1@x.example, m2@x.example, m3@x.example, m4@x.example "
        "and 3 more (is gone)",
    )


def test_hours_of_a_pool_are_read_where_the_member_is() -> None:
    text = """
hours: {office: {time_zone: Europe/Berlin, from: "09:00", to: "17:00"}}
pools:
  all:
    hours: office
    members: [eu@x.example, {owner: us@x.example, time_zone: America/New_York}]
routes: [{route: everyone, pool: all}]
"""
    evening = round(datetime(2026, 11, 23, 20, tzinfo=ZoneInfo("Europe/Berlin")).timestamp() * 1000)
    assert assigned(text, now_ms=evening).owner == "us@x.example"


# whoever the lead itself names --------------------------------------------------------------------------

TO = "routes:\n  - {route: before, to: previous_owner}\n  - {route: theirs, to: account_owner}\n" + QUEUE


def test_the_previous_owner_gets_it_back() -> None:
    found = assigned(TO, Standing({}, "sam@x.example"))
    assert (found.owner, found.told) == ("sam@x.example", ())


@pytest.mark.parametrize(
    ("standing", "told"),
    [
        (Standing({}), "route before: no previous owner"),
        (
            Standing({}, "sam@x.example", {"sam@x.example": "rejected it"}),
            "route before: sam@x.example rejected it",
        ),
        (
            Standing({}, "sam@x.example", unfit=lambda owner: "is no active user on crm"),
            "route before: sam@x.example is no active user on crm",
        ),
    ],
)
def test_without_a_previous_owner_who_can_have_it_the_next_route_is_asked(
    standing: Standing, told: str
) -> None:
    found = assigned(TO, standing)
    assert found.owner == "queue:Inbound Leads"
    assert found.told == (told, "route theirs: no account owner")


def test_the_owner_of_the_account_gets_it_but_no_queue_does() -> None:
    assert assigned(TO, account_owner="acc@x.example").owner == "acc@x.example"
    assert assigned(TO, account_owner="queue:Pool").owner == "queue:Inbound Leads"


def test_who_rejected_it_may_have_it_again_where_the_route_says_so() -> None:
    barred = {"sam@x.example": "rejected it"}
    text = TO.replace("to: previous_owner", "to: previous_owner, may_return: true")
    assert assigned(text, Standing({}, "sam@x.example", barred)).owner == "sam@x.example"


def test_a_named_owner_who_rejected_it_does_not_get_it_again() -> None:
    barred = Standing({}, barred={"sam@x.example": "rejected it"})
    text = "routes:\n  - {route: all, owner: sam@x.example}\n"
    assert assigned(text, barred).owner is None
    assert assigned(text, barred).told == ("route all: sam@x.example rejected it",)
    assert assigned(text + QUEUE, barred).owner == "queue:Inbound Leads"


def test_who_rejected_it_in_an_earlier_cycle_gets_it_only_if_nobody_else_does() -> None:
    avoided = Standing({}, avoided={"a@x.example": "rejected it before"})
    both = "routes:\n  - {route: all, pool: [a@x.example, b@x.example]}\n"
    found = assigned(both, avoided)
    assert found.owner == "b@x.example"
    assert found.told == ("next in pool all; left out: a@x.example (rejected it before)",)
    assert assigned(both.replace(", b@x.example", "") + QUEUE, avoided).owner == "queue:Inbound Leads"
    alone = assigned(both.replace(", b@x.example", ""), avoided)
    assert alone.owner == "a@x.example"
    assert alone.told == (
        "route all: nobody in pool all: a@x.example (rejected it before)",
        "next in pool all",
    )


# territories --------------------------------------------------------------------------------------------

TERRITORIES = """
pools: {eu: {members: [a@x.example, b@x.example]}}
territories:
  regions:
    by: [country, state, employees]
    rows:
      - {country: US, state: [ca, NV], owner: west@x.example}
      - {country: US, owner: east@x.example}
      - {country: [DE, AT], pool: eu}
      - {country: FR, employees: 7, pool: [f@x.example]}
routes:
  - {route: region, territory: regions}
  - {route: rest, owner: "queue:Inbound Leads"}
"""


@pytest.mark.parametrize(
    ("values", "owner", "route"),
    [
        ({"country": "US", "state": "CA"}, "west@x.example", "region"),
        ({"country": "US", "state": "NY"}, "east@x.example", "region"),
        ({"country": "US"}, "east@x.example", "region"),
        ({"country": "AT"}, "a@x.example", "region"),
        ({"country": "FR", "employees": 7}, "f@x.example", "region"),
        ({"country": "FR", "employees": 8}, "queue:Inbound Leads", "rest"),
        ({}, "queue:Inbound Leads", "rest"),
    ],
)
def test_a_territory_table_is_read_from_the_top(values: dict[str, Any], owner: str, route: str) -> None:
    found = assigned(TERRITORIES, **values)
    assert found.route is not None
    assert (found.owner, found.route.name) == (owner, route)
