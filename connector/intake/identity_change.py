"""Identity change: another mapping says who is who by other fields, and by those everybody is known then.

Identity keys are written when a record shows something new. So when the identity fields of the mapping
change, the keys of all leads are made anew from what is stored, some leads at a time, before anything more is
read: or the next record of a person would begin a second lead. The place is kept, so that it goes on there
after a kill. Two leads that show one key now are a hold, as ever: nobody is united by it. Nor is anybody
decided anew who is known as before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import structlog
from sqlalchemy import Connection

from connector.accounts import address_fields
from connector.installation import Installation
from connector.intake.ambiguity import records_in_doubt
from connector.intake.identity import CLAIM, Names, NamesOf, field_of
from connector.intake.link import link_records
from connector.observation import Observation
from connector.store import leads as lead_store
from connector.store.links import IdentityKey, drop_keys, keys_of_leads, linked, put_keys
from connector.store.observations import Stored, observations_by_key, observations_of
from connector.store.rows import lock_name
from connector.store.settings_values import get_value, put_value
from connector.store.waiting_activities import hand_over
from mappings.mapping import Mapping as LeadMapping

LEADS_AT_ONCE = 500

log = structlog.get_logger()

_KEY = "identity_fields"
"""Under which it is kept by which fields the keys were made (`made_by`) and, while they are made anew,
towards which (`towards`), which of them give up keys (`given_up`), and after which lead it goes on (`after`).
"""

Spelled = dict[str, dict[str, list[str | None] | None]]
"""Identity field to each object of people with how that shows it: what the keys of the field depend on. None
where the object does not."""


class _Shown(NamedTuple):
    """A linked record of a person, and the keys that it shows."""

    lead_id: str
    record: Observation
    keys: Sequence[tuple[str, str]]
    all_read: bool


def identity_fields(mapping: LeadMapping) -> Spelled:
    """By which fields of which objects people are known."""
    spelled: Spelled = {name: {} for name, rule in mapping.fields.items() if rule.identity}
    for side in mapping.sides.values():
        for target in side.person_objects:
            names = Names.of(target, mapping)
            shown = {pair.canonical: pair for pair, _ in names.pairs}
            more = {pair.canonical: native for pair, _, native in names.more}
            addresses = {pair.canonical for pair, is_address in names.pairs if is_address}
            for name, places in spelled.items():
                pair = shown.get(name)
                # a shared address is a name together with the last name; a number depends on the country
                beside = names.last_name if name in addresses else target.default_country
                places[f"{side.side}.{target.object}"] = (
                    None if pair is None else [pair.native, more.get(name), pair.type, beside]
                )
    return spelled


def follow_identity(installation: Installation) -> None:
    """Make the keys of all leads anew where the mapping has other identity fields than they were made by."""
    wanted = identity_fields(installation.policy.mapping)
    with installation.database.read() as conn:
        if get_value(conn, _KEY) == {"made_by": wanted}:
            return
    done = 0
    while some := _go_on(installation, wanted):
        done += some
    if done:
        log.info("known by other fields", leads=done)


def _go_on(installation: Installation, wanted: Spelled) -> int:
    """Some more leads, and the place, in one transaction: processes that begin at one time share the work.
    Returns how many; 0 when all are done."""
    with installation.database.begin() as conn:
        lock_name(conn, "identity")
        place: dict[str, Any] = get_value(conn, _KEY, {"made_by": {}})
        if place == {"made_by": wanted}:
            return 0
        if place.get("towards") != wanted:
            given_up = {*place.get("given_up", ()), *_given_up(place["made_by"], wanted)}
            given_up |= _given_up(place.get("towards", {}), wanted)
            place = {
                "made_by": place["made_by"],
                "towards": wanted,
                "given_up": sorted(given_up),
                "after": "",
            }
        ids = lead_store.iterate_lead_ids(conn, place["after"], LEADS_AT_ONCE)
        if ids:
            _make_anew(conn, installation, ids, place["given_up"])
        put_value(conn, _KEY, {**place, "after": ids[-1]} if ids else {"made_by": wanted})
        return len(ids)


def _given_up(before: Spelled, wanted: Spelled) -> set[str]:
    """The fields of which keys may be no one's by now. An object that is mapped no more takes nothing back:
    its records showed what they showed."""
    return {
        name
        for name, places in before.items()
        if name not in wanted
        or any(place in wanted[name] and wanted[name][place] != how for place, how in places.items())
    }


def _make_anew(
    conn: Connection, installation: Installation, lead_ids: Sequence[str], given_up: Collection[str]
) -> None:
    now_ms = installation.clock.now_ms()
    shown = _shown(conn, installation, lead_ids)
    held = keys_of_leads(conn, lead_ids)
    freed = _freed(held, shown, given_up)
    drop_keys(conn, freed)
    new = list(
        dict.fromkeys(
            (*key, each.lead_id)
            for each in shown
            if each.record.alive
            for key in each.keys
            if key[0] != CLAIM and key not in held[each.lead_id]
        )
    )
    taken = {(*one.key, one.lead_id) for one in put_keys(conn, new)}
    gained = [one for one in new if one not in taken]
    addresses = set(address_fields(installation.policy.mapping))
    given = hand_over(conn, {value: lead_id for kind, value, lead_id in gained if kind in addresses})
    losers = {lead_id for _, _, lead_id in freed}
    # who has lost a name whose successor was never read is read soon, and not only by the next sweep
    unread = {
        each.lead_id for each in shown if each.lead_id in losers and each.record.alive and not each.all_read
    }
    doubtful = [
        Stored(each.record, "changed", each.lead_id)
        for each in shown
        if each.record.alive and any((*key, each.lead_id) in taken for key in each.keys)
    ]
    doubtful += _in_doubt(conn, installation, losers | {lead_id for _, _, lead_id in gained})
    if doubtful:
        link_records(conn, installation, doubtful, now_ms)
    lead_store.mark_dirty(conn, given | unread, now_ms)


def _shown(conn: Connection, installation: Installation, lead_ids: Sequence[str]) -> list[_Shown]:
    policy, names_of = installation.policy, NamesOf(installation.policy.mapping)
    found: list[_Shown] = []
    for lead_id, records in observations_of(conn, lead_ids).items():
        for _, record in records:
            if _is_mapped(policy.mapping, record):
                names = names_of(record)
                keys = names.keys(record.fields, policy.directory)
                found.append(_Shown(lead_id, record, keys, record.fields.keys() >= set(names.natives)))
    return found


def _is_mapped(mapping: LeadMapping, record: Observation) -> bool:
    side = mapping.sides.get(record.side)
    return side is not None and record.object in side.objects


def _freed(
    held: Mapping[str, Sequence[IdentityKey]], shown: Sequence[_Shown], given_up: Collection[str]
) -> list[tuple[str, str, str]]:
    """The keys of such fields that no record of their lead shows by this mapping."""
    if not given_up:
        return []
    still = {(*key, each.lead_id) for each in shown for key in each.keys}
    keys = [(*key, lead_id) for lead_id, own in held.items() for key in own if field_of(key) in given_up]
    return [key for key in keys if key not in still]


def _in_doubt(conn: Connection, installation: Installation, lead_ids: Collection[str]) -> list[Stored]:
    """The records that were ambiguous by names which these leads have gained or lost."""
    keys = records_in_doubt(conn, lead_ids)
    links = linked(conn, keys)
    return [
        Stored(record, "changed", links[key].lead_id if key in links else None)
        for key, record in observations_by_key(conn, keys).items()
        if _is_mapped(installation.policy.mapping, record)
    ]
