"""What native stage values stand for, which one is written, and what is never left."""

from __future__ import annotations

import pytest

from mappings.stage_fields import StageField
from mappings.stages import Stage
from tests.mappings.documents import HUBSPOT, SALESFORCE, changed, loaded


def status() -> StageField:
    return loaded().sides["salesforce"].objects["Lead"].stage_fields[0]


def lifecycle(text: str = HUBSPOT) -> StageField:
    return loaded(hubspot=text).sides["hubspot"].objects["contacts"].stage_fields[0]


@pytest.mark.parametrize(
    ("stage", "native"),
    [
        (Stage.INQUIRY, "Open"),
        (Stage.NURTURE, "Open"),
        (Stage.ACCEPTED, "Working"),
        (Stage.DISQUALIFIED, "Unqualified"),
        (Stage.QUALIFIED, None),  # only a conversion sets Converted
    ],
)
def test_the_first_value_that_lists_a_stage_spells_it(stage: Stage, native: str | None) -> None:
    assert status().spelling(stage) == native


def test_a_value_says_what_it_goes_with_and_what_it_means() -> None:
    field = status()
    assert field.claims
    assert field.values["Working"].means is Stage.ACCEPTED
    assert field.values["Unqualified"].means == "rejected"
    assert field.values["Open"].means is None
    assert field.compatible("Open", Stage.MQL) is True
    assert field.compatible("Open", Stage.ACCEPTED) is False
    assert field.compatible("Researching", Stage.MQL) is None
    assert field.compatible(None, Stage.MQL) is False


def test_closed_is_spelled_by_its_outcome() -> None:
    field = lifecycle()
    assert field.spelling(Stage.CLOSED, "won") == "customer"
    assert field.spelling(Stage.CLOSED, "lost") is None
    assert field.spelling(Stage.CLOSED) is None


def test_only_what_the_platform_offers_is_written() -> None:
    assert status().spelling(Stage.NURTURE, among={"Unqualified"}) == "Unqualified"
    assert status().spelling(Stage.ACCEPTED, among={"Unqualified"}) is None


def test_going_back_needs_a_clear_where_the_mapping_says_so() -> None:
    field = lifecycle()
    assert field.rank("lead") == 0
    assert field.rank("customer") == 4
    assert field.rank("numeric-1234") is None
    assert field.needs_clear("salesqualifiedlead", "lead")
    assert not field.needs_clear("lead", "salesqualifiedlead")
    assert not field.needs_clear(None, "lead")
    assert not status().needs_clear("Working", "Open")


def test_what_is_never_left() -> None:
    field = lifecycle()
    assert field.may_leave("salesqualifiedlead")
    assert field.may_leave(None)
    assert not field.may_leave("opportunity")
    assert not field.may_leave("a stage of their own")
    assert status().may_leave("a status of their own")


def test_an_override_spells_a_stage_or_leaves_it_alone() -> None:
    text = changed(
        HUBSPOT,
        "        never_from:",
        "        blank: [nurture]\n"
        "        write: {nurture: lead, qualified: null, closed won: customer}\n"
        "        never_from:",
    )
    field = lifecycle(text)
    assert field.spelling(Stage.NURTURE) == "lead"
    assert field.spelling(Stage.QUALIFIED) is None
    assert field.spelling(Stage.ACCEPTED) == "salesqualifiedlead"
    assert field.spelling(Stage.CLOSED, "won") == "customer"
    assert field.spelling(Stage.NURTURE, among=["customer"]) is None
    assert field.compatible(None, Stage.NURTURE) is True
    assert field.offered(["customer"]).spelling(Stage.QUALIFIED) is None


def test_any_stands_for_all_stages() -> None:
    text = changed(SALESFORCE, "Working:    {stages: [accepted], means: accepted}", "Working: any")
    field = loaded(salesforce=text).sides["salesforce"].objects["Lead"].stage_fields[0]
    assert field.values["Working"].stages == frozenset(Stage)
