"""Lengths of time in buckets: what is read from them is at most 5 % off, and they can be added."""

from __future__ import annotations

import math
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from connector.report.spans import ERROR, bucket_of, middle_ms, percentile_ms

SPANS = st.lists(st.integers(1_000, 20 * 365 * 86_400_000), min_size=1, max_size=60)


def test_the_error_that_is_stated_is_below_five_percent() -> None:
    assert ERROR < 0.05


@given(SPANS, st.sampled_from([0.5, 0.9]))
def test_a_percentile_is_that_of_the_exact_values_within_the_stated_error(
    spans: list[int], share: float
) -> None:
    exact = sorted(spans)[math.ceil(share * len(spans)) - 1]

    found = percentile_ms(Counter(map(bucket_of, spans)), share)

    assert found is not None
    assert abs(found - exact) <= exact * ERROR + 1


@given(SPANS, SPANS)
def test_buckets_of_two_days_add_up_to_those_of_both(one: list[int], other: list[int]) -> None:
    both = Counter(map(bucket_of, one)) + Counter(map(bucket_of, other))

    assert both == Counter(map(bucket_of, [*one, *other]))


def test_a_time_that_runs_backwards_and_none_at_all_are_zero() -> None:
    assert bucket_of(-5) == bucket_of(0) == bucket_of(999) == 0
    assert middle_ms(0) == 0


def test_no_span_has_no_percentile() -> None:
    assert percentile_ms({}, 0.5) is None
