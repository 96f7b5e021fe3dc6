"""Links: which record of which side belongs to which lead; and identity keys: which key names which lead.

Records one truth; who is who is decided elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Literal, NamedTuple

from sqlalchemy import Connection, bindparam, delete, select, update

from connector.observation import RecordKey
from connector.store.rows import by_object, chunks, execute_in, execute_many, put_rows
from connector.store.schema import identity_keys, links

_ROWS_AT_ONCE = 10_000

Role = Literal["primary", "secondary", "past", "outside", "opportunity", "opportunity_contact"]


class Link(NamedTuple):
    """A record of a side and the lead it belongs to. `past` is a converted or merged record's role.

    A row of the table as it is, in the order of its columns."""

    side: str
    object: str
    record_id: str
    lead_id: str
    role: Role

    @property
    def key(self) -> RecordKey:
        return RecordKey(self.side, self.object, self.record_id)


class IdentityKey(NamedTuple):
    """A normalised value that names a person, such as ("email", "ann@example.com")."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A key that could not be put: `holder` has it already, not `lead_id`."""

    key: IdentityKey
    lead_id: str
    holder: str


_LINKS_OF = (
    select(links.c.side, links.c.object, links.c.record_id, links.c.lead_id, links.c.role)
    .where(links.c.lead_id.in_(bindparam("ids", expanding=True)))
    .order_by(links.c.side, links.c.object, links.c.record_id)
)
_LINKED = select(links.c.record_id, links.c.lead_id, links.c.role).where(
    links.c.side == bindparam("side"),
    links.c.object == bindparam("object"),
    links.c.record_id.in_(bindparam("ids", expanding=True)),
)
_KEYS_OF = select(identity_keys.c.value, identity_keys.c.lead_id).where(
    identity_keys.c.kind == bindparam("kind"), identity_keys.c.value.in_(bindparam("ids", expanding=True))
)
_DROP_KEY = delete(identity_keys).where(
    identity_keys.c.value == bindparam("gone_value"),
    identity_keys.c.kind == bindparam("gone_kind"),
    identity_keys.c.lead_id == bindparam("gone_lead"),
)


def put_links(conn: Connection, new: Iterable[Link]) -> None:
    """Link records; one that is linked already gets the new lead and role."""
    rows = {link[:3]: link for link in new}
    put_rows(conn, links, Link._fields, list(rows.values()), "replace")


def links_of(conn: Connection, lead_ids: Iterable[str]) -> dict[str, list[Link]]:
    """Lead id to its links, by side, object and id; every id asked for is a key."""
    found: dict[str, list[Link]] = {lead_id: [] for lead_id in lead_ids}
    for chunk in chunks(found):
        for row in execute_in(conn, "links.of", _LINKS_OF, {}, chunk).all():
            found[row[3]].append(Link(*row))
    return found


def linked(conn: Connection, keys: Iterable[RecordKey]) -> dict[RecordKey, Link]:
    """The links of these records; records without one are left out."""
    found: dict[RecordKey, Link] = {}
    for (side, name), ids in by_object(keys).items():
        for chunk in chunks(ids):
            rows = execute_in(conn, "links.linked", _LINKED, {"side": side, "object": name}, chunk)
            for record_id, lead_id, role in rows.all():
                found[RecordKey(side, name, record_id)] = Link(side, name, record_id, lead_id, role)
    return found


def keys_of(conn: Connection, keys: Iterable[tuple[str, str]]) -> dict[IdentityKey, str]:
    """The lead that each of these keys names; keys that name none are left out."""
    by_kind: dict[str, dict[str, None]] = {}
    for kind, value in keys:
        by_kind.setdefault(kind, {})[value] = None
    found: dict[IdentityKey, str] = {}
    for kind, values in by_kind.items():
        for chunk in chunks(values):
            rows = execute_in(conn, "links.keys", _KEYS_OF, {"kind": kind}, chunk).all()
            found.update([(IdentityKey(kind, value), lead_id) for value, lead_id in rows])
    return found


def keys_of_leads(conn: Connection, lead_ids: Iterable[str]) -> dict[str, list[IdentityKey]]:
    """Lead id to its identity keys; every id asked for is a key."""
    found: dict[str, list[IdentityKey]] = {lead_id: [] for lead_id in lead_ids}
    for chunk in chunks(found):
        rows = conn.execute(
            select(identity_keys.c.lead_id, identity_keys.c.kind, identity_keys.c.value)
            .where(identity_keys.c.lead_id.in_(chunk))
            .order_by(identity_keys.c.kind, identity_keys.c.value)
        )
        for lead_id, kind, value in rows:
            found[lead_id].append(IdentityKey(kind, value))
    return found


def put_keys(conn: Connection, new: Sequence[tuple[str, str, str]]) -> list[Taken]:
    """Lock (kind, value) for lead_id: the first one wins, also against another worker that puts the same
    key at this moment. Returns the keys that another lead has."""
    wanted = {IdentityKey(kind, value): lead_id for kind, value, lead_id in reversed(new)}
    rows = [(key.value, key.kind, lead_id) for key, lead_id in wanted.items()]
    written = put_rows(conn, identity_keys, ("value", "kind", "lead_id"), rows, "leave")
    if written == len(new):
        return []
    holders = keys_of(conn, wanted)
    return [
        Taken(key, lead_id, holders[key])
        for kind, value, lead_id in new
        if holders[key := IdentityKey(kind, value)] != lead_id
    ]


def count_by_sides(conn: Connection) -> dict[tuple[str, ...], int]:
    """The sides on which leads have a record that is not past, and how many leads have one on just those.

    Memory does not grow with the leads, but with those that have a past record. Millions of links are read in
    the order of an index that has all of it but the role, which would have to be looked up row by row."""
    with_past = set(conn.scalars(select(links.c.lead_id).where(links.c.role == "past")))
    found: Counter[tuple[str, ...]] = Counter()
    every = select(links.c.lead_id, links.c.side).order_by(links.c.lead_id)
    rows = conn.execute(every, execution_options={"yield_per": _ROWS_AT_ONCE})
    for lead_id, there in groupby(rows, key=itemgetter(0)):
        if lead_id not in with_past:
            found[tuple(sorted({side for _, side in there}))] += 1
    for part in chunks(sorted(with_past)):
        for records in links_of(conn, part).values():
            found[tuple(sorted({link.side for link in records if link.role != "past"}))] += 1
    found.pop((), None)
    return dict(found)


def drop_keys(conn: Connection, gone: Sequence[tuple[str, str, str]]) -> None:
    """Free each (kind, value) of lead_id; keys that another lead has stay."""
    rows = sorted((value, kind, lead_id) for kind, value, lead_id in gone)
    execute_many(conn, "links.drop_keys", _DROP_KEY, ("gone_value", "gone_kind", "gone_lead"), rows)


def move_keys(conn: Connection, from_lead: str, to_lead: str) -> None:
    """All identity keys of one lead now name another."""
    conn.execute(update(identity_keys).where(identity_keys.c.lead_id == from_lead).values(lead_id=to_lead))
