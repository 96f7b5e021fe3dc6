"""Faults: what Salesforce says when it does not do as asked, and which of the four errors that is.

Error codes sit in five places (HTTP body, collections item, composite sub-answer, the `sf__Error` text of
Bulk 2.0, OAuth answer); `faults_of` reads all of them and `classify` decides, for all of them alike. It
decides on codes, never on wording, except to split REQUEST_LIMIT_EXCEEDED and to find an inner lock. A page
of HTML is what gateways and maintenance answer with, whatever the status.
Reasons are redacted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from connector.platforms.errors import ASK_AGAIN_SECONDS, Ambiguous, Concerns, Missing, Refused, RetryLater
from connector.platforms.redaction import redact

Sent = Literal["read", "call", "update", "create"]
"""What the fault answers: a read, a whole batch of writes, or one record's update or create."""

Outcome = RetryLater | Refused | Missing | Ambiguous


@dataclass(frozen=True, slots=True)
class Fault:
    """One error as Salesforce gave it. `ids` are the records it names as being in the way."""

    code: str
    message: str
    fields: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()


# code: (seconds to leave it alone, what it means)
_LATER: Mapping[str, tuple[float, str]] = {
    "UNABLE_TO_LOCK_ROW": (5, "the record is locked by another change"),
    "SERVER_UNAVAILABLE": (60, "it is unavailable"),
    "UNKNOWN_EXCEPTION": (60, "it had an internal error"),
    "QUERY_TIMEOUT": (300, "the query ran too long"),
    "STORAGE_LIMIT_EXCEEDED": (3_600, "the org's storage is full: free or buy some"),
    "INVALID_QUERY_LOCATOR": (1, "the query cursor has expired; reading starts again from the last cursor"),
    "INVALID_SESSION_ID": (1, "the session has expired"),
    "PROCESSING_HALTED": (5, "rolled back with another record"),
    "ALL_OR_NONE_OPERATION_ROLLED_BACK": (5, "rolled back with another record"),
    "BATCH_PROCESSING_HALTED": (5, "halted behind another record"),
}
_REMEDY: Mapping[str, str] = {
    "INVALID_FIELD_FOR_INSERT_UPDATE": "Give the integration user edit access to the field.",
    "INSUFFICIENT_ACCESS": "Give the integration user access to the object and its records.",
    "INSUFFICIENT_ACCESS_OR_READONLY": "Give the integration user edit access to the record.",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": "Let the integration user see the related record.",
    "API_DISABLED_FOR_ORG": "Switch on API access for the org and the integration user.",
    "API_CURRENTLY_DISABLED": "API access is switched off for the integration user.",
}
# These say that the field cannot be used at all, whichever record carries it.
UNUSABLE_FIELD = frozenset({"INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE"})

_BULK = re.compile(r"([A-Z][A-Z_]+[A-Z]):(.*):([^:]*) --\s*\Z", re.DOTALL)
_FIELDS_IN_MESSAGE = (
    re.compile(r"No such column '([\w.]+)'"),
    re.compile(r"Unable to create/update fields: ([\w, ]+)\."),
    re.compile(r"Required fields are missing: \[([\w, ]+)\]"),
    re.compile(r"duplicate value found: (\w+) duplicates"),
    re.compile(r"external ID field does not exist or is not accessible: (\w+)"),
)
_HOLDER = re.compile(r"record with id: ([A-Za-z0-9]{15,18})\b")


def faults_of(body: object) -> tuple[Fault, ...]:
    """All faults in a parsed body, item or text; empty when it holds none (an HTML page, a success)."""
    if isinstance(body, str):
        match = _BULK.match(body)
        return (_fault(match[1], match[2], match[3].split(",")),) if match else ()
    if isinstance(body, Mapping):
        for key in ("errors", "body", "result"):
            if isinstance(body.get(key), (list, Mapping)):
                return faults_of(body[key])
        if isinstance(body.get("error"), str):
            return (Fault(body["error"], str(body.get("error_description") or "")),)
        code = body.get("errorCode") or body.get("statusCode")
        if isinstance(code, str):
            fields = body.get("fields")
            return (
                _fault(
                    code, str(body.get("message") or ""), fields if isinstance(fields, list) else (), body
                ),
            )
        return ()
    if isinstance(body, list):
        if body and all(isinstance(item, str) for item in body):
            # HTTP 300: the list of URLs of all records that carry the external id
            return (Fault("MULTIPLE_CHOICES", "several records carry the key", (), _last_segments(body)),)
        return tuple(fault for item in body if isinstance(item, Mapping) for fault in faults_of(item))
    return ()


def _fault(
    code: str, message: str, fields: Iterable[object], body: Mapping[str, object] | None = None
) -> Fault:
    named = tuple(str(field).strip() for field in fields if field and str(field).strip())
    if not named:
        for pattern in _FIELDS_IN_MESSAGE:
            match = pattern.search(message)
            if match:
                named = tuple(part.strip() for part in match[1].split(","))
                break
    holder = _HOLDER.search(message)
    ids = (holder[1],) if holder else _matched_ids(body or {})
    return Fault(code, message, named, ids)


def _matched_ids(body: Mapping[str, object]) -> tuple[str, ...]:
    # The missing l of duplicateResut is real (seen in v51 to v56); newer versions may have mended it.
    result = body.get("duplicateResut") or body.get("duplicateResult")
    if not isinstance(result, Mapping):
        return ()
    ids = [
        str(record["Id"])
        for match in result.get("matchResults") or ()
        for found in match.get("matchRecords") or ()
        if isinstance(record := found.get("record"), Mapping) and record.get("Id")
    ]
    return tuple(dict.fromkeys(ids))


def _last_segments(urls: Sequence[str]) -> tuple[str, ...]:
    return tuple(url.rstrip("/").rsplit("/", 1)[-1] for url in urls)


def classify(body: object, status: int, sent: Sent) -> Outcome:
    """The one of the four errors that `body` with the HTTP `status` (200 for an item) amounts to."""
    outcomes = [_of_fault(fault, status, sent) for fault in faults_of(body)]
    refusals = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    if len(refusals) > 1:
        return Refused(
            "; ".join(dict.fromkeys(refusal.reason for refusal in refusals)),
            refusals[0].code,
            tuple(dict.fromkeys(field for refusal in refusals for field in refusal.fields)),
            next((refusal.existing_id for refusal in refusals if refusal.existing_id), None),
        )
    if refusals:
        return refusals[0]
    if outcomes:
        return outcomes[0]
    return _of_status(status, sent, page=isinstance(body, str) and body.lstrip().startswith("<"))


def _of_fault(fault: Fault, status: int, sent: Sent) -> Outcome:
    code, message = fault.code, fault.message
    writing = sent != "read"
    if code == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY" and "UNABLE_TO_LOCK_ROW" in message:
        code = "UNABLE_TO_LOCK_ROW"
    if code == "REQUEST_LIMIT_EXCEEDED":
        if "Concurrent" in message:
            return RetryLater("Salesforce: too many long-running calls at once", 10, concerns="calls")
        reason = "Salesforce: the org's daily API calls are used up"
        return RetryLater(reason, ASK_AGAIN_SECONDS, concerns="day")
    if code in _LATER:
        seconds, meaning = _LATER[code]
        unknown = writing and (status >= 500 or code == "UNKNOWN_EXCEPTION") and code != "UNABLE_TO_LOCK_ROW"
        away: Concerns = "side" if code == "SERVER_UNAVAILABLE" else "request"
        return RetryLater(f"Salesforce: {meaning} ({code})", seconds, unknown, away)
    if code in ("MULTIPLE_CHOICES", "DUPLICATE_EXTERNAL_ID"):
        return Ambiguous("several Salesforce records carry the same key", fault.ids)
    if sent == "update":
        gone = code in ("ENTITY_IS_DELETED", "NOT_FOUND")
        if gone or (code == "INVALID_CROSS_REFERENCE_KEY" and not fault.fields):
            return Missing(f"the Salesforce record is deleted, merged away or hidden from us ({code})")
        if code == "CANNOT_UPDATE_CONVERTED_LEAD":
            return Missing(f"the lead has been converted and is read-only ({code})")
    if status >= 500:
        return _of_status(status, sent)
    reason = redact(message) or f"Salesforce refused it (HTTP {status})"
    if code in _REMEDY:
        reason = f"{reason} {_REMEDY[code]}"
    if code == "DUPLICATES_DETECTED":
        # Matching rules are fuzzy: their matches are for a person to look at, not to be taken for the record.
        matches = f" It resembles {', '.join(fault.ids)}." if fault.ids else ""
        return Refused(f"a duplicate rule stopped it: {reason}{matches}", code)
    return Refused(reason, code, fault.fields, fault.ids[0] if fault.ids else None)


def _of_status(status: int, sent: Sent, *, page: bool = False) -> Outcome:
    writing = sent != "read"
    if status == 300:
        return Ambiguous("several Salesforce records carry the same key")
    if status == 404 and sent == "update":
        return Missing("the Salesforce record is not there (HTTP 404)")
    if status == 410:
        return Refused(
            "this API version is retired: set LEADLOOP_SALESFORCE__API_VERSION to a newer one", "HTTP_410"
        )
    if status in (400, 403, 404, 405, 409, 412, 414, 415, 428, 431):
        return Refused(f"Salesforce refused the request (HTTP {status})", f"HTTP_{status}")
    if 300 < status < 400:
        return RetryLater(
            f"Salesforce answered with a redirect (HTTP {status}): maintenance, or a wrong instance URL",
            60,
            concerns="side",
        )
    if status == 401:
        return RetryLater("Salesforce does not accept the session (HTTP 401)", 300)
    unknown = writing and (status >= 500 or status < 300)
    if status == 503 or page:
        reason = f"Salesforce answered with a page instead of data (HTTP {status}): maintenance or an outage"
        if not page:
            reason = f"Salesforce is unavailable (HTTP {status})"
        return RetryLater(reason, 60, unknown, "side")
    return RetryLater(f"Salesforce gave no usable answer (HTTP {status})", 60, unknown)
