"""The clock of the cast: it runs fast, leaps, and wakes whoever sleeps through a leap."""

from __future__ import annotations

import threading

import pytest

from connector.clock import DAY_MS, HOUR_MS
from connector.demo.story_clock import StoryClock

START_MS = 1_799_020_800_000


def test_it_leaps_forward_and_never_back() -> None:
    clock = StoryClock(START_MS, 1.0)
    clock.advance(86_400)
    assert START_MS + DAY_MS <= clock.now_ms() < START_MS + DAY_MS + HOUR_MS
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)


def test_it_runs_at_its_speed() -> None:
    clock = StoryClock(START_MS, 1_000_000.0)
    clock.sleep(3_600)
    assert clock.now_ms() >= START_MS + HOUR_MS


def test_a_leap_wakes_whoever_sleeps_less_long() -> None:
    clock = StoryClock(START_MS, 1.0)
    sleeper = threading.Thread(target=clock.sleep, args=(86_000,), daemon=True)
    sleeper.start()
    clock.advance(86_400)
    sleeper.join(5)
    assert not sleeper.is_alive()


def test_an_event_wakes_a_sleeper() -> None:
    clock, wake = StoryClock(START_MS, 1.0), threading.Event()
    sleeper = threading.Thread(target=clock.sleep, args=(86_400, wake), daemon=True)
    sleeper.start()
    wake.set()
    sleeper.join(5)
    assert not sleeper.is_alive()
