"""Search (hubspot.md section 6): its limits, its 10,000 wall, its lagging index. Reads tables only.

An unchanged poll over 100,000 records must cost about a millisecond: a search that is nothing but a range of
the modified date, sorted by it, is answered from the log of changes by bisection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from connector.sandbox.hubspot.crm import Crm
from connector.sandbox.hubspot.filters import Filter, compile_filter, value_reader
from connector.sandbox.hubspot.problems import not_valid
from connector.sandbox.hubspot.records import Record
from connector.sandbox.hubspot.table import Table

MOST_RESULTS = 10_000
MOST_A_PAGE = 200
USUAL_PAGE = 10
MOST_GROUPS = 5
MOST_IN_A_GROUP = 6
MOST_FILTERS = 18
MOST_CHARACTERS = 3_000


@dataclass(frozen=True, slots=True)
class Query:
    """A search request, checked. `groups` are alternatives of filters that all hold."""

    groups: tuple[tuple[Filter, ...], ...]
    text: str
    sort: str | None
    descending: bool
    properties: tuple[str, ...] | None
    limit: int
    offset: int


@dataclass(frozen=True, slots=True)
class Found:
    """One page. `total` counts all matches, beyond the wall too. `after` is where the next page starts."""

    total: int
    records: list[Record]
    after: int | None


def parse_query(crm: Crm, table: Table, body: Mapping[str, Any]) -> Query:
    """Read a request. Raises Problem 400 for anything over the limits or not understood."""
    limit = body.get("limit", USUAL_PAGE)
    if not isinstance(limit, int) or not 0 <= limit <= MOST_A_PAGE:
        raise not_valid(f"Search limit must be between 0 and {MOST_A_PAGE}, not {limit}")
    text = str(body.get("query") or "")
    if len(text) > MOST_CHARACTERS:
        raise not_valid(f"The search query is longer than {MOST_CHARACTERS} characters")
    sort, descending = _sort(crm, table, body.get("sorts") or [])
    properties = body.get("properties")
    return Query(
        _groups(crm, table, body.get("filterGroups") or []),
        text,
        sort,
        descending,
        None if not properties else tuple(str(name) for name in properties),
        limit,
        _offset(body.get("after")),
    )


def _offset(after: Any) -> int:
    if after is None or after == "":
        return 0
    if not isinstance(after, str) or not after.isdecimal():
        raise not_valid(f"after must be an integer as a string, not {after!r}")
    offset = int(after)
    if offset >= MOST_RESULTS:
        raise not_valid(f"A search cannot page past {MOST_RESULTS} results")
    return offset


def _groups(crm: Crm, table: Table, given: Any) -> tuple[tuple[Filter, ...], ...]:
    if not isinstance(given, list) or len(given) > MOST_GROUPS:
        raise not_valid(f"A search takes a list of at most {MOST_GROUPS} filterGroups")
    groups: list[tuple[Filter, ...]] = []
    for group in given:
        filters = group.get("filters") if isinstance(group, dict) else None
        if not isinstance(filters, list) or len(filters) > MOST_IN_A_GROUP:
            raise not_valid(f"A filterGroup takes a list of at most {MOST_IN_A_GROUP} filters")
        groups.append(
            tuple(compile_filter(table.kind, _definition(crm, table, each), each) for each in filters)
        )
    if sum(len(filters) for filters in groups) > MOST_FILTERS:
        raise not_valid(f"A search takes at most {MOST_FILTERS} filters")
    return tuple(groups)


def _definition(crm: Crm, table: Table, given: Any) -> Any:
    name = given.get("propertyName") if isinstance(given, dict) else None
    return _known(crm, table, name)


def _known(crm: Crm, table: Table, name: Any) -> Any:
    definition = table.definitions.get(name) if isinstance(name, str) else None
    if definition is None or crm.faults.is_hidden(table.kind.name, definition.name):
        raise not_valid(
            "There was a problem with the request.",
            errors=[{"message": f"Property {name} does not exist", "code": "PROPERTY_DOESNT_EXIST"}],
        )
    return definition


def _sort(crm: Crm, table: Table, sorts: Any) -> tuple[str | None, bool]:
    if not isinstance(sorts, list) or len(sorts) > 1:
        raise not_valid("A search takes one sort rule")
    if not sorts:
        return None, False
    rule = sorts[0]
    if isinstance(rule, str):  # the spec's form; "-" is descending (reported)
        name, descending = rule.removeprefix("-"), rule.startswith("-")
    elif isinstance(rule, dict) and rule.get("direction", "ASCENDING") in ("ASCENDING", "DESCENDING"):
        name, descending = rule.get("propertyName", ""), rule.get("direction") == "DESCENDING"
    else:
        raise not_valid(f"Cannot read the sort rule {rule!r}")
    _known(crm, table, name)
    return name, descending


def run(crm: Crm, table: Table, query: Query) -> Found:
    """Answer a query as the index shows the table now."""
    stop = min(query.offset + query.limit, MOST_RESULTS)
    stale = _stale(crm, table)
    low, high, exact = _range(table, query)
    if exact and query.sort == table.kind.modified and not stale:
        span = table.log.span(low, high)
        total = table.log.count(span)
        ids = islice(table.log.ids(span, query.descending), query.offset, stop)
        return _page(query, total, [table.records[each] for each in ids])
    matched = _matching(table, query, list(_candidates(table, query, low, high, stale)))
    _order(table, query, matched)
    return _page(query, len(matched), matched[query.offset : stop])


def _page(query: Query, total: int, records: list[Record]) -> Found:
    reached = query.offset + len(records)
    more = bool(records) and reached < total
    return Found(total, records, reached if more else None)


def _range(table: Table, query: Query) -> tuple[int | None, int | None, bool]:
    """The bounds on the modified date that every match keeps to, and whether they are the whole query."""
    if len(query.groups) > 1:
        return None, None, False
    low: int | None = None
    high: int | None = None
    exact = not query.text
    for each in query.groups[0] if query.groups else ():
        if each.name == table.kind.modified and (each.low is not None or each.high is not None):
            if each.low is not None:
                low = each.low if low is None else max(low, each.low)
            if each.high is not None:
                high = each.high if high is None else min(high, each.high)
        else:
            exact = False
    return low, high, exact


def _candidates(
    table: Table, query: Query, low: int | None, high: int | None, stale: Mapping[int, Record | None]
) -> Iterator[Record]:
    """A superset of the matches, as small as an index can make it."""
    ids: Iterable[int]
    few = _by_key(table, query) if not stale else None
    if few is not None:
        ids = few
    elif low is not None or high is not None:
        ids = table.log.ids(table.log.span(low, high))
    else:
        ids = table.live_ids
    for each in ids:
        if each not in stale:
            yield table.records[each]
    for shown in stale.values():
        if shown is not None:
            yield shown


def _by_key(table: Table, query: Query) -> list[int] | None:
    """The ids that an EQ or IN on a unique property or the id leaves; None when there is no such filter."""
    if len(query.groups) != 1:
        return None
    for each in query.groups[0]:
        if each.operator not in ("EQ", "IN"):
            continue
        if each.name == "hs_object_id":
            return [value for value in each.values if table.live(value) is not None]
        if table.is_unique(each.name) and all(isinstance(value, str) for value in each.values):
            holders = (table.holder(each.name, value) for value in each.values)
            return list(dict.fromkeys(holder for holder in holders if holder is not None))
    return None


def _matching(table: Table, query: Query, records: list[Record]) -> list[Record]:
    """The records that any group's filters all hold for, and the text."""
    if len(query.groups) == 1:
        for each in query.groups[0]:
            holds = each.matches
            records = [record for record in records if holds(record)]
    elif query.groups:
        records = [
            record
            for record in records
            if any(all(each.matches(record) for each in group) for group in query.groups)
        ]
    words = query.text.lower().split()
    return [record for record in records if _has_words(table, record, words)] if words else records


def _has_words(table: Table, record: Record, words: list[str]) -> bool:
    shown = " ".join(record.properties.get(name, "") for name in table.kind.searched).lower()
    return all(word in shown for word in words)


def _order(table: Table, query: Query, records: list[Record]) -> None:
    if query.sort is None:
        records.sort(key=lambda record: record.record_id)
        return
    read = value_reader(table.kind, table.definitions[query.sort])
    records.sort(key=_blank_last(read), reverse=query.descending)


def _blank_last(read: Callable[[Record], Any]) -> Callable[[Record], tuple[bool, Any]]:
    def key(record: Record) -> tuple[bool, Any]:
        value = read(record)
        return value is None, 0 if value is None else value

    return key


def _stale(crm: Crm, table: Table) -> dict[int, Record | None]:
    """Records whose latest changes the index does not show yet, as it shows them (None: not at all)."""
    if not table.lagging:
        return {}
    cutoff_ms = crm.now_ms() - round(crm.faults.visibility_lag_seconds * 1_000)
    found: dict[int, Record | None] = {}
    for record_id, states in list(table.lagging.items()):
        hidden = [state for changed_ms, state in states if changed_ms > cutoff_ms]
        if not hidden:
            del table.lagging[record_id]
        elif table.live(record_id) is not None:  # archived records are never shown
            found[record_id] = hidden[0]
    return found
