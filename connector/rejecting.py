"""Rejecting: sales gives a lead back, with a reason or without one, and what follows. Pure; no I/O."""

from __future__ import annotations

from dataclasses import replace

from connector.claims import Claim
from connector.clock import MINUTE_MS
from connector.lead import AwaitedReason, LeadState, PastRejection
from connector.plan import WantedHold
from connector.walk import PURSUED, Walk
from mappings.stages import Stage
from rules.evaluate import Rules
from rules.rejection import known_reason, reason_meant

REJECTABLE = (*PURSUED, Stage.INQUIRY, Stage.QUALIFICATION)
"""The stages in which sales can reject a lead."""


def unknown_reason(state: LeadState, rules: Rules) -> WantedHold | None:
    """While a rejected lead's reason means nothing here: what to do about it."""
    last = state.rejections[-1] if state.rejections else None
    if last is None or state.stage not in (Stage.NURTURE, Stage.DISQUALIFIED):
        return None
    if known_reason(last.reason, rules.reasons) is not None:
        return None
    return WantedHold(
        kind="reason_unknown",
        subject="rejection",
        message=f'Sales rejected this lead for "{last.reason}", which is no rejection reason of the rules; '
        f"it was treated as {rules.default_reason}.",
        remedy="Add the reason to rejection: reasons: in the rules, or to the table of the verdict's reason "
        "in the mapping.",
    )


def reject(walk: Walk, claim: Claim) -> bool:
    """Sales rejects the lead; without a reason, one is waited for. True when the lead moved."""
    if claim.reason is None:
        if walk.state.awaited_reason is None:
            waiting = AwaitedReason(
                since_ms=walk.now_ms,
                by=claim.actor,
                comment=claim.comment,
                said_ms=claim.at_ms,
                side=_aside(claim),
            )
            walk.state = replace(walk.state, awaited_reason=waiting)
        return False
    return _rejected(walk, claim.reason, claim.comment, claim.actor, claim.at_ms, _aside(claim))


def _aside(claim: Claim) -> str | None:
    """The side of a claim that is not the CRM's."""
    return claim.side if claim.rank else None


def by_reason(walk: Walk) -> bool:
    """A rejection that waits for its reason: it came, or the time is over and the default applies."""
    waiting = walk.state.awaited_reason
    if waiting is None:
        return False
    if walk.state.stage not in REJECTABLE:
        walk.state = replace(walk.state, awaited_reason=None)
        return False
    given = walk.crm.reason_given
    if given is not None:
        return _rejected(
            walk,
            given,
            walk.crm.comment_given or waiting.comment,
            waiting.by,
            waiting.said_ms or waiting.since_ms,
            waiting.side,
        )
    if walk.crm.rejection_taken_back:
        walk.state = replace(walk.state, awaited_reason=None)
        return False
    if walk.now_ms >= default_reason_ms(walk, waiting):
        return _rejected(
            walk,
            walk.rules.default_reason,
            waiting.comment,
            waiting.by,
            waiting.said_ms or waiting.since_ms,
            waiting.side,
        )
    return False


def asked_ms(walk: Walk, waiting: AwaitedReason) -> int:
    """When sales is asked for the reason that has not come."""
    return waiting.since_ms + walk.rules.reason_grace_minutes * MINUTE_MS


def default_reason_ms(walk: Walk, waiting: AwaitedReason) -> int:
    """When the default reason is taken, because none has come."""
    return asked_ms(walk, waiting) + walk.rules.reason_default_minutes * MINUTE_MS


def ask_for_reason(walk: Walk) -> None:
    """Hold the lead, and mark its record, once a rejection has waited too long for its reason."""
    waiting = walk.state.awaited_reason
    if waiting is None:
        return
    if walk.now_ms >= asked_ms(walk, waiting):
        walk.state = replace(walk.state, awaited_reason=replace(waiting, asked=True))
        walk.holds.append(
            WantedHold(
                kind="reason_missing",
                subject="rejection",
                message="Sales rejected this lead without a reason.",
                remedy="Choose a rejection reason on the CRM record; "
                f"otherwise {walk.rules.default_reason!r} is taken.",
            )
        )


def _rejected(
    walk: Walk, reason: str, comment: str | None, by: str | None, at_ms: int, side: str | None
) -> bool:
    reason = known_reason(reason, walk.rules.reasons) or reason
    consequence = reason_meant(reason, walk.rules.reasons, walk.rules.default_reason)
    past = PastRejection(reason, comment, by, at_ms, walk.state.cycle, walk.verdict.score, side)
    stage = walk.state.stage
    target = Stage.NURTURE
    if consequence.then == "disqualify" or stage in (Stage.INQUIRY, Stage.QUALIFICATION):
        target = Stage.DISQUALIFIED
    elif consequence.then == "reroute" and stage in (Stage.DISTRIBUTED, Stage.ACCEPTED):
        target = Stage.MQL
    walk.state = replace(
        walk.state,
        rejections=(*walk.state.rejections, past),
        awaited_reason=None,
        verdict_to_clear=target is Stage.MQL,
    )
    return walk.move(target, "sales", at_ms, actor=by, reason=reason)
