"""Forgotten records: what still stands on the platforms of people who were forgotten here.

leadloop deletes nothing there: each such record is a hold for the admin, until it is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from connector.intake.erased_names import said
from connector.observation import RecordKey
from connector.store import holds as hold_store

HOLD = "forgotten"


def hold_records(
    conn: Connection, standing: Sequence[RecordKey], gone: Sequence[RecordKey], now_ms: int
) -> None:
    """Hold the records that are `standing`, and no more those that are `gone`."""
    subjects = [said(record) for record in (*standing, *gone)]
    wanted = [
        hold_store.WantedHold(
            kind=HOLD,
            subject=said(record),
            message=f"The person behind {said(record)} was forgotten here; the record is still there. "
            "leadloop neither reads nor writes it.",
            remedy=f"Erase it on {record.side}, or, if the person wants to be known again, say "
            f'`leadloop forget --undo "{said(record)}"`.',
        )
        for record in standing
    ]
    hold_store.sync_holds_about(conn, HOLD, subjects, {hold_store.INSTALLATION: wanted}, now_ms)


def let_go(conn: Connection, gone: Iterable[RecordKey], now_ms: int) -> None:
    """These records are not on their platforms any more: nobody need erase them there."""
    records = list(gone)
    if records and hold_store.leads_held(conn, HOLD):
        hold_records(conn, (), records, now_ms)


def held_records(conn: Connection, side: str, name: str) -> list[RecordKey]:
    """Records of forgotten people that were still on the platform when somebody last looked."""
    held = hold_store.open_holds(conn, [hold_store.INSTALLATION]).get(hold_store.INSTALLATION, [])
    records = [RecordKey(*hold.subject.split(" ", 2)) for hold in held if hold.kind == HOLD]
    return [record for record in records if (record.side, record.object) == (side, name)]
