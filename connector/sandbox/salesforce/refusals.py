"""What Salesforce says when it refuses: code, message, fields and HTTP status.

The same refusal has three shapes: a list of `errorCode` objects as an HTTP body, a `statusCode` object among
the errors of a collections item, and a subrequest of a composite. Source: facts/salesforce.md 5 and 7.
This file must not decide what is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]

NO_COLUMN_HINT = (
    "If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. "
    "Please reference your WSDL or the describe call for the appropriate names."
)
NO_OBJECT_HINT = (
    "If you are attempting to use a custom object, be sure to append the '__c' after the entity name. "
    "Please reference your WSDL or the describe call for the appropriate names."
)


class Refusal(Exception):
    """One refused request or record. `extra` are further keys of the single-record body
    (`duplicateResut`); `body` replaces the whole body (300, OAuth)."""

    def __init__(
        self,
        code: str,
        message: str,
        fields: Sequence[str] | None = None,
        status: int = 400,
        extra: Mapping[str, Any] | None = None,
        body: Any = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.fields = fields
        self.status = status
        self.extra = extra
        self._body = body

    @property
    def body(self) -> Any:
        """As the body of an HTTP answer of its own."""
        if self._body is not None:
            return self._body
        error: Json = {**(self.extra or {}), "message": self.message, "errorCode": self.code}
        if self.fields is not None:
            error["fields"] = list(self.fields)
        return [error]

    @property
    def item(self) -> Json:
        """As one entry in `errors` of a collections result, which carries no extras."""
        return {"statusCode": self.code, "message": self.message, "fields": list(self.fields or ())}


def not_found(message: str = "The requested resource does not exist") -> Refusal:
    return Refusal("NOT_FOUND", message, status=404)


def no_such_row() -> Refusal:
    return Refusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [], status=404)


def row_is_deleted() -> Refusal:
    return Refusal("ENTITY_IS_DELETED", "entity is deleted", [], status=404)


def no_such_column(name: str, object_name: str) -> Refusal:
    """An unknown (or hidden) field in a record that is to be written."""
    return Refusal("INVALID_FIELD", f"No such column '{name}' on sobject of type {object_name}")


def no_such_column_to_read(name: str, object_name: str) -> Refusal:
    """An unknown (or hidden) field that was asked for."""
    return Refusal("INVALID_FIELD", f"No such column '{name}' on entity '{object_name}'. {NO_COLUMN_HINT}")


def malformed(message: str, text: str = "", at: int | None = None) -> Refusal:
    """MALFORMED_QUERY, pointing at a place when one is given."""
    if at is not None:
        return pointing("MALFORMED_QUERY", message, text, at)
    return Refusal("MALFORMED_QUERY", message)


def pointing(code: str, message: str, text: str, at: int) -> Refusal:
    """A refusal that shows the query with a caret, as Salesforce does."""
    row = text.count("\n", 0, at) + 1
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    line = text[start : end if end >= 0 else len(text)]
    column = at - start + 1
    cut = max(0, column - 61)  # a long line is shown from 60 characters before the place
    shown = line[cut : column + 60]
    caret = " " * (column - 1 - cut) + "^"
    return Refusal(code, f"\n{shown}\n{caret}\nERROR at Row:{row}:Column:{column}\n{message}")


def method_not_allowed(method: str, allowed: str) -> Refusal:
    message = f"HTTP Method '{method}' not allowed. Allowed are {allowed}"
    return Refusal("METHOD_NOT_ALLOWED", message, status=405)


def bad_json(message: str) -> Refusal:
    return Refusal("JSON_PARSER_ERROR", message)


def session_invalid() -> Refusal:
    return Refusal("INVALID_SESSION_ID", "Session expired or invalid", status=401)


def quota_used_up() -> Refusal:
    return Refusal("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", status=403)


def unavailable() -> Refusal:
    return Refusal("SERVER_UNAVAILABLE", "Server Unavailable", status=503)


def usual_body(status: int) -> Any:
    """The body Salesforce usually sends with an error status; for faults that name none."""
    usual = {401: session_invalid(), 403: quota_used_up(), 404: not_found(), 503: unavailable()}
    unknown = Refusal("UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId")
    return usual.get(status, unknown).body
