"""After a rejection: what its reason means, and what a lead needs before it can be an MQL again.

Pure. The reasons come from the rules document; the rejections from the lead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from unicodedata import normalize

from rules.facts import LeadFacts, Rejection
from rules.rejection_document import Consequence
from rules.wake import DAY_MS

_BETWEEN_WORDS: Final = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Reason:
    """What follows a rejection for this reason: back to nurture (with a cooling-off, and perhaps a nurture
    track), disqualified, or routed again."""

    name: str
    then: Consequence = "nurture"
    cooling_off_days: int = 0
    track: str | None = None


def known_reason(said: str, reasons: Iterable[str]) -> str | None:
    """The reason of the rules that sales means, whose picklist may spell it for people ("Not a fit" for
    not_a_fit); None where there is none."""
    known = list(reasons)
    if said in known:
        return said
    words = plain(said)
    return next((reason for reason in known if words and plain(reason) == words), None)


def reason_meant(said: str, reasons: Mapping[str, Reason], default_reason: str) -> Reason:
    """What follows a rejection for what sales said; the default's where no reason of the rules is meant."""
    return reasons.get(said) or reasons[known_reason(said, reasons) or default_reason]


def plain(reason: str) -> str:
    """The words of a reason, in small letters, without what stands between them."""
    return " ".join(_BETWEEN_WORDS.split(normalize("NFKC", reason).casefold())).strip()


@dataclass(frozen=True, slots=True)
class Comeback:
    """What a rejected lead must do to be an MQL again.

    Only what happened after `since_ms` counts. `reason` is None when the lead was not rejected but a new
    cycle began for another cause; then `cooling_until_ms` is None too.
    """

    since_ms: int
    reason: str | None
    cooling_until_ms: int | None
    score_then: int | None


def find_comeback(facts: LeadFacts, reasons: Mapping[str, Reason], default_reason: str) -> Comeback | None:
    """What holds this lead back because of its past, or None for a lead in its first pursuit.

    A rejection that only had the lead routed again holds nothing back. A cycle that began for another cause
    than the last rejection (after a lost opportunity, say) asks for new engagement since its beginning.
    """
    if not facts.rejections and facts.cycle <= 1:
        return None
    last = _last_that_counts(facts.rejections, reasons, default_reason)
    began_ms = facts.cycle_since_ms if facts.cycle > 1 else None
    if last is None:
        return None if began_ms is None else Comeback(began_ms, None, None, None)
    reason = reason_meant(last.reason, reasons, default_reason)
    cooling_ms = reason.cooling_off_days * DAY_MS
    until_ms = last.at_ms + cooling_ms if cooling_ms else None
    if began_ms is not None and last.cycle < facts.cycle - 1:
        return Comeback(max(began_ms, last.at_ms), None, until_ms, None)
    return Comeback(last.at_ms, last.reason, until_ms, last.score)


def _last_that_counts(
    rejections: Sequence[Rejection], reasons: Mapping[str, Reason], default_reason: str
) -> Rejection | None:
    last: Rejection | None = None
    for rejection in rejections:
        reason = reason_meant(rejection.reason, reasons, default_reason)
        if reason.then != "reroute" and (last is None or rejection.at_ms >= last.at_ms):
            last = rejection
    return last
