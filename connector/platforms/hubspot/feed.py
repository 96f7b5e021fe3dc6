"""Feed: reading the changes of one object through search, past its holes.

Search pages by offset, shows at most 10,000 results of a query, and has one sort rule. So: pages overlap by
one record, which shows when a record moved while we read (then reading starts again at the last stamp); of a
stamp that goes on over the edge of a page as many records must have been seen as it has places, since nothing
is said about the order of equals (else reading starts again there, too);
before the wall the window starts again at the last stamp; and where one stamp has more records than a window
has room for (mass updates do that), they are read by `hs_object_id`. Archived records are never in it. Must
not pace itself: the meter does.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import takewhile
from typing import Any

from connector.platforms.hubspot.records import modified_property, wanted_properties
from connector.platforms.stamps import epoch_ms

PAGE = 200
WALL = 10_000

ALIKE = 5
"""After so many pages of one stamp it is asked how many records have it, so that those of a mass update are
not first read up to the wall and then once more by id."""

Row = dict[str, Any]
Search = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Sends a search body and gives back the answer's body."""


@dataclass(frozen=True, slots=True)
class FeedPage:
    """New rows, in order, and whether they are the last for now."""

    rows: Sequence[Row]
    last: bool


class _Ended(Enum):
    """Why a window has no more pages: all is read, another window goes on, or its last stamp has more records
    than the window has room for."""

    LAST = auto()
    OVER = auto()
    CROWDED = auto()


@dataclass(slots=True)
class _Window:
    """Where reading stands: everything before `floor_ms` is read, and at `floor_ms` the ids in `seen`. The
    highest stamp so far begins at place `top_at` of the window, which has shown `shown` of it."""

    floor_ms: int
    seen: set[str] = field(default_factory=set)
    top_ms: int = 0
    top_ids: set[str] = field(default_factory=set)
    top_at: int = 0
    shown: set[str] = field(default_factory=set)

    def passed_over(self, rows: Sequence[Row], at: int, *, end: bool) -> bool:
        """Whether a record of the highest stamp before this page, which begins at place `at`, was not shown:
        the page tells how many there are, if they end in it."""
        alike = list(takewhile(lambda row: epoch_ms(row["updatedAt"]) <= self.top_ms, rows))
        self.shown.update(row["id"] for row in alike)
        ended = end or len(alike) < len(rows)
        return ended and len(self.shown) < at + len(alike) - self.top_at

    def fresh(self, rows: Sequence[Row], at: int = 0) -> Sequence[Row]:
        """The rows not handed on before; remembers the ids at the highest stamp. Rows come in ascending
        order, so only the first ones can be at the floor, and the last one is the highest."""
        new = rows
        if self.seen:
            old = len(list(takewhile(lambda row: epoch_ms(row["updatedAt"]) == self.floor_ms, rows)))
            new = [row for row in rows[:old] if row["id"] not in self.seen]
            new.extend(rows[old:])
        if rows:
            top = rows[-1]["updatedAt"]
            alike = {row["id"] for row in takewhile(lambda row: row["updatedAt"] == top, reversed(rows))}
            if epoch_ms(top) > self.top_ms:
                self.top_ms, self.top_ids = epoch_ms(top), set()
                self.top_at, self.shown = at + len(rows) - len(alike), set(alike)
            self.top_ids |= alike
        return new


def read_changes(
    search: Search, object_name: str, fields: Sequence[str], since_ms: int
) -> Iterator[FeedPage]:
    """All records changed at or after `since_ms`, oldest first; the last page says so, and may be empty.

    A record that changes while it is being read may come twice. Raises what `search` raises."""
    modified = modified_property(object_name)
    properties = wanted_properties(object_name, fields)
    window = _Window(since_ms, top_ms=since_ms)
    while True:
        ended = yield from _window(search, modified, properties, window)
        if ended is _Ended.LAST:
            return
        top_ms, seen = window.top_ms, set(window.top_ids)
        if top_ms > window.floor_ms and ended is not _Ended.CROWDED:
            window = _Window(top_ms, seen, top_ms, set(seen))
            continue
        # one stamp has more than a window shows: take all of it by id, then go on after it
        if top_ms == window.floor_ms:
            seen |= window.seen
        crowd = _Window(top_ms, seen, top_ms)
        for rows in _same_stamp(search, modified, properties, top_ms):
            yield FeedPage(crowd.fresh(rows), last=False)
        window = _Window(top_ms + 1, top_ms=top_ms + 1)


def _window(
    search: Search, modified: str, properties: list[str], window: _Window
) -> Generator[FeedPage, None, _Ended]:
    """Pages from the window's floor on."""
    offset = 0
    previous: str | None = None
    alike, alike_from = 0, 0
    while offset + PAGE <= WALL:
        answer = search(
            _body(
                [_filter(modified, "GTE", window.floor_ms)], modified, properties, offset if offset else None
            )
        )
        rows = answer["results"]
        if previous is not None:
            if not rows or rows[0]["id"] != previous:
                return _Ended.OVER  # a record moved: what slid over the page's edge would be lost
            rows = rows[1:]
        at = offset + len(answer["results"]) - len(rows)
        end = not rows or offset + len(answer["results"]) >= answer["total"]
        if window.passed_over(rows, at, end=end):
            return _Ended.OVER
        yield FeedPage(window.fresh(rows, at), last=end)
        if end:
            return _Ended.LAST
        previous = rows[-1]["id"]
        if answer["results"][0]["updatedAt"] != rows[-1]["updatedAt"]:
            alike = 0
        else:
            alike, alike_from = alike + 1, alike_from if alike else offset
        offset += len(answer["results"]) - 1
        if alike == ALIKE and answer["total"] > WALL:
            crowd = _count(search, modified, window.top_ms)
            if alike_from + crowd > WALL:
                return _Ended.CROWDED
    return _Ended.OVER


def _count(search: Search, modified: str, stamp_ms: int) -> int:
    """How many records have this very stamp."""
    filters = [_filter(modified, "GTE", stamp_ms), _filter(modified, "LTE", stamp_ms)]
    return int(search({**_body(filters, modified, [], None), "limit": 1})["total"])


def _same_stamp(
    search: Search, modified: str, properties: list[str], stamp_ms: int
) -> Iterator[Sequence[Row]]:
    last_id = "0"
    while True:
        filters = [
            _filter(modified, "GTE", stamp_ms),
            _filter(modified, "LTE", stamp_ms),
            {"propertyName": "hs_object_id", "operator": "GT", "value": last_id},
        ]
        answer = search(_body(filters, "hs_object_id", properties, None))
        rows = answer["results"]
        if rows:
            yield rows
            last_id = rows[-1]["id"]
        if not rows or len(rows) >= answer["total"]:
            return


def _filter(name: str, operator: str, stamp_ms: int) -> dict[str, str]:
    # dates are filtered by epoch milliseconds, as text
    return {"propertyName": name, "operator": operator, "value": str(stamp_ms)}


def _body(
    filters: list[dict[str, str]], sort: str, properties: list[str], offset: int | None
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "filterGroups": [{"filters": filters}],
        "sorts": [{"propertyName": sort, "direction": "ASCENDING"}],
        "properties": properties,
        "limit": PAGE,
    }
    if offset is not None:
        body["after"] = str(offset)
    return body
