"""Leadless: people of whom something is stored though they are no lead. Finds them, and changes nothing.

They have records that a `filter` leaves out, or records that may be one of several leads', or they have done
something before any platform has shown them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from connector.accounts import address_fields
from connector.installation import Installation
from connector.intake.ambiguity import AMBIGUOUS, records_in_doubt
from connector.intake.erased_names import Name
from connector.intake.identity import CLAIM, NamesOf, with_name
from connector.intake.keeping_out import is_person
from connector.observation import RecordKey
from connector.store import outsiders, waiting_activities
from connector.store.holds import leads_held
from connector.store.leads import read_leads, resolve_aliases
from connector.store.links import keys_of, linked
from connector.store.observations import observations_by_key, records_with_id, referring
from mappings.normalise import normalise
from mappings.values import Unreadable


@dataclass(frozen=True, slots=True)
class Leadless:
    """One of them. The `names` lead to nobody who is known; `standing` are those of the `records` that their
    platforms still have, as far as is known. So many `activities` wait for an address among the names."""

    names: tuple[Name, ...]
    records: tuple[RecordKey, ...]
    standing: tuple[RecordKey, ...]
    activities: int


def find_leadless(conn: Connection, installation: Installation, text: str) -> list[Leadless]:
    """Whom a person means by this text: an address or another identity value, a record id, or
    `side:object:id`. Several when the text is not unique."""
    by_name = [leadless(conn, installation, [name]) for name in names_said(installation, text)]
    by_name += [leadless(conn, installation, [name]) for name in _behind_shared(conn, installation, text)]
    by_record = [leadless(conn, installation, (), [record]) for record in _records_said(conn, text)]
    found = dict.fromkeys(one for one in (*by_name, *by_record) if one.records or one.activities)
    # what waits for a shared mailbox is nobody's while somebody behind it has a record
    return [one for one in found if one.records] or list(found)


def leadless(
    conn: Connection, installation: Installation, names: Iterable[Name], records: Iterable[RecordKey] = ()
) -> Leadless:
    """Everything of the person who has one of these names, or whose records these are, as far as it leads to
    nobody who is known: what carries one of the names, what carries another name of those, and so on, as one
    lead would have been made of them. The caller has seen to it that the records are no lead's."""
    doubtful = _carried(conn, installation, _in_doubt(conn))
    found = dict.fromkeys(records)
    wave = [*names, *(name for each in _carried(conn, installation, found).values() for name in each)]
    theirs: dict[Name, None] = {}
    while wave := [name for name in _of_nobody(conn, wave) if name not in theirs]:
        theirs.update(dict.fromkeys(wave))
        near = {record for each in outsiders.named(conn, wave).values() for record in each}
        carried = _carried(conn, installation, near - found.keys())
        carried.update((record, each) for record, each in doubtful.items() if record not in found)
        more = {record: each for record, each in carried.items() if not theirs.keys().isdisjoint(each)}
        found.update(dict.fromkeys(more))
        wave = [name for each in more.values() for name in each]
    seen = observations_by_key(conn, found)
    addresses = [value for kind, value in theirs if kind in address_fields(installation.policy.mapping)]
    return Leadless(
        tuple(sorted(theirs)),
        tuple(sorted(found)),
        tuple(record for record in sorted(found) if record not in seen or not seen[record].deleted),
        waiting_activities.count(conn, addresses),
    )


def names_said(installation: Installation, text: str) -> list[Name]:
    """What was typed, as each identity field has it; a shared address may be followed by the last name."""
    found: list[Name] = []
    address, _, last_name = text.strip().partition(" ")
    for name, rule in installation.policy.mapping.fields.items():
        if not rule.identity:
            continue
        shared = rule.type == "email" and last_name
        try:
            value = normalise(rule.type, address if shared else text)
        except Unreadable:
            continue
        if isinstance(value, str):
            found.append(with_name(name, value, last_name) if shared else (name, value))
    return found


def record_said(text: str) -> RecordKey | None:
    """The record that was typed, as `side:object:id` or `SIDE OBJECT ID`."""
    for parts in (text.strip().split(":", 2), text.split()):
        if len(parts) == 3:
            return RecordKey(*parts)
    return None


def _records_said(conn: Connection, text: str) -> list[RecordKey]:
    """Records that are no lead's, by their id."""
    named = record_said(text)
    if named is None:
        found = records_with_id(conn, text.strip())
    elif observations_by_key(conn, [named]) or referring(conn, named.side, named.object, [named.record_id]):
        found = [named]
    else:
        found = []
    of_leads = linked(conn, found)
    return [record for record in found if record not in of_leads]


def _behind_shared(conn: Connection, installation: Installation, text: str) -> list[Name]:
    """The names of the people who read behind a shared mailbox."""
    address = text.strip()
    if "@" not in address or " " in address:
        return []
    begin = [with_name(name, address.lower(), "") for name in address_fields(installation.policy.mapping)]
    carried = _carried(conn, installation, _in_doubt(conn)).values()
    found = {name for names in carried for name in names if _begins(name, begin)}
    for kind, beginning in begin:
        found.update(outsiders.beginning(conn, kind, beginning))
    return sorted(found)


def _begins(name: Name, beginnings: Iterable[Name]) -> bool:
    return any(name[0] == kind and name[1].startswith(value) for kind, value in beginnings)


def _in_doubt(conn: Connection) -> list[RecordKey]:
    """The records that may be one of several leads'."""
    held = leads_held(conn, AMBIGUOUS)
    return records_in_doubt(conn, held) if held else []


def _carried(
    conn: Connection, installation: Installation, records: Iterable[RecordKey]
) -> dict[RecordKey, list[Name]]:
    """The names that these records carry, those of leads left out. By what each showed last: what is known of
    outsiders may be older, and a record can have become somebody else's since."""
    records = set(records)
    records -= linked(conn, records).keys()
    names_of = NamesOf(installation.policy.mapping)
    found: dict[RecordKey, list[Name]] = {}
    for record, seen in sorted(observations_by_key(conn, sorted(records)).items()):
        found[record] = []
        readable = is_person(installation, seen)
        if readable:
            found[record] += names_of(seen).keys(seen.fields, installation.policy.directory)
        if seen.deleted or not readable:  # of a deleted one nothing else was kept
            found[record] += outsiders.names_of(conn, record)
    return found


def _of_nobody(conn: Connection, names: Iterable[Name]) -> list[Name]:
    """Those of the names that lead to nobody who is known."""
    each = list(dict.fromkeys(names))
    known = keys_of(conn, each)
    claims = [value for kind, value in each if kind == CLAIM]
    standing = {lead.id for lead in read_leads(conn, claims)} | resolve_aliases(conn, claims).keys()
    return [name for name in each if name not in known and (name[0] != CLAIM or name[1] not in standing)]
