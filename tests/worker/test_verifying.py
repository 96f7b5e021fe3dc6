"""Each side is verified once a day by whichever worker, in slices, and what a person must know is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from connector.clock import DAY_MS
from connector.metrics import Metrics
from connector.platforms.errors import RetryLater
from connector.store import holds as hold_store
from connector.store.schema import observations
from connector.store.sweeps import last_result, next_sweep_ms
from connector.worker.actors import Duties
from connector.worker.embedded import Embedded
from connector.worker.scheduler import Scheduler
from connector.worker.wakeups import verify_of
from tests.connector.sweep.sweeping import edit_state
from tests.connector.test_life_of_a_lead import ANN, make_mql
from tests.worker.crew import Woken
from tests.world import World

SIDES = ("hubspot", "salesforce")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Ann is known on both platforms, and a day has gone by; the database has forgotten her versions."""
    with World(tmp_path) as made:
        made.leadloop  # noqa: B018  # connected before anybody acts, so that everything here is new
        make_mql(made)
        made.later(days=1)
        made.run()
        with made.database.begin() as conn:
            conn.execute(update(observations).values(stamp_ms=1))
        yield made


def due(world: World) -> list[str]:
    """The sides that the clock wakes for."""
    woken = Woken()
    Scheduler(world.database, world.clock, SIDES, woken.send, "one", None, DAY_MS).tick()
    return [duty for duty in woken.duties if duty.startswith("verify.")]


def found(world: World, side: str) -> dict[str, int]:
    with world.database.read() as conn:
        last = last_result(conn, side)
    return {} if last is None else last["found"]


def test_the_clock_wakes_for_each_side_once_a_day(world: World) -> None:
    assert due(world) == [verify_of(side) for side in SIDES]
    for side in SIDES:
        Duties(world.leadloop, Woken().send).verify(side)
        assert found(world, side) == {"missed": 1}
    assert due(world) == []
    world.later(hours=25)
    assert due(world) == [verify_of(side) for side in SIDES]


def test_a_slice_that_is_over_leaves_the_rest_for_the_next_wake_up(world: World) -> None:
    woken = Woken()
    duties = Duties(world.leadloop, woken.send)
    duties._stopping.set()  # every slice is over after its first step
    for _ in range(20):
        duties.verify("hubspot")
        if found(world, "hubspot"):
            break
        assert woken.taken() == [verify_of("hubspot")]
    assert found(world, "hubspot") == {"missed": 1}


def test_a_platform_that_has_no_time_is_asked_again_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise RetryLater("no calls are left today", 900)

    with monkeypatch.context() as patched:
        patched.setattr(type(world.leadloop.platforms["hubspot"]), "listed", refuse)
        Duties(world.leadloop, Woken().send).verify("hubspot")
    with world.database.read() as conn:
        now_ms = world.clock.now_ms()
        assert next_sweep_ms(conn, "hubspot", DAY_MS, now_ms) == now_ms + 900_000
    assert verify_of("hubspot") not in due(world)
    world.later(minutes=16)
    assert verify_of("hubspot") in due(world)


def test_a_single_process_verifies_too(world: World) -> None:
    worker = Embedded(world.leadloop)
    turn = type("Turn", (), {"verify_ms": 0})()
    while worker._verify("hubspot", turn):
        pass
    assert found(world, "hubspot") == {"missed": 1}
    world.run()
    assert worker._verify("hubspot", turn) is False


def test_metrics_tell_what_was_found_and_how_long_ago(world: World) -> None:
    Duties(world.leadloop, Woken().send).verify("hubspot")
    world.later(minutes=10)
    page = Metrics(world.database, world.clock, SIDES, dict).text().decode()
    assert 'leadloop_verify_unexplained{side="hubspot"} 0.0' in page
    assert 'leadloop_verify_findings{cause="missed",side="hubspot"} 1.0' in page
    assert 'leadloop_verify_age_seconds{side="hubspot"} 600.0' in page


def test_what_nobody_can_explain_is_a_hold_until_a_sweep_finds_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unexplained(*_arguments: object) -> str:
        return "unexplained"

    def held() -> list[str]:
        with world.database.read() as conn:
            holds = hold_store.open_holds(conn, [hold_store.INSTALLATION])
        return [hold.message for each in holds.values() for hold in each if hold.kind == "unexplained"]

    Duties(world.leadloop, Woken().send).verify("salesforce")
    world.run()
    world.later(days=2)
    with monkeypatch.context() as patched:
        patched.setattr("connector.intake.lead_check.LeadCheck._why", unexplained)
        edit_state(world, ANN, job_title="Nobody")
        Duties(world.leadloop, Woken().send).verify("salesforce")
    assert held() == ["1 record or lead differs on salesforce for no reason that leadloop knows."]
    world.run()
    world.later(days=2)
    Duties(world.leadloop, Woken().send).verify("salesforce")
    assert held() == []
