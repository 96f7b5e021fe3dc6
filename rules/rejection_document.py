"""The shape of `rejection` in a rules document: what sales may say, what follows. Models only."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mappings.validation import Strict
from rules.score_document import Name

Consequence = Literal["nurture", "disqualify", "reroute"]


class Reason(Strict):
    """What follows when sales rejects a lead for this reason."""

    then: Consequence = "nurture"
    cooling_off_days: Annotated[int, Field(ge=0, le=3650)] = 0
    track: Name | None = None

    @model_validator(mode="after")
    def _of_nurture(self) -> Reason:
        for key in ("cooling_off_days", "track"):
            if self.then != "nurture" and getattr(self, key):
                raise ValueError(f"{key} needs then: nurture")
        return self


class Rejection(Strict):
    """The rejection reasons, and what happens when none is given."""

    default_reason: Name = "unspecified"
    grace_minutes: Annotated[int, Field(ge=0, le=100_000)] = 10
    default_after_minutes: Annotated[int, Field(ge=0, le=100_000)] = 1440
    reasons: dict[Name, Reason] = Field(default_factory=dict)
