"""Gather: everything that is known of some leads, as reconcile takes it. Reads the store, decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from connector.accounts import (
    COMPANY,
    AccountName,
    address_fields,
    has_accounts,
    named_by,
    names_of_lead,
)
from connector.clock import SECOND_MS
from connector.installation import is_lead_id
from connector.intake.ambiguity import sides_in_doubt
from connector.intake.timetable import SHORT_OVERLAP_SECONDS, looked_of
from connector.lead import Baseline, LeadState
from connector.lead_input import LeadInput
from connector.observation import Observation, RecordKey
from connector.refusals import NEW_RECORD, Refusal
from connector.store import account_names, quarantine
from connector.store import activities as activity_store
from connector.store import leads as lead_store
from connector.store.baselines import baselines_of
from connector.store.links import Link, links_of
from connector.store.observations import observations_by_key, observations_of, referring
from mappings.mapping import Mapping as LeadMapping
from rules.facts import Activity


def gather(conn: Connection, leads: Sequence[lead_store.Lead], mapping: LeadMapping) -> dict[str, LeadInput]:
    """All that is known of these leads, by lead id."""
    ids = [lead.id for lead in leads]
    links = links_of(conn, ids)
    people = observations_of(conn, ids)
    records = {lead_id: [item.observation for item in people[lead_id]] for lead_id in ids}
    opportunities, activity_records = _referring_records(conn, links, records, mapping)
    for lead_id, found in opportunities.items():
        records[lead_id].extend(found)
    baselines = baselines_of(conn, ids)
    activities = activity_store.activities_of(conn, ids)
    refusals = _refusals_of(conn, links, mapping)
    in_doubt = sides_in_doubt(conn, ids)
    foreign = _foreign_ids(conn, records, mapping)
    states = {lead.id: LeadState.from_json(lead.state) for lead in leads}
    accounts = _accounts(conn, states, records, mapping) if has_accounts(mapping) else {}
    # by our clock, as deadlines are; what is stored a moment after it was stamped may have been passed over
    looked_ms = {
        (side, name): looked.at_ms - SHORT_OVERLAP_SECONDS * SECOND_MS
        for side in mapping.sides
        for name, looked in looked_of(conn, side).items()
        if looked.at_ms
    }
    inputs: dict[str, LeadInput] = {}
    for lead in leads:
        seen = {item.key for item in records[lead.id]}
        inputs[lead.id] = LeadInput(
            state=states[lead.id],
            observations=records[lead.id],
            baselines={
                link.key: Baseline.from_json(baselines[link.key])
                for link in links[lead.id]
                if link.key in baselines
            }
            | {
                item.key: Baseline.from_json(baselines[item.key])
                for item in records[lead.id]
                if item.key in baselines and _is_sales_lead(item, mapping)
            },
            linked_sides=frozenset(
                link.side for link in links[lead.id] if link.role == "primary" and link.key not in seen
            ),
            activities=[Activity(row.kind, row.at_ms, row.attributes) for row in activities[lead.id]],
            refusals=refusals[lead.id],
            sides_in_doubt=in_doubt.get(lead.id, frozenset()),
            foreign_ids=foreign.get(lead.id, {}),
            activity_records=activity_records[lead.id],
            counted=frozenset(row.key for row in activities[lead.id]),
            looked_ms=looked_ms,
            accounts=accounts.get(lead.id, {}),
        )
    return inputs


def _is_sales_lead(item: Observation, mapping: LeadMapping) -> bool:
    side = mapping.sides.get(item.side)
    target = side.objects.get(item.object) if side is not None else None
    return target is not None and target.role == "sales_lead"


def _accounts(
    conn: Connection,
    states: Mapping[str, LeadState],
    records: Mapping[str, Sequence[Observation]],
    mapping: LeadMapping,
) -> dict[str, dict[AccountName, list[Observation]]]:
    """The accounts that leads could belong to, by lead and name: by what was agreed, and by what a record
    shows that nobody has looked at yet."""
    addresses = address_fields(mapping)
    people = {
        (target.side, target.object): (
            tuple(pair.native for name in addresses if (pair := target.pair(name)) is not None),
            "" if (works_for := target.pair(COMPANY)) is None else works_for.native,
        )
        for side in mapping.sides.values()
        for target in side.person_objects
    }
    read = {
        (target.side, target.object)
        for side in mapping.sides.values()
        for target in side.objects.values()
        if target.role == "account"
    }
    wanted: dict[str, set[AccountName]] = {}
    own: dict[AccountName, RecordKey] = {}
    for lead_id, state in states.items():
        agreed = [state.values.get(name) for name in addresses]
        names = set(names_of_lead(agreed, state.values.get(COMPANY), mapping))
        for record in records[lead_id]:
            natives, company = people.get((record.side, record.object), ((), ""))
            shown = [record.fields.get(native) for native in natives]
            names.update(names_of_lead(shown, record.fields.get(company), mapping))
            if (named := named_by(record, mapping)) is not None:
                names.add(AccountName("record", str(named)))
                own[AccountName("record", str(named))] = named
        wanted[lead_id] = names
    keys = {
        name: [key for key in found if (key.side, key.object) in read]
        for name, found in account_names.known_by(conn, set().union(*wanted.values()) - own.keys()).items()
    } | {name: [key] for name, key in own.items()}
    seen = observations_by_key(conn, {key for found in keys.values() for key in found})
    return {
        lead_id: {
            name: [
                one for key in keys[name] if (one := seen.get(key)) and not (one.deleted or one.merged_into)
            ]
            for name in sorted(names & keys.keys())
        }
        for lead_id, names in wanted.items()
    }


def _foreign_ids(
    conn: Connection, records: Mapping[str, Sequence[Observation]], mapping: LeadMapping
) -> dict[str, dict[RecordKey, str]]:
    """Records that carry an id which some leadloop gave to a lead that is not known here, by lead."""
    carriers = {
        (side.side, target.object): pair.native
        for side in mapping.sides.values()
        for target in side.person_objects
        if (pair := target.output("lead_id")) is not None
    }
    carried: dict[str, dict[RecordKey, str]] = {}
    for lead_id, found in records.items():
        for record in found:
            native = carriers.get((record.side, record.object))
            shown = record.fields.get(native) if native is not None else None
            if isinstance(shown, str) and shown != lead_id and is_lead_id(shown):
                carried.setdefault(lead_id, {})[record.key] = shown
    if not carried:
        return {}
    asked = {shown for about in carried.values() for shown in about.values()}
    known = {lead.id for lead in lead_store.read_leads(conn, asked)}
    known.update(lead_store.resolve_aliases(conn, asked))
    return {
        lead_id: {key: shown for key, shown in about.items() if shown not in known}
        for lead_id, about in carried.items()
    }


def _referring_records(
    conn: Connection,
    links: Mapping[str, Sequence[Link]],
    records: Mapping[str, Sequence[Observation]],
    mapping: LeadMapping,
) -> tuple[dict[str, list[Observation]], dict[str, list[Observation]]]:
    """Contact roles and opportunities by lead, and the records that are its activities. An opportunity can
    speak about several leads, so it is found by what points at it, not by a link of its own."""
    owner_of: dict[RecordKey, set[str]] = {}
    wanted: dict[RecordKey, set[str]] = {}
    by_object: dict[tuple[str, str], list[str]] = {}
    for lead_id, found in links.items():
        for link in found:
            owner_of.setdefault(link.key, set()).add(lead_id)
            by_object.setdefault((link.side, link.object), []).append(link.record_id)
        for record in records[lead_id]:
            for key in record.points_at() if record.converted else ():
                described = (
                    mapping.sides[key.side].objects.get(key.object) if key.side in mapping.sides else None
                )
                if described is not None and described.role == "opportunity":
                    wanted.setdefault(key, set()).add(lead_id)
    extra: dict[str, list[Observation]] = {lead_id: [] for lead_id in links}
    activity_records: dict[str, list[Observation]] = {lead_id: [] for lead_id in links}
    for (side, name), ids in by_object.items():
        for role in referring(conn, side, name, ids):
            described = mapping.sides[side].objects.get(role.object) if side in mapping.sides else None
            if role.key in owner_of or described is None:
                continue
            named = role.refs.get(name, ())
            leads_here = set().union(*(owner_of.get(RecordKey(side, name, each), set()) for each in named))
            if described.activity is not None:
                if {role.fields.get(native) for native in described.activity.of}.intersection(named):
                    for lead_id in leads_here:
                        activity_records[lead_id].append(role)
                continue
            for lead_id in leads_here:
                extra[lead_id].append(role)
            for key in role.points_at():
                if key.object != name:
                    wanted.setdefault(key, set()).update(leads_here)
    for key, record in observations_by_key(conn, wanted).items():
        for lead_id in wanted[key]:
            extra[lead_id].append(record)
    return extra, activity_records


def _refusals_of(
    conn: Connection, links: Mapping[str, Sequence[Link]], mapping: LeadMapping
) -> dict[str, dict[RecordKey, dict[str, Refusal]]]:
    """What platforms refused, by lead and record; the refusal of a create stands under the lead's own key."""
    creatable = [
        (side.side, target.object)
        for side in mapping.sides.values()
        if (target := side.object_for_create) is not None
    ]
    keys: dict[RecordKey, str] = {}
    for lead_id, found in links.items():
        keys.update((link.key, lead_id) for link in found)
        keys.update((RecordKey(*place, NEW_RECORD + lead_id), lead_id) for place in creatable)
    refusals: dict[str, dict[RecordKey, dict[str, Refusal]]] = {lead_id: {} for lead_id in links}
    for key, rows in quarantine.of_records(conn, keys).items():
        refusals[keys[key]][key] = {row.field: Refusal(row.value_hash, row.reason) for row in rows}
    return refusals
