"""Link: find the lead that a record belongs to, or begin a new one.

The order is the design's: the link table; the record's own cross-reference (leadloop's id, or the Contact a
Lead was converted into, or the survivor of a merge); the normalised e-mail address. A shared address such as
info@ needs the last name as a second key. More than one candidate is never guessed. Linking is serialised
over all workers, so that two of them cannot begin one person twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from connector.installation import Installation
from connector.lead import LeadState
from connector.observation import Observation, RecordKey
from connector.store import leads as lead_store
from connector.store import ledger
from connector.store.links import Link, Role, keys_of, linked, put_keys, put_links
from connector.store.observations import Stored, referring
from connector.store.retirement import retire_lead
from connector.store.rows import lock_name
from connector.unite import unite
from mappings.mapping import Mapping as LeadMapping
from mappings.mapping import ObjectMapping, Pair
from mappings.stages import Stage
from mappings.values import OwnerDirectory, Unreadable

# fmt: off
SHARED_MAILBOXES = frozenset(
    {
        "abuse", "accounting", "admin", "billing", "careers", "contact", "enquiries", "enquiry",
        "hello", "help", "hr", "info", "inquiries", "inquiry", "invoices", "jobs", "legal", "mail",
        "marketing", "media", "no-reply", "noreply", "office", "orders", "postmaster", "press",
        "privacy", "purchasing", "reception", "sales", "security", "service", "support", "team",
        "webmaster",
    }
)
# fmt: on
"""Local parts behind which several people read (RFC 2142 and common practice)."""

_FIRST_STAGE = Stage.INQUIRY.value
_NO_ID = "*lead*"


@dataclass(slots=True)
class _Batch:
    """What linking one page has decided so far."""

    now_ms: int
    dirty: set[str] = field(default_factory=set)
    links: list[Link] = field(default_factory=list)
    new_leads: list[lead_store.Lead] = field(default_factory=list)
    keys: list[tuple[str, str, str]] = field(default_factory=list)
    by_key: dict[tuple[str, str], str] = field(default_factory=dict)
    by_record: dict[RecordKey, str] = field(default_factory=dict)
    one_person: list[tuple[str, str]] = field(default_factory=list)
    first_states: dict[str, bytes] = field(default_factory=dict)

    def first_state(self, origin: str, lead_id: str) -> bytes:
        """The state of a lead that begins now; all that begin on one side differ in their ids alone."""
        state = self.first_states.get(origin)
        if state is None:
            state = LeadState(lead_id=_NO_ID, origin=origin, created_ms=self.now_ms).to_json()
            self.first_states[origin] = state
        return state.replace(_NO_ID.encode(), lead_id.encode(), 1)


@dataclass(frozen=True, slots=True)
class _Names:
    """What of an object's fields says who a record is about: leadloop's own id, the pairs with identity (and
    whether each is an address), and the last name. `natives` are those that a person's keys are made of."""

    claim: str | None
    pairs: tuple[tuple[Pair, bool], ...]
    last_name: str | None
    natives: tuple[str, ...]

    @classmethod
    def of(cls, described: ObjectMapping, mapping: LeadMapping) -> _Names:
        claim = described.output("lead_id")
        pairs = tuple(
            (pair, mapping.fields[pair.canonical].type == "email")
            for pair in described.pairs
            if pair.reads and pair.canonical in mapping.fields and mapping.fields[pair.canonical].identity
        )
        last_name = next((pair.native for pair in described.pairs if pair.canonical == "last_name"), None)
        natives = [pair.native for pair, _ in pairs] + ([last_name] if last_name is not None else [])
        return cls(claim.native if claim is not None else None, pairs, last_name, tuple(natives))

    def unchanged(self, item: Stored) -> bool:
        """Whether a record surely shows the same names as before; told from the bytes that were stored, which
        is a good deal cheaper than reading them. `"name":"text"` can only stand at the top of the fields:
        within a text each quotation mark has a backslash before it."""
        fields, before = item.observation.fields, item.before
        for native in self.natives:
            value = fields.get(native)
            if value is None:
                shown = f'"{native}":null'
            elif not isinstance(value, str) or '"' in value or "\\" in value:
                return False
            else:
                shown = f'"{native}":"{value}"'
            if shown.encode("utf-8", "surrogatepass") not in before:
                return False
        return True


def link_records(
    conn: Connection, installation: Installation, stored: Sequence[Stored], now_ms: int
) -> set[str]:
    """Link what was stored and mark the leads concerned dirty. Returns their ids."""
    mapping = installation.policy.mapping
    names_of: dict[tuple[str, str], _Names] = {}
    batch = _Batch(now_ms)
    people: list[Stored] = []
    for item in stored:
        if item.status not in ("new", "changed"):
            continue
        record = item.observation
        names = names_of.get((record.side, record.object))
        if names is None:
            described = _described(installation, record)
            if described is None:
                continue
            if described.role != "person":
                if item.lead_id is not None:
                    batch.dirty.add(item.lead_id)
                batch.dirty.update(_leads_behind(conn, record))
                continue
            names = names_of[record.side, record.object] = _Names.of(described, mapping)
        if item.lead_id is None or _successors(record) or not names.unchanged(item):
            people.append(item)
        else:
            batch.dirty.add(item.lead_id)
    if people:
        lock_name(conn, "identity")
        _link_people(conn, installation, people, names_of, batch)
    lead_store.insert_leads(conn, batch.new_leads)
    put_keys(conn, batch.keys)
    put_links(conn, batch.links)
    begun = {lead.id for lead in batch.new_leads}
    _unite_leads(conn, installation, batch)
    lead_store.mark_dirty(conn, batch.dirty - begun, now_ms)
    return batch.dirty | begun


def _unite_leads(conn: Connection, installation: Installation, batch: _Batch) -> None:
    """A merge or a conversion showed that two leads are one person: the successor's lead stays."""
    became: dict[str, str] = {}
    for old_id, into_id in batch.one_person:
        while old_id in became:
            old_id = became[old_id]
        while into_id in became:
            into_id = became[into_id]
        if old_id == into_id:
            continue
        stored = {lead.id: lead for lead in lead_store.read_leads(conn, [old_id, into_id])}
        gone, stays = (LeadState.from_json(stored[lead_id].state) for lead_id in (old_id, into_id))
        united = unite(stays, gone)
        retire_lead(conn, old_id, into_id)
        lead_store.put_state(conn, into_id, united.stage.value, united.cycle, united.to_json())
        if united.stage is not stays.stage:
            ledger.append(
                conn,
                [
                    ledger.LedgerRow(
                        lead_id=into_id,
                        cycle=united.cycle,
                        origin=stays.stage.value,
                        target=united.stage.value,
                        skipped=(),
                        happened_ms=batch.now_ms,
                        recorded_ms=batch.now_ms,
                        cause="fact",
                        actor=f"merge with {old_id}",
                        rules=[],
                        reason=None,
                        outcome=united.outcome,
                        configuration=installation.configuration,
                    )
                ],
            )
        became[old_id] = into_id
        batch.dirty.discard(old_id)
        batch.dirty.add(into_id)
        installation.on_event("united", {"lead": into_id, "was": old_id})


def _described(installation: Installation, item: Observation) -> ObjectMapping | None:
    side = installation.policy.mapping.sides.get(item.side)
    return side.objects.get(item.object) if side is not None else None


def _leads_behind(conn: Connection, item: Observation) -> set[str]:
    """The leads that an opportunity or a contact role speaks about."""
    keys = {RecordKey(item.side, name, record_id) for name, record_id in item.refs.items()}
    for other in referring(conn, item.side, item.object, [item.record_id]):
        keys.add(other.key)
        keys.update(RecordKey(other.side, name, record_id) for name, record_id in other.refs.items())
    return {link.lead_id for link in linked(conn, keys).values()}


def _link_people(
    conn: Connection,
    installation: Installation,
    people: Sequence[Stored],
    names_of: Mapping[tuple[str, str], _Names],
    batch: _Batch,
) -> None:
    """Link each person's record; the look-ups are made for the whole page at once."""
    directory = installation.policy.directory
    records = [item.observation for item in people]
    wanted = [_identity(record, names_of[record.side, record.object], directory) for record in records]
    known = keys_of(conn, {key for keys in wanted for key in keys if key[0] != "lead"})
    batch.by_key.update(known.items())
    claimed = {value for keys in wanted for kind, value in keys if kind == "lead"}
    if claimed:
        aliases = lead_store.resolve_aliases(conn, claimed)
        for lead in lead_store.read_leads(conn, {*claimed, *aliases.values()}):
            batch.by_key["lead", lead.id] = lead.id
        batch.by_key.update((("lead", old), new) for old, new in aliases.items())
    related = _related(conn, [item.observation for item in people])
    if related:
        found = linked(conn, {key for keys in related.values() for key in keys})
        batch.by_record.update((key, link.lead_id) for key, link in found.items())
    for item, keys in zip(people, wanted, strict=True):
        key = item.observation.key
        _link_one(installation, item, key, keys, related.get(key, ()), batch)


def _link_one(
    installation: Installation,
    item: Stored,
    record_key: RecordKey,
    keys: Sequence[tuple[str, str]],
    related: Sequence[RecordKey],
    batch: _Batch,
) -> None:
    record = item.observation
    lead_id = item.lead_id or batch.by_record.get(record_key)
    if lead_id is None:
        lead_id = next((batch.by_record[key] for key in related if key in batch.by_record), None)
    if lead_id is None and record.deleted:
        return
    if lead_id is None:
        lead_id = next((batch.by_key[key] for key in keys if key in batch.by_key), None)
    if lead_id is None:
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
    batch.dirty.add(lead_id)
    if item.lead_id is None and record_key not in batch.by_record:
        role: Role = "past" if record.deleted or record.converted or record.merged_into else "primary"
        batch.links.append(Link(record.side, record.object, record.record_id, lead_id, role))
    batch.by_record[record_key] = lead_id
    # the Contact of a converted Lead, or the survivor of a merge, belongs to the same lead, seen or not
    for name, record_id in _successors(record):
        successor = RecordKey(record.side, name, record_id)
        if successor in batch.by_record:
            if batch.by_record[successor] != lead_id:
                batch.one_person.append((lead_id, batch.by_record[successor]))
        else:
            batch.links.append(Link(successor.side, name, record_id, lead_id, "primary"))
            batch.by_record[successor] = lead_id
    for key in keys:
        if key[0] != "lead" and key not in batch.by_key:
            batch.by_key[key] = lead_id
            batch.keys.append((*key, lead_id))


def _successors(record: Observation) -> list[tuple[str, str]]:
    """The records that this one lives on in, by object and id."""
    found: list[tuple[str, str]] = []
    if record.converted and "Contact" in record.refs:
        found.append(("Contact", record.refs["Contact"]))
    if record.merged_into:
        found.append((record.object, record.merged_into))
    return found


def _related(conn: Connection, people: Sequence[Observation]) -> dict[RecordKey, list[RecordKey]]:
    """Records whose lead is this record's lead too: what it points at, and what points at it. Records
    without any are left out."""
    related: dict[RecordKey, list[RecordKey]] = {}
    by_object: dict[tuple[str, str], list[str]] = {}
    for record in people:
        for successor in _successors(record):
            related.setdefault(record.key, []).append(RecordKey(record.side, *successor))
        by_object.setdefault((record.side, record.object), []).append(record.record_id)
    for (side, name), ids in by_object.items():
        for other in referring(conn, side, name, ids):
            if other.converted:
                target = RecordKey(side, name, other.refs[name])
                related.setdefault(target, []).append(other.key)
    return related


def _identity(record: Observation, names: _Names, directory: OwnerDirectory) -> list[tuple[str, str]]:
    """The identity keys a record carries, strongest first: its leadloop id, then its identity fields."""
    keys: list[tuple[str, str]] = []
    fields = record.fields
    claimed = fields.get(names.claim) if names.claim is not None else None
    if isinstance(claimed, str) and claimed:
        keys.append(("lead", claimed))
    for pair, is_address in names.pairs:
        try:
            value = pair.read(fields.get(pair.native), directory)
        except Unreadable:
            continue
        if not isinstance(value, str):
            continue
        if is_address and value.partition("@")[0] in SHARED_MAILBOXES:
            name = fields.get(names.last_name) if names.last_name is not None else None
            if isinstance(name, str) and name.strip():
                keys.append((f"{pair.canonical}+name", f"{value} {name.strip().casefold()}"))
            continue
        keys.append((pair.canonical, value))
    return keys
