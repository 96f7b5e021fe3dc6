"""The day over which calls count begins and ends at midnight of the account, however long it is."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from connector.account_day import day_end_ms, day_start_ms, zone_of
from connector.clock import HOUR_MS

WINTER_23_UTC = 1_768_604_400_000  # 2026-01-16T23:00:00Z


@pytest.mark.parametrize(
    ("zone", "since_hours", "until_hours"),
    [("UTC", 23, 1), ("Europe/Berlin", 0, 24), ("US/Eastern", 18, 6), ("Asia/Kolkata", 4.5, 19.5)],
)
def test_a_day_runs_from_midnight_to_midnight_of_its_zone(
    zone: str, since_hours: float, until_hours: float
) -> None:
    assert WINTER_23_UTC - day_start_ms(WINTER_23_UTC, ZoneInfo(zone)) == since_hours * HOUR_MS
    assert day_end_ms(WINTER_23_UTC, ZoneInfo(zone)) - WINTER_23_UTC == until_hours * HOUR_MS


@pytest.mark.parametrize(("noon_ms", "hours"), [(1_774_778_400_000, 23), (1_792_922_400_000, 25)])
def test_days_on_which_the_clocks_are_changed_have_their_own_length(noon_ms: int, hours: int) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert day_end_ms(noon_ms, berlin) - day_start_ms(noon_ms, berlin) == hours * HOUR_MS


def test_a_zone_that_nobody_knows_is_none() -> None:
    assert zone_of("Nonsuch/Zone") is None
    assert zone_of("../etc/passwd") is None
