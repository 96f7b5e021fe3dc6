"""Nurture: the track that a lead belongs to, and whether marketing has touched it often enough.

Pure. The tracks are tried in order by generated code; here a rejection's own track comes first for a while.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rules.facts import LeadFacts
from rules.fuse import Choose
from rules.rejection import Comeback, Reason, reason_meant
from rules.wake import Wake


@dataclass(frozen=True, slots=True)
class NurtureRules:
    """The tracks in their order, chosen by `choose`; the kinds of activity that are touches (None: every
    kind); and how many of them a lead shall have had before sales gets it."""

    tracks: tuple[str, ...] = ()
    kinds: frozenset[str] | None = None
    minimum_touches: int = 0
    choose: Choose | None = field(default=None, repr=False, compare=False)


def track_after_rejection(
    comeback: Comeback | None,
    reasons: Mapping[str, Reason],
    default_reason: str,
    *,
    engaged: bool,
    now_ms: int,
) -> str | None:
    """The track of the rejection's reason: until the lead engages anew or the cooling-off ends, whichever
    comes first; without a cooling-off until it engages anew. None where there is none."""
    if comeback is None or comeback.reason is None or engaged:
        return None
    if comeback.cooling_until_ms is not None and now_ms >= comeback.cooling_until_ms:
        return None
    return reason_meant(comeback.reason, reasons, default_reason).track


def count_touches(kinds: frozenset[str] | None, facts: LeadFacts, wake: Wake) -> int:
    """How many touches the lead has had, in all cycles."""
    touches = 0
    for activity in facts.activities:
        if kinds is None or activity.kind in kinds:
            if activity.at_ms <= wake.now_ms:
                touches += 1
            else:
                wake.at(activity.at_ms)
    return touches


def too_few(touches: int, minimum: int) -> str:
    """The warning about a lead that sales gets after too few touches."""
    plural = "" if touches == 1 else "es"
    return f"{touches} touch{plural} before the hand-off, fewer than the minimum of {minimum}"
