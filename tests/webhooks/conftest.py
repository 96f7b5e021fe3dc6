"""Fixtures: a reception on a database of either kind, on a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connector.clock import ManualClock
from connector.store.database import Database
from tests.webhooks.sending import Post
from tests.world import START_MS


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_MS)


@pytest.fixture
def reception(database: Database, clock: ManualClock) -> Iterator[Post]:
    """A reception that knows its accounts."""
    made = Post(database, clock)
    made.know_accounts()
    with made:
        yield made
