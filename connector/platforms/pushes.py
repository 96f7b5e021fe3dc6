"""What a platform sends by itself, and what its adapter makes of it. Plain data; no I/O.

A platform that can push has a function `receiver` in its package, beside `connect`. What it accepts are hints
only: which records to read. No value that a push carries is ever taken over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

Cause = Literal[
    "unsigned",
    "forged",
    "stale",
    "future",
    "foreign",
    "malformed",
    "too_large",
    "too_many",
    "too_fast",
    "truncated",
    "full",
    "unknown_account",
]
"""Why a delivery, or a part of one, was not taken."""


class NotAccepted(Exception):
    """A delivery is not taken. `status` is the HTTP status to answer with. `str()` has no value of it."""

    def __init__(self, cause: Cause, status: int, reason: str) -> None:
        super().__init__(reason)
        self.cause: Cause = cause
        self.status = status


@dataclass(frozen=True, slots=True)
class Head:
    """A request without its body. `url` is the address as the platform called it, query included, nothing
    decoded; `rest` is what follows the receiver's own place in the path. Names of headers are in small
    letters, and so are `client_names`, to which the sender's proven certificate was made out; there are none
    where it had none."""

    method: str
    url: str
    rest: str
    headers: Mapping[str, str]
    client_names: frozenset[str] = frozenset()


class Told(NamedTuple):
    """One record that a delivery told of. `kind` is what is said to have happened to it."""

    object: str
    record_id: str
    kind: Literal["read", "deleted", "merged", "restored", "forget"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What an accepted delivery says. Of its `events`, `unwanted` are of types that nobody reads, and those
    in `refused`, by cause, were left out; all the others are in `told`."""

    events: int
    told: Sequence[Told]
    unwanted: int = 0
    refused: Mapping[Cause, int] | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer."""

    status: int
    content_type: str = ""
    body: bytes = b""


class Receiver(Protocol):
    """Takes what one platform sends. Safe to share between threads."""

    def admit(self, head: Head, now_ms: int) -> None:
        """Refuse what can be refused before the body is read. Raises NotAccepted."""
        ...

    def accept(self, head: Head, body: bytes, account: str) -> Delivery:
        """Prove who sent the body and read it. `account` is the org or portal that we work with. Raises
        NotAccepted."""
        ...

    def reply(self, stored: bool) -> Reply:
        """The answer to a delivery that is stored, or to one that could not be."""
        ...
