"""Link: find the lead that a record belongs to, or begin a new one.

The order is the design's: the link table; the record's own cross-reference (leadloop's id, or the Contact a
Lead was converted into, or the survivor of a merge); the normalised e-mail address, and whatever else the
mapping calls identity. A shared address such as info@ needs the last name as a second key. More than one
candidate is never guessed: it is a hold that names them (`ambiguity`). A lead id that this database has lost
is taken up again. Linking is serialised over all workers, so that two of them cannot begin one person twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection

from connector.accounts import address_fields, names_of_account
from connector.installation import Installation, is_lead_id
from connector.intake.ambiguity import Ambiguity, put_ambiguities, records_in_doubt
from connector.intake.batch import Batch
from connector.intake.identity import CLAIM, Names, NamesOf, field_of
from connector.intake.parting import Wanted, part_records
from connector.intake.related import leads_behind, leads_of_activities, related_records, successors
from connector.intake.uniting import unite_leads
from connector.observation import Observation, RecordKey
from connector.store import account_names, outsiders
from connector.store import leads as lead_store
from connector.store.links import Link, Role, drop_keys, keys_of, linked, put_keys, put_links
from connector.store.observations import (
    Stored,
    empty_observations,
    observations_by_key,
    observations_of,
)
from connector.store.rows import from_json, lock_name
from connector.store.waiting_activities import hand_over
from connector.taking_part import takes_part
from mappings.object_mapping import ObjectMapping
from mappings.stages import Stage

_FIRST_STAGE = Stage.INQUIRY.value


def link_records(
    conn: Connection, installation: Installation, stored: Sequence[Stored], now_ms: int
) -> set[str]:
    """Link what was stored and mark the leads concerned dirty. Returns their ids."""
    mapping = installation.policy.mapping
    names_of: dict[tuple[str, str], Names] = {}
    batch = Batch(now_ms)
    people: list[Stored] = []
    activities: list[Observation] = []
    accounts: list[Observation] = []
    for item in stored:
        if item.status not in ("new", "changed"):
            continue
        record = item.observation
        names = names_of.get((record.side, record.object))
        if names is None:
            described = _described(installation, record)
            if described is None:
                continue
            if described.role == "activity":
                activities.append(record)
                continue
            if described.role == "account":
                accounts.append(record)
                continue
            if described.role != "person":
                if item.lead_id is not None:
                    batch.dirty.add(item.lead_id)
                batch.dirty.update(leads_behind(conn, item))
                continue
            names = names_of[record.side, record.object] = Names.of(described, mapping)
        lives_on = record.converted or record.merged_into
        if item.lead_id is None or lives_on or not names.unchanged(item):
            people.append(item)
        else:
            batch.dirty.add(item.lead_id)
    batch.dirty.update(leads_of_activities(conn, activities))
    _name_accounts(conn, installation, accounts)
    if not people:
        lead_store.mark_dirty(conn, batch.dirty, now_ms)
        return batch.dirty
    lock_name(conn, "identity")
    dirty, begun = _link_people(conn, installation, people, batch)
    again = _look_again(conn, installation, batch)
    later = Batch(now_ms)
    if again:
        more, begun_later = _link_people(conn, installation, again, later)
        dirty, begun = dirty | more, begun | begun_later
    settled = {item.observation.key for item in again}
    ambiguous = [one for key, one in batch.ambiguous.items() if key not in settled]
    looked_at = {*settled, *(item.observation.key for item in people if item.status != "new")}
    if looked_at or ambiguous:
        found = [*ambiguous, *later.ambiguous.values()]
        dirty |= put_ambiguities(conn, looked_at, found, now_ms)
    lead_store.mark_dirty(conn, dirty - begun, now_ms)
    return dirty | begun


def _look_again(conn: Connection, installation: Installation, batch: Batch) -> list[Stored]:
    """The records to look at again: ambiguous ones, since leads that they could belong to have changed, and
    those that have a lead now and had none, whose other names are the lead's from now on. First those that
    have a lead, which take up the names that have become free."""
    keys = set(batch.came_in)
    if batch.renamed:
        keys.update(batch.ambiguous, records_in_doubt(conn, batch.renamed))
    if not keys:
        return []
    links = linked(conn, keys)
    items = [
        Stored(record, "changed", links[key].lead_id if key in links else None)
        for key, record in observations_by_key(conn, sorted(keys)).items()
        if _described(installation, record) is not None
    ]
    return sorted(items, key=lambda item: item.lead_id is None)


def _described(installation: Installation, item: Observation) -> ObjectMapping | None:
    side = installation.policy.mapping.sides.get(item.side)
    return side.objects.get(item.object) if side is not None else None


def _name_accounts(conn: Connection, installation: Installation, records: Sequence[Observation]) -> None:
    """Keep by what accounts are known now. It counts for leads that are decided about from then on."""
    newest = {item.key: item for item in records}
    policy = installation.policy
    names = [
        (name, key)
        for key, item in newest.items()
        if item.alive
        for name in names_of_account(
            policy.mapping.sides[key.side].objects[key.object].read(item.fields, policy.directory).values
        )
    ]
    account_names.replace(conn, newest, names)


def _link_people(
    conn: Connection, installation: Installation, people: Sequence[Stored], batch: Batch
) -> tuple[set[str], set[str]]:
    """Link each person's record; the look-ups are made for the whole page at once. Returns the leads that
    something is new for, and those that have begun."""
    directory = installation.policy.directory
    names = NamesOf(installation.policy.mapping)
    # who is known speaks first: a name that two of them show now is nobody's for sure
    people = sorted(people, key=lambda item: item.lead_id is None or not item.observation.alive)
    wanted: Wanted = [names(item.observation).keys(item.observation.fields, directory) for item in people]
    batch.renamed.update(_free_names(conn, installation, people, wanted, names))
    known = keys_of(conn, {key for keys in wanted for key in keys if key[0] != CLAIM})
    batch.by_key.update(known.items())
    people, wanted = part_records(conn, installation, people, wanted, names, batch)
    claimed = {value for keys in wanted for kind, value in keys if kind == CLAIM}
    if claimed:
        aliases = lead_store.resolve_aliases(conn, claimed)
        for lead in lead_store.read_leads(conn, {*claimed, *aliases.values()}):
            batch.by_key[CLAIM, lead.id] = lead.id
        batch.by_key.update(((CLAIM, old), new) for old, new in aliases.items())
    related = related_records(conn, installation.policy.mapping, [item.observation for item in people])
    if related:
        found = linked(conn, {key for keys in related.values() for key in keys})
        batch.by_record.update((key, link.lead_id) for key, link in found.items())
    if known and any(item.lead_id is None for item in people):
        _find_rivals(conn, installation, set(known.values()), names, batch)
    # what an earlier filter left out, too, until it is seen again
    filtered = bool(installation.policy.filters) or outsiders.any_there(conn)
    if filtered:
        batch.outsiders.update(outsiders.named(conn, (key for keys in wanted for key in keys)))
        there = linked(conn, {record for records in batch.outsiders.values() for record in records})
        batch.by_record.update((key, link.lead_id) for key, link in there.items())
        batch.came_in.update(there)
    for item, keys in zip(people, wanted, strict=True):
        key = item.observation.key
        _link_one(installation, item, key, keys, related.get(key, ()), batch)
    if filtered:
        seen = {item.observation.key for item in people} | batch.came_in
        still_out = (
            (*name, record)
            for name, records in batch.outsiders.items()
            for record in records
            if record in seen and record not in batch.by_record
        )
        outsiders.replace(conn, seen, still_out)
    lead_store.insert_leads(conn, batch.new_leads)
    put_keys(conn, batch.keys)
    addresses = set(address_fields(installation.policy.mapping))
    hand_over(conn, {value: lead_id for kind, value, lead_id in batch.keys if kind in addresses})
    put_links(conn, batch.links)
    # a deleted record of nobody: that it is gone is known from now on, and nobody could be forgotten by it
    empty_observations(
        conn,
        [
            item.observation.key
            for item in people
            if item.observation.deleted
            and item.lead_id is None
            and item.observation.key not in batch.by_record
        ],
    )
    for old_id, into_id in unite_leads(conn, installation, batch.one_person, batch.now_ms).items():
        batch.renamed.add(into_id)
        batch.dirty.discard(old_id)
        batch.dirty.add(into_id)
    return batch.dirty, {lead.id for lead in batch.new_leads}


def _free_names(
    conn: Connection,
    installation: Installation,
    people: Sequence[Stored],
    wanted: Sequence[Sequence[tuple[str, str]]],
    names: NamesOf,
) -> set[str]:
    """Free the keys that a record has just shown another value instead of, and that no other record of its
    lead shows. Returns the leads that gave one up."""
    directory = installation.policy.directory
    given_up: dict[str, set[tuple[str, str]]] = {}
    for item, keys in zip(people, wanted, strict=True):
        if item.lead_id is None or not item.before or not item.observation.alive:
            continue
        kinds = {field_of(key) for key in keys}
        for key in names(item.observation).keys(from_json(item.before), directory):
            if key[0] != CLAIM and key not in keys and field_of(key) in kinds:
                given_up.setdefault(item.lead_id, set()).add(key)
    if not given_up:
        return set()
    freed: list[tuple[str, str, str]] = []
    for lead_id, records in observations_of(conn, given_up).items():
        shown = {
            key
            for _, record in records
            if record.alive and _described(installation, record) is not None
            for key in names(record).keys(record.fields, directory)
        }
        freed.extend((*key, lead_id) for key in given_up[lead_id] - shown)
    drop_keys(conn, freed)
    return {lead_id for _, _, lead_id in freed}


def _find_rivals(
    conn: Connection, installation: Installation, leads: Collection[str], names: NamesOf, batch: Batch
) -> None:
    """Leads beside these whose records show the same keys."""
    records = records_in_doubt(conn, leads)
    if not records:
        return
    owners = linked(conn, records)
    for key, record in observations_by_key(conn, owners).items():
        if _described(installation, record) is not None:
            for shown in names(record).keys(record.fields, installation.policy.directory):
                batch.rivals.setdefault(shown, set()).add(owners[key].lead_id)


def _link_one(
    installation: Installation,
    item: Stored,
    record_key: RecordKey,
    keys: Sequence[tuple[str, str]],
    related: Sequence[RecordKey],
    batch: Batch,
) -> None:
    record = item.observation
    lead_id = item.lead_id or batch.by_record.get(record_key)
    if lead_id is None:
        lead_id = next((batch.by_record[key] for key in related if key in batch.by_record), None)
    if lead_id is None and record.deleted:
        return
    named = {key: batch.by_key[key] for key in keys if key in batch.by_key}
    if named:
        lead_id = lead_id or next((one for key, one in named.items() if key[0] == CLAIM), None)
        ambiguity = _ambiguity(record, lead_id, named, batch)
        if ambiguity is not None:
            batch.ambiguous[record_key] = ambiguity
            if lead_id is None:
                return
            for key in named:
                batch.rivals.setdefault(key, set()).add(lead_id)
        lead_id = lead_id or next(iter(named.values()))
    if lead_id is None:
        policy = installation.policy
        if not takes_part(record, policy.filters, policy.mapping, policy.directory):
            for key in keys:
                batch.outsiders.setdefault(key, []).append(record_key)
            return  # nobody's lead begins with it
        lead_id = _begin(installation, record, keys, batch)
    batch.dirty.add(lead_id)
    if item.lead_id is None and record_key not in batch.by_record:
        role: Role = "primary" if record.alive else "past"
        batch.links.append(Link(record.side, record.object, record.record_id, lead_id, role))
    batch.by_record[record_key] = lead_id
    # the Contact of a converted Lead, or the survivor of a merge, belongs to the same lead, seen or not
    for name, record_id in successors(record, installation.policy.mapping):
        successor = RecordKey(record.side, name, record_id)
        if successor in batch.by_record:
            if batch.by_record[successor] != lead_id:
                batch.one_person.append((lead_id, batch.by_record[successor]))
        else:
            batch.links.append(Link(successor.side, name, record_id, lead_id, "primary"))
            batch.by_record[successor] = lead_id
            batch.came_in.add(successor)
    for key in keys:
        for outsider in batch.outsiders.get(key, ()):
            if outsider not in batch.by_record:  # the person's other record, so that none is made there
                batch.links.append(Link(*outsider, lead_id, "outside"))
                batch.by_record[outsider] = lead_id
                batch.came_in.add(outsider)
        if key[0] != CLAIM and key not in batch.by_key:
            batch.by_key[key] = lead_id
            batch.keys.append((*key, lead_id))


def _ambiguity(
    record: Observation, lead_id: str | None, named: Mapping[tuple[str, str], str], batch: Batch
) -> Ambiguity | None:
    """Whether the names of a record lead to several leads, or away from its own."""
    names = {key: one for key, one in named.items() if key[0] != CLAIM}
    candidates = set(names.values())
    if lead_id is not None:
        candidates.add(lead_id)
    else:
        candidates.update(*(batch.rivals.get(key, ()) for key in names))
    if len(candidates) < 2 or not record.alive:
        return None
    fields = dict.fromkeys(field_of(key) for key, one in names.items() if one != lead_id)
    return Ambiguity(record.key, lead_id, tuple(sorted(candidates)), tuple(fields))


def _begin(
    installation: Installation, record: Observation, keys: Sequence[tuple[str, str]], batch: Batch
) -> str:
    """A new lead, under the id that the record carries already where some leadloop has given it one: this
    database was lost or restored since, and the records of one person still say so."""
    if keys and keys[0][0] == CLAIM and is_lead_id(keys[0][1]):  # it is the strongest, and stands first
        lead_id = keys[0][1]
        batch.by_key[CLAIM, lead_id] = lead_id
    else:
        lead_id = installation.new_lead_id(batch.now_ms)
    batch.new_leads.append(
        lead_store.Lead(
            id=lead_id,
            version=1,
            generation=1,
            stage=_FIRST_STAGE,
            cycle=1,
            due_at_ms=None,
            state=batch.first_state(record.side, lead_id),
            created_ms=batch.now_ms,
            dirty_since_ms=batch.now_ms,
        )
    )
    return lead_id
