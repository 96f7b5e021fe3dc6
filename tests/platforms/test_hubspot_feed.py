"""Reading changes through search: nothing is lost or read for ever, whatever happens meanwhile."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.platforms.hubspot.feed import ALIKE, PAGE, WALL, read_changes

START = 1_790_000_000_000


class _Portal:
    """Search as documented: one sort, offsets, 10,000 results of a query, all filters of one group."""

    def __init__(self, stamps: Mapping[int, int]) -> None:
        self.stamps = dict(stamps)
        self.calls = 0
        self.meanwhile: Callable[[int], None] = lambda call: None
        self.tie: Callable[[int, int], object] = lambda call, record_id: record_id

    def search(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self.calls += 1
        self.meanwhile(self.calls)
        offset, limit = int(body.get("after", 0)), body["limit"]
        assert limit <= 200
        assert offset + limit <= WALL, "paging past the wall is a 400"
        (group,) = body["filterGroups"]
        rows = [
            (at, stamp) for at, stamp in self.stamps.items() if self._matches(at, stamp, group["filters"])
        ]
        by_id = body["sorts"][0]["propertyName"] == "hs_object_id"
        rows.sort(key=lambda row: row if by_id else (row[1], self.tie(self.calls, row[0])))
        return {"total": len(rows), "results": [_row(*row) for row in rows[offset : offset + limit]]}

    @staticmethod
    def _matches(record_id: int, stamp: int, filters: list[dict[str, str]]) -> bool:
        for each in filters:
            value = record_id if each["propertyName"] == "hs_object_id" else stamp
            other = int(each["value"])
            if not {"GTE": value >= other, "LTE": value <= other, "GT": value > other}[each["operator"]]:
                return False
        return True


def _row(record_id: int, stamp: int) -> dict[str, Any]:
    text = datetime.fromtimestamp(stamp / 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{stamp % 1_000:03d}Z"
    return {"id": str(record_id), "updatedAt": text, "properties": {}}


def _read(portal: _Portal, since: int = START) -> tuple[list[int], int]:
    seen: list[int] = []
    lasts = 0
    for page in read_changes(portal.search, "contacts", ("email",), since):
        seen += [int(row["id"]) for row in page.rows]
        lasts += page.last
        assert portal.calls < 2_000, "reads for ever"
    assert lasts == 1
    return seen, portal.calls


def test_exactly_one_page_is_one_call() -> None:
    seen, calls = _read(_Portal({at: START + at for at in range(1, PAGE + 1)}))
    assert (len(seen), calls) == (PAGE, 1)


def test_nothing_changed_is_one_call() -> None:
    assert _read(_Portal({1: START - 1})) == ([], 1)


def test_more_than_the_wall_is_read_whole_and_in_order() -> None:
    portal = _Portal({at: START + at // 7 for at in range(1, 25_001)})
    seen, calls = _read(portal)
    assert seen == list(range(1, 25_001))
    assert calls <= 25_000 / 199 + 3


def test_12_000_records_of_one_stamp_among_30_000_are_all_read_once() -> None:
    stamps = {at: START + (5_000 if 9_000 <= at < 21_000 else at // 2) for at in range(1, 30_001)}
    seen, calls = _read(_Portal(stamps))
    assert sorted(seen) == list(range(1, 30_001))
    # the first pages of the crowded stamp are read by offset, again in the next window since the wall came
    # first, and by id; and it is counted once
    assert calls <= 30_000 / 199 + 2 * ALIKE + 2


@pytest.mark.parametrize(("first", "last"), [(1, 12_001), (1, 10_001), (1_990, 10_020), (5_000, 12_999)])
def test_a_crowd_that_meets_the_wall_is_hardly_read_twice(first: int, last: int) -> None:
    stamps = {at: START + (5_000 if first <= at < last else at // 2) for at in range(1, 13_001)}
    seen, calls = _read(_Portal(stamps))
    assert sorted(seen) == list(range(1, 13_001))
    assert calls <= 13_000 / 199 + ALIKE + 1 + 3


def test_crowds_that_a_window_has_room_for_cost_a_question_each() -> None:
    seen, calls = _read(_Portal({at: START + at // 1_500 for at in range(1, 12_001)}))
    assert sorted(seen) == list(range(1, 12_001))
    # the crowd that meets the wall is read again in the next window
    assert calls <= 12_000 / 199 + 12_000 / 1_500 + 1_500 / 199 + 3


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 40), min_size=0, max_size=900),
    st.dictionaries(st.integers(2, 6), st.lists(st.integers(1, 900), max_size=30), max_size=4),
)
def test_no_record_is_lost_when_others_change_while_reading(
    offsets: list[int], edits: dict[int, list[int]]
) -> None:
    portal = _Portal({at: START + offset for at, offset in enumerate(offsets, 1)})

    def edit(call: int) -> None:
        for record_id in edits.get(call, ()):
            if record_id in portal.stamps:
                portal.stamps[record_id] = START + 1_000 + call

    portal.meanwhile = edit
    seen, _ = _read(portal)
    assert set(seen) == set(portal.stamps)


@pytest.mark.parametrize("call", [2, 3])
@pytest.mark.parametrize("edited", [[5], [1, 2, 3], [200], [199, 200, 201], list(range(1, 151))])
def test_what_is_edited_while_reading_pushes_nothing_over_the_edge_of_a_page(
    call: int, edited: list[int]
) -> None:
    """All later records move up by as many places; those at the edge are on the page that was read before."""
    portal = _Portal({at: START + at for at in range(1, 601)})

    def edit(now: int) -> None:
        if now == call:
            portal.stamps |= dict.fromkeys(edited, START + 5_000)

    portal.meanwhile = edit
    seen, calls = _read(portal)
    assert set(seen) == set(portal.stamps)
    assert calls <= 600 / 199 + 3


@pytest.mark.parametrize("seed", [1, 7, 37, 46])
def test_records_of_one_stamp_may_come_in_another_order_with_every_page(seed: int) -> None:
    """HubSpot sorts by one property and says nothing of how ties are broken: a page may come from another
    replica than the page before it."""
    chance = random.Random(seed)
    stamps: list[int] = []
    while len(stamps) < 3_000:
        stamps += [START + len(stamps)] * chance.choice([1, 2, 3, 4, 5, 100, 250])
    portal = _Portal(dict(enumerate(stamps, 1)))
    orders = [chance.sample(range(len(stamps) + 1), len(stamps) + 1) for _ in range(3)]
    portal.tie = lambda call, record_id: orders[call % 3][record_id]
    seen, calls = _read(portal)
    assert set(seen) == set(portal.stamps)
    assert calls <= 5 * len(stamps) / 199
