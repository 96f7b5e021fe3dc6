"""Quiet: when a leadloop that works in threads has nothing left to do.

It only looks, at the database and at when the worker last asked each platform; the worker is not steered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from connector.installation import Installation
from connector.store import leads as lead_store
from connector.store import outbox
from connector.worker.embedded import Embedded

LOOKS = 2
"""So many looks at each platform must bring nothing: the first may have begun before the change."""


class _Signs(NamedTuple):
    """What changes with every bit of work that leadloop does."""

    busy: bool
    leads: tuple[tuple[str, int, int], ...]


class Quiet:
    """Tells, asked again and again, whether leadloop has come to rest since it was made."""

    def __init__(self, installation: Installation, worker: Embedded) -> None:
        self._installation = installation
        self._worker = worker
        self._signs: _Signs | None = None
        self._polled: dict[str, int] = {}
        self._looks: dict[str, int] = {}

    def reached(self) -> bool:
        """Whether each platform was looked at twice with nothing to do before, in between and after."""
        polled = dict(self._worker.last_poll_ms)
        signs = self._read_signs()
        if signs.busy or signs != self._signs:
            self._signs = signs
            self._looks = dict.fromkeys(self._installation.feeds, 0)
        else:
            for side, at_ms in polled.items():
                self._looks[side] += at_ms != self._polled.get(side, at_ms)
        self._polled = polled
        return all(self._looks.get(side, 0) >= LOOKS for side in self._installation.feeds)

    def idle(self) -> bool:
        """Whether there is nothing to do that leadloop knows of; it need not have looked."""
        return not self._read_signs().busy

    def _read_signs(self) -> _Signs:
        now_ms = self._installation.clock.now_ms()
        with self._installation.database.read() as conn:
            todo = lead_store.backlog(conn, now_ms)
            waiting = outbox.counts(conn)
            leads = lead_store.read_leads(conn, lead_store.iterate_lead_ids(conn))
        return _Signs(
            busy=bool(todo.dirty or todo.due or waiting),
            leads=tuple((lead.id, lead.version, lead.generation) for lead in leads),
        )


def why_not(installation: Installation) -> Mapping[str, int]:
    """What there still is to do, for a message."""
    now_ms = installation.clock.now_ms()
    with installation.database.read() as conn:
        todo = lead_store.backlog(conn, now_ms)
        waiting = outbox.counts(conn)
    return {"dirty leads": todo.dirty, "due leads": todo.due, "writes waiting": sum(waiting.values())}
