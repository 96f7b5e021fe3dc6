"""Writing: creates and updates as sObject Collections, and each record's result.

Updates of several objects share a call (sorted by object: at most 10 runs of one type), creates are upserts
on the unique field where one is named, so that a repeated create finds the first one. HTTP 200 says nothing:
each item has its own result (REST API guide, collections). Must not retry: it only reports.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from connector.clock import Clock
from connector.lane import Lane
from connector.platforms.errors import Missing, Refused, RetryLater
from connector.platforms.isolation import BatchRefused, Outcome, isolate, not_sent
from connector.platforms.protocol import RecordWrite, WriteResult, Written
from connector.platforms.salesforce.faults import UNUSABLE_FIELD, Sent, classify
from connector.platforms.salesforce.ids import id18, is_id, is_name
from connector.platforms.salesforce.transport import Transport

MOST_RECORDS = 200
MOST_RUNS = 10
# A whole call refused for one of these is refused whatever it carries: no use in searching for a record.
_NOT_ABOUT_A_RECORD = {
    "API_DISABLED_FOR_ORG",
    "API_CURRENTLY_DISABLED",
    "FOREIGN_HOST",
    "HTTP_403",
    "HTTP_404",
    "HTTP_405",
    "HTTP_410",
    "INVALID_TYPE",
    "NOT_FOUND",
}


class Writer:
    """Sends writes through one transport."""

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock

    def write(self, writes: Sequence[RecordWrite], lane: Lane) -> list[WriteResult]:
        """One result for each write, in the same order. Raises nothing that a platform says."""
        outcomes: dict[int, Outcome] = {}
        updates: list[int] = []
        creates: list[int] = []
        halted: list[RetryLater] = []
        for place, write in enumerate(writes):
            fault = _invalid(write)
            if fault is not None:
                outcomes[place] = fault
            else:
                (creates if write.record_id is None else updates).append(place)
        for batch in self._batches(writes, updates, creates):
            chosen = [writes[place] for place in batch]
            results = isolate(chosen, lambda part: self._send(part, lane, halted), UNUSABLE_FIELD)
            outcomes.update(zip(batch, results, strict=True))
        return [WriteResult(write.token, outcomes[place]) for place, write in enumerate(writes)]

    def _batches(
        self, writes: Sequence[RecordWrite], updates: list[int], creates: list[int]
    ) -> Iterator[list[int]]:
        updates.sort(key=lambda place: writes[place].object)
        yield from _fill(
            (place, id18(writes[place].record_id or ""), writes[place].object) for place in updates
        )
        kinds: dict[tuple[str, str | None], list[int]] = {}
        for place in creates:
            write = writes[place]
            # an upsert takes one type in a call; a plain create may mix them
            kinds.setdefault((write.object if write.unique_key else "", write.unique_key), []).append(place)
        for (_, key), places in kinds.items():
            places.sort(key=lambda place: writes[place].object)
            yield from _fill(
                (place, str(writes[place].fields[key]).lower() if key else str(place), writes[place].object)
                for place in places
            )

    def _send(
        self, writes: Sequence[RecordWrite], lane: Lane, halted: list[RetryLater]
    ) -> Sequence[Outcome] | BatchRefused:
        if halted:  # quota, outage: the next batch would meet the same
            return [halted[0]] * len(writes)
        first = writes[0]
        path = f"{self._transport.data_path}/composite/sobjects"
        method = "PATCH"
        sent: Sent = "update"
        if first.record_id is None:
            sent = "create"
            if first.unique_key:
                path = f"{path}/{first.object}/{first.unique_key}"
            else:
                method = "POST"
        body = {"allOrNone": False, "records": [_record(write) for write in writes]}
        try:
            answer = self._transport.call(method, path, body, lane, "write")
        except RetryLater as later:
            halted.append(not_sent(later))
            return [later] * len(writes)
        except Refused as refusal:
            return [refusal] * len(writes)
        answered_ms = self._clock.now_ms()
        if not answer.ok:
            outcome = answer.fault("call")
            if isinstance(outcome, Refused) and outcome.code not in _NOT_ABOUT_A_RECORD:
                return BatchRefused(outcome)
            if isinstance(outcome, RetryLater):
                halted.append(not_sent(outcome))
            return [outcome] * len(writes)
        if not isinstance(answer.body, list) or len(answer.body) != len(writes):
            lost = RetryLater("Salesforce answered a batch without a result for each record", 15, True)
            return [lost] * len(writes)
        return [
            _outcome(write, item, sent, answered_ms) for write, item in zip(writes, answer.body, strict=True)
        ]


def _fill(places: Iterable[tuple[int, str, str]]) -> Iterator[list[int]]:
    """Cut (place, identity, object) into batches: no identity twice in one (the platform refuses both), at
    most 200 records and 10 runs of one type. A second write to one record goes into a later batch."""
    waiting = list(places)
    while waiting:
        batch: list[int] = []
        seen: set[str] = set()
        objects: set[str] = set()
        later = []
        for place, identity, object_name in waiting:
            full = len(batch) == MOST_RECORDS or (len(objects) == MOST_RUNS and object_name not in objects)
            if full or identity in seen:
                later.append((place, identity, object_name))
            else:
                batch.append(place)
                objects.add(object_name)
            seen.add(identity)
        yield batch
        waiting = later


def _invalid(write: RecordWrite) -> Refused | None:
    if not is_name(write.object):
        return Refused(f"{write.object!r} is not a Salesforce object name", "INVALID_TYPE")
    wrong = tuple(name for name in write.fields if not is_name(name))
    if wrong:
        return Refused("not a Salesforce field name", "INVALID_FIELD", wrong)
    if write.record_id is not None:
        return None if is_id(write.record_id) else Refused("not a Salesforce record id", "MALFORMED_ID")
    key = write.unique_key
    if key is not None and (not is_name(key) or write.fields.get(key) in (None, "")):
        return Refused("the unique field has no value", "REQUIRED_FIELD_MISSING", (key,))
    return None


def _record(write: RecordWrite) -> dict[str, Any]:
    # attributes first: for nested parents it must come before any other field
    record: dict[str, Any] = {"attributes": {"type": write.object}}
    if write.record_id is not None:
        record["id"] = write.record_id
    record.update(write.fields)
    return record


def _outcome(write: RecordWrite, item: Any, sent: Sent, answered_ms: int) -> Outcome:
    if isinstance(item, dict) and item.get("success") and item.get("id"):
        created = bool(item.get("created", write.record_id is None))
        return Written(id18(item["id"]), answered_ms, None, created)
    outcome = classify(item, 200, sent)
    key = write.unique_key
    if isinstance(outcome, Refused) and outcome.code == "DUPLICATE_VALUE" and key in outcome.fields:
        # Two creates with one key ran at once and ours lost: the record is there, under our key.
        return RetryLater("another request has just created this record", 1, True)
    if isinstance(outcome, Missing) and write.record_id is None:
        return Refused(outcome.reason)
    return outcome
