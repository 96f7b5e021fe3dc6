"""One HTTP call as the routes see it, and the answer they give. Parses; decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import orjson

from connector.sandbox.hubspot.problems import not_valid


@dataclass(frozen=True, slots=True)
class Call:
    """`version` is v1, v3, v4 or a date such as 2026-09; `parts` are the path segments after the family."""

    method: str
    version: str
    parts: tuple[str, ...]
    query: Mapping[str, Sequence[str]]
    content: bytes

    @property
    def rules(self) -> bool:
        """Whether the admin's validation rules are enforced: from 2026-09 on (hubspot.md section 2)."""
        return self.version >= "2026-09" and not self.version.startswith("v")

    def json(self) -> dict[str, Any]:
        """The body. Raises Problem 400 unless it is a JSON object."""
        try:
            body = orjson.loads(self.content)
        except orjson.JSONDecodeError as error:
            raise not_valid(f"Invalid input JSON: {error}") from error
        if not isinstance(body, dict):
            raise not_valid("Invalid input JSON: an object was expected")
        return body

    def json_list(self) -> list[dict[str, Any]]:
        """The body where it is a list of objects. Raises Problem 400 when it is not."""
        try:
            body = orjson.loads(self.content)
        except orjson.JSONDecodeError as error:
            raise not_valid(f"Invalid input JSON: {error}") from error
        if not isinstance(body, list) or not all(isinstance(each, dict) for each in body):
            raise not_valid("Invalid input JSON: a list of objects was expected")
        return body

    def inputs(self, most: int = 100) -> list[dict[str, Any]]:
        """The `inputs` of a batch. Raises Problem 400 when there are none or too many."""
        inputs = self.json().get("inputs")
        if not isinstance(inputs, list) or not all(isinstance(each, dict) for each in inputs):
            raise not_valid("Invalid input JSON: inputs must be a list of objects")
        if not inputs:
            raise not_valid("A batch request requires at least one input")
        if len(inputs) > most:
            raise not_valid(f"The maximum number of inputs supported in a batch request is {most}")
        return inputs

    def text(self, name: str) -> str | None:
        """A query parameter."""
        values = self.query.get(name)
        return values[-1] if values else None

    def texts(self, name: str) -> list[str] | None:
        """A repeated or comma-separated query parameter; None when it is not there."""
        values = self.query.get(name)
        return None if values is None else [part for value in values for part in value.split(",") if part]

    def flag(self, name: str) -> bool:
        """A boolean query parameter; capital letters are taken too (hubspot.md section 17, point 9)."""
        return (self.text(name) or "").lower() == "true"

    def number(self, name: str, usual: int, most: int) -> int:
        """A whole number in the query. Raises Problem 400 when it is not one between 1 and `most`."""
        text = self.text(name)
        if text is None:
            return usual
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise not_valid(f"{name} must be between 1 and {most}, not {text}")
        return int(text)

    def form(self) -> dict[str, str]:
        """A form-encoded body."""
        fields = parse_qs(self.content.decode("utf-8", "replace"), keep_blank_values=True)
        return {name: values[-1] for name, values in fields.items()}


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` None: no content."""

    status: int
    body: Any = None


def batch_answer(
    started: str, completed: str, results: Sequence[Any], errors: Sequence[Any] = (), status: int = 200
) -> Answer:
    """The answer to a batch: 207 when any input failed; `numErrors` counts error objects, not ids."""
    body: dict[str, Any] = {"status": "COMPLETE", "results": results}
    if errors:
        body |= {"numErrors": len(errors), "errors": errors}
    body |= {"startedAt": started, "completedAt": completed}
    return Answer(207 if errors else status, body)
