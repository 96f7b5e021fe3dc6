"""What HubSpot says when it refuses: statuses and bodies as recorded or documented (hubspot.md section 14).

Raised anywhere in the portal, turned into an answer (or one item of a batch's `errors`) by the app. Holds no
state and decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

LEGACY_TYPES = {"0-1": "CONTACT", "0-2": "COMPANY", "0-3": "DEAL", "0-136": "LEAD"}


@dataclass(eq=False)
class Problem(Exception):
    """One refusal. `extra` are further top-level keys of the body, such as `errors` or `context`."""

    status: int
    message: str
    category: str | None = "VALIDATION_ERROR"
    extra: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.status} {self.category}: {self.message}"

    def body(self, correlation_id: str) -> dict[str, Any]:
        """The body of an answer that is nothing but this error."""
        body: dict[str, Any] = {"status": "error", "message": self.message, "correlationId": correlation_id}
        if self.category:
            body["category"] = self.category
        return body | self.extra

    def item(self, trace_id: str) -> dict[str, Any]:
        """This error as one of a batch's `errors`, for the input that carried `trace_id`."""
        return {
            "status": "error",
            "category": self.category,
            "message": self.message,
            "context": {"objectWriteTraceId": [trace_id]},
        }


@dataclass(frozen=True, slots=True)
class Invalid:
    """One property value that will not do. `error` is HubSpot's code, such as `INVALID_OPTION`."""

    name: str
    error: str
    message: str


def invalid_values(found: Sequence[Invalid], portal_id: int) -> Problem:
    """400 with the list of bad values as JSON inside the message string (recorded)."""
    listed = [
        {
            "isValid": False,
            "message": each.message,
            "error": each.error,
            "name": each.name,
            "localizedErrorMessage": each.message,
            "portalId": portal_id,
        }
        for each in found
    ]
    return Problem(400, f"Property values were not valid: {orjson.dumps(listed).decode()}")


def not_valid(message: str, **extra: Any) -> Problem:
    """400 for a request that is malformed or over a documented limit."""
    return Problem(400, message, extra=extra)


def no_such_record() -> Problem:
    """404 for a record that is missing, archived or merged away."""
    return Problem(404, "resource not found", "OBJECT_NOT_FOUND")


def no_such_path() -> Problem:
    """404 for a path that HubSpot does not serve."""
    return Problem(404, "resource not found", None)


def wrong_method() -> Problem:
    """405."""
    return Problem(405, "method not allowed", None)


def contact_exists(existing_id: int) -> Problem:
    """409 on creating a contact whose address is another contact's primary one (recorded)."""
    return Problem(409, f"Contact already exists. Existing ID: {existing_id}", "CONFLICT")


def value_taken(
    portal_id: int, type_id: str, name: str, value: str, record_id: int, holder_id: int
) -> Problem:
    """400 on setting a unique value that another record holds (recorded): the second id is the holder, the
    first the record being written, half-made when it was to be created."""
    coordinates = (
        f"PropertyValueCoordinates{{portalId={portal_id}, "
        f"objectTypeId=ObjectTypeId{{legacyObjectType={LEGACY_TYPES[type_id]}}}, "
        f"propertyName={name}, value={value}}}"
    )
    return Problem(400, f"Cannot set {coordinates} on {record_id}. {holder_id} already has that value.")


def missing_records(type_id: str, ids: Sequence[str], trace_ids: Sequence[str] = ()) -> dict[str, Any]:
    """The one entry of a batch's `errors` that names all ids not found (recorded)."""
    context: dict[str, list[str]] = {"ids": list(ids)}
    if trace_ids:
        context["objectWriteTraceId"] = list(trace_ids)
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": f"Could not get some {LEGACY_TYPES[type_id]} objects, they may be deleted or not exist. "
        "Check that ids are valid.",
        "context": context,
    }
