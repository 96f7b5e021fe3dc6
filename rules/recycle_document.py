"""The shape of `recycle` in a rules document: which closed leads come back. Pydantic models only."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from rules.score_document import Condition, Name, Rule


class Recycle(Rule):
    """Closed leads that come back: those that meet `when` (all, without it), `after_days` after the close.
    `reason` is what the ledger keeps; without it, the rule's name."""

    when: Condition | None = None
    after_days: Annotated[int, Field(ge=0, le=3650)] = 0
    reason: Name | None = None
