"""Link check: whether each lead's records on a side are its own, exist, and are no more than they may be.

Links are put right by what the records themselves show: leadloop's own id, and the names that everybody else
is found by. Values are not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from connector.installation import Installation, is_lead_id
from connector.intake.ambiguity import AMBIGUOUS
from connector.intake.findings import Named, about
from connector.intake.identity import CLAIM, NamesOf
from connector.intake.keeping_out import stay_out
from connector.intake.link import link_records
from connector.intake.taking_in import take_in
from connector.lane import Lane
from connector.observation import Observation, RecordKey
from connector.platforms.protocol import Cursor
from connector.store import leads as lead_store
from connector.store.baselines import baselines_of
from connector.store.cursors import cursors_of
from connector.store.holds import open_holds
from connector.store.links import Link, keys_of, linked, links_of, put_keys, put_links
from connector.store.observations import Linked, Stored, observations_of
from connector.store.rows import lock_name
from connector.store.versions import drop_links


class LinkCheck:
    """The links of one side. `repair`: whether what is wrong is put right."""

    def __init__(self, installation: Installation, side: str, *, repair: bool) -> None:
        self._installation = installation
        self._side = side
        self._repair = repair
        self._people = {
            target.object: target
            for target in installation.policy.mapping.sides[side].person_objects
            if target.object in installation.feeds[side].objects
        }

    def check(self, lead_ids: Sequence[str]) -> list[Named]:
        """Check the links of these leads. Raises RetryLater, Refused when a read does not come."""
        with self._installation.database.read() as conn:
            leads = {lead.id: lead for lead in lead_store.read_leads(conn, lead_ids)}
            links = {
                lead_id: [link for link in found if link.side == self._side and link.object in self._people]
                for lead_id, found in links_of(conn, leads).items()
            }
            records = observations_of(conn, leads)
        seen = {item.observation.key for found in records.values() for item in found}
        unread = [link for found in links.values() for link in found if link.key not in seen]
        found = self._unread(unread) if unread else []
        found += self._foreign(leads, records)
        dirty = {lead_id for lead_id, lead in leads.items() if lead.dirty_since_ms is not None}
        twice = [lead_id for lead_id in leads if lead_id not in dirty and _has_two(links[lead_id], records)]
        if twice and self._repair:
            with self._installation.database.begin() as conn:
                lead_store.mark_dirty(conn, twice, self._installation.clock.now_ms())
        found += [about("linked_twice", lead_id=each, repaired=self._repair) for each in twice]
        return found

    # links to what was never read -----------------------------------------------------------------------

    def _unread(self, links: Sequence[Link]) -> list[Named]:
        found: list[Named] = []
        for name in sorted({link.object for link in links}):
            mine = {link.record_id: link for link in links if link.object == name}
            natives = self._installation.feeds[self._side].objects[name]
            asked_ms = self._installation.clock.now_ms()
            reading = self._installation.platforms[self._side].read(name, list(mine), natives, Lane.BACKFILL)
            with self._installation.database.read() as conn:
                cursor = cursors_of(conn, self._side).get(name, Cursor(0))
                written = baselines_of(conn, {link.lead_id for link in mine.values()})
                # somebody's record was merged into one of a person who was forgotten: it is never taken in
                out = stay_out(conn, [link.key for link in mine.values()])
            there = [item for item in reading.found if item.record_id in mine]
            seen = {item.record_id for item in there}
            gone = [link for record_id, link in mine.items() if record_id not in seen]
            # one that leadloop has written to was there; it is deleted, and is not made again
            deleted = [
                Observation(self._side, name, link.record_id, 0, asked_ms, {}, deleted=True)
                for link in gone
                if link.key in written
            ]
            never = [link for link in gone if link.key not in written]
            known = [item for item in there if item.key in out]
            news = [item for item in there if item.stamp_ms < cursor.stamp_ms and item.key not in out]
            if self._repair:
                with self._installation.database.begin() as conn:
                    take_in(conn, self._installation, [*reading.found, *deleted], asked_ms)
                    drop_links(conn, [link.key for link in never])
                    lead_store.mark_dirty(conn, {link.lead_id for link in gone}, asked_ms)
            found += [
                about("forgotten", lead_id=mine[item.record_id].lead_id, record=item.key) for item in known
            ]
            for cause, items in (
                ("missed", [mine[item.record_id] for item in news]),
                ("vanished", [mine[item.record_id] for item in deleted]),
                ("no_record", never),
            ):
                found += [
                    about(cause, lead_id=link.lead_id, record=link.key, repaired=self._repair)
                    for link in items
                ]
        return found

    # links to another lead's record ---------------------------------------------------------------------

    def _foreign(
        self, leads: Mapping[str, lead_store.Lead], records: Mapping[str, Sequence[Linked]]
    ) -> list[Named]:
        """Records that say, by leadloop's own id or by their names, that they are another lead's."""
        alive = {
            item.observation.key: (lead_id, item.observation)
            for lead_id, found in records.items()
            if lead_id in leads
            for item in found
            if item.observation.alive and self._is_mine(item.observation)
        }
        names_of = NamesOf(self._installation.policy.mapping)
        directory = self._installation.policy.directory
        keys = {key: names_of(record).keys(record.fields, directory) for key, (_, record) in alive.items()}
        with self._installation.database.read() as conn:
            owners = keys_of(conn, {one for named in keys.values() for one in named if one[0] != CLAIM})
            claims = {
                one[1] for named in keys.values() for one in named if one[0] == CLAIM and is_lead_id(one[1])
            } - leads.keys()
            known = {lead.id: lead.id for lead in lead_store.read_leads(conn, claims)}
            known.update(lead_store.resolve_aliases(conn, claims))
            known.update({lead_id: lead_id for lead_id in leads})
            held = {
                hold.subject
                for holds in open_holds(conn, leads).values()
                for hold in holds
                if hold.kind == AMBIGUOUS
            }
        claimed: dict[RecordKey, str] = {}
        doubtful: list[RecordKey] = []
        for key, (lead_id, _) in alive.items():
            said = next((known.get(one[1]) for one in keys[key] if one[0] == CLAIM), None)
            if said is not None and said != lead_id:
                claimed[key] = said
            elif any(
                owners.get(one, lead_id) != lead_id  # type: ignore[call-overload]  # a key is a plain pair
                for one in keys[key]
                if one[0] != CLAIM
            ):
                doubtful.append(key)
        found = [
            about("linked_twice", lead_id=alive[key][0], record=key, repaired=self._repair) for key in claimed
        ]
        news = [key for key in doubtful if str(key) not in held]
        found += [
            about("linked_twice", lead_id=alive[key][0], record=key, repaired=self._repair) for key in news
        ]
        found += [about("held", lead_id=alive[key][0], record=key) for key in doubtful if key not in news]
        unheld = [
            (*one, lead_id)
            for key, (lead_id, _) in alive.items()
            if key not in claimed
            for one in keys[key]
            if one[0] != CLAIM and one not in owners
        ]
        if self._repair and unheld:  # linked by a process that went by an earlier mapping
            with self._installation.database.begin() as conn:
                lock_name(conn, "identity")
                there = {lead.id for lead in lead_store.read_leads(conn, {lead for _, _, lead in unheld})}
                put_keys(conn, [one for one in unheld if one[2] in there])
        if self._repair and (claimed or news):
            with self._installation.database.begin() as conn:
                self._put_right(conn, claimed, [alive[key] for key in news])
        return found

    def _put_right(
        self,
        conn: Connection,
        claimed: Mapping[RecordKey, str],
        news: Sequence[tuple[str, Observation]],
    ) -> None:
        """Link each record to the lead whose id it carries; what only its names tell is a hold."""
        now_ms = self._installation.clock.now_ms()
        before = linked(conn, claimed)
        drop_links(conn, claimed)  # what was agreed on with the wrong lead means nothing to the right one
        put_links(
            conn,
            [
                Link(key.side, key.object, key.record_id, lead_id, "primary")
                for key, lead_id in claimed.items()
            ],
        )
        link_records(
            conn, self._installation, [Stored(record, "changed", lead_id) for lead_id, record in news], now_ms
        )
        lead_store.mark_dirty(conn, {*claimed.values(), *(link.lead_id for link in before.values())}, now_ms)

    def _is_mine(self, record: Observation) -> bool:
        return record.side == self._side and record.object in self._people


def _has_two(links: Sequence[Link], records: Mapping[str, Sequence[Linked]]) -> bool:
    """Whether a lead has two records on the side of which both speak for it."""
    alive = {
        item.observation.key for link in links[:1] for item in records[link.lead_id] if item.observation.alive
    }
    return sum(link.role == "primary" and link.key in alive for link in links) > 1
