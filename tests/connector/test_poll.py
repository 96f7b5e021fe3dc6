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
    """A platform that answers with these pages, and then as it is told."""

    def __init__(self, platform: Any, pages: Sequence[ChangePage], error: Exception | None = None) -> None:
        self._platform, self._pages, self._error = platform, pages, error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._platform, name)

    def changes(self, watches: Sequence[Watch], lane: Lane) -> Iterator[ChangePage]:  # the protocol's
        yield from self._pages
        if self._error is not None:
            raise self._error


def _answering(world: World, pages: Sequence[ChangePage], error: Exception | None = None) -> None:
    installation = world.leadloop
    platform: Any = _Pages(installation.platforms["hubspot"], pages, error)
    installation.platforms = {**installation.platforms, "hubspot": platform}


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
