"""Isolation: finding the one bad record when a platform refuses a whole batch.

Both platforms now and then answer 400 or 409 for a batch because of one record in it. The batch is cut in
halves until the record stands alone, within a number of calls, so that one bad record never fails the
others. Knows no platform: sending is an argument.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from connector.platforms.errors import Ambiguous, Concerns, Missing, Refused, RetryLater
from connector.platforms.protocol import RecordWrite, Written

Outcome = Written | RetryLater | Refused | Missing | Ambiguous


@dataclass(frozen=True, slots=True)
class BatchRefused:
    """The platform refused a whole batch, for a reason that may lie in one record."""

    refusal: Refused


Send = Callable[[Sequence[RecordWrite]], Sequence[Outcome] | BatchRefused]

CALLS_FOR_ONE_BATCH = 32
"""Enough for two bad records in a batch of 200; the rest waits for the next round, which is smaller."""


def not_sent(later: RetryLater) -> RetryLater:
    """What the answer to one batch means for the next ones, which are held back: nothing is their fault."""
    concerns: Concerns = "side" if later.concerns == "request" else later.concerns
    return replace(later, applied_unknown=False, concerns=concerns)


def isolate(
    writes: Sequence[RecordWrite],
    send: Send,
    unusable_field: Collection[str],
    calls: int = CALLS_FOR_ONE_BATCH,
) -> list[Outcome]:
    """Send `writes`; when the batch is refused, send its parts. One outcome for each, in order.

    `unusable_field` are the codes that condemn a field for every record: then all records that carry it share
    the refusal and the others are sent together, instead of being searched through."""
    left = [calls]
    return _isolate(list(writes), send, unusable_field, left)


def _isolate(
    writes: list[RecordWrite], send: Send, unusable_field: Collection[str], left: list[int]
) -> list[Outcome]:
    if not writes:
        return []
    if left[0] <= 0:
        wait = RetryLater("another record in the batch is refused and is still being searched for", 60)
        return [wait] * len(writes)
    left[0] -= 1
    answer = send(writes)
    if not isinstance(answer, BatchRefused):
        return list(answer)
    refusal = answer.refusal
    if len(writes) == 1:
        return [refusal]
    if refusal.code in unusable_field and refusal.fields:
        carrying = [not set(refusal.fields).isdisjoint(write.fields) for write in writes]
        if any(carrying):
            rest = iter(
                _isolate(
                    [write for write, guilty in zip(writes, carrying, strict=True) if not guilty],
                    send,
                    unusable_field,
                    left,
                )
            )
            return [refusal if guilty else next(rest) for guilty in carrying]
    middle = len(writes) // 2
    return _isolate(writes[:middle], send, unusable_field, left) + _isolate(
        writes[middle:], send, unusable_field, left
    )
