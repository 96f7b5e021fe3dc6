"""Listing: every record of one object by HubSpot's list, in the order of ids.

Pages of 100 with no wall at 10,000 and no index lag; `after` is the id of the next record, so a list that
was left goes on where it was (HubSpot's OpenAPI spec, and recorded answers). Very many properties do not fit
into a URL: then the list gives ids alone, and a batch read the values. Must not decide what is wanted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.clock import Clock
from connector.lane import Lane
from connector.platforms.hubspot.associations import listed_refs
from connector.platforms.hubspot.names import is_id
from connector.platforms.hubspot.records import (
    associated_with,
    modified_property,
    naming_property,
    observe,
    wanted_properties,
)
from connector.platforms.hubspot.transport import Transport
from connector.platforms.protocol import BulkPage, Listed, ListPage
from connector.platforms.stamps import epoch_ms

PAGE = 100
LONGEST_QUERY = 12_000
"""Characters of a query string that surely pass; one public reader splits at 15,000."""


@dataclass(frozen=True, slots=True)
class _Page:
    """The rows of a page, those of its list and those that have the values; the id of the next record; and
    when the values were asked for."""

    listed: Sequence[Mapping[str, Any]]
    rows: Sequence[dict[str, Any]]
    following: str | None
    started_ms: int


class Listing:
    """The lists of one account."""

    def __init__(self, transport: Transport, clock: Clock, side: str) -> None:
        self._transport = transport
        self._clock = clock
        self._side = side
        self._too_long: set[tuple[str, int]] = set()  # objects and numbers of properties that were refused

    def pages(self, object_name: str, fields: Sequence[str], after: str, lane: Lane) -> Iterator[BulkPage]:
        """The records from `after` on (blank: from the first). Raises RetryLater, Refused."""
        while True:
            page = self._page(object_name, fields, after if is_id(after) else None, lane, {})
            found = observe(page.rows, self._side, object_name, fields, page.started_ms)
            after = page.following or ""
            yield BulkPage(object_name, found, after, last=not after)
            if not after:
                return

    def page(self, object_name: str, fields: Sequence[str], after: str | None, lane: Lane) -> ListPage:
        """100 records that are not archived, with their `updatedAt` (hubspot.md section 7), these fields and
        what they are associated with. Raises RetryLater, Refused."""
        target = associated_with(object_name)
        more = {} if target is None else {"associations": [target]}
        page = self._page(object_name, fields, after, lane, more)
        refs = {row["id"]: listed_refs(object_name, row) for row in page.listed}
        named = naming_property(object_name) is not None
        seen = observe(page.rows, self._side, object_name, fields, page.started_ms)
        rows = [
            Listed(
                item.record_id,
                item.stamp_ms,
                item.deleted,
                item.refs if named else refs[item.record_id],
                item.fields,
            )
            for item in seen
            if item.merged_into is None  # those that went into a record are listed nowhere
        ]
        return ListPage(rows, page.following)

    def archived(self, object_name: str, after: str | None, lane: Lane) -> ListPage:
        """100 records of the recycle bin, without fields. Raises RetryLater, Refused."""
        page = self._page(object_name, None, after, lane, {"archived": "true"})
        rows = [Listed(row["id"], epoch_ms(row["updatedAt"]), bool(row.get("archived"))) for row in page.rows]
        return ListPage(rows, page.following)

    def _page(
        self,
        object_name: str,
        fields: Sequence[str] | None,
        after: str | None,
        lane: Lane,
        more: Mapping[str, object],
    ) -> _Page:
        # some property must be named: without, HubSpot sends a set of its own
        least = [modified_property(object_name)]
        properties = least if fields is None else wanted_properties(object_name, fields)
        key = object_name, len(properties)
        by_batch = (
            key in self._too_long or sum(len(f"&properties={name}") for name in properties) > LONGEST_QUERY
        )
        parameters = {"limit": PAGE, "properties": least if by_batch else properties, **more}
        if after is not None:
            parameters["after"] = after
        started_ms = self._clock.now_ms()
        answer = self._transport.page(object_name, lane, **parameters)
        if answer.status == 414 and not by_batch:
            self._too_long.add(key)
            return self._page(object_name, fields, after, lane, more)
        body = answer.checked()
        listed = rows = body["results"]
        if by_batch and rows:
            asked = {
                "properties": properties,
                "propertiesWithHistory": [],
                "inputs": [{"id": row["id"]} for row in rows],
            }
            started_ms = self._clock.now_ms()
            rows = self._transport.batch(object_name, "read", asked, lane).checked()["results"]
            # the list is in the order of ids; nothing says that a batch's answer is
            place = {row["id"]: number for number, row in enumerate(listed)}
            rows = sorted((row for row in rows if row["id"] in place), key=lambda row: place[row["id"]])
        following = ((body.get("paging") or {}).get("next") or {}).get("after")
        return _Page(listed, rows, None if following is None else str(following), started_ms)
