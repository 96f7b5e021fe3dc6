"""The fields that a report is broken down by: checked where somebody chose them."""

from __future__ import annotations

import pytest

from connector.report.context import NONE, ReportFields, text_of
from mappings.problems import ConfigErrors
from tests.world import configuration


def loaded(report: str) -> ReportFields:
    text = f"rules: [rules.yaml]\nreport: {report}\n"
    return configuration(documents={"leadloop.yaml": text}).report


def mistake(report: str) -> str:
    with pytest.raises(ConfigErrors) as found:
        loaded(report)
    return str(found.value)


def test_fields_of_ones_own_take_the_place_of_the_defaults() -> None:
    assert loaded("{segment: industry}") == ReportFields(segment="industry")


def test_an_unknown_field_is_a_mistake_with_the_nearest_name() -> None:
    assert mistake("{segment: contry}") == (
        'leadloop.yaml:2:19: the lead has no field "contry"; did you mean "country"?'
    )


@pytest.mark.parametrize("name", ["email", "last_name", "phone"])
def test_a_personal_field_is_refused(name: str) -> None:
    assert f'"{name}" is personal' in mistake(f"{{source: {name}}}")


@pytest.mark.parametrize("name", ["employees", "annual_revenue", "created_in_crm"])
def test_a_field_with_a_value_for_each_lead_is_refused(name: str) -> None:
    assert "nearly every lead" in mistake(f"{{campaign: {name}}}")


def test_values_are_one_short_line() -> None:
    assert text_of(None) == text_of("") == text_of(" \n") == NONE
    assert text_of(("a", "b")) == "a; b"
    assert text_of("two\nlines") == "two lines"
    assert len(text_of("x" * 500)) == 120
