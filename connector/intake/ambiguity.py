"""Ambiguity: a record whose names lead to more than one lead is a hold on each of them, never a guess.

A record that has no lead yet is linked to none of them meanwhile; one that has a lead stays with it. `link`
finds the ambiguities, and looks at a record again when one of the leads gives up a name or takes another lead
in. This file only keeps the holds, which name records and leads but quote no names of people.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from connector.observation import RecordKey
from connector.store.holds import Hold, WantedHold, leads_held, open_holds, sync_holds_about

AMBIGUOUS = "ambiguous"
"""The kind of these holds. Settling leaves them alone."""


@dataclass(frozen=True, slots=True)
class Ambiguity:
    """`lead_id` is the lead that the record belongs to, if any; `candidates` are all it could belong to, that
    one among them; `fields` the canonical fields that say so."""

    record: RecordKey
    lead_id: str | None
    candidates: tuple[str, ...]
    fields: tuple[str, ...]

    def hold(self) -> WantedHold:
        """What a person is told."""
        fields = " and ".join(self.fields)
        others = [lead_id for lead_id in self.candidates if lead_id != self.lead_id]
        leads = " or ".join(f"lead {lead_id}" for lead_id in others)
        if self.lead_id is None:
            told = f"{self.record} may be {leads}, by its {fields}. It is linked to neither, and not written."
            otherwise = ""
        else:
            told = f"{self.record} is lead {self.lead_id}, but by its {fields} it may be {leads} as well."
            otherwise = (
                f" If it is not lead {self.lead_id}: enter it anew without the lead id, and delete it."
            )
        return WantedHold(
            kind=AMBIGUOUS,
            subject=str(self.record),
            message=told,
            remedy=f"Correct {fields} on one of the records, or merge them on the platform; "
            f"that releases it by itself.{otherwise}",
            details={
                "record": list(self.record),
                "lead": self.lead_id,
                "candidates": list(self.candidates),
                "fields": list(self.fields),
            },
        )


def put_ambiguities(
    conn: Connection, records: Iterable[RecordKey], found: Sequence[Ambiguity], now_ms: int
) -> set[str]:
    """Hold what was found ambiguous among these records, and release the others. Returns the leads for which
    that is something new."""
    if not found and not leads_held(conn, AMBIGUOUS):
        return set()
    wanted: dict[str, list[WantedHold]] = {}
    for one in found:
        for lead_id in one.candidates:
            wanted.setdefault(lead_id, []).append(one.hold())
    synced = sync_holds_about(conn, AMBIGUOUS, [str(record) for record in records], wanted, now_ms)
    return {hold.lead_id for hold in (*synced.opened, *synced.closed)}


def records_in_doubt(conn: Connection, lead_ids: Collection[str]) -> list[RecordKey]:
    """The ambiguous records that could belong to one of these leads."""
    among = leads_held(conn, AMBIGUOUS).intersection(lead_ids)
    held = open_holds(conn, among) if among else {}
    return list(dict.fromkeys(_record(hold) for holds in held.values() for hold in holds if _is_one(hold)))


def sides_in_doubt(conn: Connection, lead_ids: Iterable[str]) -> dict[str, frozenset[str]]:
    """The sides that have a record which could belong to the lead or to another, by lead; leads without are
    left out."""
    among = leads_held(conn, AMBIGUOUS).intersection(lead_ids)
    held = open_holds(conn, among) if among else {}
    return {
        lead_id: frozenset(_record(hold).side for hold in holds if _is_one(hold))
        for lead_id, holds in held.items()
    }


def _is_one(hold: Hold) -> bool:
    return hold.kind == AMBIGUOUS


def _record(hold: Hold) -> RecordKey:
    return RecordKey(*hold.details["record"])
