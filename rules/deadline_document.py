"""The shape of `deadlines` in a rules document: by when somebody must act, and what follows if nobody does.

Pydantic models of the YAML, and the checks that need nothing else. The names below are the keys that users
type.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, cast

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from mappings.stages import Stage, legal_targets
from mappings.validation import Strict
from rules.deadlines import Breach, Span, Unit
from rules.route_document import OwnerName
from rules.score_document import Condition, Name

WatchedStage = Literal["mql", "distributed", "accepted", "qualified", "opportunity"]

_SHAPE: Final = "([0-9]{1,5}) ((?:business )?(?:minute|hour|day))s?"
_SPAN: Final = re.compile(_SHAPE)
_BEFORE: Final = " before"
_SPELLINGS: Final = "write it as 90 minutes, 4 hours, 3 days, 4 business hours or 2 business days"
_MOST_DAYS: Final = 3650
_DAYS: Final[dict[str, float]] = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1}


def read_span(text: str) -> Span:
    """'4 business hours' as data. Raises ValueError with what is wrong and what would be right."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(f'"{text}" is no span of time; {_SPELLINGS}')
    amount, unit = int(found[1]), found[2]
    if amount < 1:
        raise ValueError(f'"{text}" is no time at all; {_SPELLINGS}')
    if amount * _DAYS[unit.rpartition(" ")[2]] > _MOST_DAYS:
        raise ValueError(f'"{text}" is more than ten years')
    return Span(amount, cast(Unit, unit))


def read_reminder(text: str) -> Span:
    """'1 business hour before' as data. Raises ValueError."""
    if not text.endswith(_BEFORE):
        raise ValueError(f'"{text}" is no reminder; write it as 1 business hour before, or 30 minutes before')
    return read_span(text.removesuffix(_BEFORE))


def _with_unit(given: Any) -> Any:
    """A bare number says nothing: of what?"""
    if isinstance(given, int | float) and not isinstance(given, bool):
        raise ValueError(f"{given:g} of what? {_SPELLINGS}")
    return given


def _before_it(given: Any) -> Any:
    if isinstance(given, int | float) and not isinstance(given, bool):
        raise ValueError(
            f"{given:g} of what? write it as {given:g} minutes before, or 1 business hour before"
        )
    return given


def _listed(given: Any) -> Any:
    """`remind: 1 hour before` is short for a list of one."""
    return given if isinstance(given, list) else [given]


def _a_span(text: str) -> str:
    read_span(text)
    return text


def _a_reminder(text: str) -> str:
    read_reminder(text)
    return text


Within = Annotated[
    str,
    BeforeValidator(_with_unit),
    AfterValidator(_a_span),
    Field(json_schema_extra={"pattern": f"^{_SHAPE}$"}),
]
Reminder = Annotated[
    str,
    BeforeValidator(_before_it),
    AfterValidator(_a_reminder),
    Field(json_schema_extra={"pattern": f"^{_SHAPE}{_BEFORE}$"}),
]


class Deadline(Strict):
    """By when a lead must have left a stage, who is reminded when, and what follows a breach."""

    deadline: Name
    stage: WatchedStage
    within: Within
    hours: Name | None = None
    when: Condition | None = None
    remind: (
        Annotated[
            list[Reminder],
            BeforeValidator(_listed, json_schema_input_type=Reminder | list[Reminder]),
            Field(min_length=1, max_length=10),
        ]
        | None
    ) = None
    on_breach: Breach = "mark"
    to: OwnerName | None = None
    reason: Name | None = None

    @model_validator(mode="after")
    def _complete(self) -> Deadline:
        within = read_span(self.within)
        if within.business and self.hours is None:
            raise ValueError(f'"{self.within}" of which office? name its hours with hours:')
        if not within.business and self.hours is not None:
            business = Span(within.amount, cast(Unit, f"business {within.unit}"))
            raise ValueError(f'"{self.within}" runs day and night; write "{business}", or leave out hours:')
        for text in self.remind or ():
            if read_reminder(text).business and not within.business:
                raise ValueError(f'"{text}" needs a deadline in business time; leave out the word business')
        self._check_breach()
        return self

    def _check_breach(self) -> None:
        stage = Stage(self.stage)
        if self.on_breach == "escalate" and self.to is None:
            raise ValueError("escalate needs to: (an e-mail address or queue:<Name>)")
        if self.on_breach != "escalate" and self.to is not None:
            raise ValueError("to needs on_breach: escalate")
        if self.on_breach == "nurture" and self.reason is None:
            raise ValueError("nurture needs reason:, such as reason: nobody responded")
        if self.on_breach != "nurture" and self.reason is not None:
            raise ValueError("reason needs on_breach: nurture")
        if self.on_breach == "reroute" and Stage.MQL not in legal_targets(stage, "clock"):
            raise ValueError(
                f"only a distributed lead can be routed again, not one that is {stage.value}; "
                "mark or escalate it"
            )
        if self.on_breach == "nurture" and Stage.NURTURE not in legal_targets(stage, "clock"):
            raise ValueError(f"no deadline takes a lead from {stage.value} to nurture; mark or escalate it")
