"""Bulk: reading every record of an object by a Bulk API 2.0 query job, or by id where that is better.

A job is made, waited for, and read in pages; the text to resume with names it, so that a killed run goes on
with the same job and the same page (jobs are kept 7 days; Bulk API developer guide). Few records, fields of
unknown type, objects that the Bulk API does not know, and what made a job fail are read by REST, in pages by
ascending id. Must not sleep: it says how long to wait.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import quote

import orjson

from connector.clock import Clock
from connector.lane import Lane
from connector.platforms.errors import Refused, RetryLater
from connector.platforms.protocol import BulkPage, FieldInfo
from connector.platforms.salesforce import soql
from connector.platforms.salesforce.bulk_values import rows_of
from connector.platforms.salesforce.ids import is_id
from connector.platforms.salesforce.records import Columns
from connector.platforms.salesforce.transport import Transport

PAGE = 5_000
"""Records of a page of results: bounds the memory, and is far fewer calls than REST's 2,000."""

FEW = 2_000
"""One call of REST reads so many; a job takes three calls at least."""

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 2.0, 30.0
_LOCATOR = re.compile(r"[A-Za-z0-9+/=_-]{1,500}\Z")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where reading stands: in the results of a job that was made at `started_ms`, before `locator`; or,
    `by_id`, behind the record `after`."""

    job: str = ""
    started_ms: int = 0
    locator: str = ""
    by_id: bool = False
    after: str = ""

    @property
    def text(self) -> str:
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def of(cls, text: str) -> _Place:
        try:
            return cls(**orjson.loads(text)) if text else cls()
        except (orjson.JSONDecodeError, TypeError):
            return cls()  # not ours: begin anew


class BulkReader:
    """Reads one object of one org. `first_page` carries out a query of any length."""

    def __init__(
        self,
        transport: Transport,
        clock: Clock,
        side: str,
        lane: Lane,
        columns: Columns,
        first_page: Callable[[str], Mapping[str, Any]],
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._side = side
        self._lane = lane
        self._columns = columns
        self._first_page = first_page

    def read(
        self,
        fields: Mapping[str, FieldInfo] | None,
        since_ms: int | None,
        resume: str,
        expected: int | None,
    ) -> Iterator[BulkPage]:
        """See `Platform.everything`. `fields` is the object's describe; None when there is none."""
        place = _Place.of(resume)
        few = not place.job and expected is not None and expected <= FEW
        types_known = fields is not None and fields.keys() >= set(self._columns.crossing)
        if place.by_id or few or fields is None or not types_known:
            yield from self._by_id(place, since_ms)
            return
        resumed = bool(place.job)
        if resumed and (yield from self._ready(place, resumed=True)):
            try:
                yield from self._results(place, fields)
            except Refused:
                pass  # the results are no longer kept; what is known already costs a new job little
            else:
                return
        made = self._make(since_ms)
        if made is None:
            yield from self._by_id(_Place(), since_ms, restarted=resumed)
            return
        yield self._waiting(made, FIRST_WAIT_SECONDS, restarted=resumed)
        if not (yield from self._ready(made, resumed=False)):
            yield from self._by_id(_Place(), since_ms, restarted=True)
            return
        yield from self._results(made, fields)

    # the job ------------------------------------------------------------------------------------------------

    def _make(self, since_ms: int | None) -> _Place | None:
        """A new job; None when the Bulk API does not take it."""
        started_ms = self._clock.now_ms()
        body = {
            "operation": "query",
            "query": soql.all_of(self._columns, since_ms),
            "contentType": "CSV",
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
        }
        answer = self._transport.call("POST", self._path(), body, self._lane, "read")
        if not answer.ok:
            fault = answer.fault("read")
            if isinstance(fault, Refused):
                return None  # REST says what is wrong, if it is not the Bulk API alone
            raise fault
        job = str(answer.body.get("id"))
        if not is_id(job):
            raise RetryLater("Salesforce named a bulk job by something that is no id", 60)
        return _Place(job, started_ms)

    def _ready(self, place: _Place, *, resumed: bool) -> Generator[BulkPage, None, bool]:
        """Wait until the results are there. False when they never will be: the job is gone, or failed."""
        wait_seconds = FIRST_WAIT_SECONDS
        while True:
            answer = self._transport.call("GET", self._path(place.job), None, self._lane, "read")
            if answer.status == 404:
                return False
            job = answer.checked()
            state = job.get("state")
            if state == "JobComplete":
                total = job.get("numberRecordsProcessed")
                yield BulkPage(self._columns.object, (), place.text, total=total)
                return True
            if state == "Aborted" and not resumed:
                raise Refused(
                    f"somebody has aborted the bulk query {place.job} of {self._columns.object}: "
                    "start the backfill again, and it makes a new one",
                    "ABORTED",
                )
            if state in ("Aborted", "Failed"):
                return False
            yield self._waiting(place, wait_seconds)
            wait_seconds = min(wait_seconds * 1.5, LONGEST_WAIT_SECONDS)

    def _results(self, place: _Place, fields: Mapping[str, FieldInfo]) -> Iterator[BulkPage]:
        while True:
            path = f"{self._path(place.job)}/results?maxRecords={PAGE}"
            if place.locator:
                path += f"&locator={quote(place.locator, safe='')}"
            answer = self._transport.csv(path, self._lane)
            if not answer.ok:
                raise answer.fault("read")
            try:
                rows = rows_of(answer.body or b"", fields)
            except ValueError as error:
                raise RetryLater(
                    f"Salesforce sent a page of results that cannot be read ({error})", 15
                ) from error
            told = answer.headers.get("Sforce-NumberOfRecords", "")
            if told.isdigit() and int(told) != len(rows):
                raise RetryLater(f"Salesforce announced {told} records and sent {len(rows)}", 15)
            following = answer.headers.get("Sforce-Locator") or "null"
            if following != "null" and not _LOCATOR.match(following):
                raise RetryLater("Salesforce named a next page that is no locator", 60)
            last = following == "null"
            place = replace(place, locator="" if last else following)
            # the job's beginning, not this call's: the results show the records as they were then
            observations = self._columns.observe(rows, self._side, place.started_ms)
            yield BulkPage(self._columns.object, observations, place.text, last)
            if last:
                return

    def _waiting(self, place: _Place, seconds: float, *, restarted: bool = False) -> BulkPage:
        return BulkPage(self._columns.object, (), place.text, wait_seconds=seconds, restarted=restarted)

    def _path(self, job: str = "") -> str:
        return f"{self._transport.data_path}/jobs/query{'/' if job else ''}{job}"

    # by id --------------------------------------------------------------------------------------------------

    def _by_id(self, place: _Place, since_ms: int | None, *, restarted: bool = False) -> Iterator[BulkPage]:
        started_ms = self._clock.now_ms()
        first = not place.after
        answer = self._first_page(soql.all_after(self._columns, place.after, since_ms))
        while True:
            following = answer.get("nextRecordsUrl")
            observations = self._columns.observe(answer["records"], self._side, started_ms)
            # the last id in the server's own order
            after = observations[-1].record_id if observations else place.after
            place = _Place(by_id=True, after=after)
            total = answer.get("totalSize") if first else None
            yield BulkPage(
                self._columns.object, observations, place.text, following is None, 0.0, restarted, total
            )
            if following is None:
                return
            restarted = False
            started_ms = self._clock.now_ms()
            answer = self._transport.next_page(following, self._lane, "read")
