"""When each object is looked at: at its own interval, together with others, however late wake-ups come."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from connector.intake.timetable import AFTER_REFUSED_MS, Looked, next_looks_ms

SECONDS = {"Lead": 60.0, "Contact": 60.0, "Task": 300.0, "Account": 300.0}
START_MS = 1_800_000_012_345


def _due(seconds: dict[str, float], looked: dict[str, Looked], now_ms: int) -> list[str]:
    return [name for name, at_ms in next_looks_ms(seconds, looked, now_ms).items() if at_ms <= now_ms]


def _look(looked: dict[str, Looked], names: list[str], now_ms: int) -> None:
    looked.update(dict.fromkeys(names, Looked(now_ms)))


@pytest.mark.parametrize("seed", range(5))
def test_wakeups_that_come_late_make_neither_more_looks_nor_objects_drift_apart(seed: int) -> None:
    chance = random.Random(seed)
    looked: dict[str, Looked] = {}
    now_ms, looks, reads = START_MS, 0, Counter[str]()
    for _ in range(60 * 24):
        names = _due(SECONDS, looked, now_ms)
        _look(looked, names, now_ms)
        looks += bool(names)
        reads.update(names)
        # many wake-ups, most of them for nothing
        assert _due(SECONDS, looked, now_ms + chance.randint(0, 200)) == []
        now_ms = min(next_looks_ms(SECONDS, looked, now_ms).values()) + chance.randint(0, 9_000)
    minutes = (now_ms - START_MS) / 60_000
    assert reads["Lead"] == reads["Contact"] == looks, "no look without those that are due most often"
    assert looks <= minutes + 1
    assert reads["Task"] == reads["Account"] <= minutes / 5 + 1
    assert looks >= minutes * 0.85, "and none is left out"


def test_objects_are_looked_at_at_their_own_intervals() -> None:
    looked: dict[str, Looked] = {}
    seen: dict[int, list[str]] = {}
    for second in range(0, 601, 20):
        names = _due(SECONDS, looked, START_MS + 1_000 * second)
        _look(looked, names, START_MS + 1_000 * second)
        if names:
            seen[second] = names
    everything, deciding = list(SECONDS), ["Lead", "Contact"]
    assert seen == {at: everything if at % 300 == 0 else deciding for at in range(0, 601, 60)}


def test_after_hours_away_everything_is_due_at_once_and_once() -> None:
    looked = dict.fromkeys(SECONDS, Looked(START_MS))
    now_ms = START_MS + 5 * 3_600_000 + 17_000
    assert _due(SECONDS, looked, now_ms) == list(SECONDS)
    _look(looked, list(SECONDS), now_ms)
    assert _due(SECONDS, looked, now_ms + 59_999) == []
    assert _due(SECONDS, looked, now_ms + 60_000) == ["Lead", "Contact"]


def test_an_object_that_was_refused_is_left_alone_and_holds_up_no_other() -> None:
    looked = {
        **dict.fromkeys(SECONDS, Looked(START_MS)),
        "Task": Looked(START_MS, START_MS + AFTER_REFUSED_MS),
    }
    looked["Lead"] = Looked(START_MS, START_MS + AFTER_REFUSED_MS)
    assert _due(SECONDS, looked, START_MS + 60_000) == ["Contact"]
    assert _due(SECONDS, looked, START_MS + AFTER_REFUSED_MS) == list(SECONDS)


def test_an_object_that_could_never_be_read_sets_no_pace() -> None:
    looked = dict.fromkeys(["Lead", "Contact"], Looked(START_MS)) | {"Task": Looked(0, START_MS + 200_000)}
    assert _due(SECONDS, looked, START_MS + 1_000) == ["Account"]
    _look(looked, ["Account"], START_MS + 1_000)
    assert min(next_looks_ms(SECONDS, looked, START_MS + 1_000).values()) >= START_MS + 1_000


def test_a_clock_that_was_put_back_keeps_nothing_waiting() -> None:
    looked = dict.fromkeys(SECONDS, Looked(START_MS))
    assert _due(SECONDS, looked, START_MS - 3_600_000) == list(SECONDS)
