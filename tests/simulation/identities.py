"""Identities: people are merged, converted, deleted, brought back, renamed and forgotten on both platforms,
told of in any order or not at all, while leadloop looks, reads, sweeps and decides; then what must be true.

A walk is a list of numbers, one a step, so that a walk that fails can be made shorter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from random import Random
from threading import Event
from typing import Any

from connector.installation import Installation
from connector.intake.backfill import Standing, begin, objects_of, read
from connector.intake.forgetting import forget_lead
from connector.intake.hints import follow_hints
from connector.intake.poll import poll
from connector.intake.sweep import sweep
from connector.platforms.hubspot.events import read_event
from connector.sandbox.hubspot.problems import Problem
from connector.sandbox.salesforce.refusals import Refusal
from connector.settle import settle
from connector.store import leads as lead_store
from connector.store.inbox import Hint, put_hints
from connector.worker.passes import Pass, act, run_until_quiet
from tests.simulation.identity_truths import what_is_wrong
from tests.simulation.lives import Act, Lives
from tests.world import World

HINTED = ("Lead", "Contact", "Opportunity")


class Identities:
    """One walk over a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.log: list[str] = []
        self.wrong: list[str] = []
        self.lives = Lives(world)
        self._events: list[Hint] = []
        self._lead_ids = 0
        self._installation: Installation | None = None
        acts: list[tuple[int, Act]] = [
            *self.lives.acts,
            (1, self.forget),
            (8, self.look),
            (8, self.tell),
            (8, self.decide),
            (3, self.deliver_some),
            (3, self.sweep_one),
            (4, self.pass_time),
            (2, self.start_again),
        ]
        self._acts = [one for _, one in acts]
        self._weights = [weight for weight, _ in acts]
        world.hubspot.crm.webhooks.subscribe("http://127.0.0.1:9/unused")
        world.salesforce.outbound.set_up(
            "http://127.0.0.1:9/unused", HINTED, world.salesforce.integration_user_id
        )

    # walking --------------------------------------------------------------------------------------------

    def step(self, number: int) -> None:
        """One thing that happens; the number says which."""
        chance = Random(number)
        one = chance.choices(self._acts, self._weights)[0]
        self.world.later(seconds=chance.choice([0, 1, 7, 40]))
        try:
            told = one(chance)
        except (Refusal, Problem, KeyError) as refused:
            told = f"was refused: {refused!r}"
        self._hear()
        if told is not None:
            self.log.append(f"{one.__name__}: {told}")

    def before(self, number: int) -> None:
        """One thing that people do before leadloop is there; what they did then does not count."""
        chance = Random(number)
        places = range(self._acts.index(self.forget))
        one = self._acts[chance.choices(places, [self._weights[place] for place in places])[0]]
        self.world.later(seconds=chance.choice([0, 1, 7, 40]))
        with suppress(Refusal, Problem, KeyError):
            self.log.append(f"before: {one.__name__}: {one(chance)}")
        self.world.hubspot.crm.webhooks.pending.clear()
        self.world.salesforce.outbound.pending.clear()
        self.lives.did.clear()

    def backfill(self, numbers: Iterator[int], chance: Random) -> None:
        """Read everything, page by page; between the pages life goes on, and now and then it is stopped."""
        self.world.salesforce.bulk.page_size = 3
        while True:
            installation, stopping = self.installation(), Event()

            def told(standing: Standing, _wait_seconds: float) -> None:
                self.log.append(f"page of {standing.name}: {standing.records}")
                for number in islice(numbers, 2):
                    self.step(number)
                if chance.random() < 0.3:
                    stopping.set()  # noqa: B023  # called within this turn alone

            standings = begin(installation, objects_of(installation))
            if all(each.done for each in standings):
                return
            read(installation, next(each for each in standings if not each.done), told, stopping)

    def installation(self) -> Installation:
        """leadloop, connected, with ids that are the same in every run."""
        installation = self.world.leadloop
        if installation is not self._installation:
            self._installation = installation
            installation.jitter = lambda: 0.5
            installation.new_lead_id = self._new_lead_id
            installation.on_event = self._on_event
            for platform in installation.platforms.values():
                self._watch(platform)
        return installation

    def _new_lead_id(self, _now_ms: int) -> str:
        self._lead_ids += 1
        return f"L{self._lead_ids:024}"

    def _on_event(self, name: str, facts: Any) -> None:
        if name == "cannot_decide":
            self.wrong.append(f"{name}: {dict(facts)}")

    def _watch(self, platform: Any) -> None:
        write: Callable[..., Any] = platform.write

        def watched(writes: Any, lane: Any = None) -> Any:
            for one in writes:
                self.log.append(f"  → {one.object} {one.record_id} {dict(one.fields)}")
                said = {str(value).lower() for value in one.fields.values()}
                if one.record_id is None and said & self.lives.forgotten:
                    self.wrong.append(f"made again: {one.object} {dict(one.fields)}")
            return write(writes, lane)

        platform.write = watched

    def _hear(self) -> None:
        """What the platforms would send lies with us, to be told when and in what order chance has it."""
        now_ms = self.world.clock.now_ms()
        webhooks, outbound = self.world.hubspot.crm.webhooks, self.world.salesforce.outbound
        for event in webhooks.pending:
            self._events += [Hint("hubspot", *told, now_ms) for told in read_event(event)]
        self._events += [
            Hint("salesforce", name, row_id, "read", now_ms) for name, row_id in outbound.pending
        ]
        webhooks.pending.clear()
        outbound.pending.clear()

    # leadloop -------------------------------------------------------------------------------------------

    def forget(self, chance: Random) -> str | None:
        with self.world.database.read() as conn:
            ids = list(lead_store.iterate_lead_ids(conn))
        if not ids:
            return None
        lead_id = chance.choice(ids)
        self.lives.will_be_forgotten(None, lead_id)
        with self.world.database.begin() as conn:
            forget_lead(conn, self.installation(), lead_id, self.world.clock.now_ms())
        return lead_id

    def look(self, chance: Random) -> str:
        side = chance.choice(["salesforce", "hubspot"])
        return f"{side} {poll(self.installation(), side)}"

    def tell(self, chance: Random) -> str | None:
        """Some of what the platforms have sent arrives, in any order, some of it twice, some never."""
        if not self._events:
            return None
        chance.shuffle(self._events)
        number = chance.randint(1, len(self._events))
        now, self._events = self._events[:number], self._events[number:]
        now += [each for each in now if chance.random() < 0.2]
        lost = [each for each in now if each.kind != "forget" and chance.random() < 0.1]
        now = [each for each in now if each not in lost]
        self._take(now)
        return f"{[each[1:4] for each in now]}"

    def _take(self, hints: list[Hint]) -> None:
        with self.world.database.begin() as conn:
            put_hints(conn, hints)
        for side in self.installation().feeds:
            while follow_hints(self.installation(), side).taken:
                pass
        if any(each.kind == "forget" for each in hints):
            self.lives.forgotten |= self.lives.to_be_forgotten
            self.lives.to_be_forgotten = set()

    def decide(self, _chance: Random) -> str:
        return f"{act(self.installation(), Pass())} written"

    def deliver_some(self, _chance: Random) -> str:
        return f"{settle(self.installation())}"

    def sweep_one(self, chance: Random) -> str:
        side = chance.choice(["salesforce", "hubspot"])
        swept = sweep(self.installation(), side)
        return f"{side} {swept and dict(swept.findings.found)}"

    def pass_time(self, chance: Random) -> str:
        units: dict[str, float] = chance.choice([{"minutes": 2}, {"minutes": 16}, {"hours": 2}, {"days": 2}])
        self.world.later(**units)
        return str(units)

    def start_again(self, _chance: Random) -> None:
        self.world.reconnect()
        self.installation()

    # the end --------------------------------------------------------------------------------------------

    def check(self) -> list[str]:
        """Everything is told, looked at and swept; then what is wrong, which is nothing if all is well."""
        self.log.append("the end")
        self._take([each for each in self._events if each.kind == "forget"])
        for _ in range(2):
            self.world.later(hours=3)
            run_until_quiet(self.installation(), 60.0)
            self.world.verify()
        run_until_quiet(self.installation(), 60.0)
        self.world.later(hours=3)
        run_until_quiet(self.installation(), 60.0)
        somebody_forgotten = any(told.startswith(("forget", "privacy_delete")) for told in self.log)
        return [
            *self.wrong,
            *what_is_wrong(self.world, self.installation(), self.lives, forgotten=somebody_forgotten),
        ]
