"""Broker: dramatiq over Redis, set up for messages that may be lost.

Opens nothing until it is used, so it can be made before threads are started. Redis holds wake-ups only
(`connector.worker.wakeups`); give it a database number of its own, because dramatiq searches it by KEYS.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import redis
from dramatiq import Middleware
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AgeLimit, Retries, TimeLimit

from connector.clock import HOUR_MS, MINUTE_MS
from connector.settings import Settings, SettingsError
from connector.worker.wakeups import Wakeups

NAMESPACE = "leadloop"

OLDEST_WAKEUP_MS = HOUR_MS
"""Generous, because it compares the clocks of two machines; older ones have long been sent again."""

DEAD_WAKEUPS_MS = HOUR_MS
"""How long a wake-up that failed is kept for somebody to look at. Nothing depends on it."""

MAINTENANCE_CHANCE = 10_000
"""Of a million commands: one in a hundred removes what dead workers and failed wake-ups have left."""


def middleware() -> list[Middleware]:
    """The middleware of the worker. No retries, which would be delayed messages in the memory of one worker:
    the clock sends again what is still to be done. No Prometheus, which would listen on all addresses."""
    return [AgeLimit(max_age=OLDEST_WAKEUP_MS), TimeLimit(time_limit=10 * MINUTE_MS), Retries(max_retries=0)]


def redis_broker(settings: Settings, namespace: str = NAMESPACE) -> RedisBroker:
    """The broker at LEADLOOP_REDIS_URL, whose path may name a database number. Raises SettingsError."""
    url = settings.redis_url
    if url is None:
        raise SettingsError(
            "LEADLOOP_REDIS_URL is not set: the worker and the clock wake each other through Redis. Set it "
            "(redis://HOST:6379/0), or use `leadloop run`, which needs no server."
        )
    try:
        if urlsplit(url).scheme not in ("redis", "rediss", "unix"):
            raise SettingsError("LEADLOOP_REDIS_URL: must begin with redis://, rediss:// or unix://.")
        client = redis.Redis.from_url(
            url, socket_connect_timeout=5, socket_timeout=15, socket_keepalive=True, health_check_interval=30
        )
    except ValueError:  # its text can quote a part of the password
        raise SettingsError(
            "LEADLOOP_REDIS_URL is no address: use redis://HOST:6379/0, with what is special in a password "
            "percent-encoded."
        ) from None
    return RedisBroker(  # type: ignore[no-untyped-call]  # dramatiq left this constructor without annotations
        client=client,
        middleware=middleware(),
        namespace=namespace,
        maintenance_chance=MAINTENANCE_CHANCE,
        dead_message_ttl=DEAD_WAKEUPS_MS,
    )


def prove_broker(broker: RedisBroker) -> None:
    """Raises SettingsError when Redis does not answer."""
    try:
        broker.client.ping()
    except redis.RedisError as error:
        said = str(error) or type(error).__name__
        raise SettingsError(
            f"LEADLOOP_REDIS_URL: Redis does not answer ({said.rstrip('.')}): start it, or correct the "
            "address."
        ) from None


def wakeups_over(broker: RedisBroker) -> Wakeups:
    """Wake-ups over this Redis."""

    def waiting(queue: str) -> int:
        return int(broker.client.llen(f"{broker.namespace}:{queue}"))

    return Wakeups(broker, waiting)


def close_broker(broker: RedisBroker) -> None:
    """Close the connections to Redis; dramatiq's own `close` leaves them open."""
    broker.client.close()
