"""Deliveries are stored and answered, whatever becomes of waking who reads them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from connector.clock import ManualClock
from connector.store.database import Database
from connector.worker.embedded import Embedded
from tests.webhooks.sending import Post, event
from tests.world import World


def test_storing_goes_on_when_nobody_can_be_woken(database: Database, clock: ManualClock) -> None:
    def nobody_there(sides: Iterable[str]) -> None:
        raise KeyError(next(iter(sides)))

    made = Post(database, clock, stored=nobody_there)
    made.know_accounts()
    with made:
        answers = [made.hubspot([event(number)]).status for number in range(3)]
        assert answers == [204, 204, 204]
        assert [record_id for _, record_id, _ in made.records()] == ["0", "1", "2"]


def test_a_side_that_the_worker_does_not_have_yet_wakes_nobody(tmp_path: Path) -> None:
    """The files name it, and wait for `leadloop apply`; its platform delivers already."""
    with World(tmp_path) as world:
        Embedded(world.leadloop).wake("brand new")
