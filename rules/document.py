"""The shape of a rules document: pydantic models of the YAML, and the checks that need no lead fields.

Conditions are texts here; `rules/load.py` compiles them. Mistakes are told with their places by
`mappings.validation`. The names below are the keys that users type.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from mappings.validation import Strict

Name = Annotated[str, Field(min_length=1, max_length=80)]
Points = Annotated[int, Field(ge=-1000, le=1000)]
Threshold = Annotated[int, Field(ge=-10_000, le=10_000)]
Consequence = Literal["nurture", "disqualify", "reroute"]


def _condition_text(given: Any) -> Any:
    """A condition that YAML read as something else than text."""
    if isinstance(given, bool):
        raise ValueError(f"a condition that is always {str(given).lower()}; leave it out")
    return given


class Rule(Strict):
    """What all rules have: a name that is unique among the rules."""

    rule: Name


class FitRule(Rule):
    """Points for who a lead is."""

    when: str
    points: Points

    @field_validator("when", mode="before")
    @classmethod
    def _text(cls, given: Any) -> Any:
        return _condition_text(given)

    @field_validator("points")
    @classmethod
    def _not_zero(cls, points: int) -> int:
        return _not_zero(points)


class EngagementRule(Rule):
    """Points for what a lead does: once per activity of the kind `on`, or once if `when` holds."""

    on: str | None = None
    when: str | None = None
    points: Points
    half_life_days: Annotated[float, Field(gt=0, le=3650)] | None = None
    at_most: Annotated[int, Field(ge=1, le=10_000)] | None = None

    @field_validator("when", mode="before")
    @classmethod
    def _text(cls, given: Any) -> Any:
        return _condition_text(given)

    @field_validator("points")
    @classmethod
    def _not_zero(cls, points: int) -> int:
        return _not_zero(points)

    @model_validator(mode="after")
    def _complete(self) -> EngagementRule:
        if self.on is None and self.when is None:
            raise ValueError("a rule needs on: (an activity) or when: (a condition), or both")
        for key in ("half_life_days", "at_most"):
            if self.on is None and getattr(self, key) is not None:
                raise ValueError(f"{key} needs on:; only activities repeat and fade")
        if self.at_most is not None and self.at_most < abs(self.points):
            raise ValueError(
                f"at_most is {self.at_most}, less than the {abs(self.points)} points of one activity"
            )
        return self


class Score(Strict):
    """The two parts of the score."""

    fit: list[FitRule] = Field(default_factory=list)
    engagement: list[EngagementRule] = Field(default_factory=list)


class Gate(Strict):
    """What a lead needs to go on. A gate with nothing in it lets every lead pass."""

    when: str | None = None
    fit: Threshold | None = None
    engagement: Threshold | None = None
    score: Threshold | None = None
    margin: Annotated[int, Field(ge=0, le=1000)] = 0

    @field_validator("when", mode="before")
    @classmethod
    def _text(cls, given: Any) -> Any:
        return _condition_text(given)

    @model_validator(mode="after")
    def _margin_of_something(self) -> Gate:
        if self.margin and self.fit is None and self.engagement is None and self.score is None:
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
    when: str | None = None

    @field_validator("when", mode="before")
    @classmethod
    def _text(cls, given: Any) -> Any:
        return _condition_text(given)

    @model_validator(mode="after")
    def _complete(self) -> FastTrack:
        if self.on is None and self.when is None:
            raise ValueError("a fast track needs on: (an activity) or when: (a condition), or both")
        return self


class Disqualify(Rule):
    """A lead that sales shall never see, and why."""

    when: str
    reason: Name

    @field_validator("when", mode="before")
    @classmethod
    def _text(cls, given: Any) -> Any:
        return _condition_text(given)


class Route(Strict):
    """Who gets a lead: a named owner, or the next of a pool. An owner is an address or queue:<Name>."""

    route: Name
    when: str | None = None
    owner: str | None = None
    pool: list[str] | None = None

    @field_validator("when", mode="before")
    @classmethod
    def _text(cls, given: Any) -> Any:
        return _condition_text(given)

    @field_validator("owner")
    @classmethod
    def _an_owner(cls, owner: str | None) -> str | None:
        return owner if owner is None else _owner(owner)

    @field_validator("pool")
    @classmethod
    def _members(cls, pool: list[str] | None) -> list[str] | None:
        if pool is None:
            return None
        if not pool:
            raise ValueError("the pool is empty")
        members = [_owner(member) for member in pool]
        repeated = next((member for member in members if members.count(member) > 1), None)
        if repeated is not None:
            raise ValueError(f'"{repeated}" is in the pool twice')
        return members

    @model_validator(mode="after")
    def _one_of_both(self) -> Route:
        if (self.owner is None) == (self.pool is None):
            raise ValueError("a route needs either owner: or pool:")
        return self


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


class RulesDocument(Strict):
    """One rules file. Several files add up; a gate and the rejection table may stand in only one of them."""

    score: Score = Score()
    gates: Gates = Gates()
    fast_track: list[FastTrack] = Field(default_factory=list)
    disqualify: list[Disqualify] = Field(default_factory=list)
    routes: list[Route] = Field(default_factory=list)
    rejection: Rejection | None = None


def _not_zero(points: int) -> int:
    if points == 0:
        raise ValueError("a rule of 0 points does nothing")
    return points


def _owner(owner: str) -> str:
    queue, colon, name = owner.partition(":")
    if colon and queue == "queue" and name.strip():
        return owner
    local, at, host = owner.partition("@")
    if not (at and local and "." in host and " " not in owner and "@" not in host):
        raise ValueError(f'"{owner}" is no owner; write an e-mail address or queue:<Name>')
    return owner.lower()
