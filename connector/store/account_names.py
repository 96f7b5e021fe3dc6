"""Account names: the accounts of the CRM by the domain of their website and by their name."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, delete, select

from connector.accounts import AccountName
from connector.observation import RecordKey
from connector.store.rows import by_object, chunks, insert_new
from connector.store.schema import account_names


def known_by(conn: Connection, names: Iterable[AccountName]) -> dict[AccountName, list[RecordKey]]:
    """The accounts that have these names."""
    found: dict[AccountName, list[RecordKey]] = {}
    wanted = set(names)
    for chunk in chunks(dict.fromkeys(name.value for name in sorted(wanted))):
        for row in conn.execute(select(account_names).where(account_names.c.value.in_(chunk))):
            name = AccountName(row.kind, row.value)
            if name in wanted:
                found.setdefault(name, []).append(RecordKey(row.side, row.object, row.record_id))
    return found


def replace(
    conn: Connection, records: Collection[RecordKey], now: Iterable[tuple[AccountName, RecordKey]]
) -> None:
    """Forget the names of these accounts, and keep those that they have now."""
    for (side, name), ids in by_object(records).items():
        for chunk in chunks(ids):
            conn.execute(
                delete(account_names).where(
                    account_names.c.record_id.in_(chunk),
                    account_names.c.object == name,
                    account_names.c.side == side,
                )
            )
    insert_new(conn, account_names, [{**name._asdict(), **record._asdict()} for name, record in now])
