"""Writing: creates and updates as batches, and each record's result.

Batches carry a trace id for every input (without it one existing contact fails a whole create), and every
input is matched with a result or an error, since a batch has been seen to leave one out of both. A create
whose unique value is already there becomes an update of the record that holds it. Must not retry: it only
reports.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from connector.clock import Clock
from connector.lane import Lane
from connector.platforms.errors import Missing, Refused, RetryLater
from connector.platforms.hubspot.faults import UNUSABLE_FIELD, Sent, classify_item, is_conflict
from connector.platforms.hubspot.names import is_id, is_object, is_property
from connector.platforms.hubspot.records import text_of
from connector.platforms.hubspot.transport import Transport
from connector.platforms.isolation import BatchRefused, Outcome, isolate, not_sent
from connector.platforms.protocol import RecordWrite, WriteResult, Written
from connector.platforms.stamps import epoch_ms

MOST_RECORDS = 100
# A whole call refused for one of these is refused whatever it carries: no use in searching for a record.
_NOT_ABOUT_A_RECORD = {"MISSING_SCOPES", "BANNED", "FOREIGN_HOST", "HTTP_403", "HTTP_404"}
_UNANSWERED = RetryLater("HubSpot gave neither a result nor an error for this record", 5, True)


class Writer:
    """Sends writes through one transport."""

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock

    def write(self, writes: Sequence[RecordWrite], lane: Lane) -> list[WriteResult]:
        """One result for each write, in the same order. Raises nothing that a platform says."""
        outcomes: dict[int, Outcome] = {}
        groups: dict[tuple[str, bool], list[int]] = {}
        halted: list[RetryLater] = []
        for place, write in enumerate(writes):
            fault = _invalid(write)
            if fault is not None:
                outcomes[place] = fault
            else:
                groups.setdefault((write.object, write.record_id is None), []).append(place)
        for (_, creates), places in groups.items():
            for batch in _fill((place, _identity(writes[place], place)) for place in places):
                chosen = [writes[place] for place in batch]
                results = isolate(chosen, lambda part: self._send(part, lane, halted), UNUSABLE_FIELD)
                if creates:
                    self._adopt(chosen, results, lane, halted)
                outcomes.update(zip(batch, results, strict=True))
        return [WriteResult(write.token, outcomes[place]) for place, write in enumerate(writes)]

    def _send(
        self, writes: Sequence[RecordWrite], lane: Lane, halted: list[RetryLater]
    ) -> Sequence[Outcome] | BatchRefused:
        if halted:  # quota, outage: the next batch would meet the same
            return [halted[0]] * len(writes)
        verb: Literal["update", "create"] = "create" if writes[0].record_id is None else "update"
        inputs = [_input(write, str(place)) for place, write in enumerate(writes)]
        try:
            answer = self._transport.batch(writes[0].object, verb, {"inputs": inputs}, lane)
        except RetryLater as later:
            halted.append(not_sent(later))
            return [later] * len(writes)
        except Refused as refused:
            return [refused] * len(writes)
        answered_ms = self._clock.now_ms()
        if not answer.ok:
            outcome = answer.fault("call")
            if isinstance(outcome, Refused) and outcome.code not in _NOT_ABOUT_A_RECORD:
                return BatchRefused(outcome)
            if isinstance(outcome, RetryLater):
                halted.append(not_sent(outcome))
            return [outcome] * len(writes)
        return _match(writes, answer.body, verb, answered_ms)

    def _adopt(
        self, writes: Sequence[RecordWrite], results: list[Outcome], lane: Lane, halted: list[RetryLater]
    ) -> None:
        """Turn creates that failed because their unique value exists into updates of its holder: the first
        create was carried out although its answer was lost."""
        by_key: dict[str, list[int]] = {}
        for place, (write, result) in enumerate(zip(writes, results, strict=True)):
            if write.unique_key and isinstance(result, Refused) and is_conflict(result):
                by_key.setdefault(write.unique_key, []).append(place)
        for key, places in by_key.items():
            holders = self._holders(writes[places[0]].object, key, [writes[at] for at in places], lane)
            found = [place for place in places if text_of(writes[place].fields[key]) in holders]
            updates = [
                RecordWrite(
                    writes[place].token,
                    writes[place].object,
                    holders[text_of(writes[place].fields[key])],
                    writes[place].fields,
                )
                for place in found
            ]
            outcomes = isolate(updates, lambda part: self._send(part, lane, halted), UNUSABLE_FIELD)
            for place, outcome in zip(found, outcomes, strict=True):
                results[place] = outcome

    def _holders(
        self, object_name: str, key: str, writes: Iterable[RecordWrite], lane: Lane
    ) -> Mapping[str, str]:
        """Record ids by the value of `key`; empty when they cannot be read now."""
        inputs = [{"id": text_of(write.fields[key])} for write in writes]
        body = {"idProperty": key, "properties": [key], "propertiesWithHistory": [], "inputs": inputs}
        try:
            rows = self._transport.batch(object_name, "read", body, lane).checked()["results"]
        except (RetryLater, Refused, Missing):
            return {}
        return {row["properties"][key]: row["id"] for row in rows if row["properties"].get(key)}


def _fill(places: Iterable[tuple[int, str]]) -> Iterator[list[int]]:
    """Cut (place, identity) into batches of at most 100 in which no identity comes twice: what HubSpot does
    with duplicates is not known, so a second write to one record goes into a later batch."""
    waiting = list(places)
    while waiting:
        batch: list[int] = []
        seen: set[str] = set()
        later = []
        for place, identity in waiting:
            if len(batch) == MOST_RECORDS or identity in seen:
                later.append((place, identity))
            else:
                batch.append(place)
            seen.add(identity)
        yield batch
        waiting = later


def _identity(write: RecordWrite, place: int) -> str:
    if write.record_id is not None:
        return write.record_id
    return text_of(write.fields[write.unique_key]).lower() if write.unique_key else f"new {place}"


def _invalid(write: RecordWrite) -> Refused | None:
    if not is_object(write.object):
        return Refused(f"{write.object!r} is not a HubSpot object type", "INVALID_TYPE")
    wrong = tuple(name for name in write.fields if not is_property(name))
    if wrong:
        return Refused("not a HubSpot property name", "PROPERTY_DOESNT_EXIST", wrong)
    if write.record_id is not None:
        return None if is_id(write.record_id) else Refused("not a HubSpot record id", "INVALID_ID")
    if write.unique_key is not None and write.fields.get(write.unique_key) in (None, ""):
        return Refused("the unique property has no value", "REQUIRED_FIELD", (write.unique_key,))
    return None


def _input(write: RecordWrite, trace: str) -> dict[str, Any]:
    properties = {name: text_of(value) for name, value in write.fields.items()}
    if write.record_id is None:
        # blank properties mean nothing on a create
        filled = {name: value for name, value in properties.items() if value}
        return {"properties": filled, "associations": [], "objectWriteTraceId": trace}
    return {"id": write.record_id, "properties": properties, "objectWriteTraceId": trace}


def _match(writes: Sequence[RecordWrite], body: Any, sent: Sent, answered_ms: int) -> list[Outcome]:
    """One outcome for each write: by trace id, then by record id, then (creates) by the values sent."""
    outcomes: list[Outcome | None] = [None] * len(writes)
    by_id = {write.record_id: place for place, write in enumerate(writes) if write.record_id is not None}
    unmatched = []
    for row in body.get("results") or ():
        trace = row.get("objectWriteTraceId")
        place = _place(trace, len(writes))
        if place is None:
            place = by_id.get(row["id"])
        if place is None and sent == "create":
            place = _by_values(writes, outcomes, row)
        if place is None:
            continue
        if writes[place].record_id not in (None, row["id"]):
            outcomes[place] = Missing(f"the HubSpot record was merged into {row['id']}")
        else:
            outcomes[place] = Written(
                row["id"],
                answered_ms,
                epoch_ms(row["updatedAt"]) if row.get("updatedAt") else None,
                sent == "create",
            )
    for error in body.get("errors") or ():
        context = error.get("context") or {}
        named = [_place(trace, len(writes)) for trace in _texts(context.get("objectWriteTraceId"))]
        named += [by_id.get(text) for text in (*_texts(context.get("ids")), *_texts(context.get("id")))]
        places = [place for place in named if place is not None]
        if not places:
            unmatched.append(error)
        for place in places:
            if outcomes[place] is None:
                outcomes[place] = classify_item(error, sent)
    open_places = [place for place, outcome in enumerate(outcomes) if outcome is None]
    if len(unmatched) == len(open_places) == 1:
        outcomes[open_places[0]] = classify_item(unmatched[0], sent)
    return [_UNANSWERED if outcome is None else outcome for outcome in outcomes]


def _place(trace: object, count: int) -> int | None:
    return int(trace) if isinstance(trace, str) and trace.isdigit() and int(trace) < count else None


def _texts(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(item) for item in value]
    return [] if value is None else [str(value)]


def _by_values(
    writes: Sequence[RecordWrite], outcomes: Sequence[Outcome | None], row: Mapping[str, Any]
) -> int | None:
    """The one open create whose unique value, or else all of whose values, the created record shows."""
    properties = row.get("properties") or {}
    for place, write in enumerate(writes):
        key = write.unique_key
        if outcomes[place] is None and key and properties.get(key) == text_of(write.fields[key]):
            return place
    same = [
        place
        for place, write in enumerate(writes)
        if outcomes[place] is None
        and all(
            (properties.get(name) or "").lower() == text_of(value).lower()
            for name, value in write.fields.items()
            if value is not None
        )
    ]
    return same[0] if len(same) == 1 else None
