"""Performance: the whole script of the cast, performed without threads on a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from connector.clock import DAY_MS, HOUR_MS, ManualClock
from connector.demo.agreement import SideAgreement, compare
from connector.demo.board import Board, Line, News
from connector.demo.cast import CAST, SALES, SCRIPT
from connector.demo.people import People
from connector.demo.stage_set import cast_configuration, set_stage
from connector.lead import LeadState
from connector.sandbox.host import Sandbox
from connector.store import leads as lead_store
from connector.store import ledger
from connector.store.ledger import LedgerRow
from connector.wiring import Connected
from connector.worker.passes import run_until_quiet

MONDAY_MS = 1_799_020_800_000  # 2027-01-04T00:00:00Z


@dataclass
class Performance:
    """What was there to be seen after each act, and what is there at the end."""

    sandbox: Sandbox
    connected: Connected
    clock: ManualClock
    lines: dict[str, dict[str, Line]] = field(default_factory=dict)
    news: list[News] = field(default_factory=list)

    def after(self, act: Callable[[People], None], name: str) -> Line:
        """The line of one lead once leadloop had come to rest after that act."""
        return self.lines[act.__name__][name]

    def moves(self, name: str) -> list[LedgerRow]:
        """The moves of one lead."""
        with self.connected.installation.database.read() as conn:
            return ledger.of_lead(conn, self.state(name).lead_id)

    def state(self, name: str) -> LeadState:
        """leadloop's own view of one lead."""
        email = next(each.email for each in CAST if each.name == name)
        with self.connected.installation.database.read() as conn:
            found = lead_store.find_leads(conn, email)
        assert len(found) == 1, f"{name}: {len(found)} leads"
        return LeadState.from_json(found[0].state)

    def agreement(self) -> dict[str, SideAgreement]:
        """Of both platforms, now."""
        return compare(self.connected.installation, self.sandbox)


@contextmanager
def performed() -> Iterator[Performance]:
    """Every act in its turn, with leadloop at rest before and after."""
    clock = ManualClock(MONDAY_MS)
    with set_stage(clock, cast_configuration(), SALES) as (sandbox, connected):
        installation = connected.installation
        people = People(sandbox, clock, CAST)
        board = Board(installation, sandbox, CAST, people.diary)
        shown = Performance(sandbox, connected, clock)
        for act in SCRIPT:
            begins_ms = MONDAY_MS + act.day * DAY_MS + int(act.hour * HOUR_MS)
            clock.advance(max(0, begins_ms - clock.now_ms()) / 1_000)
            run_until_quiet(installation, 60.0)
            act.play(people)
            clock.advance(60)
            run_until_quiet(installation, 60.0)
            lines, news = board.look()
            shown.lines[act.play.__name__] = {line.name: line for line in lines}
            shown.news.extend(news)
        yield shown
