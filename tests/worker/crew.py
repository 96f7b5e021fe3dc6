"""Crew: several workers of one leadloop over the same database and platforms, and what can befall them.

Each has a Database and platform connections of its own, as separate processes have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any

from connector.configuration import Configuration
from connector.installation import Installation
from connector.lane import Lane
from connector.platforms.protocol import ChangePage, Platform, RecordWrite, Watch, WriteResult
from connector.sandbox import HUBSPOT_ACCESS_TOKEN, SALESFORCE_SESSION_ID
from connector.settings import Settings, load_settings
from connector.store.database import Database
from connector.wiring import connect
from connector.worker.actors import Duties
from connector.worker.wakeups import duties_of
from tests.world import World


class Killed(BaseException):
    """Stands for `kill -9`: nothing catches it, and nothing more is written."""


def environment(world: World) -> dict[str, str]:
    """Settings that reach the sandboxes."""
    return {
        "LEADLOOP_SALESFORCE__BASE_URL": world.sandbox.salesforce_url,
        "LEADLOOP_SALESFORCE__SESSION_ID": SALESFORCE_SESSION_ID,
        "LEADLOOP_HUBSPOT__BASE_URL": world.sandbox.hubspot_url,
        "LEADLOOP_HUBSPOT__ACCESS_TOKEN": HUBSPOT_ACCESS_TOKEN,
    }


@dataclass
class Woken:
    """Takes wake-ups, and does nothing about them."""

    duties: list[str] = field(default_factory=list)

    def send(self, duty: str) -> bool:
        self.duties.append(duty)
        return True

    def taken(self) -> list[str]:
        """What was sent since the last time, in order."""
        duties, self.duties = self.duties, []
        return duties


class Crew(AbstractContextManager["Crew"]):
    """`hire()` connects one more worker to the world's platforms."""

    def __init__(self, world: World, database_url: str) -> None:
        self.world = world
        self.settings: Settings = load_settings({}, environment(world))
        self._url = database_url
        self._hired: list[Installation] = []

    def hire(self, configuration: Configuration | None = None) -> Installation:
        database = Database.open(self._url)
        try:
            connected = connect(configuration or self.world.config, self.settings, database, self.world.clock)
        except BaseException:
            database.close()
            raise
        self._hired.append(connected.installation)
        return connected.installation

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for installation in self._hired:
            for platform in installation.platforms.values():
                platform.close()
            installation.database.close()


def work(installation: Installation, *more: Installation) -> list[str]:
    """Do every duty once, and then what they wake, until nothing is woken; the workers take turns. Returns
    the duties that were done, in order."""
    woken = Woken()
    crew = [Duties(each, woken.send) for each in (installation, *more)]
    woken.duties = list(duties_of(installation.feeds))
    done: list[str] = []
    while woken.duties:
        duty = woken.duties.pop(0)
        do(crew[len(done) % len(crew)], duty)
        done.append(duty)
        assert len(done) < 1_000
    return done


def do(duties: Duties, duty: str) -> None:
    """Do one duty by its name."""
    verb, _, side = duty.partition(".")
    if side:
        getattr(duties, verb)(side)
    else:
        getattr(duties, verb)()


class Watched:
    """A platform that calls back before and after its calls; `platform` is the real one. `pages` is handed
    the pages of changes, and hands on what it likes."""

    def __init__(
        self,
        platform: Platform,
        *,
        pages: Callable[[Iterator[ChangePage]], Iterator[ChangePage]] = lambda pages: pages,
        before_write: Callable[[Sequence[RecordWrite]], object] = lambda _writes: None,
        after_write: Callable[[Sequence[RecordWrite]], object] = lambda _writes: None,
    ) -> None:
        self.platform = platform
        self.side = platform.side
        self.batching = platform.batching
        self._pages = pages
        self._before_write = before_write
        self._after_write = after_write

    def __getattr__(self, name: str) -> Any:
        return getattr(self.platform, name)

    def changes(self, watches: Sequence[Watch], lane: Lane = Lane.LOOK) -> Iterator[ChangePage]:
        return self._pages(self.platform.changes(watches, lane))

    def write(self, writes: Sequence[RecordWrite], lane: Lane = Lane.UPDATE) -> Sequence[WriteResult]:
        self._before_write(writes)
        results = self.platform.write(writes, lane)
        self._after_write(writes)
        return results


def watching(installation: Installation, side: str, **calls: Callable[..., object]) -> Installation:
    """The same installation, with one side's platform watched. Close the real one, not this."""
    platforms: Mapping[str, Any] = {
        **installation.platforms,
        side: Watched(installation.platforms[side], **calls),
    }
    return replace(installation, platforms=platforms)
