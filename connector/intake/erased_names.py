"""Erased names: what of a forgotten person is kept, so that nothing of theirs is ever taken in again.

A keyed hash of each name (address, record id, lead id): it tells whether something is theirs, and nothing
about them. Decides nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection, Iterable

from sqlalchemy import Connection

from connector.observation import RecordKey
from connector.store.retirement import any_erased, erased, keep_hashes, remember_again
from connector.store.rows import lock_name
from connector.store.settings_values import get_value, put_value

Name = tuple[str, str]
"""Kind and value of what a record says about who it is."""

RECORD = "record"
"""The kind of the name that a record has by its own id."""

_KEY = "erasure_key"
_RELEASED = "released "
"""Begins the kind of a name that may be known again, whatever lead id its record still carries."""


def lock_erasures(conn: Connection, *, shared: bool = False) -> None:
    """Nobody is forgotten meanwhile. Several may hold it `shared`."""
    lock_name(conn, _KEY, shared=shared)


def somebody_is_erased(conn: Connection) -> bool:
    """Whether anybody was ever forgotten. Where not, no name need be asked for."""
    return any_erased(conn)


def said(record: RecordKey) -> str:
    """A record as people read and type it: `SIDE OBJECT ID`."""
    return f"{record.side} {record.object} {record.record_id}"


def record_name(record: RecordKey) -> Name:
    """The name of a record by its own id."""
    return RECORD, said(record)


class ErasedNames:
    """The names of everybody who was erased, in one database."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._key = _secret(conn)

    def keep(self, names: Iterable[Name], now_ms: int) -> None:
        """Remember these names, for ever; those that are known stay as they are."""
        keep_hashes(self._conn, self.hashes(names), now_ms)

    def hashes(self, names: Iterable[Name]) -> list[bytes]:
        """The names as they are kept."""
        return [self._hash(name) for name in names]

    def among(self, names: Collection[Name]) -> set[Name]:
        """Those of the names that are an erased person's."""
        by_hash = {self._hash(name): name for name in names}
        return {by_hash[one] for one in erased(self._conn, by_hash)}

    def release(self, names: Collection[Name], now_ms: int) -> int:
        """These names may be known again. Returns how many were an erased person's."""
        gone = remember_again(self._conn, self.hashes(names))
        if gone:
            self.keep(map(_released, names), now_ms)
        return gone

    def hold_again(self, names: Iterable[Name]) -> None:
        """What was released of these names counts no more."""
        remember_again(self._conn, self.hashes(map(_released, names)))

    def released(self, names: Collection[Name]) -> set[Name]:
        """Those of the names that may be known again."""
        return {(kind.removeprefix(_RELEASED), value) for kind, value in self.among([*map(_released, names)])}

    def _hash(self, name: Name) -> bytes:
        kind, value = name
        text = f"{kind}\0{value}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, text, hashlib.sha256)


def _released(name: Name) -> Name:
    return _RELEASED + name[0], name[1]


def _secret(conn: Connection) -> bytes:
    """The key of the hashes, made when first needed: without this database they say nothing."""
    stored = get_value(conn, _KEY)
    if stored is None:
        stored = secrets.token_hex(32)
        put_value(conn, _KEY, stored)
    return bytes.fromhex(stored)
