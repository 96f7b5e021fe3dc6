"""Routes: the first that applies and yields somebody; why this one, and who was left out, in words."""

# ruff: noqa: E501  # the documents stand in one line each, so that columns can be counted

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mappings.problems import ConfigErrors
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


# mistakes -----------------------------------------------------------------------------------------------


def mistakes(*texts: str) -> list[str]:
    with pytest.raises(ConfigErrors) as raised:
        load(*texts)
    return [error.partition(".yaml:")[2] for error in str(raised.value).splitlines()]


FALLBACK = 'end with one such as {route: everyone, owner: "queue:Inbound Leads"}'
TABLE = "territories: {t: {by: [country], rows: "
TO_TABLE = "}}\nroutes:\n  - {route: r, territory: t}\n" + QUEUE


@pytest.mark.parametrize(
    ("text", "told"),
    [
        # a fallback that may fail
        (
            "routes: [{route: a, to: previous_owner}]",
            f"2:10: the last route may leave a lead without an owner: not every lead has its previous owner; {FALLBACK}",
        ),
        (
            "routes: [{route: a, pool: [{owner: a@x.example, at_most_per_day: 5}]}]",
            "2:10: the last route may leave a lead without an owner: all members of its pool may be away, "
            f"at their cap, or not at work; {FALLBACK}",
        ),
        (
            "pools: {p: {members: [{owner: a@x.example, away: [{from: 2026-12-20, until: 2026-12-31}]}]}}\n"
            "routes: [{route: a, pool: p}]",
            '3:10: the last route may leave a lead without an owner: all members of the pool "p" may be away, '
            f"at their cap, or not at work; {FALLBACK}",
        ),
        (
            "hours: {b: {time_zone: UTC, from: 09:00, to: 17:00}}\n"
            "pools: {p: {members: [a@x.example], hours: b, outside_hours: next_route}}\n"
            "routes: [{route: a, pool: p}]",
            '4:10: the last route may leave a lead without an owner: all members of the pool "p" may be away, '
            f"at their cap, or not at work; {FALLBACK}",
        ),
        (
            TABLE + "[{country: DE, owner: a@x.example}]}}\nroutes: [{route: a, territory: t}]",
            '3:10: the last route may leave a lead without an owner: no row of "t" takes all the rest; '
            + FALLBACK,
        ),
        (
            TABLE
            + "[{country: DE, pool: [{owner: a@x.example, at_most_per_day: 5}]}, {owner: 'queue:Q'}]}}\n"
            + "routes: [{route: a, territory: t}]",
            "3:10: the last route may leave a lead without an owner: all members of its pool may be away, "
            f"at their cap, or not at work; {FALLBACK}",
        ),
        (
            "routes:\n  - {route: a, owner: a@x.example, may_return: true}\n  - {route: b, owner: b@x.example}",
            '4:5: no lead comes to this route: "a" before it takes all; move it up',
        ),
        # what does not exist
        (
            "routes:\n  - {route: a, to: acount_owner}\n" + QUEUE,
            '3:20: there is no owner "acount_owner" of a lead; did you mean "account_owner"?',
        ),
        (
            "routes:\n  - {route: a, to: country}\n" + QUEUE,
            '3:20: there is no owner "country" of a lead; did you mean "account_owner"?',
        ),
        (
            "pools: {sdr: {members: [a@x.example]}}\nroutes:\n  - {route: a, pool: sdrs}\n" + QUEUE,
            '4:22: there is no pool "sdrs"; did you mean "sdr"?',
        ),
        (
            "routes:\n  - {route: a, pool: sdr}\n" + QUEUE,
            '3:22: there is no pool "sdr"; write it under pools:',
        ),
        (
            "routes:\n  - {route: a, territory: t}\n" + QUEUE,
            '3:27: there is no territory table "t"; write it under territories:',
        ),
        (
            "pools: {p: {members: [{owner: a@x.example, hours: berln}]}}\n"
            'hours: {berlin: {time_zone: Europe/Berlin, from: "09:00", to: "17:00"}}',
            '2:51: there are no office hours "berln"; did you mean "berlin"?',
        ),
        (
            "pools: {p: {members: [a@x.example], hours: berlin}}",
            '2:44: there are no office hours "berlin"; write it under hours:',
        ),
        # pools
        ("pools: {p: {members: []}}", "2:22: the pool is empty"),
        ("pools: {p: {}}", '2:9: "members" is missing'),
        (
            "pools: {p: {members: [a@x.example, Anna]}}",
            '2:36: "Anna" is no owner; write an e-mail address or queue:<Name>',
        ),
        (
            "pools: {p: {members: [a@x.example, {owner: A@x.example}]}}",
            '2:22: "a@x.example" is in the pool twice',
        ),
        (
            "pools: {p: {members: [{owner: a@x.example, weigth: 2}]}}",
            '2:44: unknown key "weigth"; did you mean "weight"?',
        ),
        (
            "pools: {p: {members: [{owner: a@x.example, weight: 0}]}}",
            "2:52: this must be at least 1, not the number 0",
        ),
        (
            "pools: {p: {members: [{owner: a@x.example, at_most_per_day: 0}]}}",
            "2:61: this must be at least 1, not the number 0",
        ),
        (
            "pools: {p: {members: [{owner: a@x.example, time_zone: Mars}]}}",
            '2:55: there is no time zone "Mars"; write it as "Europe/Berlin"',
        ),
        (
            "pools: {p: {members: [a@x.example], outside_hours: wait}}",
            '2:52: "wait" is not known here; known: in_turn, next_at_work, next_route',
        ),
        (
            "pools: {p: {members: [{owner: a@x.example, away: [{from: 2026-12-20, until: 2026-12-19}]}]}}",
            "2:51: until 2026-12-19 is before from 2026-12-20",
        ),
        (
            "pools: {p: {members: [{owner: a@x.example, away: [{from: 2026-12-20, until: 20.12.2026}]}]}}",
            '2:77: "20.12.2026" is no date; write it as 2026-12-25',
        ),
        (
            "pools: {p: {members: [{owner: a@x.example, away: [{from: 2026-12-20, until: 2066-12-20}]}]}}",
            "2:51: away for more than ten years; take the owner out of the pool",
        ),
        (
            "routes: [{route: a, pool: {members: [a@x.example]}}]",
            "2:27: a pool is a name under pools:, or a list of owners",
        ),
        (
            "routes: [{route: a, owner: a@x.example, to: previous_owner}]",
            "2:10: a route needs one of owner:, pool:, to: and territory:",
        ),
        # territories
        (
            TABLE + "[{contry: DE, owner: a@x.example}]" + TO_TABLE,
            '2:42: "contry" is no column of this table; did you mean "country"?',
        ),
        (
            TABLE.replace("[country]", "[contry]") + "[{contry: DE, owner: a@x.example}]" + TO_TABLE,
            '2:24: unknown field "contry"; did you mean "country"?',
        ),
        (
            TABLE + "[{country: 49, owner: a@x.example}]" + TO_TABLE,
            "2:51: this must be a text, not the number 49; put it in quotes",
        ),
        (
            TABLE + "[{country: {DE: 1}, owner: a@x.example}]" + TO_TABLE,
            "2:51: a row names texts or numbers; leave the column out if any value will do",
        ),
        (
            TABLE + "[{country: [], owner: a@x.example}]" + TO_TABLE,
            "2:51: a row names texts or numbers; leave the column out if any value will do",
        ),
        (TABLE + "[{country: DE}]" + TO_TABLE, "2:41: a row needs either owner: or pool:"),
        (TABLE + "[]" + TO_TABLE, "2:40: this must not be empty"),
        (
            TABLE + "[{owner: a@x.example}, {country: DE, owner: b@x.example}]" + TO_TABLE,
            "2:63: no lead comes to this row: row 1 before it takes all; move it up",
        ),
        (
            TABLE.replace("[country]", "[country, owner]") + "[{owner: a@x.example}]" + TO_TABLE,
            '2:23: "owner" cannot be a column; it says who gets the lead',
        ),
        (
            TABLE.replace("[country]", "[country, country]") + "[{owner: a@x.example}]" + TO_TABLE,
            '2:23: "country" is here twice',
        ),
    ],
)
def test_the_message(text: str, told: str) -> None:
    assert mistakes(GATE + text) == [told]


@pytest.mark.parametrize(
    "last",
    [
        '{route: a, owner: "queue:Inbound Leads"}',
        "{route: a, owner: a@x.example}",
        "{route: a, pool: [{owner: a@x.example, at_most_per_day: 5}, b@x.example]}",
        "{route: a, pool: p}",
    ],
)
def test_a_last_route_that_always_gives_somebody_is_taken(last: str) -> None:
    pool = "pools: {p: {members: [{owner: a@x.example, hours: b}], outside_hours: next_at_work}}\n"
    hours = "hours: {b: {time_zone: UTC, from: 09:00, to: 17:00}}\n"
    load(GATE + hours + pool + f"routes: [{last}]")


def test_one_name_in_two_files() -> None:
    pools = "pools: {p: {members: [a@x.example]}}\n"
    table = "territories: {t: {by: [country], rows: [{owner: a@x.example}]}}"
    assert mistakes(GATE + pools + table, pools + table) == [
        '1:12: the pool "p" is here twice (first in 0.yaml:2)',
        '2:18: the territory table "t" is here twice (first in 0.yaml:3)',
    ]


def test_a_pool_a_table_and_hours_may_stand_in_another_file() -> None:
    load(
        GATE + "routes:\n  - {route: a, territory: t}\n" + QUEUE,
        "pools: {p: {members: [a@x.example], hours: b}}",
        "territories: {t: {by: [country], rows: [{country: DE, pool: p}]}}",
        "hours: {b: {time_zone: UTC, from: 09:00, to: 17:00}}",
    )


def test_everybody_whom_the_rules_name_is_known_with_the_place() -> None:
    rules = load(
        GATE
        + """
pools: {p: {members: [a@x.example, {owner: b@x.example}]}}
territories: {t: {by: [country], rows: [{country: DE, owner: c@x.example}, {pool: [d@x.example]}]}}
routes:
  - {route: r, when: opted_out, owner: e@x.example}
  - {route: s, pool: p}
  - {route: u, territory: t}
deadlines: [{deadline: x, stage: distributed, within: 3 days, on_breach: escalate, to: f@x.example}]
"""
    )
    assert {(one.owner, one.where, one.line, one.column, one.in_pool) for one in rules.named_owners} == {
        ("a@x.example", 'pool "p"', 3, 23, True),
        ("b@x.example", 'pool "p"', 3, 36, True),
        ("c@x.example", 'row 1 of territory "t"', 4, 62, False),
        ("d@x.example", 'row 2 of territory "t"', 4, 84, True),
        ("e@x.example", 'route "r"', 6, 40, False),
        ("f@x.example", 'deadline "x"', 9, 88, False),
    }


def test_days_away_are_those_of_where_they_are_written_for_a_member_of_two_pools() -> None:
    rules = load(
        GATE
        + """
pools:
  us: {time_zone: America/New_York, members: [{owner: a@x.example, away: [{from: 2027-01-18, until: 2027-01-18}]}]}
  eu: {members: [a@x.example]}
routes:
  - {route: r, when: opted_out, pool: us}
  - {route: s, pool: eu}
"""
    )
    assert rules.absence_of("a@x.example").time_zone == "America/New_York"
