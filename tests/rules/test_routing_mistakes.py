"""Mistakes in routes, pools, territories and hours, each told at its place; and what is no mistake."""

# ruff: noqa: E501  # the documents stand in one line each, so that columns can be counted

from __future__ import annotations

import pytest

from mappings.problems import ConfigErrors
from tests.rules.test_routing import GATE, QUEUE, load


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
