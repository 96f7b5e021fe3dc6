"""What an org tells about itself: versions, resources, describes, limits, record counts.

Source: facts/salesforce.md 1.1, 4.1, 14. This file must not touch rows.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from connector.sandbox.salesforce import refusals, stamps
from connector.sandbox.salesforce.calls import Answer, Call
from connector.sandbox.salesforce.describe import describe_global, describe_object
from connector.sandbox.salesforce.schema import ObjectSpec

if TYPE_CHECKING:
    from connector.sandbox.salesforce.org import SalesforceOrg

OLDEST_VERSION = 50
NEWEST_VERSION = 66
LAST_RETIRED_VERSION = 30
"""Retired since Summer '25 (facts 1.1). Real orgs also offer v31 to v49, this sandbox does not."""

_SEASONS = ("Spring", "Summer", "Winter")
_OTHER_LIMITS = {
    "ActiveScratchOrgs": 3,
    "DailyAsyncApexExecutions": 250_000,
    "DailyBulkApiBatches": 15_000,
    "DailyBulkV2QueryFileStorageMB": 976_562,
    "DailyBulkV2QueryJobs": 10_000,
    "DailyDeliveredPlatformEvents": 10_000,
    "DailyStreamingApiEvents": 10_000,
    "DataStorageMB": 5,
    "FileStorageMB": 20,
    "HourlyODataCallout": 1_000,
    "HourlyPublishedPlatformEvents": 50_000,
    "MassEmail": 10,
    "SingleEmail": 15,
}


def versions() -> list[dict[str, str]]:
    """The answer of `/services/data`, which needs no login."""
    return [
        {"label": _label(version), "url": f"/services/data/v{version}.0", "version": f"{version}.0"}
        for version in range(OLDEST_VERSION, NEWEST_VERSION + 1)
    ]


def _label(version: int) -> str:
    """v50 is Winter '21; three releases a year."""
    seasons = version - 50
    season = _SEASONS[(seasons + 2) % 3]
    return f"{season} '{21 + seasons // 3}"


def resources(call: Call) -> Answer:
    """The answer of `/services/data/v62.0`."""
    return Answer(
        body={
            name: f"{call.base}/{name}" for name in ("sobjects", "query", "queryAll", "limits", "composite")
        }
    )


def describe_all(org: SalesforceOrg, call: Call) -> Answer:
    """The answer of `/sobjects`."""
    body = describe_global(org.objects.values(), call.base)
    return _unless_unchanged(org, call, body)


def describe_one(org: SalesforceOrg, spec: ObjectSpec, call: Call) -> Answer:
    """The answer of `/sobjects/Lead/describe`."""
    return _unless_unchanged(org, call, describe_object(spec, call.base, org.hidden(spec)))


def _unless_unchanged(org: SalesforceOrg, call: Call, body: Any) -> Answer:
    if call.method != "GET":
        raise refusals.method_not_allowed(call.method, "HEAD,GET")
    changed_ms = org.schema_changed_ms // 1_000 * 1_000
    tag = hashlib.blake2s(f"{call.parts}{changed_ms}".encode(), digest_size=4).hexdigest()
    headers = {"ETag": f'"{tag}"', "Last-Modified": stamps.http_date(changed_ms)}
    since_ms = stamps.read_http_date(call.headers.get("if-modified-since"))
    if since_ms is not None and changed_ms <= since_ms:
        return Answer(304, headers=headers)
    return Answer(body=body, headers=headers)


def limits(org: SalesforceOrg) -> Answer:
    """The answer of `/limits`."""
    left = max(0, org.quota.daily_limit - org.quota.used)
    if org.faults.quota_exhausted:
        left = 0
    body = {"DailyApiRequests": {"Max": org.quota.daily_limit, "Remaining": left}}
    body |= {name: {"Max": most, "Remaining": most} for name, most in _OTHER_LIMITS.items()}
    return Answer(body=dict(sorted(body.items())))


def record_count(org: SalesforceOrg, call: Call) -> Answer:
    """The answer of `/limits/recordCount`; objects without rows are left out."""
    text = call.query.get("sObjects")
    wanted = [spec for name in text.split(",") if (spec := org.find_object(name.strip()))] if text else None
    counts = []
    for spec in sorted(wanted or org.objects.values(), key=lambda each: each.name):
        rows = org.tables[spec.name].rows.values()
        count = sum(1 for row in rows if not row.get("IsDeleted"))
        if count:
            counts.append({"count": count, "name": spec.name})
    return Answer(body={"sObjects": counts})
