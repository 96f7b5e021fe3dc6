"""The shape of a rules document: pydantic models of the YAML, and the checks that need no lead fields.

What gives points, routes and rejections have files of their own. Conditions are texts here, which
`rules/load.py` compiles.
Mistakes are told with their places by `mappings.validation`. The names below are the keys that users type.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator, model_validator

from mappings.validation import Strict
from rules.case_document import Case
from rules.deadline_document import Deadline
from rules.hours_document import Hours
from rules.recycle_document import Recycle
from rules.rejection_document import Rejection
from rules.route_document import Pool, Route, Territory
from rules.score_document import Condition, Grades, Name, Rule, Score, Threshold


class Choice(Strict):
    """One of several ways through a gate: all that it names must hold."""

    when: Condition | None = None
    fit: Threshold | None = None
    engagement: Threshold | None = None
    score: Threshold | None = None

    @model_validator(mode="after")
    def _something(self) -> Choice:
        if self.when is None and not _has_threshold(self):
            raise ValueError("a way through a gate needs fit:, engagement:, score: or when:")
        return self


class Gate(Strict):
    """What a lead needs to go on: all that stands here, and one of the ways in `any`. A gate with nothing in
    it lets every lead pass."""

    when: Condition | None = None
    fit: Threshold | None = None
    engagement: Threshold | None = None
    score: Threshold | None = None
    any: list[Choice] | None = None
    margin: Annotated[int, Field(ge=0, le=1000)] = 0

    @field_validator("any")
    @classmethod
    def _some(cls, choices: list[Choice] | None) -> list[Choice] | None:
        if choices is not None and len(choices) < 2:
            raise ValueError("any needs at least two ways through the gate")
        return choices

    @field_validator("margin")
    @classmethod
    def _closes(cls, margin: int, gate: ValidationInfo) -> int:
        for where in (gate.data, *map(dict, gate.data.get("any") or ())):
            for key in ("fit", "engagement", "score"):
                threshold = where.get(key)
                if threshold is not None and 0 < threshold <= margin:
                    raise ValueError(
                        f"a margin of {margin} is not less than the threshold {key}: {threshold}; "
                        "with it the gate would stay open for ever"
                    )
        return margin

    @model_validator(mode="after")
    def _margin_of_something(self) -> Gate:
        if self.margin and not any(map(_has_threshold, (self, *(self.any or ())))):
            raise ValueError("margin needs a threshold: fit, engagement or score")
        return self


class Gates(Strict):
    """The gates of the line up to mql."""

    qualification: Gate | None = None
    nurture: Gate | None = None
    mql: Gate | None = None


class FastTrack(Rule):
    """A named exception that makes a lead sales-ready at once."""

    on: str | None = None
    when: Condition | None = None

    @model_validator(mode="after")
    def _complete(self) -> FastTrack:
        if self.on is None and self.when is None:
            raise ValueError("a fast track needs on: (an activity) or when: (a condition), or both")
        return self


class Disqualify(Rule):
    """A lead that sales shall never see, and why."""

    when: Condition
    reason: Name


class NurtureTrack(Strict):
    """A nurture track, and who belongs to it."""

    track: Name
    when: Condition | None = None


class Nurture(Strict):
    """Which track a lead belongs to while it is nurtured, and how many touches it shall have had before sales
    gets it."""

    tracks: list[NurtureTrack] = Field(default_factory=list)
    touches: list[str] | None = None
    minimum_touches: Annotated[int, Field(ge=0, le=1000)] = 0

    @field_validator("touches")
    @classmethod
    def _some(cls, kinds: list[str] | None) -> list[str] | None:
        if kinds is not None and not kinds:
            raise ValueError("touches is empty; leave it out, and every activity is a touch")
        return kinds


class RulesDocument(Strict):
    """One rules file. Several files add up; a gate, the grades, nurture and the rejection table may stand in
    only one of them."""

    score: Score = Score()
    grades: Grades | None = None
    gates: Gates = Gates()
    fast_track: list[FastTrack] = Field(default_factory=list)
    disqualify: list[Disqualify] = Field(default_factory=list)
    hours: dict[Name, Hours] = Field(default_factory=dict)
    pools: dict[Name, Pool] = Field(default_factory=dict)
    territories: dict[Name, Territory] = Field(default_factory=dict)
    routes: list[Route] = Field(default_factory=list)
    deadlines: list[Deadline] = Field(default_factory=list)
    rejection: Rejection | None = None
    nurture: Nurture | None = None
    recycle: list[Recycle] = Field(default_factory=list)
    cases: list[Case] = Field(default_factory=list)


def _has_threshold(gate: Gate | Choice) -> bool:
    return gate.fit is not None or gate.engagement is not None or gate.score is not None
