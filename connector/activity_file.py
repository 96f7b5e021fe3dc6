"""Activity file: what people did outside the two platforms, as rows of CSV or lines of JSON. Pure.

A row says who (`email`, or `lead`: leadloop's id), which `kind`, when (`at`) and which one it is (`key`); the
other columns are attributes. A row that is wrong is told with its line, and loses nothing but itself.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from connector.moments import native_moment_ms
from mappings.normalise import normalise
from mappings.problems import did_you_mean
from mappings.values import FieldType, Unreadable, Value

Kinds = Mapping[str, Mapping[str, FieldType]]
"""Kind of activity to its attributes and their types."""

WHO: Final = ("email", "lead")
OWN: Final = (*WHO, "kind", "at", "key")
LONGEST_KEY: Final = 200


@dataclass(frozen=True, slots=True)
class FileActivity:
    """One activity. One of `email` (in its normal form) and `lead` is given."""

    line: int
    email: str | None
    lead: str | None
    kind: str
    at_ms: int
    key: str
    attributes: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used, and why."""

    line: int
    why: str


def read_csv(lines: Iterable[str], kinds: Kinds, now_ms: int) -> Iterator[FileActivity | BadRow]:
    """The rows of a CSV file whose first line names the columns."""
    reader = csv.reader(lines)
    try:
        head = [name.strip() for name in next(reader, [])]
        known = [*OWN, *dict.fromkeys(name for attributes in kinds.values() for name in attributes)]
        for name in head:
            if name not in known or head.count(name) > 1:
                twice = name in known
                why = "stands there twice" if twice else f"is not known; {did_you_mean(name, known)}"
                yield BadRow(1, f'the column "{name}" {why}')
                return
        while True:
            line = reader.line_num + 1
            cells = next(reader, None)
            if cells is None:
                return
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(head):
                yield BadRow(line, f"{len(cells)} values for {len(head)} columns")
                continue
            row = {name: cell for name, cell in zip(head, cells, strict=False) if cell.strip()}
            own: dict[str, Any] = {name: row.pop(name).strip() for name in OWN if name in row}
            yield _activity(line, own, row, kinds, now_ms)
    except csv.Error as error:
        yield BadRow(reader.line_num, f"no CSV from here on: {error}")


def read_json_lines(lines: Iterable[str], kinds: Kinds, now_ms: int) -> Iterator[FileActivity | BadRow]:
    """The lines of a file with one JSON object each; attributes stand under `attributes`."""
    for line, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except (ValueError, RecursionError) as error:
            yield BadRow(line, f"no JSON: {error}")
            continue
        if not isinstance(row, dict):
            yield BadRow(line, "no JSON object")
            continue
        attributes = row.pop("attributes", None) or {}
        unknown = next((name for name in row if name not in OWN), None)
        if unknown is not None:
            yield BadRow(line, f'"{unknown}" is not known; {did_you_mean(unknown, [*OWN, "attributes"])}')
        elif not isinstance(attributes, dict):
            yield BadRow(line, '"attributes" is no JSON object')
        else:
            own = {name: value for name, value in row.items() if value not in (None, "")}
            yield _activity(line, own, attributes, kinds, now_ms)


def _activity(
    line: int, own: Mapping[str, Any], given: Mapping[str, Any], kinds: Kinds, now_ms: int
) -> FileActivity | BadRow:
    try:
        who = [name for name in WHO if name in own]
        if len(who) != 1:
            raise ValueError('who did it: "email" or "lead" is needed, and one of the two only')
        for name in ("kind", "at", "key"):
            if name not in own:
                raise ValueError(f'"{name}" is missing')
        kind = own["kind"]
        if not isinstance(kind, str) or kind not in kinds:
            raise ValueError(f'the source gives no activity "{kind}"; {did_you_mean(str(kind), kinds)}')
        if isinstance(own["key"], dict | list) or len(str(own["key"])) > LONGEST_KEY:
            raise ValueError(f'"key" is a text of at most {LONGEST_KEY} characters')
        return FileActivity(
            line=line,
            email=_email(own["email"]) if "email" in own else None,
            lead=str(own["lead"]) if "lead" in own else None,
            kind=kind,
            at_ms=_at_ms(own["at"], now_ms),
            key=str(own["key"]),
            attributes=_attributes(kind, given, kinds[kind]),
        )
    except (ValueError, Unreadable) as error:
        return BadRow(line, str(error))


def _email(value: Any) -> str:
    email = normalise("email", value)
    if not isinstance(email, str):
        raise Unreadable(f'"{value}" is no e-mail address')
    return email


def _at_ms(value: Any, now_ms: int) -> int:
    plain = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    at_ms = native_moment_ms(plain) if isinstance(plain, str) and plain.isascii() else None
    if at_ms is None or at_ms < 0:
        raise ValueError(f'"at": "{value}" is no date and time such as 2027-01-15T08:00:00Z')
    if at_ms > now_ms:
        raise ValueError(f'"at": "{value}" lies ahead')
    return at_ms


def _attributes(kind: str, given: Mapping[str, Any], types: Mapping[str, FieldType]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name, raw in given.items():
        if name not in types:
            raise ValueError(f'"{kind}" has no attribute "{name}"; {did_you_mean(name, types)}')
        if isinstance(raw, dict | list):
            raise ValueError(f'"{name}" is no plain value')
        try:
            value = normalise(types[name], raw)
        except Unreadable as error:
            raise ValueError(f'"{name}": {error}') from error
        if value is not None:
            found[name] = value
    return found
