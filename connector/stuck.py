"""Stuck: fields that a platform never takes, and fields that others keep setting back. Pure; no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from connector.clock import DAY_MS
from connector.observation import Raw
from connector.plan import WantedHold
from connector.record_view import TRIED_AT_MOST, RecordView

RETURNS_AT_MOST = 3
"""Writes of ours to one field of one record within 24 h that return to an earlier value."""


class Stuck(NamedTuple):
    """A field that is not written for now: what a person is told, and when it may be tried again."""

    hold: WantedHold
    again_at_ms: int


def not_taken(view: RecordView, native: str, steps: Sequence[Raw], now_ms: int) -> Stuck | None:
    """Whether one of these values was sent and not taken so often that a person must look at it. It is tried
    again a day later, or when another value is to be sent."""
    value, times = view.baseline.resisted.get(native, (None, 0))
    if times < TRIED_AT_MOST or value not in steps:
        return None
    sends = view.baseline.history.get(native, ())
    tried = [at for at, raw in sends if raw == value and at > now_ms - DAY_MS]
    if not tried:
        return None
    hold = WantedHold(
        kind="stage_not_taken",
        subject=f"{view.side}:{view.mapping.object}.{native}",
        message=f"{view.side} answered that it took {native} = {steps[-1]!r}, "
        f"but shows {view.fields[native]!r} every time.",
        remedy=f"Look for a workflow or a rule on {view.side} that resets {native}.",
    )
    return Stuck(hold, max(tried) + DAY_MS)


def oscillation(view: RecordView, native: str, goal: Raw, now_ms: int) -> Stuck | None:
    """Whether sending `goal` would be one return too many to a value that was sent in the last 24 hours."""
    recent = [send for send in view.baseline.history.get(native, ()) if send[0] > now_ms - DAY_MS]
    sends = [raw for _, raw in recent]
    returns = sum(1 for place, raw in enumerate(sends) if raw is not None and raw in sends[:place])
    if goal not in sends or returns + 1 <= RETURNS_AT_MOST:
        return None
    shown = view.fields[native]
    told = f"{native} on {view.side} was set to {goal!r} by leadloop and back to {shown!r}"
    remedy = f"Find out what else writes {native}, or take it out of the mapping."
    # some platforms answer with the text of a number
    own = str(shown) == str(sends[-1]) or view.baseline.spelled.get(native) == (sends[-1], shown)
    if own:  # nobody has touched what leadloop wrote: its own decisions go to and fro
        told += f" by leadloop too, {returns + 1} times in a day."
        remedy = "Look at the lead with `leadloop explain`: a gate may want a margin."
    else:
        told += f" by somebody else {returns + 1} times in a day."
    hold = WantedHold(
        kind="oscillates",
        subject=f"{view.side}:{view.mapping.object}.{native}",
        message=told,
        remedy=remedy,
        details={"values": list(dict.fromkeys(sends)), "writer": view.observation.modified_by},
    )
    return Stuck(hold, recent[0][0] + DAY_MS)
