"""What all store modules need around a statement: long IN lists, upserts, JSON blobs, row locks.

The one place that knows how the two databases differ in SQL. No table is named here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from operator import itemgetter
from typing import Any, Literal, TypeVar

import orjson
from sqlalchemy import ColumnElement, Connection, CursorResult, Select, Table, UpdateBase
from sqlalchemy.dialects import postgresql, sqlite

from connector.observation import RecordKey
from connector.store.schema import storable_text

T = TypeVar("T")

# SQLite takes 32,766 parameters in a statement (SQLITE_MAX_VARIABLE_NUMBER), PostgreSQL 65,535; beyond a few
# hundred a longer list is no faster on either
CHUNK = 500

Insert = sqlite.Insert | postgresql.Insert

Taken = Literal["refuse", "leave", "replace"]
"""What becomes of a new row whose key is taken: an IntegrityError, nothing, or the place of the old one."""


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def by_object(keys: Iterable[RecordKey]) -> dict[tuple[str, str], list[str]]:
    """Record ids by (side, object), so that one IN list covers many records; duplicates removed."""
    grouped: dict[tuple[str, str], dict[str, None]] = {}
    for key in keys:
        grouped.setdefault((key.side, key.object), {})[key.record_id] = None
    return {place: list(ids) for place, ids in grouped.items()}


def is_sqlite(conn: Connection) -> bool:
    return conn.dialect.name == "sqlite"


def insert_into(conn: Connection, table: Table) -> Insert:
    """An INSERT of the connection's own dialect, which has `on_conflict_do_update` and `…_do_nothing`."""
    return sqlite.insert(table) if is_sqlite(conn) else postgresql.insert(table)


def upsert(
    conn: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    update: Mapping[str, ColumnElement[Any]] | Sequence[str] | None = None,
) -> None:
    """INSERT the rows as one executemany; a row that exists by primary key is updated.

    `update` are the columns to take from the new row (all that are not the key when None), or expressions.
    Rows are sent in key order, so that two writers on PostgreSQL lock them in the same order.
    """
    if not rows:
        return
    key = [column.name for column in table.primary_key]
    statement = insert_into(conn, table)
    names = [name for name in rows[0] if name not in key] if update is None else update
    values = names if isinstance(names, Mapping) else {name: statement.excluded[name] for name in names}
    ordered = sorted(rows, key=lambda row: tuple(row[name] for name in key)) if len(rows) > 1 else rows
    conn.execute(statement.on_conflict_do_update(index_elements=key, set_=dict(values)), ordered)


def put_rows(
    conn: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]], taken: Taken
) -> int:
    """INSERT many rows, the values in the order of `columns` (the table's), by `execute_many`; returns how
    many were written. Rows are sent in key order. No column may be FreeText: nothing is converted."""
    if not rows:
        return 0
    statement, key = _put(conn.dialect.name, table, columns, taken)
    ordered = sorted(rows, key=key) if len(rows) > 1 else rows
    return execute_many(conn, f"{table.name}.{taken}", statement, columns, ordered)


@cache
def _put(
    dialect: str, table: Table, columns: tuple[str, ...], taken: Taken
) -> tuple[Insert, Callable[[tuple[Any, ...]], Any]]:
    """The statement, and the key of a row."""
    statement = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    key = [column.name for column in table.primary_key]
    if taken == "leave":
        statement = statement.on_conflict_do_nothing(index_elements=key)
    elif taken == "replace":
        rest = {name: statement.excluded[name] for name in columns if name not in key}
        statement = statement.on_conflict_do_update(index_elements=key, set_=rest)
    return statement, itemgetter(*(columns.index(name) for name in key))


def insert_new(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """INSERT the rows as one executemany; a row that exists by primary key is left as it is."""
    if rows:
        key = [column.name for column in table.primary_key]
        ordered = sorted(rows, key=lambda row: tuple(row[name] for name in key)) if len(rows) > 1 else rows
        conn.execute(insert_into(conn, table).on_conflict_do_nothing(index_elements=key), ordered)


def execute_many(
    conn: Connection,
    name: str,
    statement: UpdateBase,
    columns: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
) -> int:
    """The statement once for each row, the values in the order of `columns`; returns how many rows were
    written. `name` names the statement in a cache.

    On SQLite the same statement goes to the driver as text: SQLAlchemy's handling of each value costs as
    much again as SQLite's whole work on the row, and observations come by the hundred thousand.
    """
    if not rows:
        return 0
    if not is_sqlite(conn):
        return conn.execute(statement, [dict(zip(columns, row, strict=True)) for row in rows]).rowcount
    sql = _DRIVER_SQL.get(name)
    if sql is None:
        compiled = statement.compile(dialect=conn.dialect, column_keys=list(columns))
        sql = _DRIVER_SQL[name] = _checked(name, str(compiled), compiled.positiontup, columns)
    return conn.exec_driver_sql(sql, list(rows)).rowcount


def execute_in(
    conn: Connection,
    name: str,
    statement: Select[Any] | UpdateBase,
    fixed: Mapping[str, Any],
    ids: Sequence[str],
) -> CursorResult[*tuple[Any, ...]]:
    """A statement with an expanding parameter `ids`, and the parameters `fixed` before it.

    On SQLite as text, for the same reason as `execute_many`; the values are then the driver's own (a
    boolean is 0 or 1). `name` names the statement in a cache."""
    if not is_sqlite(conn):
        return conn.execute(statement, {**fixed, "ids": ids})
    cached = f"{name}:{len(ids)}"
    sql = _DRIVER_SQL.get(cached)
    if sql is None:
        compiled = statement.compile(dialect=conn.dialect)
        expanded = compiled.construct_expanded_state({**fixed, "ids": list(ids)})
        columns = [*fixed, *(f"ids_{number}" for number in range(1, len(ids) + 1))]
        sql = _DRIVER_SQL[cached] = _checked(name, expanded.statement, expanded.positiontup, columns)
    return conn.exec_driver_sql(sql, (*fixed.values(), *ids))


def _checked(name: str, sql: str, order: Sequence[str] | None, columns: Sequence[str]) -> str:
    if order is None or list(order) != list(columns):
        raise ValueError(f"{name} takes its values in another order: {order}")
    return sql


_DRIVER_SQL: dict[str, str] = {}


def locked(statement: Select[Any], *, skip_locked: bool = False, of: Table | None = None) -> Select[Any]:
    """The SELECT with its rows locked until the transaction ends. SQLite has one writer at a time and
    leaves this out. The weaker lock (FOR NO KEY UPDATE) lets others insert rows that point at ours."""
    return statement.with_for_update(key_share=True, skip_locked=skip_locked, of=of)


def lock_name(conn: Connection, name: str, *, shared: bool = False) -> None:
    """Let one transaction at a time pass here with this name, until it ends; `shared`: any number, while
    nobody is here alone. SQLite does so by itself."""
    if not is_sqlite(conn):
        kind = "_shared" if shared else ""
        statement = f"SELECT pg_advisory_xact_lock{kind}(hashtextextended(%s, 0))"
        conn.exec_driver_sql(statement, (f"leadloop:{name}",))


def to_json(value: object) -> bytes:
    """JSON bytes with sorted keys, so that equal content is equal bytes. Takes whatever a platform's JSON
    can hold: lone surrogates become U+FFFD, integers beyond 64 bits a float, or text where that overflows."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return orjson.dumps(_storable(value), option=orjson.OPT_SORT_KEYS)


def from_json(blob: bytes) -> Any:
    return orjson.loads(blob)


def _storable(value: object) -> object:
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        try:
            return float(value)
        except OverflowError:
            return str(value)
    if isinstance(value, Mapping):
        return {storable_text(str(name)): _storable(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = [_storable(item) for item in value]
        return sorted(items, key=repr) if isinstance(value, set | frozenset) else items
    return value
