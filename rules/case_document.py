"""The shape of `cases:` in a rules document: tests of the rules that stand beside them. Pydantic models only.

Names of fields, activities and rules are checked in `rules/cases.py`, which knows them.
"""

from __future__ import annotations

from types import NoneType
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from mappings.stages import Stage
from mappings.validation import Strict
from rules.score_document import readable

_PLAIN: Final = (str, int, float, bool)


def _written(value: Any) -> Any:
    """One message for what no value can be, instead of one for each type that it could have."""
    if not isinstance(value, (*_PLAIN, NoneType)) and not (
        isinstance(value, list) and all(isinstance(item, str) for item in value)
    ):
        raise ValueError("a value is a text, a number, true or false, or a list of texts")
    return value


def _plain(value: Any) -> Any:
    if not isinstance(value, _PLAIN):
        raise ValueError("an attribute is a text, a number, or true or false; leave out what is not known")
    return value


Written = Annotated[str | int | float | bool | list[str] | None, BeforeValidator(_written)]
"""A canonical value as YAML has it."""

StageName = Annotated[str, Field(json_schema_extra={"enum": [stage.value for stage in Stage]})]


class Bounds(Strict):
    """How many points are expected: so many, or between two numbers."""

    exactly: int | None = None
    at_least: int | None = None
    at_most: int | None = None

    @model_validator(mode="after")
    def _possible(self) -> Bounds:
        if self.exactly is None and self.at_least is None and self.at_most is None:
            raise ValueError("say how many: a number, at_least: or at_most:")
        if self.exactly is not None and (self.at_least is not None or self.at_most is not None):
            raise ValueError("exactly stands alone")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"nothing is at least {self.at_least} and at most {self.at_most}")
        return self

    def hold(self, number: int) -> bool:
        """Whether the number is as expected."""
        if self.exactly is not None:
            return number == self.exactly
        return (self.at_least is None or number >= self.at_least) and (
            self.at_most is None or number <= self.at_most
        )

    def __str__(self) -> str:
        if self.exactly is not None:
            return str(self.exactly)
        words = [f"at least {self.at_least}"] if self.at_least is not None else []
        return " and ".join(words + ([f"at most {self.at_most}"] if self.at_most is not None else []))


def _unfold_points(value: Any) -> Any:
    """`score: 40` is short for `score: {exactly: 40}`."""
    if isinstance(value, int) and not isinstance(value, bool):
        return {"exactly": value}
    if not isinstance(value, dict):
        raise ValueError("say how many: a whole number, at_least: or at_most:")
    return value


def _not_nothing(value: Any) -> Any:
    """An expectation that looks at nothing cannot fail."""
    if value is None:
        raise ValueError("this expects nothing; leave it out, or say what shall come out")
    if value == []:
        raise ValueError("nothing is named here; name what is meant, or leave it out")
    return value


Lack = Annotated[str, Field(min_length=1), AfterValidator(readable)]
Expected = Annotated[Bounds, BeforeValidator(_unfold_points, json_schema_input_type=int | Bounds)]


class CaseActivity(Strict):
    """Something that the lead did: what, when, and what is known of it."""

    kind: str
    at: str = "today"
    attributes: dict[str, Annotated[str | int | float | bool, BeforeValidator(_plain)]] = Field(
        default_factory=dict
    )


class CaseRejection(Strict):
    """Sales handed the lead back."""

    reason: str
    at: str = "today"
    cycle: Annotated[int, Field(ge=1)] = 1
    score: int | None = None


class Expectation(Strict):
    """What the rules must say. What is left out is not looked at. `missing` are parts, as whole words, of
    what the lead lacks at the gate in front of it."""

    stage: StageName | None = None
    score: Expected | None = None
    fit: Expected | None = None
    engagement: Expected | None = None
    grade: str | None = None
    fired: list[str] = Field(default_factory=list)
    not_fired: list[str] = Field(default_factory=list)
    missing: list[Lack] = Field(default_factory=list)
    fast_track: str | None = None
    track: str | None = None
    disqualified: str | None = None
    route: str | None = None
    owner: str | None = None
    pool: str | None = None
    deadline: str | None = None
    due: str | None = None

    @field_validator("stage", "score", "fit", "engagement", "fired", "not_fired", "missing", mode="before")
    @classmethod
    def _looks_at_something(cls, value: Any) -> Any:
        return _not_nothing(value)

    @model_validator(mode="after")
    def _something(self) -> Expectation:
        if not self.model_fields_set:
            raise ValueError("a case that expects nothing cannot fail; say what shall come out")
        return self


class Case(Strict):
    """A lead, what it did, a day, and what the rules must say of it."""

    case: Annotated[str, Field(min_length=1, max_length=120), AfterValidator(readable)]
    lead: dict[str, Written] = Field(default_factory=dict)
    activities: list[CaseActivity] = Field(default_factory=list)
    rejections: list[CaseRejection] = Field(default_factory=list)
    today: str = "2026-01-15"
    stage: StageName = "inquiry"
    stage_since: str = "today"
    outcome: Literal["won", "lost"] | None = None
    closed_reason: str | None = None
    deal_amount: int | float | None = None
    cycle: Annotated[int, Field(ge=1)] = 1
    created: str = "today"
    origin: str = ""
    exists_on: list[str] = Field(default_factory=list)
    previous_owner: str | None = None
    expect: Expectation
