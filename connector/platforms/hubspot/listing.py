"""Listing: every record of one object by HubSpot's list, in the order of ids.

Pages of 100 with no wall at 10,000 and no index lag; `after` is the id of the next record, so a list that
was left goes on where it was (HubSpot's OpenAPI spec, and recorded answers). Very many properties do not fit
into a URL: then the list gives ids alone, and a batch read the values. Must not decide what is wanted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from connector.clock import Clock
from connector.lane import Lane
from connector.platforms.hubspot.names import is_id
from connector.platforms.hubspot.records import observe, wanted_properties
from connector.platforms.hubspot.transport import Transport
from connector.platforms.protocol import BulkPage

PAGE = 100
LONGEST_QUERY = 12_000
"""Characters of a query string that surely pass; one public reader splits at 15,000."""


def read_list(
    transport: Transport,
    clock: Clock,
    side: str,
    object_name: str,
    fields: Sequence[str],
    after: str,
    lane: Lane,
) -> Iterator[BulkPage]:
    """The records from `after` on (blank: from the first). Raises RetryLater, Refused."""
    properties = wanted_properties(object_name, fields)
    by_batch = sum(len(f"&properties={name}") for name in properties) > LONGEST_QUERY
    while True:
        parameters: dict[str, Any] = {"limit": PAGE}
        if not by_batch:
            parameters["properties"] = properties
        if is_id(after):
            parameters["after"] = after
        started_ms = clock.now_ms()
        answer = transport.page(object_name, lane, **parameters)
        if answer.status == 414 and not by_batch:
            by_batch = True
            continue
        body = answer.checked()
        rows = body["results"]
        if by_batch and rows:
            asked = {
                "properties": properties,
                "propertiesWithHistory": [],
                "inputs": [{"id": row["id"]} for row in rows],
            }
            started_ms = clock.now_ms()
            rows = transport.batch(object_name, "read", asked, lane).checked()["results"]
        following = ((body.get("paging") or {}).get("next") or {}).get("after")
        after = "" if following is None else str(following)
        yield BulkPage(
            object_name, observe(rows, side, object_name, fields, started_ms), after, last=following is None
        )
        if following is None:
            return
