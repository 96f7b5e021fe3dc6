"""Query results in pages: page sizes, locators, and the snapshots of ids behind them.

A cursor keeps ids only; rows show their values at the time of the page. Source: facts/salesforce.md 3.1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connector.clock import DAY_MS
from connector.sandbox.salesforce import ids
from connector.sandbox.salesforce.refusals import Refusal
from connector.sandbox.salesforce.soql_run import Found
from connector.sandbox.salesforce.world import World

LARGEST_PAGE = 2_000
SMALLEST_BATCH = 200
LONG_TEXT_PAGE = 1_000
CURSOR_LIFE_MS = 2 * DAY_MS
_MOST_CURSORS = 500


@dataclass(slots=True)
class Cursor:
    found: Found
    made_ms: int
    page: int


@dataclass(slots=True)
class Cursors:
    """The open cursors of an org. `page_size` is the most rows that a page has, whatever is asked for."""

    world: World
    page_size: int = LARGEST_PAGE
    _open: dict[str, Cursor] = field(default_factory=dict)
    _issued: int = 0

    def first_page(self, found: Found, base: str, wanted: int | None) -> dict[str, Any]:
        """The answer to a query. `base`: `/services/data/v62.0`. `wanted`: the batch size asked for."""
        if found.count is not None:
            return {"totalSize": found.count, "done": True, "records": []}
        if found.aggregate is not None:
            return {"totalSize": 1, "done": True, "records": [found.aggregate]}
        cursor = Cursor(found, self.world.now_ms(), self._size(found, wanted))
        locator = ""
        if len(found.ids) > cursor.page:
            locator = self._keep(cursor)
        return self._page(cursor, locator, 0, base)

    def next_page(self, locator: str, base: str) -> dict[str, Any]:
        """The page that a nextRecordsUrl names. Raises Refusal (INVALID_QUERY_LOCATOR)."""
        name, _, start = locator.rpartition("-")
        cursor = self._open.get(name)
        if (
            cursor is None
            or not start.isdigit()
            or not 0 < int(start) < len(cursor.found.ids)
            or self.world.now_ms() - cursor.made_ms > CURSOR_LIFE_MS
        ):
            raise Refusal("INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(cursor, name, int(start), base)

    def clear(self) -> None:
        """Forget every cursor, as after a long time."""
        self._open.clear()

    def _size(self, found: Found, wanted: int | None) -> int:
        size = LARGEST_PAGE if wanted is None else min(max(wanted, SMALLEST_BATCH), LARGEST_PAGE)
        if found.long_text:
            size = min(size, LONG_TEXT_PAGE)
        return max(1, min(size, self.page_size))

    def _keep(self, cursor: Cursor) -> str:
        while len(self._open) >= _MOST_CURSORS:
            self._open.pop(next(iter(self._open)))
        self._issued += 1
        locator = ids.issue("0r8", self._issued)
        self._open[locator] = cursor
        return locator

    def _page(self, cursor: Cursor, locator: str, start: int, base: str) -> dict[str, Any]:
        found = cursor.found
        end = start + cursor.page
        render, shown = found.render, self.world.tables[found.object.name].shown
        records = []
        for row_id in found.ids[start:end]:
            row = shown(row_id)
            if row is not None and render is not None and (found.deleted_too or not row.get("IsDeleted")):
                records.append(render(row))
        total = len(found.ids)
        if end >= total:
            return {"totalSize": total, "done": True, "records": records}
        next_url = f"{base}/query/{locator}-{end}"
        return {"totalSize": total, "done": False, "nextRecordsUrl": next_url, "records": records}
