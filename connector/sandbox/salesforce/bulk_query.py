"""Bulk API 2.0 queries: jobs that are asked for, waited for, and read in pages of CSV.

A job keeps the rows as they stand when it is made (rows are never changed in place) and shows them in an
order of its own. Source: facts/salesforce.md 2.2 (date-times end in `Z`), 13, and the Bulk API developer
guide; codes of refusals that are a guess say so. This file must not know how leadloop reads them.
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from connector.clock import DAY_MS, SECOND_MS
from connector.sandbox.salesforce import ids, refusals, stamps
from connector.sandbox.salesforce.calls import Answer, Call
from connector.sandbox.salesforce.refusals import Refusal
from connector.sandbox.salesforce.schema import Row
from connector.sandbox.salesforce.soql_columns import Column, find_column, find_source
from connector.sandbox.salesforce.soql_grammar import parse_query
from connector.sandbox.salesforce.soql_run import run_query
from connector.sandbox.salesforce.world import World

State = Literal["UploadComplete", "InProgress", "JobComplete", "Failed", "Aborted"]

JOB_LIFE_MS = 7 * DAY_MS
MOST_JOBS_A_DAY = 10_000
USUAL_PAGE = 50_000
NOT_IN_BULK = frozenset({"LeadStatus", "OpportunityStage", "TaskStatus", "CaseStatus", "Organization"})
"""Objects that the Bulk API does not query (a selection; Bulk API developer guide, limits)."""

_CSV_TYPE = "text/csv"
_ENDS = {"LF": "\n", "CRLF": "\r\n"}
_DELIMITERS = {"COMMA": ",", "TAB": "\t", "SEMICOLON": ";", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}


@dataclass(slots=True)
class Job:
    """One query job. `failure` is the message of one that ends as Failed."""

    id: str
    object: str
    operation: str
    by_user: str
    version: str
    made_ms: int
    ready_ms: int
    columns: Sequence[Column]
    rows: Sequence[Row]
    line_end: str
    delimiter: str
    failure: str | None = None
    aborted: bool = False


@dataclass(slots=True)
class BulkQueries:
    """The query jobs of an org. `seconds`: how long a job takes. `failure`: the message with which the next
    jobs fail. `page_size`: the most rows of a page, whatever is asked for."""

    world: World
    seconds: float = 2.0
    failure: str | None = None
    page_size: int = USUAL_PAGE
    jobs: dict[str, Job] = field(default_factory=dict)
    _issued: int = 0
    _made_ms: deque[int] = field(default_factory=deque)

    def answer(self, call: Call, rest: Sequence[str]) -> Answer:
        """`jobs/query/…`. Raises Refusal."""
        match (call.method, *rest):
            case ("POST",):
                return Answer(body=self._shown(self._make(call)))
            case ("GET", job_id):
                return Answer(body=self._detailed(self._job(job_id)))
            case ("PATCH", job_id):
                return Answer(body=self._shown(self._abort(self._job(job_id), call.json_object())))
            case ("DELETE", job_id):
                return self._delete(self._job(job_id))
            case ("GET", job_id, "results"):
                return self._results(self._job(job_id), call)
        raise refusals.not_found()

    def abort(self, job_id: str) -> None:
        """Somebody aborts a job in Setup. Raises Refusal."""
        self._abort(self._job(job_id), {"state": "Aborted"})

    def state(self, job: Job) -> State:
        """How far a job is."""
        if job.aborted:
            return "Aborted"
        now_ms = self.world.now_ms()
        if now_ms < job.ready_ms:
            return "UploadComplete" if now_ms == job.made_ms else "InProgress"
        return "JobComplete" if job.failure is None else "Failed"

    def _make(self, call: Call) -> Job:
        body = call.json_object()
        unknown = set(body) - {"operation", "query", "contentType", "columnDelimiter", "lineEnding"}
        if unknown:
            raise refusals.bad_json(f"Unrecognized field {sorted(unknown)[0]!r} at [line:1, column:1]")
        operation, text = body.get("operation"), body.get("query")
        if operation not in ("query", "queryAll"):
            raise Refusal("INVALIDJOB", f"Unsupported operation: {operation}")
        if not isinstance(text, str) or not text:
            raise Refusal("INVALIDJOB", "A query is required")
        if body.get("contentType", "CSV") != "CSV":
            raise Refusal("INVALIDJOB", "Only CSV is supported")
        line_end, delimiter = body.get("lineEnding", "LF"), body.get("columnDelimiter", "COMMA")
        if line_end not in _ENDS or delimiter not in _DELIMITERS:
            raise Refusal("INVALIDJOB", "Unknown lineEnding or columnDelimiter")
        now_ms = self.world.now_ms()
        while self._made_ms and self._made_ms[0] <= now_ms - DAY_MS:
            self._made_ms.popleft()
        if len(self._made_ms) >= MOST_JOBS_A_DAY:
            raise Refusal("EXCEEDEDQUOTA", "DailyBulkV2QueryJobs Limit exceeded.")
        object_name, columns, rows = self._snapshot(text, call.version, deleted_too=operation == "queryAll")
        self._issued += 1
        self._made_ms.append(now_ms)
        job = Job(
            id=ids.issue("750", self._issued),
            object=object_name,
            operation=operation,
            by_user=call.user_id,
            version=call.version,
            made_ms=now_ms,
            ready_ms=now_ms + round(self.seconds * SECOND_MS),
            columns=columns,
            rows=rows,
            line_end=line_end,
            delimiter=delimiter,
            failure=self.failure,
        )
        self.jobs[job.id] = job
        return job

    def _snapshot(
        self, text: str, version: str, *, deleted_too: bool
    ) -> tuple[str, Sequence[Column], Sequence[Row]]:
        query = parse_query(text)
        spec = find_source(self.world, query.object, text)
        if spec.name in NOT_IN_BULK:
            # the wording is a guess; that such objects are refused is documented
            raise Refusal("INVALIDENTITY", f"Entity '{spec.name}' is not supported by the Bulk API.")
        if query.offset or any(item.function for item in query.items):
            raise Refusal("FEATURENOTENABLED", "OFFSET and aggregates are not supported by the Bulk API.")
        found = run_query(self.world, text, version, deleted_too)
        columns = [find_column(self.world, spec, item.name, text) for item in query.items]
        compound = [column.name for column in columns if column.field.type in ("address", "location")]
        if compound:
            message = f"Selecting compound data not supported in Bulk Query: {compound[0]}"
            raise Refusal("FEATURENOTENABLED", message)
        shown = self.world.tables[spec.name].shown
        rows = [row for row_id in found.ids if (row := shown(row_id)) is not None]
        if not query.order:
            rows.sort(key=lambda row: str(row["Id"])[::-1])  # an order that nobody can take for another
        return spec.name, columns, rows

    def _job(self, text: str) -> Job:
        job = self.jobs.get(ids.canonical(text) or "")
        if job is None or self.world.now_ms() - job.made_ms > JOB_LIFE_MS:
            raise refusals.not_found()
        return job

    def _abort(self, job: Job, body: dict[str, Any]) -> Job:
        if body != {"state": "Aborted"}:
            raise Refusal("INVALIDJOBSTATE", "A query job can only be aborted")
        if self.state(job) in ("JobComplete", "Failed"):
            raise Refusal("INVALIDJOBSTATE", "Aborting already Completed Job not allowed")
        job.aborted = True
        return job

    def _delete(self, job: Job) -> Answer:
        if self.state(job) in ("UploadComplete", "InProgress"):
            raise Refusal("INVALIDJOBSTATE", "Deleting a job in progress is not allowed")
        del self.jobs[job.id]
        return Answer(204)

    def _results(self, job: Job, call: Call) -> Answer:
        if self.state(job) != "JobComplete":
            # the code is a guess; that results are to be had of finished jobs alone is documented
            raise Refusal("INVALIDJOBSTATE", f"Results of a job that is {self.state(job)} cannot be read")
        start = _place(call.query.get("locator"), len(job.rows))
        wanted = call.query.get("maxRecords", str(USUAL_PAGE))
        if not wanted.isdigit() or int(wanted) < 1:
            raise Refusal("INVALIDARGUMENT", f"maxRecords must be a number above 0, not {wanted}")
        end = min(start + min(int(wanted), self.page_size), len(job.rows))
        text = io.StringIO(newline="")
        writer = csv.writer(
            text,
            delimiter=_DELIMITERS[job.delimiter],
            lineterminator=_ENDS[job.line_end],
            quoting=csv.QUOTE_ALL,
        )
        writer.writerow([column.name for column in job.columns])
        writer.writerows([[_cell(column, row) for column in job.columns] for row in job.rows[start:end]])
        headers = {
            "Content-Type": _CSV_TYPE,
            "Sforce-NumberOfRecords": str(end - start),
            "Sforce-Locator": "null" if end >= len(job.rows) else _locator(end),
        }
        return Answer(body=text.getvalue().encode(), headers=headers)

    def _shown(self, job: Job) -> dict[str, Any]:
        return {
            "id": job.id,
            "operation": job.operation,
            "object": job.object,
            "createdById": job.by_user,
            "createdDate": stamps.stamp_of_ms(job.made_ms),
            "systemModstamp": stamps.stamp_of_ms(min(self.world.now_ms(), job.ready_ms)),
            "state": self.state(job),
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(job.version),
            "lineEnding": "LF" if job.line_end == "LF" else "CRLF",
            "columnDelimiter": job.delimiter,
        }

    def _detailed(self, job: Job) -> dict[str, Any]:
        body = {**self._shown(job), "jobType": "V2Query"}
        state = self.state(job)
        body |= {"numberRecordsProcessed": len(job.rows) if state == "JobComplete" else 0, "retries": 0}
        if state == "Failed":
            body["errorMessage"] = job.failure
        return body


def _cell(column: Column, row: Row) -> str:
    value = column.get(row)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if column.field.type == "datetime":
        return str(value).replace("+0000", "Z")
    return str(value)


def _locator(start: int) -> str:
    return base64.urlsafe_b64encode(str(start).encode()).decode().rstrip("=")


def _place(locator: str | None, most: int) -> int:
    if locator is None:
        return 0
    try:
        start = int(base64.urlsafe_b64decode(locator + "=" * (-len(locator) % 4)))
    except (ValueError, binascii.Error):
        start = -1
    if not 0 < start < most:
        raise Refusal("INVALIDLOCATOR", "The locator is not one of this job's")
    return start
