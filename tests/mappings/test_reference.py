"""Everything that can be typed into a mapping document is explained in the reference."""

from __future__ import annotations

import re
from importlib import resources
from typing import get_args

import pytest

from mappings import csv_columns, document
from mappings.document import LEADLOOP_FIELDS, ROLE_FIELDS
from mappings.spelling import WRITE_AS
from mappings.validation import Strict
from mappings.values import FIELD_TYPES

TEXT = (resources.files("mappings") / "REFERENCE.md").read_text("utf-8")
EXPLAINED = set(re.findall(r"`([^`]+)`", TEXT))


def models() -> list[type[Strict]]:
    found = [*vars(document).values(), *vars(csv_columns).values()]
    kinds = {
        kind for kind in found if isinstance(kind, type) and issubclass(kind, Strict) and kind is not Strict
    }
    return sorted(kinds, key=lambda kind: kind.__name__)


@pytest.mark.parametrize("model", models(), ids=lambda model: model.__name__)
def test_every_key_is_explained(model: type[Strict]) -> None:
    assert {info.alias or name for name, info in model.model_fields.items()} <= EXPLAINED


@pytest.mark.parametrize("model", models(), ids=lambda model: model.__name__)
def test_every_word_of_a_choice_is_explained(model: type[Strict]) -> None:
    words = {
        word
        for info in model.model_fields.values()
        for part in (info.annotation, *get_args(info.annotation))
        for word in get_args(part)
        if isinstance(word, str)
    }
    assert words <= EXPLAINED


def test_every_type_spelling_and_name_is_explained() -> None:
    assert set(FIELD_TYPES) <= EXPLAINED
    assert {way for ways in WRITE_AS.values() for way in ways} <= EXPLAINED
    assert set(LEADLOOP_FIELDS) <= EXPLAINED
    assert {name for fields in ROLE_FIELDS.values() for name in fields} <= EXPLAINED
