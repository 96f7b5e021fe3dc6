"""Verdicts: whether a pursuit that really happened was a good one. Pure."""

from __future__ import annotations

from typing import Final, Literal

from connector.backtest.history import Pursuit
from mappings.stages import Stage

Aim = Literal["accepted", "qualified", "opportunity", "won"]
AIMS: Final[tuple[Aim, ...]] = ("accepted", "qualified", "opportunity", "won")

_AT_LEAST: Final = {
    "accepted": {Stage.ACCEPTED, Stage.QUALIFIED, Stage.OPPORTUNITY, Stage.CLOSED},
    "qualified": {Stage.QUALIFIED, Stage.OPPORTUNITY, Stage.CLOSED},
    "opportunity": {Stage.OPPORTUNITY, Stage.CLOSED},
}


def is_good(pursuit: Pursuit, aim: Aim) -> bool | None:
    """Whether sales took the lead as far as the aim. False: it said no before, or the deal was lost where
    only a won one is good. None: nobody has answered, or it is still open.

    A lead that sales accepted and rejected later was not a good one. What the clock took back, or somebody
    else ruled out, is no answer of sales."""
    if pursuit.ending == "rejected":
        return False
    if aim == "won":
        return True if pursuit.ending == "won" else False if pursuit.ending == "lost" else None
    if pursuit.reached & _AT_LEAST[aim]:
        return True
    return False if pursuit.ending == "lost" else None
