"""SOQL: the few statements that leadloop sends, as text. Pure.

Object and field names come checked (`Columns`); values are quoted here. Statements travel inside composite
subrequests, where a long one does not meet the 16 KB limit of URLs.
"""

from __future__ import annotations

from collections.abc import Sequence

from connector.platforms.salesforce.records import Columns
from connector.platforms.stamps import soql_literal

_ESCAPES = str.maketrans(
    {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
)


def quoted(value: str) -> str:
    """`value` as a SOQL string. Only these escapes exist: any other backslash is an error (SOQL guide)."""
    return f"'{value.translate(_ESCAPES)}'"


def changed_since(columns: Columns, since_ms: int) -> str:
    """Everything with a stamp in or after the second of `since_ms`, oldest first.

    `>=` over whole seconds with an overlap, not a keyset: stamps have one-second resolution, and rows of a
    long transaction appear late with an old stamp, so the caller re-reads and drops what it knows."""
    return (
        f"SELECT {', '.join(columns.select)} FROM {columns.object} "
        f"WHERE SystemModstamp >= {soql_literal(since_ms)} ORDER BY SystemModstamp, Id"
    )


def listed(columns: Columns, after: str | None, most: int) -> str:
    """The records after an id, by id."""
    where = f"WHERE Id > {quoted(after)} " if after is not None else ""
    return f"SELECT {', '.join(columns.select)} FROM {columns.object} {where}ORDER BY Id LIMIT {most}"


def where_in(columns: Columns, key: str, values: Sequence[str]) -> str:
    """The records whose `key` is one of `values` (not empty: `IN ()` is malformed)."""
    return (
        f"SELECT {', '.join(columns.select)} FROM {columns.object} "
        f"WHERE {key} IN ({', '.join(map(quoted, values))})"
    )


def changes_of(history: str, parent: str, ids: Sequence[str], fields: Sequence[str]) -> str:
    """Who set these fields of these records, and when, newest first."""
    return (
        f"SELECT {parent}, Field, NewValue, CreatedDate, CreatedById FROM {history} "
        f"WHERE {parent} IN ({', '.join(map(quoted, ids))}) AND Field IN ({', '.join(map(quoted, fields))}) "
        "ORDER BY CreatedDate DESC"
    )


def all_of(columns: Columns, since_ms: int | None) -> str:
    """Every record, or those with a stamp in or after the second of `since_ms`, in no order: a bulk query
    that asks for one is not split up by Salesforce."""
    where = "" if since_ms is None else f" WHERE SystemModstamp >= {soql_literal(since_ms)}"
    return f"SELECT {', '.join(columns.select)} FROM {columns.object}{where}"


def all_after(columns: Columns, after_id: str, since_ms: int | None) -> str:
    """The same by ascending id, from behind `after_id` on (blank: from the first)."""
    conditions = [f"Id > {quoted(after_id)}"] if after_id else []
    if since_ms is not None:
        conditions.append(f"SystemModstamp >= {soql_literal(since_ms)}")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {', '.join(columns.select)} FROM {columns.object}{where} ORDER BY Id"
