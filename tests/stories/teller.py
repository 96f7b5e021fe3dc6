"""Teller: plays a story on both platforms, with leadloop between them over HTTP, and has the audience look
whether everybody sees what the story says.

Time is the story's own. Between two steps it leaps from one moment at which something falls due to the next,
as leadloop's clock would wake it; nobody sleeps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from connector.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from connector.demo.agreement import compare
from connector.intake.hints import follow_hints
from connector.learning import LEARN_EVERY_MS, learn_again
from connector.sandbox.hubspot.problems import Problem
from connector.sandbox.salesforce.refusals import Refusal
from connector.store.leads import next_due_ms
from connector.wiring import choose_configuration
from connector.worker.passes import Pass, act, run_until_quiet
from mappings.problems import Path as KeyPath
from tests.cli.shell import Shell
from tests.stories.audience import Audience
from tests.stories.changed_configuration import changed_configuration
from tests.stories.document import Step, Story
from tests.stories.hearing import Listen, NotHeard, by_streams, by_webhooks
from tests.stories.moments import told
from tests.stories.scene import Scene
from tests.stories.script import check_expectations, script_of
from tests.stories.sentences import Doing
from tests.world import World

AT_WORK_MS = HOUR_MS
"""leadloop is at work this long before the first step."""

BEFORE_MS = 7 * DAY_MS
"""What there was before leadloop happened this long before it went live."""

BETWEEN_LOOKS_SECONDS = 15.0

TOLD_AFTER_MS = SECOND_MS
"""How long the platforms take to tell of something, in a story in which they do."""


class StoryFailed(AssertionError):
    """Something is not as the story says. `str()` names the line of the story, what is seen and what was
    expected."""


def tell(story: Story, folder: Path, database_url: str) -> None:
    """Play the story to its end on an empty, migrated database. Raises ConfigErrors when it cannot be played,
    StoryFailed when it is wrong."""
    script = script_of(story)
    check_expectations(story)
    moments = list(story.moments())
    configuration = changed_configuration(story)
    start_ms = moments[0][2] - AT_WORK_MS - BEFORE_MS
    with World(folder, configuration, database_url, salespeople=(), start_ms=start_ms) as world:
        shell = Shell(folder, {"LEADLOOP_DATABASE_URL": database_url}, world.clock)
        teller = _Teller(story, world, script, shell)
        teller.begin()
        with _hearing(story, world) as listen:
            teller.listen = listen
            for step, number, at_ms in moments:
                teller.play(step, number, at_ms)
            teller.listen = None  # what a look finds from now on was not told
        teller.end()


def _hearing(story: Story, world: World) -> AbstractContextManager[Listen | None]:
    if story.told.webhooks:
        return by_webhooks(world)
    return by_streams(world) if story.told.streams else nullcontext()


class _Teller:
    """One telling. `listen`: how leadloop is told of what happens, where it does not look by itself."""

    def __init__(
        self, story: Story, world: World, script: Mapping[KeyPath, Sequence[Doing]], shell: Shell
    ) -> None:
        self._story = story
        self._world = world
        self._scene = Scene(world, story, shell)
        self._audience = Audience(story, self._scene)
        self._script = script
        self._owners_ms = 0
        self.listen: Listen | None = None

    def begin(self) -> None:
        """What was there before; then leadloop goes live."""
        self._do(("before",))
        self._world.clock.advance(BEFORE_MS / SECOND_MS)
        choose_configuration(self._world.database, self._world.config, self._world.clock.now_ms())
        self._work()

    def play(self, step: Step, number: int, at_ms: int) -> None:
        """Wait for the step, let people act, let leadloop come to rest, and look."""
        path: KeyPath = ("happens", number)
        self._audience.begin_step()
        self._wait(at_ms, path)
        self._do(path)
        for line_number, line in enumerate(step.leadloop):
            self._type(line, (*path, "leadloop", line_number))
        self._world.clock.advance((MINUTE_MS if self.listen is None else TOLD_AFTER_MS) / SECOND_MS)
        self._work()
        wrong = [] if step.then is None else self._audience.look(step.then, (*path, "then"))
        if wrong:
            raise StoryFailed("\n".join([f"On {self._now()}:", *wrong]))

    def end(self) -> None:
        """leadloop has nothing left to write, both platforms show what it holds to be true, and a sweep finds
        nothing that was missed."""
        self._world.clock.advance(MINUTE_MS / SECOND_MS)
        if written := self._work().written:
            raise StoryFailed(
                f"{self._story.document.source.name}: at its end {written} writes are left over"
            )
        swept = self._world.verify(repair=False)
        if swept.amiss:
            raise StoryFailed(
                f"{self._story.document.source.name}: at its end a sweep finds amiss {swept.named}"
            )
        for side, found in compare(self._world.leadloop, self._world.sandbox).items():
            if found.disagreeing:
                wrong = "; ".join(f"{record} {what}" for record, what in found.disagreeing.items())
                raise StoryFailed(f"{self._story.document.source.name}: at its end {side} disagrees: {wrong}")

    def _wait(self, until_ms: int, path: KeyPath) -> None:
        """Let the time pass; what falls due meanwhile is done in its moment."""
        clock = self._world.clock
        if clock.now_ms() > until_ms:
            raise self._failed(
                path, f"leadloop is at work on the step before until {self._now()}: begin later"
            )
        owners_ms: int | None = clock.now_ms() + LEARN_EVERY_MS
        while (now_ms := clock.now_ms()) < until_ms:
            with self._world.database.read() as conn:
                due_ms = next_due_ms(conn)
            to_ms = min([until_ms, *(stop for stop in (due_ms, owners_ms) if stop and stop > now_ms)])
            clock.advance((to_ms - now_ms) / SECOND_MS)
            if to_ms == owners_ms:
                for side in self._world.leadloop.feeds:
                    learn_again(self._world.leadloop, side)
                owners_ms = None  # who is there changes in steps only: once between two is enough
            self._work()

    def _do(self, path: KeyPath) -> None:
        for doing in self._script.get(path, ()):
            try:
                doing.do(self._scene)
            except (Refusal, Problem, KeyError) as error:
                why = error.args[0] if isinstance(error, KeyError) else error
                raise self._failed(doing.path, f'"{doing.text}" cannot be done: {why}') from error

    def _type(self, line: str, path: KeyPath) -> None:
        try:
            self._scene.command(line)
        except KeyError as error:
            raise self._failed(path, f'"leadloop {line}" cannot be done: {error.args[0]}') from error

    def _work(self) -> Pass:
        if self.listen is not None:
            return self._hear(self.listen)
        return run_until_quiet(self._world.leadloop, BETWEEN_LOOKS_SECONDS)

    def _hear(self, listen: Listen) -> Pass:
        """What leadloop does of what it is told alone: it does not look by itself."""
        result, installation = Pass(), self._world.leadloop
        while True:
            self._world.clock.advance(0.001)  # what is read now is not of the moment of our last write
            try:
                heard = listen()
            except NotHeard as error:
                raise StoryFailed(f"On {self._now()}: {error}") from error
            told = sum(follow_hints(installation, side).taken for side in installation.feeds)
            act(installation, result)
            if not heard and not told:
                return result

    def _now(self) -> str:
        return told(self._world.clock.now_ms(), self._story.zone)

    def _failed(self, path: KeyPath, text: str) -> StoryFailed:
        return StoryFailed(f"{self._story.place(path)}: {text}")
