"""The fewest calls that a wave can cost, by the formula: read, write, and see the writes once more."""

from __future__ import annotations

import pytest

from connector.demo.floor import Wave


@pytest.mark.parametrize(
    ("changed", "written", "calls"),
    [
        (0, 0, 1),  # somebody has to look
        (1, 0, 1),
        (2_000, 0, 1),
        (2_001, 0, 2),
        (0, 1, 3),
        (0, 200, 3),
        (0, 201, 4),
        (0, 2_001, 1 + 11 + 2),
        (10_000, 10_000, 5 + 50 + 5),
    ],
)
def test_salesforce(changed: int, written: int, calls: int) -> None:
    assert Wave(changed, 0, written, 0).salesforce_calls() == calls


@pytest.mark.parametrize(
    ("changed", "written", "clears", "calls"),
    [
        (0, 0, 0, 1),
        (200, 0, 0, 1),
        (201, 0, 0, 2),
        (0, 1, 0, 3),
        (0, 101, 0, 1 + 2 + 1),
        (0, 100, 100, 1 + 1 + 1 + 1),  # the stages are cleared first
        (0, 201, 101, 1 + 3 + 2 + 2),
        (10_000, 10_000, 0, 50 + 100 + 50),
    ],
)
def test_hubspot(changed: int, written: int, clears: int, calls: int) -> None:
    assert Wave(0, changed, 0, written, clears).hubspot_calls() == calls


def test_ten_thousand_on_each_side_cost_260_calls() -> None:
    wave = Wave(10_000, 10_000, 10_000, 10_000)
    assert wave.salesforce_calls() + wave.hubspot_calls() == 260
