"""A share with its interval: it stays within bounds, is wide for few, and is not told of very few."""

from __future__ import annotations

import pytest

from connector.share import Share


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [  # Wilson's interval at 95 %, as in Newcombe (1998), table I
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_wilson_s(part: int, whole: int, low: float, high: float) -> None:
    interval = Share(part, whole).interval
    assert interval is not None
    assert interval == pytest.approx((low, high), abs=0.00006)


def test_all_of_a_few_is_not_certainty() -> None:
    share = Share(3, 3)
    assert share.interval is not None
    assert share.interval[0] < 0.45
    assert not share.is_known
    assert str(share) == "3 of 3"


def test_nothing_has_no_share() -> None:
    assert Share(0, 0).to_json() == {
        "part": 0, "of": 0, "ratio": None, "low": None, "high": None, "enough": False,
    }  # fmt: skip
    assert str(Share(0, 0)) == "none"


def test_enough_are_told_with_their_interval() -> None:
    assert str(Share(597, 802)) == "74 % (71–77 %)"
