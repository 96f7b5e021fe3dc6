"""The four things that can go wrong with a platform, in the adapter's translation.

Adapters raise these from reads, and return them, record by record, from writes. No vendor exception ever
leaves `connector/platforms`. There is one owner of retries: delivery for writes, the poll loop for reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

Concerns = Literal["request", "searches", "calls", "day", "side"]
"""What is to be left alone: this request or record alone; all searches, or all calls, which came too fast;
all calls, since those of the day are used up; or the side, for a reason of its own. A request on which the
platform fails gets the same answer as one that comes while it is away: that it is the side is believed once a
second one gets it, with none answered in between."""


ASK_AGAIN_SECONDS = 900.0
"""How often it is tried whether a day's calls that are used up have come back."""


class PlatformError(Exception):
    """Anything a platform refused. `str()` is a sentence an admin can act on, without personal data."""


def concerns_all(fault: PlatformError) -> bool:
    """Whether it is no use to ask for something else meanwhile."""
    return isinstance(fault, RetryLater) and fault.concerns != "request"


def is_unsure(fault: PlatformError) -> bool:
    """Whether an answer says that the side is not there, and neither why nor for how long: that may be the
    doing of its request, and what is asked for next may be answered."""
    return isinstance(fault, RetryLater) and fault.concerns == "side" and fault.until_seconds is None


def gravest(faults: Sequence[PlatformError]) -> PlatformError:
    """The one of several to raise: a refusal, if there is one, since waiting alone does not end it."""
    return min(faults, key=lambda fault: isinstance(fault, RetryLater))


def about(object_name: str, fault: PlatformError) -> PlatformError:
    """The same fault, which says at which object it was met."""
    if isinstance(fault, (Refused, RetryLater)):
        return replace(fault, reason=f"{object_name}: {fault.reason}")
    return fault


@dataclass(eq=False)
class RetryLater(PlatformError):
    """Not now: rate limit, quota, lock, outage, lost connection before anything was sent.

    `after_seconds` is how long to leave it alone. `applied_unknown` is True when the request may have been
    carried out although no answer came: the caller must re-read before it sends the same thing again.

    Where it `concerns` the day or the side, `until_seconds` is when that is expected to be over, if the
    platform says so. If that is later than `after_seconds`, or not said, one call every so often finds out.

    Not `answered`: nobody was there, which may be the doing of a setting.
    """

    reason: str
    after_seconds: float
    applied_unknown: bool = False
    concerns: Concerns = "request"
    until_seconds: float | None = None
    answered: bool = True

    def __str__(self) -> str:
        return f"{self.reason} (again in {_span(self.after_seconds)})"


def _span(seconds: float) -> str:
    """A length of time, as exactly as anybody wants to know it."""
    for unit, size in (("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{round(seconds / size)} {unit}"
    return f"{round(seconds, 1):g} s"


@dataclass(eq=False)
class Refused(PlatformError):
    """The platform will not take it. `fields` are the native fields it named; empty when it named none.
    `code` is the platform's own error code. `existing_id` is set when it says which record is in the way."""

    reason: str
    code: str = ""
    fields: tuple[str, ...] = ()
    existing_id: str | None = None

    def __str__(self) -> str:
        where = f" [{', '.join(self.fields)}]" if self.fields else ""
        said = f"{self.reason}{where}"
        return said if self.code in self.reason else f"{self.code}: {said}"


@dataclass(eq=False)
class Missing(PlatformError):
    """The record is gone: deleted, merged away, hidden from us, or made read-only for ever by a conversion.
    Reading it anew tells which."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False)
class Ambiguous(PlatformError):
    """More than one record answers to the key; `candidates` are their ids (or URLs) where known."""

    reason: str
    candidates: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.reason}: {', '.join(self.candidates)}" if self.candidates else self.reason


class WrongAccount(PlatformError):
    """The credentials work, but for another org or portal than the configured one. The process stops."""
