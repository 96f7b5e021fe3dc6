"""Observation: what a platform showed for one record, once. Plain data; no I/O.

Platform adapters produce observations, intake stores them, reconcile reads them. Only a full read of the
mapped fields is an observation: a field that is absent is unknown, never blank.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

Raw = str | int | float | bool | None
"""One value as the platform's JSON spells it. Blank is always None: adapters turn "" into None when they
read and None into the platform's own way of clearing when they write."""

Fields = Mapping[str, Raw]


Refs = Mapping[str, tuple[str, ...]]
"""The records that a record points at: their ids, by object."""

NO_REFS: Refs = MappingProxyType({})
"""Of a record that points at none."""


# named tuples, not data classes: a frozen data class takes six times as long to make and to hash, and
# these two are made for every record ever read


class PastValue(NamedTuple):
    """A value that somebody set a field to, and when. `own`: leadloop did, as far as the platform tells."""

    value: Raw
    at_ms: int
    own: bool = False


class RecordKey(NamedTuple):
    """Names one record: the side (a name from leadloop.yaml), the platform's object, its id."""

    side: str
    object: str
    record_id: str

    def __str__(self) -> str:
        return f"{self.side}:{self.object}:{self.record_id}"


class Observation(NamedTuple):
    """A record as one read showed it.

    `stamp_ms` is the platform's own version stamp (SystemModstamp, updatedAt) and `read_started_ms` the
    moment, by our clock, at which the request that brought it was sent. `refs` names the records it points
    at, by their object: the Contact and Opportunity of a contact role, or of a converted Lead; the contacts
    of a deal. `modified_by` is the platform's id of the last writer, where every read tells it.
    """

    side: str
    object: str
    record_id: str
    stamp_ms: int
    read_started_ms: int
    fields: Fields
    deleted: bool = False
    merged_into: str | None = None
    converted: bool = False
    refs: Refs = NO_REFS
    modified_by: str | None = None

    @property
    def key(self) -> RecordKey:
        return RecordKey(self.side, self.object, self.record_id)

    @property
    def alive(self) -> bool:
        """Whether it speaks for itself: neither deleted nor part of another record."""
        return not (self.deleted or self.merged_into or self.converted)

    def points_at(self) -> list[RecordKey]:
        """The records that `refs` names."""
        return [RecordKey(self.side, name, each) for name, ids in self.refs.items() for each in ids]


def digest(value: Raw | Fields) -> str:
    """The name of a value, or of a record's fields: says whether it is the same one, not what it is."""
    plain = dict(value) if isinstance(value, Mapping) else value
    blob = json.dumps(plain, sort_keys=True).encode()  # escapes lone surrogates, which UTF-8 cannot hold
    return hashlib.blake2b(blob, digest_size=16).hexdigest()
