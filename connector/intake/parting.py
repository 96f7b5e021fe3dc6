"""Parting: a record that was somebody's by a name alone, and does not show that name any more, leaves them.

Sales mistypes an address, or two people share one, and a record joins the lead of another person beside the
records that were there. Put right, it is linked by what it shows now. A record that speaks for its lead
stays, since it is the person who has another address then; so does one that leadloop's id or the platform
itself (a merge, a conversion) ties to the lead, and one of the same first and last name, whose address nobody
else has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection

from connector.installation import Installation
from connector.intake.batch import Batch
from connector.intake.identity import CLAIM, NamesOf
from connector.intake.keeping_out import is_person
from connector.intake.related import successors
from connector.observation import Observation, RecordKey
from connector.primaries import choose_primaries
from connector.store.activities import drop_activities
from connector.store.links import drop_keys
from connector.store.observations import Stored, observations_of, referring
from connector.store.outsiders import Name
from connector.store.rows import from_json
from connector.store.versions import drop_links
from connector.taking_part import outside

Wanted = Sequence[Sequence[Name]]
"""The identity keys that each of several people's records carries."""


def part_records(
    conn: Connection,
    installation: Installation,
    people: Sequence[Stored],
    wanted: Wanted,
    names: NamesOf,
    batch: Batch,
) -> tuple[Sequence[Stored], Wanted]:
    """Take the records that leave their lead from it, with the names that were theirs alone and what was done
    as them. Returns `people` and their keys, those last that are nobody's now: who is known speaks first."""
    parting = _who_parts(conn, installation, people, wanted, names, batch.by_key)
    if not parting:
        return people, wanted
    drop_links(conn, parting)
    pairs: list[tuple[Stored, Sequence[Name]]] = []
    for item, keys in zip(people, wanted, strict=True):
        key, lead_id = item.observation.key, item.lead_id
        if key not in parting or lead_id is None:
            pairs.append((item, keys))
            continue
        drop_keys(conn, [(*name, lead_id) for name in parting[key]])
        for name in parting[key]:
            batch.by_key.pop(name, None)
        spoke = referring(conn, key.side, key.object, [key.record_id])
        drop_activities(conn, lead_id, [str(key), *(str(record.key) for record in spoke)])
        batch.dirty.add(lead_id)
        batch.renamed.add(lead_id)
        installation.on_event("parted", {"lead": lead_id, "record": str(key)})
        pairs.append((item._replace(lead_id=None), keys))
    pairs.sort(key=lambda pair: pair[0].lead_id is None or not pair[0].observation.alive)
    return [item for item, _ in pairs], [keys for _, keys in pairs]


def _who_parts(
    conn: Connection,
    installation: Installation,
    people: Sequence[Stored],
    wanted: Wanted,
    names: NamesOf,
    leads: Mapping[Name, str],
) -> dict[RecordKey, set[Name]]:
    """The records that leave their lead, and the names that it has by them alone. `leads` are those that
    names lead to."""
    suspects: dict[str, list[tuple[Stored, Sequence[Name]]]] = {}
    for item, keys in zip(people, wanted, strict=True):
        if item.lead_id is None or not item.before or not keys or not item.observation.alive:
            continue
        # a record with leadloop's id was chosen to speak for a lead: that is not undone by its address
        if all(key[0] != CLAIM for key in keys):
            suspects.setdefault(item.lead_id, []).append((item, keys))
    if not suspects:
        return {}
    policy = installation.policy
    parting: dict[RecordKey, set[Name]] = {}
    for lead_id, records in observations_of(conn, suspects).items():
        mapped = [record for _, record in records if is_person(installation, record)]
        shown = {record.key: set(names(record).keys(record.fields, policy.directory)) for record in mapped}
        out = outside(mapped, policy.filters, policy.mapping, policy.directory)
        primaries = {record.key for record in choose_primaries(mapped, policy.mapping, out)[0]}
        for item, keys in suspects[lead_id]:
            others = [record for record in mapped if record.key != item.observation.key]
            if item.observation.key in primaries or _is_tied(item.observation, others, installation):
                continue
            before = set(names(item.observation).keys(from_json(item.before), policy.directory))
            told = {key for record in others for key in shown[record.key]}
            if any(key in told or (leads.get(key) == lead_id and key not in before) for key in keys):
                continue  # it shows a name of the lead that is not its own doing
            by_name = [
                record for record in others if record.alive and not before.isdisjoint(shown[record.key])
            ]
            if not by_name and before.isdisjoint(told):
                # the others have changed since, or it was emptied first and is filled in only now
                by_name = [record for record in others if record.alive]
            found = any(leads.get(key, lead_id) != lead_id for key in keys)
            if by_name and (found or not _same_person(item.observation, before, keys, by_name, installation)):
                parting[item.observation.key] = {key for key in keys if leads.get(key) == lead_id}
    return parting


def _is_tied(record: Observation, others: Sequence[Observation], installation: Installation) -> bool:
    """Whether the platform says that another record lives on in this one."""
    mapping = installation.policy.mapping
    return any(
        (other.side, record.object, record.record_id) == (record.side, name, record_id)
        for other in others
        for name, record_id in successors(other, mapping)
    )


def _same_person(
    record: Observation,
    before: Iterable[Name],
    now: Iterable[Name],
    others: Sequence[Observation],
    installation: Installation,
) -> bool:
    """Whether one of the others has the same name of a person; what is blank is no difference. Nor is the
    first name, where the new address differs from the one before in its domain alone."""
    first, last = _full_name(record, installation)
    moved = not _local_parts(before).isdisjoint(_local_parts(now))
    return any(
        (not last or not their_last or last == their_last)
        and (moved or not first or not their_first or first == their_first)
        for their_first, their_last in (_full_name(other, installation) for other in others)
    )


def _local_parts(names: Iterable[Name]) -> set[str]:
    return {value.partition("@")[0] for _, value in names if "@" in value}


def _full_name(record: Observation, installation: Installation) -> tuple[str, str]:
    policy = installation.policy
    values = (
        policy.mapping.sides[record.side].objects[record.object].read(record.fields, policy.directory).values
    )
    first, last = (str(values.get(name) or "").strip().casefold() for name in ("first_name", "last_name"))
    return first, last
