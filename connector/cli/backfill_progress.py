"""BackfillProgress: how far a backfill is, how fast it goes, and how long it will take. On stderr.

A bar on a terminal; elsewhere a line now and then. What it knows of time comes from the clock it is given.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import typer

from connector.cli.output import SECOND_MS, counted, span

if TYPE_CHECKING:
    from types import TracebackType

    from connector.clock import Clock
    from connector.intake.backfill import Standing

EVERY_MS = 10 * SECOND_MS
"""Time between two lines where there is no terminal."""


class Pace:
    """Records a second since the beginning of this run, and the time that the rest will take."""

    def __init__(self, clock: Clock, standings: Sequence[Standing]) -> None:
        self._clock = clock
        self._began_ms = clock.now_ms()
        self._stands = {each.name: each for each in standings}
        self._read = 0

    def moved(self, standing: Standing) -> None:
        """An object stands there now."""
        self._read += max(0, standing.records - self._stands[standing.name].records)
        self._stands[standing.name] = standing

    def rate(self) -> float:
        """Records a second; 0 before there is anything to tell."""
        passed_ms = self._clock.now_ms() - self._began_ms
        return self._read * SECOND_MS / passed_ms if passed_ms > 0 else 0.0

    def left_ms(self) -> int | None:
        """How long the rest takes at this rate; None while that cannot be told."""
        waiting = [each for each in self._stands.values() if not each.done]
        rate = self.rate()
        if rate <= 0 or any(each.total is None for each in waiting):
            return None
        left = sum(max(0, (each.total or 0) - each.records) for each in waiting)
        return int(left * SECOND_MS / rate)

    def told(self, standing: Standing, wait_seconds: float = 0.0) -> str:
        """Where an object stands, in a line."""
        parts = [f"{standing.records:,} {self._of(standing)}".strip()]
        if wait_seconds:
            parts.append(f"waiting {wait_seconds:g} s for {standing.side}")
        if rate := self.rate():
            parts.append(f"{rate:,.0f} a second")
        left_ms = self.left_ms()
        if left_ms is not None and not all(each.done for each in self._stands.values()):
            parts.append(f"{span(left_ms)} left")
        return ", ".join(parts)

    def _of(self, standing: Standing) -> str:
        if standing.done:
            return "read"
        if not standing.total:
            return "so far"
        return f"of about {standing.total:,} ({min(100, 100 * standing.records // standing.total)} %)"


class _Leads:
    """How far it is with the leads, after the reading. Time counts from the first that is told."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pace: Pace | None = None

    def told(self, looked: int, total: int, what: str) -> str:
        """So many of about so many were looked at."""
        from connector.intake.backfill import Standing

        stands = Standing("", "leads", None, "", records=looked, total=total, done=looked >= total)
        if self._pace is None:
            self._pace = Pace(self._clock, [stands])
        self._pace.moved(stands)
        return f"{what}: {counted(looked, 'lead') if stands.done else self._pace.told(stands)}"


class Lines:
    """A line when an object begins and ends, and every ten seconds."""

    def __init__(self, clock: Clock, standings: Sequence[Standing]) -> None:
        self._clock = clock
        self._pace = Pace(clock, standings)
        self._leads = _Leads(clock)
        self._last_ms = 0
        self._object = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def page(self, standing: Standing, wait_seconds: float) -> None:
        """A page was stored, or is waited for."""
        self._pace.moved(standing)
        self._say(
            f"{standing.name}: {self._pace.told(standing, wait_seconds)}",
            always=standing.done or standing.name != self._object,
        )
        self._object = standing.name

    def leads(self, looked: int, total: int, what: str) -> None:
        """So many of about so many leads were looked at after the reading."""
        self._say(self._leads.told(looked, total, what), always=looked >= total)

    def _say(self, text: str, *, always: bool) -> None:
        now_ms = self._clock.now_ms()
        if always or now_ms - self._last_ms >= EVERY_MS:
            self._last_ms = now_ms
            typer.echo(text, err=True)


class Bar:
    """A bar for each object, on a terminal."""

    def __init__(self, clock: Clock, standings: Sequence[Standing]) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._pace = Pace(clock, standings)
        self._leads = _Leads(clock)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[told]}", markup=False),
            console=Console(stderr=True),
        )
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def page(self, standing: Standing, wait_seconds: float) -> None:
        """A page was stored, or is waited for."""
        self._pace.moved(standing)
        told, total = self._pace.told(standing, wait_seconds), standing.total
        if standing.done:  # the line stays there, and the rate and the time left are told by the next one
            told, total = f"{standing.records:,} read", standing.records
        # a bar of nothing would look as if nothing had been done
        self._put(standing.name, told, *((1, 1) if total == 0 else (standing.records, total)))

    def leads(self, looked: int, total: int, what: str) -> None:
        """So many of about so many leads were looked at after the reading."""
        self._put("leads", self._leads.told(looked, total, what), looked, max(looked, total))

    def _put(self, name: str, told: str, completed: int, total: int | None) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=None, told="")
        self._progress.update(self._tasks[name], completed=completed, total=total, told=told)


def progress(clock: Clock, standings: Sequence[Standing]) -> Bar | Lines:
    """The one that suits where stderr goes."""
    return Bar(clock, standings) if sys.stderr.isatty() else Lines(clock, standings)
