"""`updated/` and `deleted/`: the ids that changed or went within a span of time.

Source: facts/salesforce.md 8.3: 30 and 15 days back, seconds cut off, more than a minute long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.clock import DAY_MS, MINUTE_MS
from connector.sandbox.salesforce import refusals, stamps
from connector.sandbox.salesforce.calls import Answer, Call
from connector.sandbox.salesforce.refusals import Refusal
from connector.sandbox.salesforce.schema import ObjectSpec

if TYPE_CHECKING:
    from connector.sandbox.salesforce.org import SalesforceOrg

UPDATED_DAYS = 30
DELETED_DAYS = 15


def changed(org: SalesforceOrg, spec: ObjectSpec, kind: str, call: Call) -> Answer:
    """The answer of `sobjects/Lead/updated` or `…/deleted`. Raises Refusal (INVALID_REPLICATION_DATE)."""
    if call.method != "GET":
        raise refusals.method_not_allowed(call.method, "HEAD,GET")
    start_ms, end_ms = _minute(call, "start"), _minute(call, "end")
    days = UPDATED_DAYS if kind == "updated" else DELETED_DAYS
    if start_ms < org.now_ms() - days * DAY_MS:
        raise _bad_date(f"startDate cannot be more than {days} days ago")
    if start_ms + MINUTE_MS > end_ms:
        raise _bad_date("endDate must be at least one minute greater than startDate")
    lag_ms = int(org.faults.visibility_lag_seconds * 1_000)
    covered_ms = min(end_ms, (org.now_ms() - lag_ms) // MINUTE_MS * MINUTE_MS)
    covered = stamps.stamp_of_ms(covered_ms)
    if kind == "updated":
        return Answer(body={"ids": _updated(org, spec, start_ms, end_ms), "latestDateCovered": covered})
    deleted = [
        {"id": row_id, "deletedDate": stamps.stamp_of_ms(moment_ms)}
        for moment_ms, row_id in org.deleted[spec.name]
        if start_ms <= moment_ms < end_ms and _is_gone(org, spec, row_id)
    ]
    earliest = stamps.stamp_of_ms((org.now_ms() - DELETED_DAYS * DAY_MS) // MINUTE_MS * MINUTE_MS)
    return Answer(
        body={
            "deletedRecords": deleted,
            "earliestDateAvailable": earliest,
            "latestDateCovered": covered,
        }
    )


def _minute(call: Call, name: str) -> int:
    # a plus sign that was not encoded arrives as a space
    moment_ms = stamps.read_datetime(call.required(name).replace(" ", "+"))
    if moment_ms is None:
        raise _bad_date(f"{name} is not a valid date and time: {call.required(name)}")
    return moment_ms // MINUTE_MS * MINUTE_MS


def _bad_date(message: str) -> Refusal:
    return Refusal("INVALID_REPLICATION_DATE", message)


def _updated(org: SalesforceOrg, spec: ObjectSpec, start_ms: int, end_ms: int) -> list[str]:
    table = org.tables[spec.name]
    low, high = stamps.stamp_of_ms(start_ms), stamps.stamp_of_ms(end_ms - 1_000)
    rows = table.shown_between(low, high)
    return [row["Id"] for row in rows if low <= row["SystemModstamp"] <= high and not row.get("IsDeleted")]


def _is_gone(org: SalesforceOrg, spec: ObjectSpec, row_id: str) -> bool:
    row = org.tables[spec.name].rows.get(row_id)
    return row is None or bool(row.get("IsDeleted"))
