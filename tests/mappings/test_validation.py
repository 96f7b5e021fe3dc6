"""Pydantic's findings in the user's words, at their place."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BeforeValidator, Field, field_validator

from mappings.source import ConfigErrors, Source, parse, validate
from mappings.validation import Strict


class Inner(Strict):
    field: str
    count: int | None = None
    share: float = 1.0
    kind: Literal["crm", "map"] = "crm"
    names: list[str] = Field(default_factory=list)
    on: bool = True
    otherwise: str | None = Field(default=None, alias="else")

    @field_validator("field")
    @classmethod
    def not_forbidden(cls, value: str) -> str:
        if value == "forbidden":
            raise ValueError("this one is taken; use another")
        return value


def _unfold(value: Any) -> Any:
    return {"field": value} if isinstance(value, str) else value


class Outer(Strict):
    items: dict[str, Annotated[Inner, BeforeValidator(_unfold)]]
    either: int | Inner | None = None


def complaints(text: str) -> list[str]:
    with pytest.raises(ConfigErrors) as found:
        validate(Outer, parse(Source("m.yaml", text)))
    return str(found.value).splitlines()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("items: {a: {field: 1}}", "m.yaml:1:20: this must be a text, not the number 1; put it in quotes"),
        ("items: {a: {field: [x]}}", "m.yaml:1:20: this must be a text, not a list"),
        (
            "items: {a: {field: true}}",
            "m.yaml:1:20: this must be a text, not the word true; put it in quotes",
        ),
        ("items: {a: {feild: x, field: y}}", 'm.yaml:1:13: unknown key "feild"; did you mean "field"?'),
        ("items: {a: {els: x, field: y}}", 'm.yaml:1:13: unknown key "els"; did you mean "else"?'),
        ("items: {a: {}}", 'm.yaml:1:9: "field" is missing'),
        ("items: {a: {field: x, kind: mpa}}", 'm.yaml:1:29: "mpa" is not known here; did you mean "map"?'),
        ("items: {a: {field: x, count: '3'}}", 'm.yaml:1:30: this must be a whole number, not "3"'),
        (
            "items: {a: {field: x, count: 1.5}}",
            "m.yaml:1:30: this must be a whole number, not the number 1.5",
        ),
        ("items: {a: {field: x, share: much}}", 'm.yaml:1:30: this must be a number, not "much"'),
        ("items: {a: {field: x, on: 'yes'}}", 'm.yaml:1:27: this must be true or false, not "yes"'),
        ("items: {a: {field: x, names: y}}", 'm.yaml:1:30: this must be a list, not "y"'),
        (
            "items: {a: {field: x, names: [y, 2]}}",
            "m.yaml:1:34: this must be a text, not the number 2; put it in quotes",
        ),
        ("items: {a: }", "m.yaml:1:12: this must be a mapping (key: value), not nothing"),
        ("items: {a: [x]}", "m.yaml:1:12: this must be a mapping (key: value), not a list"),
        ("items: 5", "m.yaml:1:8: this must be a mapping (key: value), not the number 5"),
        ("items: {}\nitem: {}", 'm.yaml:2:1: unknown key "item"; did you mean "items"?'),
        ("items: {a: forbidden}", "m.yaml:1:12: this one is taken; use another"),
        ("[x]", "m.yaml:1:1: this must be a mapping (key: value), not a list"),
    ],
)
def test_every_finding_has_its_sentence(text: str, message: str) -> None:
    assert complaints(text) == [message]


def test_everything_is_told_at_once_in_the_order_of_the_file() -> None:
    told = complaints("items:\n  a: {field: 1}\n  b: {}\n  c: {field: x, zzz: 1}\nother: 1\n")
    assert [line.split(": ")[0] for line in told] == [
        "m.yaml:2:14",
        "m.yaml:3:3",
        "m.yaml:4:17",
        "m.yaml:5:1",
    ]


def test_names_of_unions_are_not_taken_for_places_in_the_file() -> None:
    told = complaints("items: {}\neither: {field: 1, feild: 2}")
    assert 'm.yaml:2:20: unknown key "feild"; did you mean "field"?' in told
    assert "m.yaml:2:17: this must be a text, not the number 1; put it in quotes" in told


def test_a_part_of_a_document_can_be_validated_with_its_own_places() -> None:
    document = parse(Source("m.yaml", "outer:\n  inner: {field: 7}\n"))
    with pytest.raises(ConfigErrors) as found:
        validate(Inner, document, ("outer", "inner"))
    assert str(found.value) == "m.yaml:2:18: this must be a text, not the number 7; put it in quotes"
    assert validate(Inner, parse(Source("m", "a: {field: x}")), ("a",)).field == "x"
