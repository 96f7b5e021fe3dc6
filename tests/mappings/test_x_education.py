"""The example mapping of the online-education company, and its real leads."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from mappings.csv_columns import CsvColumns, load_columns
from mappings.mapping import Mapping, load_mapping
from mappings.source import ConfigErrors, Source
from tests.mappings.documents import People

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "mappings" / "examples" / "x-education"
LEADS = ROOT / ".." / "shared" / "data" / "leads" / "x-education.csv"
KNOWN_AFTERWARDS = ("Tags", "Lead Quality", "Lead Profile", "Last Notable Activity")


def source(name: str) -> Source:
    return Source(f"{name}.yaml", (EXAMPLE / f"{name}.yaml").read_text("utf-8"))


@pytest.fixture(scope="module")
def mapping() -> Mapping:
    return load_mapping([source("lead"), source("salesforce"), source("hubspot")])


@pytest.fixture(scope="module")
def columns(mapping: Mapping) -> CsvColumns:
    return load_columns(source("csv"), mapping)


def test_no_column_that_knows_the_outcome_is_read(columns: CsvColumns) -> None:
    for heading in columns.headings:
        assert heading not in (*KNOWN_AFTERWARDS, "Converted")
        assert not heading.startswith("Asymmetrique")


def test_every_field_has_a_place_on_both_sides(mapping: Mapping, columns: CsvColumns) -> None:
    read = {pair.canonical for pair in columns.pairs}
    for side, name in (("salesforce", "Lead"), ("salesforce", "Contact"), ("hubspot", "contacts")):
        written = {pair.canonical for pair in mapping.sides[side].objects[name].pairs if pair.writes}
        assert read <= written


def test_a_row_is_read(columns: CsvColumns) -> None:
    read = columns.read(
        {
            "Prospect ID": "2a272436", "Lead Source": "google", "Do Not Email": "Yes", "TotalVisits": "5",
            "Page Views Per Visit": "2.5", "Country": "United Arab Emirates", "City": "Select",
            "Specialization": "", "Tags": "Ringing",
        }
    )  # fmt: skip
    assert read.unreadable == {}
    assert read.values == {
        "prospect_id": "2a272436", "lead_source": "Google", "opted_out": True, "total_visits": 5,
        "page_views_per_visit": 2.5, "country": "AE", "city": None, "specialization": None,
    }  # fmt: skip


def test_a_cell_that_cannot_be_read_is_reported(columns: CsvColumns) -> None:
    read = columns.read({"TotalVisits": "many", "Country": "Asia/Pacific Region", "City": "Mumbai"})
    assert read.values == {"country": None, "city": "Mumbai"}
    assert read.unreadable == {"total_visits": '"many" is no number'}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("columns: {citty: City}", 'csv.yaml:1:11: unknown field "citty"; did you mean "city"?'),
        ("columns: {city: {colum: City}}", 'csv.yaml:1:18: unknown key "colum"; did you mean "column"?'),
        ("columns: {opted_out: {column: A, table: {x: y z}}}", 'csv.yaml:1:45: "y z" is neither yes nor no'),
        ("blanks: []", 'csv.yaml:1:1: "columns" is missing'),
    ],
)
def test_mistakes_in_the_columns(mapping: Mapping, text: str, message: str) -> None:
    with pytest.raises(ConfigErrors) as found:
        load_columns(Source("csv.yaml", text), mapping)
    assert message in str(found.value).splitlines()


@pytest.mark.skipif(not LEADS.exists(), reason="the real leads (../shared/data) are not on this machine")
def test_all_real_leads_are_read_and_survive_both_platforms(mapping: Mapping, columns: CsvColumns) -> None:
    people = People()
    seen: Counter[str] = Counter()
    with LEADS.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            read = columns.read(row)
            assert read.unreadable == {}
            seen.update(name for name, value in read.values.items() if value is not None)
            for side, name in (("salesforce", "Lead"), ("hubspot", "contacts")):
                mapped = mapping.sides[side].objects[name]
                spelled = mapped.write(read.values, people)
                assert spelled.no_spelling == {}
                assert mapped.read(spelled.fields, people).values == read.values
    assert seen["prospect_id"] == 4_611
    assert seen["country"] == 4_611 - 1_250 - 3  # blank, "Asia/Pacific Region" twice, "unknown"
    assert seen["specialization"] == 4_611 - 967 - 742
