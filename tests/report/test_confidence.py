"""Shares and their intervals: right against published values, and honest about few cases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.report.confidence import TOO_FEW, compare, difference, number_changed, wilson


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_that_of_the_literature(hits: int, of: int, low: float, high: float) -> None:
    found = wilson(hits, of)

    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_the_difference_is_that_of_the_literature() -> None:
    # Newcombe 1998, Statistics in Medicine 17, p. 876, method 10 without continuity correction
    low, high = difference(wilson(56, 70), wilson(48, 80))

    assert (low, high) == (pytest.approx(0.0524, abs=1e-4), pytest.approx(0.3339, abs=1e-4))


@given(st.integers(0, 5_000), st.integers(0, 5_000))
def test_the_interval_holds_the_share_and_stays_within_nothing_and_all(hits: int, more: int) -> None:
    found = wilson(hits, hits + more)

    assert 0 <= found.low <= (found.share if found.share is not None else 0.5) <= found.high <= 1


def test_no_share_is_told_of_too_few() -> None:
    told = wilson(3, TOO_FEW - 1).to_json()

    assert (told["share"], told["too_few"], told["hits"], told["of"]) == (None, True, 3, TOO_FEW - 1)


def test_a_rule_stands_out_only_where_its_whole_interval_does() -> None:
    base = wilson(500, 1_000)

    assert compare(wilson(10, 30), base) == "like the rest"
    assert compare(wilson(100, 300), base) == "below"
    assert compare(wilson(200, 300), base) == "above"
    assert compare(wilson(0, 9), base) == "too few"
    assert compare(wilson(0, 0), base) == "too few"


def test_without_cases_no_difference_is_claimed() -> None:
    assert difference(wilson(0, 0), wilson(5, 10)) == (-1.0, 1.0)


def test_a_number_changes_clearly_only_beyond_chance() -> None:
    assert not number_changed(0, 0)
    assert not number_changed(105, 95)
    assert number_changed(200, 100)
