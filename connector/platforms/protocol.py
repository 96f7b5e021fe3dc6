"""What every platform adapter offers. Core code knows sides by name and this protocol, nothing else.

A new platform is one module that has a `connect` function returning a `Platform`, one mapping preset, one
entry point in the group `leadloop.platforms`, and one subclass of the contract tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from connector.lane import Lane
from connector.observation import Fields, Observation, PastValue, Refs
from connector.platforms.errors import Ambiguous, Missing, Refused, RetryLater


@dataclass(frozen=True, slots=True)
class Account:
    """Who the credentials belong to: the org or portal id, and the user id our own writes carry. `ahead_ms`:
    how far the platform's clock is ahead of ours."""

    account_id: str
    name: str
    user_id: str | None = None
    time_zone: str = "UTC"
    ahead_ms: int = 0


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody, or a queue, that can own a lead on a platform."""

    native_id: str
    kind: Literal["person", "queue"]
    name: str
    email: str | None
    active: bool


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """One field as the platform's metadata describes it. `options` are the active picklist values."""

    name: str
    type: str
    createable: bool
    updateable: bool
    length: int | None = None
    options: tuple[str, ...] | None = None
    restricted: bool = False
    unique: bool = False
    required: bool = False


@dataclass(frozen=True, slots=True)
class Metadata:
    """Object name to field name to what it is."""

    objects: Mapping[str, Mapping[str, FieldInfo]]


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a feed has been read, in the platform's own stamps: everything up to and including
    (`stamp_ms`, `record_id`) in ascending order is stored."""

    stamp_ms: int
    record_id: str = ""


@dataclass(frozen=True, slots=True)
class Watch:
    """One object to look at for changes: everything with a stamp at or after `since_ms` (the caller has
    already taken its overlap off), and the native fields to read."""

    object: str
    fields: tuple[str, ...]
    since_ms: int


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Some changed records of one object, in ascending order of stamp across its pages. `reached` is the
    place to resume from once this page is stored; `last` says that the object has no further page now.
    `asked_ms`: when the object was asked for, by the clock that stamps its records, and not a moment later;
    None: that clock is taken to go as ours does."""

    object: str
    observations: Sequence[Observation]
    reached: Cursor | None
    last: bool
    asked_ms: int | None = None


@dataclass(frozen=True, slots=True)
class BulkPage:
    """Some records of one object, in whatever order the platform has. `resume` is the text with which a
    later call goes on after this page, in another process too. `wait_seconds` above 0: nothing is ready yet,
    ask for the next page after so long. `restarted`: the place that was asked for is no longer known, and
    this page is the first one again. `total`: how many records there are altogether, where it is told."""

    object: str
    observations: Sequence[Observation]
    resume: str
    last: bool = False
    wait_seconds: float = 0.0
    restarted: bool = False
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a read by id found. `missing` are ids that the platform says are gone or hidden."""

    found: Sequence[Observation]
    missing: Sequence[str] = ()


class Listed(NamedTuple):
    """A record as a listing shows it: which version it is at, and what can change while the version stays.
    `refs`: what it points at; None where the version tells. `fields`: those that were asked for; None of a
    recycle bin, which shows none."""

    record_id: str
    stamp_ms: int
    deleted: bool = False
    refs: Refs | None = None
    fields: Fields | None = None


@dataclass(frozen=True, slots=True)
class ListPage:
    """Some records of one object, in ascending order of `id_order`, and the platform's own name for the place
    where the next page begins; None: there is none."""

    records: Sequence[Listed]
    after: str | None


Histories = Mapping[tuple[str, str], Sequence[PastValue]]
"""Record id and native field to its values, newest first."""


def id_order(record_id: str) -> tuple[int, str]:
    """How ids are ordered in listings: both numbers and ids of one length rise with it."""
    return len(record_id), record_id


@dataclass(frozen=True, slots=True)
class RecordWrite:
    """One record to create (`record_id` None) or to update. `token` is the caller's name for it and matches
    the result to it. A value of None clears the field. `unique_key` names the field in `fields` whose value
    is unique on the platform, so that a repeated create finds the first one."""

    token: str
    object: str
    record_id: str | None
    fields: Fields
    unique_key: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """The platform says it is done. `stamp_ms` is the new version stamp where the answer tells it."""

    record_id: str
    answered_ms: int
    stamp_ms: int | None = None
    created: bool = False


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of one `RecordWrite`. Every input of a call gets exactly one."""

    token: str
    outcome: Written | RetryLater | Refused | Missing | Ambiguous


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer told about the limits; None where it told nothing. Daily figures are the whole
    account's, not only ours."""

    day_used: int | None = None
    day_limit: int | None = None
    burst_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a platform allows: calls a day for the account, the share of them that leadloop may use, the part
    of that share kept for hand-offs (and of the rest, for updates when a backfill is at work), and the limits
    within `burst_seconds`. `account_day`: the day begins at the account's midnight; otherwise it is the last
    24 hours."""

    day_limit: int
    quota_percent: int
    reserve_percent: int
    burst_calls: int
    burst_seconds: float
    searches_per_second: int | None = None
    account_day: bool = False


class Meter(Protocol):
    """Counts and paces calls. The adapter asks before every HTTP request and tells after every answer."""

    @property
    def told_ms(self) -> int:
        """When an answer last told of the account's calls of the day, to whichever worker; 0: none has."""
        ...

    def admit(self, lane: Lane, kind: Literal["read", "search", "write", "metadata"]) -> None:
        """Wait for a place within the per-second limits and count one call.

        Raises RetryLater when the daily ceiling leaves nothing for this lane, or the side is to be left
        alone."""
        ...

    def answered(self, usage: Usage, later: RetryLater | None = None) -> None:
        """Take note of the limits an answer carried, and of a refusal that concerns more than the request.
        Told in the thread that was admitted; a call that got no answer tells nothing."""
        ...


class FreeMeter:
    """Admits everything; counts calls by kind. For tests and for one-off commands."""

    told_ms = 0

    def __init__(self) -> None:
        self.calls: dict[str, int] = {}

    def admit(self, lane: Lane, kind: Literal["read", "search", "write", "metadata"]) -> None:  # noqa: ARG002  # the protocol's signature
        self.calls[kind] = self.calls.get(kind, 0) + 1

    def answered(self, usage: Usage, later: RetryLater | None = None) -> None:  # noqa: ARG002  # nothing to pace
        return


@dataclass(frozen=True, slots=True)
class Batching:
    """The platform's largest batches, in records a call; `watch`: objects that are looked at in one."""

    read: int
    write: int
    find: int = field(default=100)
    watch: int = 1


class Platform(Protocol):
    """One CRM or marketing-automation platform. Thread-confined: one instance per worker thread."""

    side: str
    batching: Batching

    def prove_identity(self) -> Account:
        """Who we are there. Raises WrongAccount when it is not the configured org or portal,
        Refused when the credentials are not accepted."""
        ...

    def describe(self, objects: Sequence[str], lane: Lane = Lane.UPDATE) -> Metadata:
        """Field metadata of the objects, in as few calls as the platform allows."""
        ...

    def owners(self, lane: Lane = Lane.UPDATE) -> Sequence[Owner]:
        """All users and queues that can own a lead, inactive ones included."""
        ...

    def count(self, objects: Sequence[str], lane: Lane = Lane.UPDATE) -> Mapping[str, int]:
        """How many live records each object has (may be approximate)."""
        ...

    def changes(self, watches: Sequence[Watch], lane: Lane = Lane.LOOK) -> Iterator[ChangePage]:
        """Everything changed since, deletes and merges included where the platform shows them. A poll of
        several objects with nothing changed is one call where the platform can bundle. Always yields one
        final page (`last=True`) for each watch, empty if nothing changed. Raises RetryLater, Refused."""
        ...

    def everything(
        self,
        object_name: str,
        fields: Sequence[str],
        since_ms: int | None = None,
        resume: str = "",
        lane: Lane = Lane.BACKFILL,
        *,
        expected: int | None = None,
    ) -> Iterator[BulkPage]:
        """All live records of an object, or those changed at or after `since_ms`, with the same values as
        `changes` gives them. `resume`: go on after the page that carried this text, with the same arguments.
        `expected`: about how many there are, where known. Never sleeps: it says how long to wait. The last
        page says so, and may be empty. Raises RetryLater, Refused; the page before it can be resumed from."""
        ...

    def read(
        self, object_name: str, ids: Sequence[str], fields: Sequence[str], lane: Lane = Lane.UPDATE
    ) -> Reading:
        """Read records by id in batches; every id is found or missing. Raises RetryLater, Refused."""
        ...

    def listed(
        self, object_name: str, fields: Sequence[str], after: str | None = None, lane: Lane = Lane.BACKFILL
    ) -> ListPage:
        """One page of all records of an object, with their stamps and these fields, from its beginning or
        from where another page ended; deleted ones where the platform shows them. Raises RetryLater,
        Refused."""
        ...

    def archived(self, object_name: str, after: str | None = None, lane: Lane = Lane.UPDATE) -> ListPage:
        """One page of the deleted records that `changes` never shows; where it shows them all, an empty last
        page and no call. Raises RetryLater, Refused."""
        ...

    def history(
        self, object_name: str, ids: Sequence[str], fields: Sequence[str], lane: Lane = Lane.UPDATE
    ) -> Histories:
        """Who set these fields of these records when, where the platform has kept it; what it has not kept is
        left out, and where it keeps nothing there is no call. Raises RetryLater, Refused."""
        ...

    def find(
        self,
        object_name: str,
        key: str,
        values: Sequence[str],
        fields: Sequence[str],
        lane: Lane = Lane.UPDATE,
    ) -> Sequence[Observation]:
        """Live records whose native field `key` equals one of the values. Raises RetryLater, Refused."""
        ...

    def write(self, writes: Sequence[RecordWrite], lane: Lane = Lane.UPDATE) -> Sequence[WriteResult]:
        """Send creates and updates in the platform's largest batches. Never raises for what a platform
        says: exactly one result for each input, in the same order."""
        ...

    def close(self) -> None:
        """Close connections."""
        ...
