"""Group commit: the hints of many deliveries stored in one transaction, each delivery told once it is there.

A commit that outlives a loss of power waits for the disk, and the disk takes one after another. While it is
busy, what comes in waits together and is stored by the next commit. What waits is bounded.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import structlog

from connector.clock import SECOND_MS, Clock
from connector.store.database import Database
from connector.store.errors import StoreError
from connector.store.inbox import Hint, count_hints, put_hints

MOST_AT_ONCE = 5_000
"""Hints in one transaction."""

MOST_WAITING = 50_000
"""Hints in memory that wait for their commit."""

COUNT_EVERY_MS = 2 * SECOND_MS
"""How often the inbox is counted at most."""

COUNTED_SHARE = 0.1
"""It is counted anew once this share of what it may hold has been stored: others fill and empty it too."""


log = structlog.get_logger()


class Full(Exception):
    """There is no room now. `str()` says where."""


class GroupCommit:
    """Stores hints; `run` does the work until `close`. All methods are for one event loop. `stored` is called
    with the sides of each commit, in the loop."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        most_in_inbox: int,
        stored: Callable[[Iterable[str]], object] = lambda _sides: None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._most_in_inbox = most_in_inbox
        self._stored = stored
        self._untold = False
        self._waiting: deque[tuple[Sequence[Hint], asyncio.Future[None]]] = deque()
        self._hints = 0
        self._counted = 0
        self._since_count = 0
        self._counted_ms = clock.now_ms() - COUNT_EVERY_MS
        self._counting: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._closing = False
        # one thread, so that the commits follow each other on one connection
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="leadloop-inbox")

    async def put(self, hints: Sequence[Hint]) -> None:
        """Return once the hints are stored for good. Raises Full, StoreError; nothing is stored then."""
        if not hints:
            return
        if self._hints + len(hints) > MOST_WAITING:
            raise Full("too many deliveries wait to be stored")
        if self._at_most_in_inbox >= self._most_in_inbox:
            await self._count()
            if self._at_most_in_inbox >= self._most_in_inbox:
                raise Full("the inbox is full")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((hints, done))
        self._hints += len(hints)
        self._wake.set()
        await done

    async def run(self) -> None:
        """Store what comes until closed, and what waits then."""
        try:
            with suppress(StoreError):  # deliveries are told what is wrong with the database
                await self._count()
            while self._waiting or not self._closing:
                await self._wake.wait()
                self._wake.clear()
                while self._waiting:
                    await self._commit(self._next())
        finally:
            if self._counting is not None:
                await self._counting
            self._thread.shutdown()

    def close(self) -> None:
        """Let `run` return once everything that waits is stored."""
        self._closing = True
        self._wake.set()

    def _next(self) -> list[tuple[Sequence[Hint], asyncio.Future[None]]]:
        taken: list[tuple[Sequence[Hint], asyncio.Future[None]]] = []
        hints = 0
        while self._waiting and (not taken or hints + len(self._waiting[0][0]) <= MOST_AT_ONCE):
            taken.append(self._waiting.popleft())
            hints += len(taken[-1][0])
        return taken

    async def _commit(self, taken: Sequence[tuple[Sequence[Hint], asyncio.Future[None]]]) -> None:
        hints = [hint for each, _ in taken for hint in each]
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, self._store, hints)
        except Exception as error:  # noqa: BLE001  # handed to each of those who wait
            for _, done in taken:
                if not done.done():
                    done.set_exception(error)
        else:
            for _, done in taken:
                if not done.done():
                    done.set_result(None)
            self._since_count += len(hints)
            self._tell_stored({hint.side for hint in hints})
        finally:
            self._hints -= len(hints)
        idle = self._counting is None or self._counting.done()
        if idle and self._since_count >= self._most_in_inbox * COUNTED_SHARE:
            self._counting = asyncio.create_task(self._count_quietly())

    def _tell_stored(self, sides: Iterable[str]) -> None:
        """Whatever goes wrong there: what comes next is stored all the same."""
        try:
            self._stored(sides)
        except Exception as error:  # noqa: BLE001  # told, once until it works again; the clock looks by itself
            if not self._untold:
                log.error("nobody woken for what came", error=type(error).__name__, sides=sorted(sides))
            self._untold = True
        else:
            self._untold = False

    def _store(self, hints: Sequence[Hint]) -> None:
        with self._database.begin() as conn:
            put_hints(conn, hints)

    @property
    def _at_most_in_inbox(self) -> int:
        """What was counted, and all that was stored since, as if none of it had been there or been read."""
        return self._counted + self._since_count

    async def _count_quietly(self) -> None:
        with suppress(StoreError):  # deliveries are told what is wrong with the database
            await self._count()

    async def _count(self) -> None:
        """Count the inbox, on another connection than that of the commits: a long one takes its time."""
        now_ms = self._clock.now_ms()
        if now_ms - self._counted_ms < COUNT_EVERY_MS:
            return
        self._counted_ms, self._since_count = now_ms, 0
        self._counted = await asyncio.to_thread(self._in_inbox)

    def _in_inbox(self) -> int:
        with self._database.read() as conn:
            return sum(filling.hints for filling in count_hints(conn).values())
