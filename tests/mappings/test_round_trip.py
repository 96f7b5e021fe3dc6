"""What is written is read back as the same value: every converter, with any value of its type."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.merge import same
from mappings.normalise import normalise
from mappings.object_mapping import Pair
from mappings.places import CODED_STATES
from mappings.plain_text import cut_text
from mappings.spelling import WRITE_AS, Spelling, reader_for, writer_for
from mappings.values import FIELD_TYPES, FieldType, NoSpelling, Unreadable, Value
from tests.mappings.documents import People

PEOPLE = People()
ONE_WAY = {("number", "whole"), ("money", "whole"), ("datetime", "date")}
"""These lose something, so loading a mapping refuses them for a field that is also read."""

_RAW: dict[str, st.SearchStrategy[Any]] = {
    "text": st.text(),
    "picklist": st.text(),
    "url": st.sampled_from(["acme.com", "http://x.example/a?b#c", "HTTPS://Y.example:8080/"]),
    "email": st.emails(),
    "multi_select": st.lists(st.text(st.characters(exclude_characters=";"))),
    "number": st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False)),
    "money": st.decimals(
        allow_nan=False, allow_infinity=False, places=2, min_value=-(10**12), max_value=10**12
    ).map(float),
    "boolean": st.booleans(),
    "date": st.dates().map(str),
    "datetime": st.datetimes().map(lambda moment: moment.isoformat()),
    "phone": st.sampled_from(["+18506444200", "020 7946 0958", "+1 650 253 0000 ext. 12", "+91 98765 43210"]),
    "country": st.sampled_from(["US", "Deutschland", "KOR", "VA", "TR", "MF"]),
    "state": st.sampled_from(["California", "TX", "Bayern", "n.y."]),
    "owner": st.sampled_from(["ann@acme.example", "queue:Inbound"]),
}
CASES = [
    (kind, way)
    for kind in FIELD_TYPES
    for way in WRITE_AS[kind]
    if (kind, way) not in ONE_WAY  # type: ignore[index]  # kind is one
]


def pair_of(kind: FieldType, way: str, **more: Any) -> Pair:
    spelling = Spelling(side="salesforce", native="X", type=kind, write_as=way, default_country="US", **more)
    return Pair(
        "x", "X", kind, reads=True, writes=True, reader=reader_for(spelling), writer=writer_for(spelling)
    )


@pytest.mark.parametrize(("kind", "way"), CASES)
@settings(deadline=None)  # the first value loads the tables of countries and numbers
@given(data=st.data(), country=st.sampled_from([None, "US", "GB"]))
def test_what_is_written_is_read_back(kind: Any, way: str, data: st.DataObject, country: str | None) -> None:
    try:
        value = normalise(kind, data.draw(_RAW[kind]), country or "US")
    except Unreadable:
        return
    pair = pair_of(kind, way)
    raw = pair.write(value, PEOPLE, country)
    assert raw is None or isinstance(raw, str | int | float | bool)
    assert same(pair.read(raw, PEOPLE, country), value)
    if isinstance(raw, bool | int | float):  # as HubSpot shows it: every value a text
        assert same(pair.read(str(raw).lower(), PEOPLE, country), value)


@pytest.mark.parametrize("country", sorted(CODED_STATES))
def test_every_state_that_is_written_by_name_is_read_back(country: str) -> None:
    pair = pair_of("state", "name")
    for code in ("CA", "NY", "QC", "NSW", "SP"):
        value = normalise("state", code, country)
        assert pair.read(pair.write(value, PEOPLE, country), PEOPLE, country) == value


TABLE = {"Web": "website", "Internet": "website", "Seminar": "webinar"}


@given(st.one_of(st.text(), st.sampled_from(["website", "webinar", "Web", "SEMINAR"])))
def test_a_table_never_writes_what_it_reads_as_something_else(text: str) -> None:
    value = normalise("picklist", text)
    pair = pair_of("picklist", "text", table=TABLE)
    try:
        raw = pair.write(value, PEOPLE)
    except NoSpelling:
        assert isinstance(value, str)
        assert value.lower() in {"web", "internet", "seminar"}
        return
    assert pair.read(raw, PEOPLE) == value


@given(st.lists(st.sampled_from(["website", "webinar", "radio", "tv"])))
def test_a_table_over_several_values(values: list[str]) -> None:
    value = normalise("multi_select", tuple(values))
    pair = pair_of("multi_select", "semicolons", table=TABLE)
    assert same(pair.read(pair.write(value, PEOPLE), PEOPLE), value)


@given(st.text(min_size=1), st.integers(1, 20))
def test_a_text_that_was_cut_is_cut_no_further(text: str, length: int) -> None:
    value = normalise("text", text)
    pair = pair_of("text", "text", max_length=length, too_long="truncate")
    raw = pair.write(value, PEOPLE)
    assert raw is None or (isinstance(raw, str) and len(raw) <= length)
    again: Value = pair.read(raw, PEOPLE)
    assert pair.write(again, PEOPLE) == (again if again is None else raw)


def test_a_cut_does_not_split_what_looks_like_one_character() -> None:
    assert cut_text("ab👩‍💻", 4) == "ab"
    assert cut_text("ab👩‍💻", 5) == "ab👩‍💻"
    assert cut_text("ab👍🏽", 3) == "ab"
    assert cut_text("abc def", 4) == "abc"
    assert cut_text("ẋ̣y", 2) == "ẋ̣y"[:2] or cut_text("ẋ̣y", 2) == ""
