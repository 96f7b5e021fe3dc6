"""Wake-ups: the names of the worker's duties, and sending a message that one of them may have work.

A wake-up carries no truth, not even arguments: its queue says which duty is meant, and the database says what
there is to do. So one that is lost, doubled or late costs time and nothing else. Does none of the work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import structlog
from dramatiq import Broker, Message
from redis.exceptions import RedisError

SETTLE = "settle"
log = structlog.get_logger()


def poll_of(side: str) -> str:
    """The duty (and queue) of looking at a side for changes."""
    return f"poll.{side}"


def hints_of(side: str) -> str:
    """The duty (and queue) of reading what a side's platform told of."""
    return f"hints.{side}"


def deliver_of(side: str) -> str:
    """The duty (and queue) of sending a side what the outbox has for it."""
    return f"deliver.{side}"


def verify_of(side: str) -> str:
    """The duty (and queue) of proving that nothing of a side was missed."""
    return f"verify.{side}"


def duties_of(sides: Iterable[str]) -> tuple[str, ...]:
    """All duties of an installation with these sides."""
    names = (poll_of, hints_of, deliver_of, verify_of)
    return (SETTLE, *(name(side) for side in sorted(sides) for name in names))


class Wakeups:
    """Sends wake-ups over a broker. `waiting` tells how many messages a queue holds that nobody has taken."""

    def __init__(self, broker: Broker, waiting: Callable[[str], int]) -> None:
        self._broker = broker
        self._waiting = waiting

    def send(self, duty: str) -> bool:
        """Wake one worker for `duty`, unless a wake-up for it waits already: whoever takes that one sees all
        that is in the database by now. Returns whether one was sent. Never raises when the broker is not
        there: the clock sends again."""
        try:
            if self._waiting(duty):
                return False
            self._broker.enqueue(Message(queue_name=duty, actor_name=duty, args=(), kwargs={}, options={}))
        except RedisError as error:
            log.warning("wake-up not sent", duty=duty, reason=str(error) or type(error).__name__)
            return False
        return True
