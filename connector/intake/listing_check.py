"""Listing check: a platform's listing of all records, their versions and values, held against the store, page
by page.

The two are merged in the order of ids, a window of the store at a time, so that memory is bounded. A record
that is missing, gone or at another version is read by its id and taken in as any observation. Other values at
the version that is stored, as of a formula, are believed as they are listed: the lead that this concerns is
found by the lead check.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection

from connector.clock import Clock
from connector.installation import Installation
from connector.intake.ambiguity import AMBIGUOUS
from connector.intake.findings import AMISS, Named, about
from connector.intake.forgotten_records import held_records, let_go
from connector.intake.identity import Names
from connector.intake.link import link_records
from connector.intake.missing import as_deleted
from connector.intake.poll import began_key
from connector.intake.taking_in import take_in
from connector.intake.version_window import VersionWindow
from connector.lane import Lane
from connector.observation import Observation, RecordKey
from connector.platforms.protocol import Cursor, Listed, ListPage
from connector.store import leads as lead_store
from connector.store.cursors import cursors_of
from connector.store.holds import open_holds
from connector.store.links import linked
from connector.store.observations import Stored, observations_by_key, store_observations
from connector.store.settings_values import get_value
from connector.store.versions import (
    NO_OTHERS,
    OtherValues,
    Version,
    drop_observations,
    versions_of,
)
from connector.taking_part import outside


class ListingCheck:
    """One object of one side. `repair`: whether what differs is put right; `alone`: no lead check follows."""

    def __init__(
        self, installation: Installation, side: str, name: str, *, repair: bool, alone: bool = False
    ) -> None:
        self._installation = installation
        self._clock: Clock = installation.clock
        self._side = side
        self._name = name
        self._repair = repair
        self._alone = alone
        described = installation.policy.mapping.sides[side].objects[name]
        names = Names.of(described, installation.policy.mapping)
        self._person = described.role == "person"
        shown = {pair.native for pair in (*described.pairs, *described.outputs)}
        self._plain = shown.difference(names.natives, [names.claim])

    def check(self, page: ListPage, window: VersionWindow, asked_ms: int) -> list[Named]:
        """Hold one page, asked for at `asked_ms`, against the store. Raises RetryLater, Refused when a read
        does not come."""
        if not page.records and page.after is not None:
            return []  # it says nothing of any record
        listed = {each.record_id: each for each in page.records}
        last = page.records[-1].record_id if page.records and page.after is not None else None
        known = {each.record_id: each for each in window.up_to(last)}
        suspects = [each for each in listed if self._is_odd(listed[each], known.get(each))]
        suspects += [each for each, stored in known.items() if each not in listed and not stored.deleted]
        if not suspects:
            return []
        with self._installation.database.read() as conn:
            now = versions_of(conn, self._side, self._name, suspects)
            since_ms = cursors_of(conn, self._side).get(self._name, Cursor(0)).stamp_ms
            began_ms = self._began_ms(conn)
            filtered = self._filtered(conn, [each for each in suspects if each in now])
        found: list[Named] = []
        to_read: list[str] = []
        to_believe: list[Listed] = []
        for each in suspects:
            shown, stored = listed.get(each), now.get(each)
            if shown is None:
                to_read.append(each)
            elif not self._is_odd(shown, stored):
                continue  # seen meanwhile
            elif shown.stamp_ms >= since_ms and (
                stored is None or shown.stamp_ms > stored.stamp_ms or not self._differs(shown, stored)
            ):
                found.append(self._about("pending", each, stored))  # seen with the next look
            elif stored is None and shown.stamp_ms < began_ms:
                found.append(self._about("older", each, stored))
            elif stored is not None and self._can_be_believed(shown, stored):
                to_believe.append(shown)
            elif (
                each in filtered
                and stored is not None
                and shown.stamp_ms == stored.stamp_ms
                and _others(shown, stored) == NO_OTHERS
            ):
                found.append(self._about("filtered", each, stored))
            else:
                to_read.append(each)
        if to_believe:
            found.extend(self._believe(to_believe, now, asked_ms))
        if to_read:
            found.extend(self._read(to_read, now))
        return found

    def look_for_forgotten(self) -> None:
        """Forgotten people's records that are gone by now are held no more; a listing says so of none. Raises
        RetryLater, Refused."""
        with self._installation.database.read() as conn:
            held = held_records(conn, self._side, self._name)
        if not held or not self._repair:
            return
        natives = self._installation.feeds[self._side].objects[self._name]
        ids = [record.record_id for record in held]
        reading = self._installation.platforms[self._side].read(self._name, ids, natives, Lane.BACKFILL)
        there = {item.record_id for item in reading.found if not item.deleted}
        with self._installation.database.begin() as conn:
            gone = [record for record in held if record.record_id not in there]
            let_go(conn, gone, self._clock.now_ms())

    def _is_odd(self, listed: Listed, stored: Version | None) -> bool:
        if self._differs(listed, stored):
            return True
        return stored is not None and not listed.deleted and _others(listed, stored) != NO_OTHERS

    def _differs(self, listed: Listed, stored: Version | None) -> bool:
        if stored is None:
            return not listed.deleted
        if listed.deleted != stored.deleted:
            return True
        unlinked = self._person and stored.lead_id is None
        moved = listed.refs is not None and listed.refs != stored.refs
        return not listed.deleted and (listed.stamp_ms != stored.stamp_ms or unlinked or moved)

    def _can_be_believed(self, listed: Listed, stored: Version) -> bool:
        """Whether only values are odd, and none from which more follows than what the lead shows: who it is
        about, whether it takes part, or what its person has done."""
        if not self._person or self._differs(listed, stored):
            return False
        if (self._side, self._name) in self._installation.policy.filters:
            return False
        differing, lacking = _others(listed, stored)
        return self._plain.issuperset((*differing, *lacking))

    def _filtered(self, conn: Connection, ids: Sequence[str]) -> set[str]:
        """Those that belong to no lead because they take no part, as they were last seen."""
        policy = self._installation.policy
        if (self._side, self._name) not in policy.filters:
            return set()
        known = observations_by_key(conn, [RecordKey(self._side, self._name, each) for each in ids])
        apart = outside(list(known.values()), policy.filters, policy.mapping, policy.directory)
        return {key.record_id for key in apart if not known[key].deleted}

    def _began_ms(self, conn: Connection) -> int:
        """Before when nothing was imported; 0 where every person of the side has been."""
        if self._person and self._side in self._installation.complete:
            return 0
        live_ms = self._installation.policy.live_since_ms
        return int(get_value(conn, began_key(self._side, self._name), live_ms))

    def _about(
        self,
        cause: str,
        record_id: str,
        stored: Version | None,
        *,
        fields: Iterable[str] = (),
        repaired: bool = False,
    ) -> Named:
        lead_id = None if stored is None else stored.lead_id
        record = RecordKey(self._side, self._name, record_id)
        return about(cause, lead_id=lead_id, record=record, fields=fields, repaired=repaired)

    # putting right --------------------------------------------------------------------------------------

    def _believe(self, listed: Sequence[Listed], stored: dict[str, Version], asked_ms: int) -> list[Named]:
        """Take over the values that are listed, at the version that is stored. A lead is not marked for other
        values: whether that concerns it is for the lead check to say, which a lead that is to be decided
        anyway would be hidden from. For values of fields that are mapped since, and where none follows, it
        is."""
        found: list[Named] = []
        to_decide: list[str] = []
        for each in listed:
            before = stored[each.record_id]
            differing, lacking = _others(each, before)
            if before.lead_id is not None and (self._alone or lacking):
                to_decide.append(before.lead_id)
            cause = "altered" if differing else "pending"
            repaired = bool(differing) and self._repair
            found.append(self._about(cause, each.record_id, before, fields=differing, repaired=repaired))
        if not self._repair:
            return found
        with self._installation.database.begin() as conn:
            keys = [RecordKey(self._side, self._name, each.record_id) for each in listed]
            known = observations_by_key(conn, keys)
            believed = [
                seen._replace(fields={**seen.fields, **(each.fields or {})}, read_started_ms=asked_ms)
                for key, each in zip(keys, listed, strict=True)
                if (seen := known.get(key)) is not None and seen.stamp_ms == each.stamp_ms
            ]
            store_observations(conn, believed)
            lead_store.mark_dirty(conn, to_decide, self._clock.now_ms())  # leads last, as taking in does
        return found

    def _read(self, ids: Sequence[str], stored: dict[str, Version]) -> list[Named]:
        """Read what differs, and take it in."""
        platform = self._installation.platforms[self._side]
        asked_ms = self._clock.now_ms()
        natives = self._installation.feeds[self._side].objects[self._name]
        reading = platform.read(self._name, ids, natives, Lane.BACKFILL)
        seen = {item.record_id: item for item in reading.found if item.record_id in set(ids)}
        gone = [each for each in ids if each not in seen and each in stored and not stored[each].deleted]
        ahead = {
            each for each, item in seen.items() if each in stored and item.stamp_ms < stored[each].stamp_ms
        }
        if not self._repair:
            return self._only_named(ids, seen, stored, ahead)
        with self._installation.database.begin() as conn:
            keys = [RecordKey(self._side, self._name, each) for each in gone]
            deleted = as_deleted(conn, keys, asked_ms)
            # a version that the platform does not have was not seen there
            drop_observations(conn, [RecordKey(self._side, self._name, each) for each in ahead])
            taken = take_in(conn, self._installation, [*reading.found, *deleted], asked_ms)
            status = {item.observation.record_id: item.status for item in taken.stored}
            lost = [each for each in ids if self._unlinked(each, seen, stored, status)]
            links = self._link_again(conn, lost, asked_ms) if lost else {}
        found: list[Named] = []
        for each in ids:
            before = stored.get(each)
            if each in lost:
                found.append(self._about(links[each], each, before, repaired=links[each] == "unlinked"))
            elif each in ahead:
                found.append(self._about("altered", each, before, repaired=True))
            elif each in status:
                if status[each] in ("new", "changed"):
                    cause, fields = self._cause(before, seen.get(each))
                    repaired = cause in AMISS
                    found.append(self._about(cause, each, before, fields=fields, repaired=repaired))
            elif each in seen and not seen[each].deleted:
                found.append(self._about("forgotten", each, before))
        return found

    def _only_named(
        self,
        ids: Sequence[str],
        seen: dict[str, Observation],
        stored: dict[str, Version],
        ahead: set[str],
    ) -> list[Named]:
        """What would be repaired."""
        found: list[Named] = []
        for each in ids:
            before, item = stored.get(each), seen.get(each)
            if each in ahead:
                found.append(self._about("altered", each, before))
            elif before is None or item is None or self._changed(before, item):
                if before is not None or item is not None:
                    cause, fields = self._cause(before, item)
                    found.append(self._about(cause, each, before, fields=fields))
            elif self._person and before.lead_id is None and not item.deleted:
                held = self._held([each])
                found.append(self._about("held" if each in held else "unlinked", each, before))
        return found

    @staticmethod
    def _changed(before: Version, item: Observation) -> bool:
        if (item.stamp_ms, item.deleted, item.refs) != (before.stamp_ms, before.deleted, before.refs):
            return True
        return not item.deleted and before.other_values(item.fields) != NO_OTHERS

    @staticmethod
    def _cause(before: Version | None, item: Observation | None) -> tuple[str, Sequence[str]]:
        """What was the matter with a record, and in which fields."""
        if item is None or (item.deleted and before is not None and not before.deleted):
            return "vanished", ()
        if before is not None and before.deleted and not item.deleted:
            return "restored", ()
        if before is not None and (item.stamp_ms, item.refs) == (before.stamp_ms, before.refs):
            differing = before.other_values(item.fields).differing
            return ("altered", differing) if differing else ("pending", ())  # mapped since
        return "missed", ()

    def _unlinked(
        self,
        record_id: str,
        seen: dict[str, Observation],
        stored: dict[str, Version],
        status: Mapping[str, str],
    ) -> bool:
        """Whether a record that showed nothing new still has no lead."""
        before = stored.get(record_id)
        return (
            self._person
            and before is not None
            and before.lead_id is None
            and record_id in seen
            and not seen[record_id].deleted
            and status.get(record_id) == "same"
        )

    def _link_again(self, conn: Connection, ids: Sequence[str], now_ms: int) -> dict[str, str]:
        """Link what has lost its link; returns the cause of each: `unlinked` where it has a lead now, `held`
        where it could be one of several."""
        keys = [RecordKey(self._side, self._name, each) for each in ids]
        known = observations_by_key(conn, keys)
        items = [Stored(item, "changed", None) for item in known.values()]
        link_records(conn, self._installation, items, now_ms)
        links = linked(conn, keys)
        held = _held_in(conn, keys)
        return {
            key.record_id: "unlinked" if key in links else "held" if key in held else "unexplained"
            for key in keys
        }

    def _held(self, ids: Sequence[str]) -> set[str]:
        with self._installation.database.read() as conn:
            keys = [RecordKey(self._side, self._name, each) for each in ids]
            return {key.record_id for key in _held_in(conn, keys)}


def _held_in(conn: Connection, keys: Sequence[RecordKey]) -> set[RecordKey]:
    subjects = {
        hold.subject for holds in open_holds(conn).values() for hold in holds if hold.kind == AMBIGUOUS
    }
    return {key for key in keys if str(key) in subjects}


def _others(listed: Listed, stored: Version) -> OtherValues:
    return NO_OTHERS if listed.fields is None else stored.other_values(listed.fields)
