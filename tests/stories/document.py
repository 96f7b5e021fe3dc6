"""The shape of a story: what stands in the YAML, and the checks that need no platform.

A story is read whole before it is played, so that a mistake in its last line costs nothing. Every mistake
names the file, the line and the column.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator, model_validator

from mappings.problems import ConfigError, ConfigErrors
from mappings.problems import Path as KeyPath
from mappings.source import Document, Source, parse, validate
from mappings.validation import Strict
from tests.stories.moments import moment_ms, span_ms

Text = Annotated[str, Field(min_length=1)]
Name = Annotated[str, Field(pattern=r"^[A-Z][\w.-]*$")]


class Salesperson(Strict):
    """Somebody in sales: a user of both platforms, unless `only_on` says otherwise."""

    email: Text
    only_on: Literal["salesforce", "hubspot"] | None = None


class Person(Strict):
    """A lead of the story, in the words of both platforms."""

    email: Text
    first_name: Text | None = None
    last_name: Text
    title: Text | None = None
    company: Text | None = None
    country: Text | None = None
    employees: int | None = None


class Changes(Strict):
    """What differs from what leadloop ships. Each part of the rules stands in place of the shipped part; the
    rest is laid over the shipped mapping."""

    rules: dict[str, Any] | None = None
    lead: dict[str, Any] | None = None
    salesforce: dict[str, Any] | None = None
    hubspot: dict[str, Any] | None = None
    leadloop: dict[str, Any] | None = None


class Then(Strict):
    """What everybody sees once leadloop has come to rest. What is not mentioned is not looked at, but for
    holds: a lead that has one which the story does not tell of fails it."""

    salesforce: dict[str, Any] = Field(default_factory=dict)
    hubspot: dict[str, Any] = Field(default_factory=dict)
    leadloop: dict[str, Any] = Field(default_factory=dict)
    moves: dict[str, list[Any]] = Field(default_factory=dict)
    holds: dict[str, list[Any]] = Field(default_factory=dict)
    explain: dict[str, list[Text]] = Field(default_factory=dict)
    prints: dict[Text, list[Text]] = Field(default_factory=dict)


class Step(Strict):
    """Something that happens, at a moment or some time after the step before."""

    at: Text | None = None
    after: Text | None = None
    says: Text | None = None
    salesforce: list[Any] = Field(default_factory=list)
    hubspot: list[Any] = Field(default_factory=list)
    leadloop: list[Text] = Field(default_factory=list)
    then: Then | None = None

    @model_validator(mode="after")
    def _some_time(self) -> Step:
        if (self.at is None) == (self.after is None):
            raise ValueError("a step needs either at: (a moment) or after: (a span of time)")
        return self


class Before(Strict):
    """What there was before leadloop looked for the first time."""

    salesforce: list[Any] = Field(default_factory=list)
    hubspot: list[Any] = Field(default_factory=list)


class StoryDocument(Strict):
    """One story."""

    story: Text
    tells: Text | None = None
    time_zone: str = "UTC"
    webhooks: bool = False
    streams: bool = False
    configuration: Changes = Changes()
    sales: dict[Name, str | Salesperson] = Field(default_factory=dict)
    queues: list[Text] = Field(default_factory=list)
    leads: dict[Name, Person] = Field(min_length=1)
    files: dict[Annotated[str, Field(pattern=r"^\w[\w.-]*$")], str] = Field(default_factory=dict)
    before: Before = Before()
    happens: list[Step] = Field(min_length=1)

    @field_validator("time_zone")
    @classmethod
    def _a_zone(cls, zone: str) -> str:
        if zone not in available_timezones():
            raise ValueError(f'there is no time zone "{zone}"; write it like this: Europe/Berlin')
        return zone

    @model_validator(mode="after")
    def _one_way_to_hear(self) -> StoryDocument:
        if self.webhooks and self.streams:
            raise ValueError("either webhooks: or streams:, so that it is known by which of them it is told")
        return self

    @model_validator(mode="after")
    def _one_name_each(self) -> StoryDocument:
        if both := sorted(set(self.sales) & set(self.leads)):
            raise ValueError(f"{both[0]} is the name of a salesperson and of a lead; give one another name")
        return self


@dataclass(frozen=True, slots=True)
class Story:
    """A story that can be played: the document, and where everything in it stands."""

    told: StoryDocument
    document: Document
    zone: ZoneInfo

    @property
    def sales(self) -> dict[str, Salesperson]:
        """The salespeople by name."""
        return {
            name: Salesperson(email=who) if isinstance(who, str) else who
            for name, who in self.told.sales.items()
        }

    def moments(self) -> Iterator[tuple[Step, int, int]]:
        """Each step with its number and when it begins, in epoch milliseconds. Raises ConfigErrors."""
        begins_ms: int | None = None
        for number, step in enumerate(self.told.happens):
            try:
                if step.at is not None:
                    at_ms = moment_ms(step.at, self.zone)
                elif begins_ms is None or step.after is None:
                    raise ValueError("the first step needs at: (a moment)")
                else:
                    at_ms = begins_ms + span_ms(step.after)
                if begins_ms is not None and at_ms <= begins_ms:
                    raise ValueError("time does not go back: this is not after the step before")
            except ValueError as error:
                key = "at" if step.at is not None else "after"
                raise ConfigErrors([self.error(("happens", number, key), str(error))]) from None
            begins_ms = at_ms
            yield step, number, at_ms

    def error(self, path: KeyPath, message: str, hint: str = "") -> ConfigError:
        """A mistake at this place of the story."""
        return self.document.error(path, message, hint)

    def place(self, path: KeyPath) -> str:
        """`file:line` of what stands at this path, for a message."""
        line, _ = self.document.place(path, key=True)
        return f"{self.document.source.name}:{line}"


def read_story(path: Path) -> Story:
    """The story in this file. Raises ConfigErrors with everything that is wrong with it."""
    return story_from(Source(path.name, path.read_text(encoding="utf-8")))


def story_from(source: Source) -> Story:
    """The story that this text tells. Raises ConfigErrors with everything that is wrong with it."""
    document = parse(source)
    told = validate(StoryDocument, document)
    story = Story(told, document, ZoneInfo(told.time_zone))
    list(story.moments())
    return story
