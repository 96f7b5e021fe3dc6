"""Deadline watch: when a deadline of a lead begins, is met, or passes, and what follows then. Pure; no I/O.

It comes after the facts of the CRM and the words of people, so that a response that is known always counts. A
deadline that nobody could have met is none: it begins when the CRM shows the hand-off, never in the past, and
it passes only once leadloop has seen everything that happened in the CRM until then.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from connector.brake import brake_hold
from connector.clock import DAY_MS, MINUTE_MS
from connector.handing_over import ask_again, find_owner, unfit
from connector.lead import LeadDeadline, LeadState
from connector.plan import DeadlineChange, DeadlineWhat, StageMove, WantedHold
from connector.walk import Walk
from mappings.stages import LINE, Stage
from rules.deadlines import Deadline, Moments, moments_of

AT_ONCE_MS: Final = 15 * MINUTE_MS
"""What is learnt of within this time counts from when it happened; what is learnt of later, from then on."""

LOOK_AGAIN_MS: Final = MINUTE_MS
NO_RESPONSE: Final = "no response in time"


def watch(walk: Walk) -> bool:
    """Close the deadline that is over, begin the one that applies, remind, and do what a breach leads to.
    True when the lead was moved."""
    _close(walk)
    if walk.state.resting:
        return False
    rule, change_ms = walk.rules.deadline(walk.facts_of(walk.state), walk.now_ms)
    _keep_or_begin(walk, rule)
    deadline = walk.state.deadline
    over = deadline is not None and _is_of(deadline, walk.state) and not deadline.open
    if change_ms is not None and not over:
        walk.wakes.append(change_ms)
    if deadline is None or not _is_of(deadline, walk.state):
        return False
    if deadline.open:
        deadline = _passed(walk, deadline)
    return deadline.state == "breached" and not deadline.settled and _follow(walk, deadline, rule)


# the end of a deadline ----------------------------------------------------------------------------------


def _close(walk: Walk) -> None:
    """Say how the deadline ended once the lead has left the stage it was for. A new cycle forgets it."""
    state, deadline = walk.state, walk.state.deadline
    moves, walk.watched = walk.moves[walk.watched :], len(walk.moves)
    if deadline is None:
        return
    left = next((move for move in moves if move.origin == deadline.stage.value), None)
    if left is None and _is_of(deadline, state):
        return
    if deadline.open:
        if left is None or not _responds(deadline.stage, left):
            _tell(walk, deadline, "ended", walk.now_ms)
            walk.state = replace(state, deadline=None)
        elif left.happened_ms <= deadline.due_ms:
            _tell(walk, deadline, "met", left.happened_ms)
            walk.state = replace(state, deadline=replace(deadline, state="met"))
        else:
            _tell(walk, deadline, "breached", deadline.due_ms)
            late = replace(deadline, state="breached", settled=True)  # but somebody has responded
            walk.state = replace(state, deadline=late)
    if deadline.cycle != state.cycle:
        walk.state = replace(walk.state, deadline=None)


def _responds(stage: Stage, move: StageMove) -> bool:
    """Whether leaving the stage this way is what the deadline asked for: sales has said something, or the
    lead went on."""
    target = Stage(move.target)
    return move.cause == "sales" or (target in LINE and LINE.index(target) > LINE.index(stage))


def _is_of(deadline: LeadDeadline, state: LeadState) -> bool:
    """Whether the deadline is for the lead's present stay in its stage."""
    return (deadline.stage, deadline.stage_since_ms, deadline.cycle) == (
        state.stage, state.stage_since_ms, state.cycle,
    )  # fmt: skip


# its beginning, and what moves it -----------------------------------------------------------------------


def _keep_or_begin(walk: Walk, rule: Deadline | None) -> None:
    deadline, owner = walk.state.deadline, _responsible(walk)
    if deadline is None or not _is_of(deadline, walk.state):
        if rule is not None:
            _begin(walk, rule, owner, anew=False)
        return
    if deadline.owner != owner:
        _end(walk, deadline)
        if rule is not None:
            _begin(walk, rule, owner, anew=True)
    elif deadline.open:
        if rule is None:
            _end(walk, deadline)
        else:
            _keep(walk, deadline, rule)
    elif rule is not None and _last_sign_ms(walk) > deadline.due_ms:
        _begin(walk, rule, owner, anew=False)  # an idle opportunity has come to life again


def _begin(walk: Walk, rule: Deadline, owner: str | None, *, anew: bool) -> None:
    """`anew`: somebody else has the lead now."""
    state, now_ms = walk.state, walk.now_ms
    at_once = now_ms - state.stage_since_ms <= AT_ONCE_MS
    shown = rule.stage is not Stage.DISTRIBUTED or walk.shows.since_ms(state) is not None
    if not shown and (walk.shows.refused or not at_once):
        return
    since_ms = state.stage_since_ms if at_once and not anew else now_ms
    if rule.stage is Stage.OPPORTUNITY and not anew:
        since_ms = _last_sign_ms(walk)
    moments = moments_of(rule, since_ms, walk.rules.absence_of(owner))
    if moments.due_ms <= now_ms:
        since_ms = now_ms
        moments = moments_of(rule, since_ms, walk.rules.absence_of(owner))
    deadline = LeadDeadline(
        name=rule.name,
        stage=rule.stage,
        stage_since_ms=state.stage_since_ms,
        cycle=state.cycle,
        owner=owner,
        since_ms=since_ms,
        due_ms=moments.due_ms,
        shown=shown,
    )
    _tell(walk, deadline, "started", since_ms)
    walk.state = replace(state, deadline=deadline)
    _remind(walk, deadline, moments)


def _keep(walk: Walk, deadline: LeadDeadline, rule: Deadline) -> None:
    """The deadline runs on; it is due at another moment only if something else than time has changed."""
    now_ms, since_ms, shown = walk.now_ms, deadline.since_ms, deadline.shown
    absence = walk.rules.absence_of(deadline.owner)
    if not shown:
        shown_ms = walk.shows.since_ms(walk.state)
        if shown_ms is not None:
            shown = True
            if shown_ms > since_ms + AT_ONCE_MS:
                since_ms = shown_ms
        elif walk.shows.refused or now_ms >= deadline.due_ms:
            _end(walk, deadline)
            return
    moments = moments_of(rule, since_ms, absence)
    if rule.stage is Stage.OPPORTUNITY and (sign_ms := _last_sign_ms(walk)) > since_ms:
        later = moments_of(rule, sign_ms, absence)
        # as with scores, a moment that nobody waits for yet is written at most once a day
        pressing = now_ms >= min((*moments.reminders_ms, moments.due_ms))
        if pressing or later.due_ms >= deadline.due_ms + DAY_MS:
            since_ms, moments = sign_ms, later
    if moments.due_ms <= now_ms < deadline.due_ms:
        since_ms = now_ms  # other rules, by which it would be overdue at once
        moments = moments_of(rule, since_ms, absence)
    kept = replace(
        deadline, name=rule.name, since_ms=since_ms, due_ms=moments.due_ms, shown=shown, state="running"
    )
    if rule.name != deadline.name:
        _tell(walk, deadline, "ended", now_ms)
        kept = replace(kept, reminded=0)
        _tell(walk, kept, "started", since_ms)
    walk.state = replace(walk.state, deadline=kept)
    _remind(walk, kept, moments)


def _remind(walk: Walk, deadline: LeadDeadline, moments: Moments) -> None:
    """Note the reminders whose moment has come, and when the next moment is."""
    due = sum(at_ms <= walk.now_ms for at_ms in moments.reminders_ms)
    if due:
        deadline = replace(deadline, state="due soon")
    if due > deadline.reminded and walk.now_ms < moments.due_ms:
        _tell(walk, deadline, "reminded", walk.now_ms)
    walk.state = replace(walk.state, deadline=replace(deadline, reminded=due))
    walk.wakes.extend(at_ms for at_ms in (*moments.reminders_ms, moments.due_ms) if at_ms > walk.now_ms)


def _end(walk: Walk, deadline: LeadDeadline) -> None:
    if deadline.open:
        _tell(walk, deadline, "ended", walk.now_ms)
    walk.state = replace(walk.state, deadline=None)


def _responsible(walk: Walk) -> str | None:
    """Who must act. Of a lead that nobody could be given, nobody."""
    return None if walk.state.stage is Stage.MQL else walk.owner()


def _last_sign_ms(walk: Walk) -> int:
    """When the lead or its opportunity last showed a sign of life: what an idle one is counted from."""
    state = walk.state
    if state.stage is not Stage.OPPORTUNITY:
        return state.stage_since_ms
    opportunity = walk.crm.current_opportunity(state)
    done = (item.at_ms for item in walk.facts_of(state).activities)
    touched = 0 if opportunity is None else opportunity.stamp_ms
    signs = [state.stage_since_ms, touched, *done]
    # the clock of a platform may be ahead of ours, and a meeting may be planned
    return max((at_ms for at_ms in signs if at_ms <= walk.now_ms), default=walk.now_ms)


# a breach -----------------------------------------------------------------------------------------------


def _passed(walk: Walk, deadline: LeadDeadline) -> LeadDeadline:
    """The deadline, breached if its moment is over and nobody can have responded unseen."""
    if walk.now_ms < deadline.due_ms or walk.state.awaited_reason is not None:
        return deadline  # who is asked why a lead is no good has responded
    looked_ms = walk.shows.looked_ms
    if looked_ms is not None and looked_ms < deadline.due_ms:
        walk.wakes.append(walk.now_ms + LOOK_AGAIN_MS)
        return deadline
    _tell(walk, deadline, "breached", deadline.due_ms)
    breached = replace(deadline, state="breached")
    walk.state = replace(walk.state, deadline=breached)
    return breached


def _follow(walk: Walk, deadline: LeadDeadline, rule: Deadline | None) -> bool:
    """Do what the rule says about a breach. True when the lead was moved."""
    settled = replace(deadline, settled=True)
    if rule is None or rule.on_breach == "mark":
        walk.state = replace(walk.state, deadline=settled)
        return False
    if rule.on_breach == "escalate" and rule.to is not None:
        _escalate(walk, settled, rule.to)
        return False
    if "regressions" in walk.braked:
        walk.holds.append(brake_hold("regressions", "taking this lead back after its deadline"))
        return False
    if rule.on_breach == "reroute":
        return _reroute(walk, settled)
    walk.state = replace(walk.state, deadline=settled)
    return walk.move(Stage.NURTURE, "clock", walk.now_ms, actor=rule.name, reason=rule.reason)


def _reroute(walk: Walk, settled: LeadDeadline) -> bool:
    """Take the lead from its owner, and from now on give it to somebody else."""
    if "handoff" in walk.braked:
        walk.holds.append(brake_hold("handoff", "handing this lead over to somebody else"))
        return False
    gone = () if settled.owner is None else (settled.owner,)
    let_pass = tuple(dict.fromkeys((*walk.state.let_pass, *gone)))
    state = replace(walk.state, deadline=settled, let_pass=let_pass)
    found = find_owner(walk, replace(state, stage=Stage.MQL))
    if found.owner is None or found.owner in let_pass:
        walk.holds.append(
            WantedHold(
                kind="nobody_else",
                subject="routing",
                message=f"{settled.owner} let the deadline {settled.name!r} pass, and no route gives this "
                "lead to anybody else.",
                remedy="Give it to somebody on the CRM record, or add people to the routes.",
            )
        )
        ask_again(walk, found)
        return False
    walk.state = state
    return walk.move(Stage.MQL, "clock", walk.now_ms, actor=settled.name, reason=NO_RESPONSE)


def _escalate(walk: Walk, settled: LeadDeadline, to: str) -> None:
    """Give the lead to somebody who must see to it; the stage stays, and so does the breach."""
    if walk.owner() == to:
        walk.state = replace(walk.state, deadline=settled)
        return
    if "owner_changes" in walk.braked:
        walk.holds.append(brake_hold("owner_changes", "escalating this lead"))
        return
    why = unfit(walk.mapping, walk.directory, walk.own_users)(to)
    if why is not None:
        walk.holds.append(
            WantedHold(
                kind="owner_unknown",
                subject="escalation",
                message=f"{to} gets this lead by the deadline {settled.name!r}, but {why}.",
                remedy=f"Make {to} an active owner there, or change to: in the deadline.",
            )
        )
        return
    walk.escalated = True
    walk.state = replace(
        walk.state,
        owner=to,
        values={**walk.state.values, "owner": to},
        deadline=replace(settled, owner=None if settled.stage is Stage.MQL else to),
    )


def _tell(walk: Walk, deadline: LeadDeadline, what: DeadlineWhat, at_ms: int) -> None:
    walk.deadline_changes.append(
        DeadlineChange(
            deadline=deadline.name,
            cycle=deadline.cycle,
            stage=deadline.stage.value,
            what=what,
            at_ms=at_ms,
            due_ms=deadline.due_ms,
            owner=deadline.owner,
        )
    )
