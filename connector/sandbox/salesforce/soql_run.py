"""A query carried out: bound to the org, narrowed by indexes, ordered, and its rows spelled as JSON.

Source: facts/salesforce.md 3. Paging is not done here: a run leaves the ids that it found and the means to
spell their rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from typing import Any

from connector.sandbox.salesforce.refusals import Refusal, malformed, pointing
from connector.sandbox.salesforce.schema import TEXT_TYPES, ObjectSpec, Row
from connector.sandbox.salesforce.soql_columns import Column, find_column, find_source
from connector.sandbox.salesforce.soql_filter import Filter, compile_filter
from connector.sandbox.salesforce.soql_grammar import parse_query
from connector.sandbox.salesforce.soql_tree import Item, Name, Ordering, Query
from connector.sandbox.salesforce.table import Table
from connector.sandbox.salesforce.world import World

Json = dict[str, Any]
Render = Callable[[Row], Any]

LARGEST_OFFSET = 2_000


@dataclass(frozen=True, slots=True)
class Found:
    """What a query found. `aggregate` is the one row of a COUNT(field) query, and `count` the answer of
    COUNT(); otherwise `ids` are the rows of `object` in order. `long_text`: a long text was selected."""

    object: ObjectSpec
    ids: Sequence[str] = ()
    count: int | None = None
    aggregate: Json | None = None
    render: Render | None = None
    long_text: bool = False
    deleted_too: bool = False


def run_query(world: World, text: str, version: str, deleted_too: bool) -> Found:
    """Carry out a SELECT. `version`: as in the URLs of the rows, `62.0`. Raises Refusal."""
    query = parse_query(text)
    spec = find_source(world, query.object, text)
    if query.offset > LARGEST_OFFSET:
        message = f"Maximum SOQL offset allowed is {LARGEST_OFFSET}"
        raise Refusal("NUMBER_OUTSIDE_VALID_RANGE", message)
    found_filter = (
        Filter(lambda _row: True) if query.where is None else compile_filter(world, spec, query.where, text)
    )
    counts = [item for item in query.items if item.function]
    if counts:
        return _counted(world, spec, query, found_filter, text, deleted_too)
    columns = [_plain_column(world, spec, item, text) for item in query.items]
    _refuse_repeated(columns, query, text)
    order = [(_sortable(world, spec, each.field, text), each) for each in query.order]
    rows = _rows(world.tables[spec.name], found_filter, query, order, deleted_too)
    return Found(
        spec,
        [row["Id"] for row in rows],
        render=_renderer(world, spec, columns, version),
        long_text=any(column.field.long_text for column in columns),
        deleted_too=deleted_too,
    )


def _plain_column(world: World, spec: ObjectSpec, item: Item, text: str) -> Column:
    if item.alias is not None:
        raise malformed("only aggregate expressions use field aliasing", text, item.name.at)
    return find_column(world, spec, item.name, text)


def _refuse_repeated(columns: Sequence[Column], query: Query, text: str) -> None:
    seen: set[str] = set()
    for column, item in zip(columns, query.items, strict=True):
        if column.name in seen:
            raise pointing("INVALID_FIELD", f"duplicate field selected: {column.name}", text, item.name.at)
        seen.add(column.name)


def _sortable(world: World, spec: ObjectSpec, name: Name, text: str) -> Column:
    column = find_column(world, spec, name, text)
    if not column.field.sortable:
        message = f"field '{column.field.name}' can not be sorted in a query call"
        raise pointing("INVALID_FIELD", message, text, name.at)
    return column


def _counted(
    world: World, spec: ObjectSpec, query: Query, found_filter: Filter, text: str, deleted_too: bool
) -> Found:
    whole = next((item for item in query.items if item.function and item.argument is None), None)
    bad = next((item for item in query.items if not item.function or item.name.text.lower() != "count"), None)
    if bad is not None or (whole is not None and len(query.items) > 1):
        at = (bad or query.items[0]).name
        raise malformed(f"unexpected token: '{at.text}'", text, at.at)
    columns = [find_column(world, spec, item.argument, text) for item in query.items if item.argument]
    if query.order:
        raise malformed("Ordered field must be grouped or aggregated", text, query.order[0].field.at)
    rows = _rows(world.tables[spec.name], found_filter, query, [], deleted_too)
    if whole is not None:
        return Found(spec, count=len(rows))
    row: Json = {"attributes": {"type": "AggregateResult"}}
    unnamed = 0
    for item, column in zip(query.items, columns, strict=True):
        name = item.alias
        if name is None:
            name, unnamed = f"expr{unnamed}", unnamed + 1
        row[name] = sum(column.get(each) is not None for each in rows)
    return Found(spec, aggregate=row)


def _rows(
    table: Table,
    found_filter: Filter,
    query: Query,
    order: Sequence[tuple[Column, Ordering]],
    deleted_too: bool,
) -> list[Row]:
    test = found_filter.test
    candidates, in_order = _candidates(table, found_filter, order)
    rows = (row for row in candidates if (deleted_too or not _put_away(row)) and test(row))
    until = None if query.limit is None else query.offset + query.limit
    if in_order or not order:
        return list(islice(rows, query.offset, until))
    return _sorted(list(rows), order)[query.offset : until]


def _candidates(
    table: Table, found_filter: Filter, order: Sequence[tuple[Column, Ordering]]
) -> tuple[Iterator[Row], bool]:
    """The rows that may pass, and whether they come in the order that was asked for."""
    rising = [column.name for column, each in order if not each.descending]
    by_stamp = len(rising) == len(order) and rising in (["SystemModstamp"], ["SystemModstamp", "Id"])
    by_id = len(rising) == len(order) and rising == ["Id"]
    if found_filter.lookups is not None:
        return table.shown_by_id(_looked_up(table, found_filter)), False
    if found_filter.low is not None or found_filter.high is not None or by_stamp:
        rows = table.shown_between(found_filter.low, found_filter.high)
        return rows, by_stamp and not table.seen_late
    if found_filter.from_id is not None or by_id:
        return table.shown_from_id(found_filter.from_id), by_id and not table.seen_late
    return table.shown_rows(), False


def _looked_up(table: Table, found_filter: Filter) -> list[str]:
    found: dict[str, None] = {}
    for field, values in found_filter.lookups or ():
        for value in values:
            for row_id in (value,) if field == "Id" else table.postings[field].of(value):
                found[row_id] = None
    return list(found)


def _sorted(rows: list[Row], order: Sequence[tuple[Column, Ordering]]) -> list[Row]:
    for column, each in reversed(order):
        text = column.field.type in TEXT_TYPES
        pairs = [(column.get(row), row) for row in rows]
        blank = [row for value, row in pairs if value is None]
        filled = [(value.lower() if text else value, row) for value, row in pairs if value is not None]
        filled.sort(key=itemgetter(0), reverse=each.descending)
        ordered = [row for _, row in filled]
        rows = ordered + blank if each.nulls_last else blank + ordered
    return rows


def _renderer(world: World, spec: ObjectSpec, columns: Sequence[Column], version: str) -> Render:
    base = f"/services/data/v{version}/sobjects/"
    own = f"{base}{spec.name}/"
    object_name = spec.name
    parts = [(column.field.name, column.get) for column in columns if column.reference is None]
    parents = _parents(columns)
    if not parents:

        def flat(row: Row) -> Json:
            found: Json = {"attributes": {"type": object_name, "url": own + row["Id"]}}
            for name, get in parts:
                found[name] = get(row)
            return found

        return flat
    ordered: list[tuple[str, Render]] = []
    for column in columns:
        if column.reference is None:
            ordered.append((column.field.name, column.get))
        elif (inside := parents.pop(str(column.reference.relationship), None)) is not None:
            ordered.append((str(column.reference.relationship), _parent_renderer(world, inside, base)))

    def nested(row: Row) -> Json:
        found: Json = {"attributes": {"type": object_name, "url": own + row["Id"]}}
        for name, get in ordered:
            found[name] = get(row)
        return found

    return nested


def _parents(columns: Sequence[Column]) -> dict[str, list[Column]]:
    found: dict[str, list[Column]] = {}
    for column in columns:
        if column.reference is not None:
            found.setdefault(str(column.reference.relationship), []).append(column)
    return found


def _parent_renderer(world: World, columns: Sequence[Column], base: str) -> Render:
    reference = columns[0].reference
    link = "" if reference is None else reference.name
    polymorphic = reference is not None and reference.polymorphic

    def render(row: Row) -> Json | None:
        parent_id = row.get(link)
        spec = world.object_of_id(parent_id) if parent_id else None
        if spec is None or world.row(parent_id) is None:
            return None
        kind = "Name" if polymorphic else spec.name
        found: Json = {"attributes": {"type": kind, "url": f"{base}{spec.name}/{parent_id}"}}
        for column in columns:
            found[column.field.name] = column.get(row)
        return found

    return render


def _put_away(row: Row) -> bool:
    """Deleted, or an activity that was archived: only queryAll shows it (facts/salesforce.md 3.1, 10)."""
    return bool(row.get("IsDeleted") or row.get("IsArchived"))
