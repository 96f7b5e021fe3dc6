"""Pools: fair to within one lead whatever the weights, for those who can take a lead; nobody is flooded."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.office_hours import OfficeHours
from rules.pools import Member, Pool, PoolState, pick

NINE_TO_FIVE = ((540, 1020),)
BERLIN = OfficeHours("berlin", "Europe/Berlin", (NINE_TO_FIVE,) * 5 + ((), ()))
NEW_YORK = OfficeHours("new york", "America/New_York", (NINE_TO_FIVE,) * 5 + ((), ()))


def at(text: str, zone: str = "Europe/Berlin") -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def days(first: str, last: str) -> tuple[tuple[int, int], ...]:
    return ((date.fromisoformat(first).toordinal(), date.fromisoformat(last).toordinal()),)


MONDAY = at("2026-11-23T10:00")


def pool_of(*members: Member, outside_hours: str = "in_turn") -> Pool:
    return Pool("p", members, outside_hours, "p")  # type: ignore[arg-type]  # one of the three words


class Desk:
    """Hands out leads of one pool, with the state as it is kept: as JSON."""

    def __init__(self, pool: Pool, state: str = "{}") -> None:
        self.pool = pool
        self.state = state

    def next(self, now_ms: int = MONDAY, **barred: str) -> str | None:
        taken = pick(
            self.pool,
            PoolState.from_json(json.loads(self.state)),
            now_ms,
            barred={f"{name}@x": why for name, why in barred.items()},
        )
        self.state = json.dumps(taken.state.to_json())
        return taken.owner

    def give(self, leads: int, now_ms: int = MONDAY) -> Counter[str | None]:
        return Counter(self.next(now_ms) for _ in range(leads))


def test_ten_thousand_leads_over_fifty_stay_within_one_of_fair() -> None:
    desk = Desk(pool_of(*(Member(f"{number}@x") for number in range(50))))
    given_to: Counter[str | None] = Counter()
    for number in range(1, 10_001):
        given_to[desk.next()] += 1
        if number % 97 == 0:
            assert max(given_to.values()) - min(given_to.values() if len(given_to) == 50 else [0]) <= 1
    assert set(given_to.values()) == {200}


@settings(max_examples=60, deadline=None)
@given(weights=st.lists(st.integers(1, 100), min_size=1, max_size=50), leads=st.integers(1, 400))
def test_nobody_is_ever_a_lead_away_from_the_fair_number(weights: list[int], leads: int) -> None:
    desk = Desk(pool_of(*(Member(f"{place}@x", weight) for place, weight in enumerate(weights))))
    had = [0] * len(weights)
    for number in range(1, leads + 1):
        had[int(str(desk.next()).partition("@")[0])] += 1
        for count, weight in zip(had, weights, strict=True):
            assert abs(count - number * weight / sum(weights)) < 1 + 1e-3


def test_members_take_turns_in_the_order_in_which_they_are_written() -> None:
    desk = Desk(pool_of(Member("a@x"), Member("b@x"), Member("c@x")))
    assert [desk.next() for _ in range(7)] == ["a@x", "b@x", "c@x", "a@x", "b@x", "c@x", "a@x"]


def test_a_weight_of_two_gets_every_other_lead_of_three() -> None:
    desk = Desk(pool_of(Member("a@x"), Member("b@x", weight=2)))
    assert desk.give(3_000) == {"a@x": 1_000, "b@x": 2_000}


def test_turns_that_were_kept_as_a_number_go_on_where_they_were() -> None:
    members = [Member(f"{name}@x") for name in "abc"]
    for turn in range(7):
        desk = Desk(pool_of(*members), json.dumps({"turn": turn}))
        expected = [members[(turn + number) % 3].owner for number in range(6)]
        assert [desk.next() for _ in range(6)] == expected


def test_who_comes_late_is_not_flooded() -> None:
    old = Desk(pool_of(Member("a@x"), Member("b@x")))
    old.give(1_001)
    desk = Desk(pool_of(Member("a@x"), Member("b@x"), Member("late@x")), old.state)
    for _ in range(5):
        three = desk.give(3)
        assert three["late@x"] in (1, 2)
    assert 10 <= desk.give(30)["late@x"] <= 11


def test_who_was_away_for_a_week_is_not_flooded_on_the_way_back() -> None:
    desk = Desk(pool_of(Member("a@x"), Member("b@x", away=days("2026-11-23", "2026-11-29")), Member("c@x")))
    desk.give(10, at("2026-11-20T10:00"))
    assert desk.give(100) == {"a@x": 50, "c@x": 50}
    assert desk.give(9, at("2026-11-30T10:00"))["b@x"] in (3, 4)


def test_who_is_away_comes_back_at_midnight_of_where_they_are() -> None:
    away = Member("b@x", time_zone="America/New_York", away=days("2026-11-20", "2026-11-23"))
    desk = Desk(pool_of(Member("a@x"), away))
    assert desk.give(2, at("2026-11-23T23:59", "America/New_York"))["b@x"] == 0
    assert desk.give(2, at("2026-11-24T00:00", "America/New_York"))["b@x"] == 1


def test_a_cap_is_for_the_day_of_the_one_who_has_it() -> None:
    capped = Member("b@x", at_most_per_day=2, time_zone="America/New_York")
    desk = Desk(pool_of(Member("a@x"), capped))
    evening = at("2026-11-23T20:00", "America/New_York")  # in Berlin it is tomorrow already
    assert desk.give(20, evening) == {"a@x": 18, "b@x": 2}
    assert desk.give(20, at("2026-11-23T23:59", "America/New_York")) == {"a@x": 20}
    assert desk.give(4, at("2026-11-24T00:00", "America/New_York"))["b@x"] == 2


def test_when_all_are_at_their_cap_or_away_nobody_gets_it_and_no_turn_is_taken() -> None:
    away = Member("b@x", away=days("2026-11-23", "2026-11-23"))
    pool = pool_of(Member("a@x", at_most_per_day=1), away)
    desk = Desk(pool)
    assert desk.next() == "a@x"
    before = desk.state
    assert desk.next() is None
    assert desk.state == before
    taken = pick(pool, PoolState.from_json(json.loads(before)), MONDAY)
    assert taken.left_out == (("a@x", "has had 1 of 1 today"), ("b@x", "away until 2026-11-23"))


def test_a_pool_that_gives_nobody_says_when_time_alone_brings_somebody() -> None:
    pool = pool_of(Member("a@x"), Member("b@x", at_most_per_day=1, time_zone="America/New_York"))
    rejected = {"a@x": "rejected it"}
    taken = pick(pool, PoolState(), MONDAY, barred=rejected)
    again = pick(pool, taken.state, MONDAY, barred=rejected)
    assert (taken.owner, again.owner) == ("b@x", None)
    assert again.again_ms == at("2026-11-24T00:00", "America/New_York")
    assert pick(pool, taken.state, MONDAY, barred={**rejected, "b@x": "rejected it"}).again_ms is None
    at_night = pool_of(Member("c@x", hours=BERLIN), outside_hours="next_route")
    assert pick(at_night, PoolState(), at("2026-11-23T20:00")).again_ms == at("2026-11-24T09:00")


def test_only_those_at_work_get_leads_while_somebody_is() -> None:
    desk = Desk(pool_of(Member("eu@x", hours=BERLIN), Member("us@x", hours=NEW_YORK), Member("any@x")))
    assert desk.give(20, at("2026-11-23T10:00")) == {"eu@x": 10, "any@x": 10}
    assert desk.give(20, at("2026-11-23T21:00")) == {"us@x": 10, "any@x": 10}


@pytest.mark.parametrize(
    ("outside_hours", "night"),
    [
        ("in_turn", {"eu@x": 10, "us@x": 10}),
        ("next_at_work", {"eu@x": 20}),
        ("next_route", {None: 20}),
    ],
)
def test_what_happens_at_night_is_what_the_pool_says(outside_hours: str, night: dict[str, int]) -> None:
    members = Member("us@x", hours=NEW_YORK), Member("eu@x", hours=BERLIN)
    desk = Desk(pool_of(*members, outside_hours=outside_hours))
    assert desk.give(20, at("2026-11-24T04:00")) == night
    assert desk.give(20, at("2026-11-24T16:00")) == {"eu@x": 10, "us@x": 10}, "both are at work"


@pytest.mark.parametrize("outside_hours", ["in_turn", "next_at_work"])
def test_if_all_at_work_may_not_have_it_somebody_else_gets_it(outside_hours: str) -> None:
    members = Member("us@x", hours=NEW_YORK), Member("eu@x", hours=BERLIN)
    desk = Desk(pool_of(*members, outside_hours=outside_hours))
    assert desk.next(at("2026-11-23T10:00"), eu="rejected it") == "us@x"
    assert desk.next(at("2026-11-23T10:00")) == "eu@x"


def test_at_night_who_is_away_tomorrow_is_not_next_at_work() -> None:
    away = Member("eu@x", hours=BERLIN, time_zone="Europe/Berlin", away=days("2026-11-24", "2026-11-24"))
    members = away, Member("us@x", hours=NEW_YORK)
    desk = Desk(pool_of(*members, outside_hours="next_at_work"))
    assert desk.next(at("2026-11-23T23:30")) == "us@x"


def test_who_may_not_have_this_lead_is_next_for_another() -> None:
    desk = Desk(pool_of(Member("a@x"), Member("b@x"), Member("c@x")))
    assert desk.next(a="rejected it") == "b@x"
    assert [desk.next() for _ in range(2)] == ["a@x", "c@x"]


def test_who_rejects_much_is_not_flooded_afterwards() -> None:
    desk = Desk(pool_of(Member("a@x"), Member("b@x"), Member("c@x")))
    for _ in range(100):
        assert desk.next(a="rejected it") != "a@x"
    assert desk.give(12)["a@x"] <= 6


def test_a_pool_forgets_who_has_left_it() -> None:
    old = Desk(pool_of(Member("a@x", at_most_per_day=5), Member("gone@x", at_most_per_day=5)))
    old.give(4)
    desk = Desk(pool_of(Member("a@x", at_most_per_day=5), Member("b@x")), old.state)
    desk.next()
    assert "gone@x" not in desk.state


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_happens_each_lead_goes_to_somebody_who_can_take_it(data: st.DataObject) -> None:
    """Members come and go, are away, capped, barred, at work or not; the pick is always one of those left,
    and nobody who can take leads all the time falls behind those who can too."""
    hours = st.sampled_from([None, BERLIN, NEW_YORK])
    zones = st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Auckland"])
    today = date(2026, 11, 23).toordinal()
    ranges = st.tuples(st.integers(today - 2, today + 2), st.integers(0, 2))
    members = tuple(
        Member(
            f"{place}@x",
            data.draw(st.integers(1, 5)),
            data.draw(st.sampled_from([None, 1, 3])),
            data.draw(hours),
            data.draw(zones),
            tuple((first, first + more) for first, more in data.draw(st.lists(ranges, max_size=1))),
        )
        for place in range(data.draw(st.integers(1, 6)))
    )
    pool = pool_of(
        *members, outside_hours=data.draw(st.sampled_from(["in_turn", "next_at_work", "next_route"]))
    )
    state, now_ms, had = PoolState(), MONDAY, Counter[tuple[str, int]]()
    for _ in range(40):
        now_ms += data.draw(st.integers(0, 4 * 3_600_000))
        barred = {f"{place}@x": "rejected it" for place in data.draw(st.sets(st.integers(0, 5), max_size=2))}
        taken = pick(pool, state, now_ms, barred=barred)
        left_out = {owner for owner, _ in taken.left_out}
        assert taken.owner not in left_out
        assert left_out | {taken.owner} <= {member.owner for member in members} | {None}
        if taken.owner is None:
            assert left_out == {member.owner for member in members}
            assert taken.state is state
        else:
            chosen = next(member for member in members if member.owner == taken.owner)
            wall = datetime.fromtimestamp(now_ms / 1000, ZoneInfo(chosen.time_zone)).date().toordinal()
            had[taken.owner, wall] += 1
            assert chosen.at_most_per_day is None or had[taken.owner, wall] <= chosen.at_most_per_day
            assert not any(first <= wall <= last for first, last in chosen.away)
        assert PoolState.from_json(json.loads(json.dumps(taken.state.to_json()))) == taken.state
        state = taken.state
