"""The shape of `score` and `grades` in a rules document: rules that give points, groups, decay, letters.

Pydantic models of the YAML, and the checks that need no lead fields. The names below are the keys that users
type.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from mappings.validation import Strict
from rules.literals import odd_character


def _condition_text(given: Any) -> Any:
    """A condition that YAML read as something else than text."""
    if isinstance(given, bool):
        raise ValueError(f"a condition that is always {str(given).lower()}; leave it out")
    return given


def _not_zero(points: int) -> int:
    if points == 0:
        raise ValueError("a rule of 0 points does nothing")
    return points


def readable(text: str) -> str:
    """Raises ValueError for what nobody can see."""
    if text and not text.strip():
        raise ValueError("this is only spaces; write a text that can be read")
    odd = odd_character(text)
    if odd:
        raise ValueError(f"this holds a character that cannot be seen, {odd}; delete it")
    return text


Name = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(readable)]
Letter = Annotated[str, Field(min_length=1, max_length=20), AfterValidator(readable)]
Points = Annotated[int, Field(ge=-1000, le=1000)]
Threshold = Annotated[int, Field(ge=-10_000, le=10_000)]
Days = Annotated[float, Field(gt=0, le=3650)]
Condition = Annotated[str, BeforeValidator(_condition_text)]

FADES: Final = ("half_life_days", "linear_days", "expires_days")
"""The ways in which points fade; a rule has at most one of them."""


class Rule(Strict):
    """What all rules have: a name that is unique among the rules."""

    rule: Name


class FitRule(Rule):
    """Points for who a lead is."""

    when: Condition
    points: Points
    group: Name | None = None

    @field_validator("points")
    @classmethod
    def _not_zero(cls, points: int) -> int:
        return _not_zero(points)


class EngagementRule(Rule):
    """Points for what a lead does: once per activity of the kind `on`, or once if `when` holds."""

    on: str | None = None
    when: Condition | None = None
    points: Points
    group: Name | None = None
    half_life_days: Days | None = None
    linear_days: Days | None = None
    expires_days: Days | None = None
    once: bool = False
    per_day: Annotated[int, Field(ge=1, le=1000)] | None = None
    at_most: Annotated[int, Field(ge=1, le=10_000)] | None = None

    @field_validator("points")
    @classmethod
    def _not_zero(cls, points: int) -> int:
        return _not_zero(points)

    @model_validator(mode="after")
    def _complete(self) -> EngagementRule:
        if self.on is None and self.when is None:
            raise ValueError("a rule needs on: (an activity) or when: (a condition), or both")
        for key in (*FADES, "once", "per_day", "at_most"):
            if self.on is None and getattr(self, key):
                raise ValueError(f"{key} needs on:; only activities repeat and fade")
        fades = [key for key in FADES if getattr(self, key) is not None]
        if len(fades) > 1:
            raise ValueError(f"{' and '.join(fades)}: points fade in one way only")
        for key in ("per_day", "at_most"):
            if self.once and getattr(self, key) is not None:
                raise ValueError(f"{key} does nothing beside once; leave it out")
        if self.at_most is not None and self.at_most < abs(self.points):
            raise ValueError(
                f"at_most is {self.at_most}, less than the {abs(self.points)} points of one activity"
            )
        return self


class Group(Strict):
    """The most and the least that the rules of a group give together."""

    at_most: Annotated[int, Field(ge=1, le=10_000)] | None = None
    at_least: Annotated[int, Field(ge=-10_000, le=-1)] | None = None

    @model_validator(mode="after")
    def _complete(self) -> Group:
        if self.at_most is None and self.at_least is None:
            raise ValueError("a group needs at_most: or at_least:, or both")
        return self


class Score(Strict):
    """The two parts of the score, and the groups that bound some of their rules."""

    fit: list[FitRule] = Field(default_factory=list)
    engagement: list[EngagementRule] = Field(default_factory=list)
    groups: dict[Name, Group] = Field(default_factory=dict)


class Grades(Strict):
    """Letters for one number: the fit, the engagement or the score. Each letter with the points it begins at,
    the best one first."""

    fit: dict[Letter, Threshold] | None = None
    engagement: dict[Letter, Threshold] | None = None
    score: dict[Letter, Threshold] | None = None

    @field_validator("fit", "engagement", "score")
    @classmethod
    def _downwards(cls, letters: dict[str, int] | None) -> dict[str, int] | None:
        if letters is None:
            return None
        if not letters:
            raise ValueError("there is no grade")
        folded: dict[str, str] = {}
        for letter in letters:
            twin = folded.setdefault(letter.casefold(), letter)
            if twin != letter:
                raise ValueError(
                    f"{twin} and {letter} are one grade to a condition: texts are compared in any case"
                )
        for (better, above), (worse, below) in pairwise(letters.items()):
            if below >= above:
                raise ValueError(
                    f"grades go down from the best: {worse} at {below} is not below {better} at {above}"
                )
        return letters

    @model_validator(mode="after")
    def _one(self) -> Grades:
        if sum(letters is not None for letters in (self.fit, self.engagement, self.score)) != 1:
            raise ValueError("grades are of one number: fit:, engagement: or score:")
        return self
