"""Fixtures for the worker's tests: both sandboxes, several workers over one database, and a Redis.

Redis is used when it answers (LEADLOOP_TEST_REDIS_URL, else 127.0.0.1:6379, database 9) under a namespace of
the test's own; without it those tests are skipped on a developer's machine and fail in CI.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from dramatiq.brokers.redis import RedisBroker

from connector.clock import SECOND_MS, Clock
from connector.installation import Installation
from connector.settings import Settings, load_settings
from connector.store.database import Database
from connector.store.settings_values import get_value
from connector.wiring import LIVE_SINCE
from connector.worker.broker import close_broker, redis_broker
from tests.worker.crew import Crew
from tests.world import World

REDIS_URL = "redis://127.0.0.1:6379/9"


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    """Both sandboxes, and a leadloop over a database of either kind."""
    with World(tmp_path, url=database_url) as made:
        yield made


@pytest.fixture
def crew(world: World, database_url: str) -> Iterator[Crew]:
    """Workers of one leadloop, each with connections of its own, as in processes of their own."""
    with Crew(world, database_url) as made:
        yield made


@pytest.fixture
def worker(crew: Crew) -> Installation:
    """One worker of the crew."""
    return crew.hire()


@pytest.fixture(scope="session")
def redis_url() -> str:
    """A Redis to test on; skips, or in CI fails, when there is none."""
    url = os.environ.get("LEADLOOP_TEST_REDIS_URL", REDIS_URL)
    client = redis.Redis.from_url(url, socket_connect_timeout=3)
    try:
        client.ping()
    except redis.RedisError as error:
        reason = f"Redis is not reachable: {error}"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    finally:
        client.close()
    return url


@pytest.fixture
def own_redis_url(redis_url: str) -> Iterator[str]:
    """A database number of Redis that no other test uses now, on this machine or another: for processes,
    which take the usual namespace. Emptied of that afterwards."""
    for number in range(1, 16):
        url = f"{redis_url.rpartition('/')[0]}/{number}"
        client = redis.Redis.from_url(url)
        try:
            if client.set("leadloop-test-uses-this", os.getpid(), nx=True, ex=900):
                yield url
                client.delete("leadloop-test-uses-this", *client.scan_iter("leadloop:*"))
                return
        finally:
            client.close()
    pytest.fail("all databases of Redis are in use by other tests")


@pytest.fixture
def redis_settings(redis_url: str) -> Settings:
    return load_settings({}, {"LEADLOOP_REDIS_URL": redis_url})


@pytest.fixture
def namespace(redis_settings: Settings) -> Iterator[str]:
    """A namespace in Redis that nobody else uses; emptied afterwards."""
    name = f"leadloop-test-{uuid.uuid4().hex[:12]}"
    yield name
    broker = redis_broker(redis_settings, name)
    empty(broker)
    close_broker(broker)


@pytest.fixture
def make_broker(redis_settings: Settings, namespace: str) -> Iterator[Callable[[], RedisBroker]]:
    """Makes a broker as one process has it; all of a test's brokers share the namespace."""
    made: list[RedisBroker] = []

    def make() -> RedisBroker:
        made.append(redis_broker(redis_settings, namespace))
        return made[-1]

    yield make
    for broker in made:
        close_broker(broker)


def empty(broker: RedisBroker) -> int:
    """What FLUSHDB does to this leadloop, in a Redis that others use as well. Returns how many keys went."""
    keys = list(broker.client.scan_iter(f"{broker.namespace}:*", count=1_000))
    return int(broker.client.delete(*keys)) if keys else 0


def is_live(database: Database, clock: Clock) -> bool:
    """Whether leadloop went live in an earlier second than this one: platforms date what is created by the
    second, and what seems to be older than leadloop is imported and rests."""
    with database.read() as conn:
        live_ms = get_value(conn, LIVE_SINCE)
    return live_ms is not None and clock.now_ms() // SECOND_MS > live_ms // SECOND_MS


@pytest.fixture
def eventually() -> Callable[[Callable[[], object]], None]:
    """Waits, in real time, until something that other threads bring about is so."""

    def wait(condition: Callable[[], object], seconds: float = 100.0) -> None:
        ends = time.monotonic() + seconds
        moment = threading.Event()
        while not condition():
            assert time.monotonic() < ends, f"not so after {seconds:g} seconds"
            moment.wait(0.02)

    return wait
