"""What a look at a platform stores, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from connector.intake.poll import poll
from connector.lane import Lane
from connector.observation import Observation
from connector.platforms.errors import RetryLater
from connector.platforms.protocol import ChangePage, Cursor, Watch
from connector.store.catch_ups import ask_catch_ups
from connector.store.cursors import cursors_of
from tests.world import World


def _page(name: str, numbers: range, *, last: bool = False) -> ChangePage:
    found = [
        Observation("hubspot", name, str(number), number, 1, {"email": f"p{number}@x.example"})
        for number in numbers
    ]
    reached = Cursor(found[-1].stamp_ms, found[-1].record_id) if found else None
    return ChangePage(name, found, reached, last)


class _Pages:
    """A platform that answers with these pages, and then as it is told. `since_ms`: what it was asked for."""

    def __init__(self, platform: Any, pages: Sequence[ChangePage], error: Exception | None = None) -> None:
        self._platform, self._pages, self._error = platform, pages, error
        self.since_ms: dict[str, int] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._platform, name)

    def changes(self, watches: Sequence[Watch], lane: Lane) -> Iterator[ChangePage]:  # the protocol's
        self.since_ms = {watch.object: watch.since_ms for watch in watches}
        yield from self._pages
        if self._error is not None:
            raise self._error


def _answering(world: World, pages: Sequence[ChangePage], error: Exception | None = None) -> _Pages:
    installation = world.leadloop
    platform: Any = _Pages(installation.platforms["hubspot"], pages, error)
    installation.platforms = {**installation.platforms, "hubspot": platform}
    return platform


def test_what_was_read_before_an_answer_that_does_not_come_is_kept(world: World) -> None:
    later = 1_800_000_100_000
    pages = [
        _page("contacts", range(later, later + 200)),
        _page("contacts", range(later + 200, later + 300)),
    ]
    _answering(world, pages, RetryLater("the search is away", 60.0))
    with pytest.raises(RetryLater):
        poll(world.leadloop, "hubspot")
    with world.database.read() as conn:
        assert cursors_of(conn, "hubspot")["contacts"] == Cursor(later + 299, str(later + 299))
    assert world.lead("p1800000100299@x.example").origin == "hubspot"
    _answering(world, [_page("contacts", range(later + 200, later + 300), last=True)])
    assert poll(world.leadloop, "hubspot").changed == 0


def test_pages_of_several_objects_are_stored_each_with_its_own_cursor(world: World) -> None:
    later = 1_800_000_100_000
    pages = [
        _page("contacts", range(later, later + 3)),
        _page("deals", range(later, later + 2)),
        _page("contacts", range(later + 3, later + 5)),
        _page("contacts", range(0), last=True),
    ]
    _answering(world, pages)
    polled = poll(world.leadloop, "hubspot")
    assert (polled.records, polled.changed) == (7, 7)
    with world.database.read() as conn:
        cursors = cursors_of(conn, "hubspot")
    # read to their ends: what is stamped ahead of the platform's clock does not take the cursor along
    assert cursors["contacts"] == Cursor(world.clock.now_ms() - 30_000)
    assert cursors["deals"] == Cursor(later + 1, str(later + 1))


def test_what_is_made_up_for_goes_on_where_it_was_broken_off(world: World) -> None:
    early = world.clock.now_ms() - 86_400_000
    with world.database.begin() as conn:
        ask_catch_ups(conn, "hubspot", ("contacts",), early)
        before = cursors_of(conn, "hubspot")["contacts"]

    first = _answering(world, [_page("contacts", range(early, early + 200))], RetryLater("away", 60.0))
    with pytest.raises(RetryLater):
        poll(world.leadloop, "hubspot")
    second = _answering(world, [_page("contacts", range(early + 200, early + 250), last=True)])
    assert poll(world.leadloop, "hubspot").changed == 50
    third = _answering(world, [_page("contacts", range(0), last=True)])
    poll(world.leadloop, "hubspot")

    assert first.since_ms["contacts"] == early
    assert second.since_ms["contacts"] == early + 199
    assert third.since_ms["contacts"] >= before.stamp_ms - 30_000, "nothing is left to be made up for"


def _busy_for(hours: int, world: World) -> range:
    """The stamps of what changes all through these hours, one a minute."""
    now_ms = world.clock.now_ms()
    return range(now_ms, now_ms + hours * 3_600_000, 60_000)


def _at(name: str, stamps: Sequence[int], *, last: bool = False) -> ChangePage:
    found = [Observation("hubspot", name, str(stamp), stamp, 1, {}) for stamp in stamps]
    return ChangePage(name, found, Cursor(stamps[-1], str(stamps[-1])), last)


def test_a_look_that_is_broken_off_goes_on_where_it_was_however_long_it_takes(world: World) -> None:
    """Each break-off would else cost all that was read, and what takes longer than the overlap never end."""
    poll(world.leadloop, "hubspot")
    stamps = _busy_for(3, world)
    world.later(hours=3)
    for done in (60, 120):
        looked = _answering(world, [_at("contacts", stamps[done - 60 : done])], RetryLater("slow", 60.0))
        with pytest.raises(RetryLater):
            poll(world.leadloop, "hubspot")
        if done == 120:
            assert looked.since_ms["contacts"] == stamps[59]
        world.later(minutes=30)
    rest = _answering(world, [_at("contacts", stamps[120:], last=True)])
    poll(world.leadloop, "hubspot")
    assert rest.since_ms["contacts"] == stamps[119]


def test_what_shows_up_late_behind_a_look_that_was_broken_off_is_read_by_a_later_one(world: World) -> None:
    poll(world.leadloop, "hubspot")
    stamps = _busy_for(3, world)
    world.later(hours=3)
    began_ms = world.clock.now_ms()
    _answering(world, [_at("contacts", stamps)], RetryLater("away", 60.0))
    with pytest.raises(RetryLater):
        poll(world.leadloop, "hubspot")
    sought: list[int] = []
    for _ in range(12):
        world.later(minutes=1)
        looked = _answering(world, [ChangePage("contacts", [], None, last=True, asked_ms=None)])
        poll(world.leadloop, "hubspot")
        sought.append(looked.since_ms["contacts"])
    assert sought[0] == stamps[-1], "first what is left"
    assert min(sought[1:]) == began_ms - 600_000, "then what may have shown up since"
