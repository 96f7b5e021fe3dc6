"""Associations: whom a HubSpot record is about, as the `refs` of its observation.

A deal has no property that names its contacts: they are read by the associations API, for a thousand deals a
call (changelog of February 2025), and only for deals that are being read anyway. A lead of the leads object
names its contact in a property. Whether a change of an association moves the record's own stamp is not known;
nothing here relies on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from connector.lane import Lane
from connector.observation import NO_REFS, Observation, Refs
from connector.platforms.errors import PlatformError
from connector.platforms.hubspot.faults import classify_item
from connector.platforms.hubspot.records import associated_with
from connector.platforms.hubspot.transport import Transport
from connector.platforms.protocol import BulkPage, ChangePage, id_order

MOST_READ: Final = 1_000

_NONE: Final = "NO_ASSOCIATIONS_FOUND"

Page = TypeVar("Page", ChangePage, BulkPage)


def listed_refs(object_name: str, row: Mapping[str, Any]) -> Refs | None:
    """What a row of a list that was asked for its associations shows of them; None where that is not all."""
    target = associated_with(object_name)
    if target is None:
        return None
    shown = (row.get("associations") or {}).get(target) or {}
    if shown.get("paging"):
        return None
    ids = {str(each["id"]) for each in shown.get("results") or ()}
    return {target: tuple(sorted(ids, key=id_order))} if ids else NO_REFS


class Associations:
    """Reads associations of one account."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def completed(self, pages: Iterable[Page], object_name: str, lane: Lane) -> Iterator[Page]:
        """The same pages with what their records are associated with. Pages wait until there are enough
        records for a call; those that were read before a fault are handed on before it is raised."""
        if associated_with(object_name) is None:
            yield from pages
            return
        waiting: list[Page] = []
        fault: PlatformError | None = None
        left: Page | None
        reader = iter(pages)
        while True:
            try:
                left = next(reader, None)
            except PlatformError as error:
                fault, left = error, None
            if left is not None:
                waiting.append(left)
            number = sum(len(page.observations) for page in waiting)
            if waiting and (left is None or left.last or number + len(left.observations) > MOST_READ):
                yield from self._complete(waiting, object_name, lane)
                waiting = []
            if left is None:
                break
        if fault is not None:
            raise fault

    def of(self, observations: Sequence[Observation], object_name: str, lane: Lane) -> Sequence[Observation]:
        """The same observations with what their records are associated with. Raises RetryLater, Refused."""
        target = associated_with(object_name)
        if target is None:
            return observations
        ids = [item.record_id for item in observations if not item.deleted]
        found = self.read(object_name, target, ids, lane)
        return [
            item._replace(refs={target: known}) if (known := found.get(item.record_id)) else item
            for item in observations
        ]

    def read(self, origin: str, target: str, ids: Iterable[str], lane: Lane) -> dict[str, tuple[str, ...]]:
        """The ids of the records that each of these is associated with; () for none. Raises RetryLater,
        Refused."""
        found: dict[str, set[str]] = {}
        inputs: list[dict[str, str]] = [{"id": each} for each in dict.fromkeys(ids)]
        asked_again: set[str] = set()
        while inputs:
            batch, inputs = inputs[:MOST_READ], inputs[MOST_READ:]
            answer = self._transport.associations(origin, target, {"inputs": batch}, lane).checked()
            for result in answer.get("results") or ():
                record_id = str(result["from"]["id"])
                found.setdefault(record_id, set()).update(
                    str(each["toObjectId"]) for each in result.get("to") or ()
                )
                after = ((result.get("paging") or {}).get("next") or {}).get("after")
                if after is not None:
                    inputs.append({"id": record_id, "after": str(after)})
            for error in answer.get("errors") or ():
                self._without(error, found)
            # batches have been seen to leave inputs out: that somebody has nobody is believed when said twice
            for each in [each["id"] for each in batch if each["id"] not in found]:
                if each in asked_again:
                    found[each] = set()
                else:
                    asked_again.add(each)
                    inputs.append({"id": each})
        return {name: tuple(sorted(some, key=id_order)) for name, some in found.items()}

    @staticmethod
    def _without(error: Mapping[str, Any], found: dict[str, set[str]]) -> None:
        """An item of `errors`: a record that is associated with none, or is gone. Raises what else it is."""
        context = error.get("context") or {}
        named = context.get("fromObjectId") or context.get("id") or context.get("ids") or ()
        gone = error.get("category") == "OBJECT_NOT_FOUND"
        if not gone and not str(error.get("subCategory") or "").endswith(_NONE):
            raise classify_item(error, "read")
        for record_id in [named] if isinstance(named, str) else named:
            found.setdefault(str(record_id), set())

    def _complete(self, pages: Sequence[Page], object_name: str, lane: Lane) -> Iterator[Page]:
        together = [item for page in pages for item in page.observations]
        done = iter(self.of(together, object_name, lane))
        for page in pages:
            yield replace(page, observations=[next(done) for _ in page.observations])
