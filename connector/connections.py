"""Connections: each worker thread's own connections to the platforms, opened when it first needs them.

Platforms are confined to a thread. What was learned at start (accounts, metadata, owners, budgets) is shared
by the process, so a further thread costs a login where the platform wants one, and no other call.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping

from connector.platforms.protocol import Platform

Opener = Callable[[], Platform]


class Connections(Mapping[str, Platform]):
    """Side name to the calling thread's platform. `openers` make one each, in any thread. `opened` are
    connections that nobody else uses any more: the first thread that needs one takes it."""

    def __init__(self, openers: Mapping[str, Opener], opened: Mapping[str, Platform] | None = None) -> None:
        self._openers = dict(openers)
        self._local = threading.local()
        self._free = dict(opened or {})
        self._opened = list(self._free.values())
        self._lock = threading.Lock()

    def __getitem__(self, side: str) -> Platform:
        mine = self._mine()
        if side not in mine:
            with self._lock:
                free = self._free.pop(side, None)
            mine[side] = free if free is not None else self._open(side)
        return mine[side]

    def __iter__(self) -> Iterator[str]:
        return iter(self._openers)

    def __len__(self) -> int:
        return len(self._openers)

    def drop(self) -> None:
        """Close the calling thread's connections; the next use opens new ones."""
        mine = self._mine()
        dropped = list(mine.values())
        mine.clear()
        with self._lock:
            self._opened = [platform for platform in self._opened if platform not in dropped]
        for platform in dropped:
            platform.close()

    def close(self) -> None:
        """Close every thread's connections, after the threads have ended."""
        with self._lock:
            opened, self._opened = self._opened, []
        for platform in opened:
            platform.close()

    def _open(self, side: str) -> Platform:
        platform = self._openers[side]()
        with self._lock:
            self._opened.append(platform)
        return platform

    def _mine(self) -> dict[str, Platform]:
        mine: dict[str, Platform] | None = getattr(self._local, "mine", None)
        if mine is None:
            mine = self._local.mine = {}
        return mine
