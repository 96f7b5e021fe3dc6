"""One API call as the resources see it, and what they answer. Parses; decides nothing.

A composite's subrequests are calls too, with a body that is already JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from connector.sandbox.salesforce.refusals import Refusal, bad_json
from connector.sandbox.salesforce.saving import Save

_UNREAD: Any = object()


@dataclass(slots=True)
class Call:
    """`parts`: the unquoted path segments after `/services/data/v62.0`. Header names are in lower case.
    `body`: JSON; read from `content` unless given."""

    method: str
    version: str
    parts: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    user_id: str
    content: bytes = b""
    body: Any = _UNREAD

    @property
    def base(self) -> str:
        """The path of the API version."""
        return f"/services/data/v{self.version}"

    @property
    def save(self) -> Save:
        """Who saves and how, as the headers say. The assignment rule runs unless it is told not to."""
        duplicates = self.headers.get("sforce-duplicate-rule-header", "").replace(" ", "").lower()
        return Save(
            self.user_id,
            assign=self.headers.get("sforce-auto-assign", "TRUE").strip().upper() != "FALSE",
            allow_duplicates="allowsave=true" in duplicates,
            version=self.version,
        )

    @property
    def batch_size(self) -> int | None:
        """The page size asked for in Sforce-Query-Options."""
        for option in self.headers.get("sforce-query-options", "").split(","):
            name, _, value = option.partition("=")
            if name.strip().lower() == "batchsize" and value.strip().isdigit():
                return int(value)
        return None

    def json(self) -> Any:
        """The body. Raises Refusal (JSON_PARSER_ERROR)."""
        if self.body is _UNREAD:
            if not self.content.strip():
                message = "The HTTP entity body is required, but this request has no entity body."
                raise bad_json(message)
            try:
                self.body = orjson.loads(self.content)
            except orjson.JSONDecodeError as error:
                raise bad_json(f"{error.msg} at [line:{error.lineno}, column:{error.colno}]") from None
        return self.body

    def json_object(self) -> dict[str, Any]:
        """The body, which must be an object. Raises Refusal (JSON_PARSER_ERROR)."""
        body = self.json()
        if not isinstance(body, dict):
            raise bad_json("Can not deserialize: unexpected value at [line:1, column:1]")
        return body

    def required(self, name: str) -> str:
        """A query parameter that must be there. Raises Refusal."""
        value = self.query.get(name)
        if not value:
            raise Refusal("MISSING_ARGUMENT", f"The {name} parameter is required")
        return value


@dataclass(slots=True)
class Answer:
    """`body` None: an answer without one."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
