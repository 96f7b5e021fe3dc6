"""Play: performs a script. People act, leadloop works in its threads, and the next act waits for it.

Time runs fast during an act and leaps over the days between two. Who watches is shown every frame.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from connector.clock import DAY_MS, HOUR_MS, SECOND_MS, Clock
from connector.demo import figures
from connector.demo.agreement import compare
from connector.demo.board import Board, Line, News
from connector.demo.cast import Act
from connector.demo.people import People
from connector.demo.quiet import Quiet, why_not
from connector.demo.story_clock import StoryClock
from connector.sandbox.host import Sandbox
from connector.sandbox.salesforce.refusals import Refusal
from connector.store.leads import next_due_ms
from connector.wiring import Connected
from connector.worker.embedded import Embedded
from mappings.vocabulary import CANONICAL, Vocabulary

FRAME_SECONDS = 0.12
ACT_AT_MOST_SECONDS = 12.0
END_AT_MOST_SECONDS = 15.0
LATE_SECONDS = 25.0
"""A performance that has taken so long, on a busy machine, gives no more time for reading."""

LEAP_MS = 2 * DAY_MS
LEAP_SECONDS = 0.04
"""The longest leap of time, and the real seconds in which leadloop may look at what it brought."""

DUE_AT_MOST_SECONDS = 2.0
"""How long leadloop is given, in real time, for what falls due between two acts."""


def leap_to_ms(now_ms: int, until_ms: int, due_ms: int | None) -> int:
    """The end of the next leap on the way to `until_ms`: where something falls due, or two days on."""
    end_ms = min(until_ms, now_ms + LEAP_MS)
    return end_ms if due_ms is None or due_ms <= now_ms else min(end_ms, due_ms)


class StoryStopped(Exception):
    """The script cannot go on: somebody is not where it expects them. `str()` is a sentence."""


class Show(Protocol):
    """Whoever watches."""

    act_seconds: float
    """How many real seconds an act lasts at least, to be read."""

    def act(self, number: int, of: int, at_ms: int, caption: str) -> None:
        """An act begins."""
        ...

    def frame(self, now_ms: int, lines: Sequence[Line], news: Sequence[News]) -> None:
        """How things stand now, and what has happened since the last frame."""
        ...


@dataclass(slots=True)
class Play:
    """One performance. `perform` returns the figures; `clock` is the story's, `wall` the real one, and
    `monday_ms` the midnight from which the acts count their days."""

    sandbox: Sandbox
    connected: Connected
    clock: StoryClock
    people: People
    show: Show
    wall: Clock
    monday_ms: int
    vocabulary: Vocabulary = CANONICAL
    _failure: list[BaseException] = field(default_factory=list)

    def perform(self, script: Sequence[Act]) -> dict[str, Any]:
        """Everything, from the first act to the agreement of both platforms.

        Raises StoryStopped, and whatever the worker failed with."""
        began_ms, start_ms = self.wall.now_ms(), self.clock.now_ms()
        installation = self.connected.installation
        startup = sum(budget.total() for budget in self.connected.budgets.values())
        before = figures.requests_to(self.sandbox)
        cast = list(self.people.characters.values())
        board = Board(installation, self.sandbox, cast, self.people.diary, self.vocabulary)
        with self._working() as worker:
            for number, act in enumerate(script, start=1):
                begins_ms = self.monday_ms + act.day * DAY_MS + int(act.hour * HOUR_MS)
                self._wait_for(begins_ms, worker, board)
                self.show.act(number, len(script), self.clock.now_ms(), act.caption)
                try:
                    act.play(self.people)
                except (KeyError, Refusal) as error:
                    raise StoryStopped(f"Act {number} ({act.caption}) cannot go on: {error}") from error
                late = self.wall.now_ms() - began_ms > LATE_SECONDS * SECOND_MS
                self._rest(worker, board, 0.0 if late else self.show.act_seconds, ACT_AT_MOST_SECONDS)
            quiet = self._rest(worker, board, 0.0, END_AT_MOST_SECONDS)
        agreement = compare(installation, self.sandbox)
        after = figures.requests_to(self.sandbox)
        stages = figures.stages_of(installation)
        return {
            "leads": sum(stages.values()),
            "stages": stages,
            "moves": figures.moves_of(installation),
            "rejections": figures.rejections_of(installation),
            "agreement": {side: found.to_json() for side, found in agreement.items()},
            **figures.disagreeing(agreement),
            "holds": figures.holds_of(installation),
            **({} if quiet else {"unfinished": dict(why_not(installation))}),
            "requests": {side: after[side] - before[side] for side in after},
            "startup_requests": startup,
            "simulated_days": round((self.clock.now_ms() - start_ms) / DAY_MS),
            "seconds": round((self.wall.now_ms() - began_ms) / SECOND_MS, 1),
        }

    @contextmanager
    def _working(self) -> Iterator[Embedded]:
        """leadloop at work in threads of its own, stopped at the end whatever happens."""
        worker = Embedded(self.connected.installation)
        thread = threading.Thread(target=self._run, args=(worker,), name="leadloop")
        thread.start()
        try:
            yield worker
        finally:
            worker.stop()
            thread.join()

    def _run(self, worker: Embedded) -> None:
        try:
            worker.run()
        except BaseException as error:  # noqa: BLE001  # handed to the performance, which raises it
            self._failure.append(error)

    def _wait_for(self, moment_ms: int, worker: Embedded, board: Board) -> None:
        """Let the time pass in leaps, each to where something falls due; leadloop does that in its moment,
        goes on looking at both platforms meanwhile, and has done everything before somebody acts again."""
        quiet = Quiet(self.connected.installation, worker)
        while (now_ms := self.clock.now_ms()) < moment_ms:
            due_ms = self._due_ms()
            to_ms = leap_to_ms(now_ms, moment_ms, due_ms)
            self.clock.advance((to_ms - now_ms) / SECOND_MS)
            self._draw(board)
            self.wall.sleep(LEAP_SECONDS)
            if to_ms == due_ms:
                self._until_idle(quiet, DUE_AT_MOST_SECONDS)
        self._until_idle(quiet, ACT_AT_MOST_SECONDS)

    def _due_ms(self) -> int | None:
        with self.connected.installation.database.read() as conn:
            return next_due_ms(conn)

    def _until_idle(self, quiet: Quiet, at_most: float) -> None:
        """Wait until leadloop knows of nothing to do, for so many real seconds at most."""
        give_up_ms = self.wall.now_ms() + at_most * SECOND_MS
        while not quiet.idle() and not self._failure and self.wall.now_ms() < give_up_ms:
            self.wall.sleep(LEAP_SECONDS)

    def _rest(self, worker: Embedded, board: Board, at_least: float, at_most: float) -> bool:
        """Wait until leadloop has nothing left to do, between so many real seconds; whether it has not."""
        quiet = Quiet(self.connected.installation, worker)
        began_ms = self.wall.now_ms()
        while True:
            self._draw(board)
            if self._failure:
                raise self._failure[0]
            passed = (self.wall.now_ms() - began_ms) / SECOND_MS
            reached = quiet.reached()
            if (reached and passed >= at_least) or passed >= at_most:
                self._draw(board)
                return reached
            self.wall.sleep(FRAME_SECONDS)

    def _draw(self, board: Board) -> None:
        lines, news = board.look()
        self.show.frame(self.clock.now_ms(), lines, news)
