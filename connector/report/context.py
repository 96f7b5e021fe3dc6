"""Context: what the report counts a stage move by: where the lead came from and who had it. Pure; no I/O.

Taken at the moment of the move, since a lead's campaign and owner change while its history stays.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple, Protocol

from connector.lead import LeadState
from connector.plan import StageMove
from mappings.stages import LINE, Stage
from mappings.values import Value

DIMENSIONS: Final = ("source", "campaign", "segment", "owner")
"""What a report can be broken down by, beside the whole."""

NONE: Final = "(none)"
"""Stands for a blank value, or a field that the mapping does not have."""

LENGTH: Final = 120
"""Characters of a value; what is longer is cut, since nobody reads it in a table."""

_RANK: Final = {stage.value: place for place, stage in enumerate(LINE)}


class ReportFields(NamedTuple):
    """The canonical fields that are the dimensions of the report; a field may be missing in the mapping."""

    source: str = "lead_source"
    campaign: str = "last_touch_campaign"
    segment: str = "country"


DEFAULT_FIELDS: Final = ReportFields()


class MoveContext(NamedTuple):
    """What was true of a lead when it made a move. `touches` are the activities until then that count as
    touches; None where they are not known."""

    source: str = NONE
    campaign: str = NONE
    segment: str = NONE
    owner: str = NONE
    touches: int | None = None


class _Touch(Protocol):
    @property
    def kind(self) -> str: ...
    @property
    def at_ms(self) -> int: ...


def contexts(
    before: LeadState,
    after: LeadState,
    moves: Sequence[StageMove],
    fields: ReportFields,
    activities: Iterable[_Touch] = (),
    kinds: Collection[str] | None = None,
) -> list[MoveContext]:
    """The context of each move that led from one state to the other. `kinds` of activities are touches (None:
    all). Who gives a lead up had it before; who gets it has it afterwards."""
    if not moves:
        return []
    known = context_of(after, fields)
    had, has = _owner(before), _owner(after)
    moments = sorted(item.at_ms for item in activities if kinds is None or item.kind in kinds)
    found = []
    for move in moves:
        owner = (had or has) if gives_up(move.origin, move.target) else (has or had)
        until = bisect_right(moments, move.happened_ms)
        found.append(known._replace(owner=text_of(owner), touches=until))
    return found


def context_of(state: LeadState, fields: ReportFields) -> MoveContext:
    """What a lead would be counted by now."""
    values = state.values
    return MoveContext(
        source=text_of(values.get(fields.source)),
        campaign=text_of(values.get(fields.campaign)),
        segment=text_of(values.get(fields.segment)),
        owner=text_of(_owner(state)),
    )


def gives_up(origin: str | None, target: str) -> bool:
    """Whether a move leads back along the line, or off it."""
    if origin is None:
        return False
    if target == Stage.DISQUALIFIED.value:
        return True
    return _RANK.get(target, -1) < _RANK.get(origin, -1)


def text_of(value: Value) -> str:
    """A value as the report names it; blank is NONE."""
    if value is None or value == "" or value == ():
        return NONE
    if isinstance(value, tuple):
        return text_of("; ".join(value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = " ".join(str(value).split())
    return (text if len(text) <= LENGTH else text[: LENGTH - 1] + "…") or NONE


def _owner(state: LeadState) -> str | None:
    if state.owner is not None:
        return state.owner
    owner = state.values.get("owner")
    return owner if isinstance(owner, str) else None
