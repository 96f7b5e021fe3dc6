"""Seeded: a company's leads over months, as the ledger and the database hold them; the same every time.

Made up, so that every figure of the report has something to show: a rule whose leads sales does not want, a
salesperson who leaves leads alone, a campaign that works, rejections without a reason, records that differ.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from connector.lead import LeadState
from connector.report.context import MoveContext
from connector.store import ledger, rollups
from connector.store.database import Database
from connector.store.deadline_events import DeadlineEvent
from connector.store.deadline_events import add as add_events
from connector.store.leads import Lead, insert_leads
from connector.store.ledger import LedgerRow
from mappings.stages import Stage

HOUR, DAY = 3_600_000, 86_400_000
AT_ONCE = 2_000

CAMPAIGNS = {
    "Web": ("Pricing page", "Newsletter", "Blog"),
    "Trade show": ("Hannover 2026", "Lisbon 2026"),
    "Webinar": ("Rules that teach", "Clean data"),
    "Partner": ("Acme referrals",),
    "Bought list": ("List of March",),
}
SOURCES = tuple(CAMPAIGNS)
OWNERS = ("anna@sales.example", "bruno@sales.example", "carla@sales.example", "queue:Inbound Leads")
COUNTRIES = ("DE", "US", "FR", "GB", "AT", "CH")
FIT = ("decides", "large company", "served country")
ENGAGEMENT = ("filled in a form", "visited the website", "opened e-mails")
DIFFERING = {"salesforce": "Head of Sales", "hubspot": "VP <Sales>"}
REASONS = ("timing", "not_a_fit", "no_budget", "unreachable", "bad_data", "unspecified")


class Life(NamedTuple):
    """A lead: its state in the end, its moves with their contexts, and its deadlines."""

    state: LeadState
    moves: list[tuple[LedgerRow, MoveContext]]
    deadlines: list[DeadlineEvent]


def lives(until_ms: int, days: int, seed: int = 1, breadth: int = 1) -> Iterator[Life]:
    """Leads without end, each first seen on a day of the last `days`; with so many times as many campaigns
    and salespeople."""
    chance = random.Random(seed)
    number = 0
    while True:
        born_ms = until_ms - int(chance.random() * days * DAY)
        lead_id = f"L{born_ms:011x}{number:013x}"  # begins with the moment, as real ones do
        way = _Way(chance, lead_id, born_ms, until_ms, breadth)
        yield _life(way, chance, born_ms, number)
        number += 1


def store(database: Database, made: Iterable[Life]) -> int:
    """Store leads with their ledger, not counted yet; returns the number of moves."""
    moves = 0
    made = iter(made)
    while part := list(islice(made, AT_ONCE)):
        rows = [move for life in part for move in life.moves]
        with database.begin() as conn:
            insert_leads(conn, [_lead(life.state) for life in part])
            numbers = ledger.append(conn, [row for row, _ in rows])
            rollups.put_contexts(conn, zip(numbers, (about for _, about in rows), strict=True))
            add_events(conn, [event for life in part for event in life.deadlines])
        moves += len(rows)
    return moves


class _Way:
    """One lead on its way; what happens after the end has not happened yet."""

    def __init__(self, chance: random.Random, lead_id: str, at_ms: int, until_ms: int, breadth: int) -> None:
        self.chance, self.lead_id, self.at_ms, self.until_ms = chance, lead_id, at_ms, until_ms
        self.breadth = breadth
        self.source = chance.choices(SOURCES, (5, 2, 2, 1, 2))[0]
        self.campaign = chance.choice(CAMPAIGNS[self.source]) + self.one_of_many()
        self.country = chance.choice(COUNTRIES)
        self.owner: str | None = None
        self.stage: str | None = None
        self.since_ms, self.cycle, self.touches = at_ms, 1, 0
        self.outcome: Any = None
        self.moves: list[tuple[LedgerRow, MoveContext]] = []
        self.deadlines: list[DeadlineEvent] = []

    def goes(self, target: str, after_ms: float, cause: str = "rules", **given: Any) -> bool:
        """Move on after a while; False when that is still to come."""
        at_ms = self.at_ms + int(after_ms)
        if at_ms > self.until_ms:
            return False
        self.at_ms = at_ms
        self.cycle += given.pop("new", 0)
        values: dict[str, Any] = {"skipped": (), "actor": None, "rules": [], "reason": None, "outcome": None}
        row = LedgerRow(
            self.lead_id, self.cycle, self.stage, target, happened_ms=at_ms, recorded_ms=at_ms, cause=cause,
            configuration="seeded", **{**values, **given},
        )  # fmt: skip
        owner = self.owner or "(none)"
        touches = self.touches if target == "mql" else None
        self.moves.append((row, MoveContext(self.source, self.campaign, self.country, owner, touches)))
        self.stage, self.since_ms, self.outcome = target, at_ms, given.get("outcome")
        return True

    def one_of_many(self) -> str:
        """Tells apart what there is more of than in a small company."""
        return f" {self.chance.randrange(self.breadth)}" if self.breadth > 1 else ""

    def deadline(self, what: Any, at_ms: int) -> None:
        if at_ms <= self.until_ms:
            event = DeadlineEvent(
                self.lead_id,
                self.cycle,
                "first response",
                "distributed",
                what,
                at_ms,
                at_ms + 4 * HOUR,
                self.owner,
            )
            self.deadlines.append(event)


def _life(way: _Way, chance: random.Random, born_ms: int, number: int) -> Life:
    way.goes("inquiry", 0, "created")
    if way.goes("qualification", 0, actor="qualification gate") and chance.random() < 0.9:
        way.goes("nurture", chance.random() * 2 * DAY, actor="nurture gate")
    for _ in range(3):
        if way.stage not in ("nurture", "qualification") or chance.random() > 0.55:
            break
        if not _pursue(way, chance):
            break
    values = {
        "email": f"lead{number}@company{number % 997}.example",
        "company": f"Company {number % 997}",
        "lead_source": way.source,
        "last_touch_campaign": way.campaign,
        "country": way.country,
        "job_title": "Head of Sales",
    }
    state = LeadState(
        lead_id=way.lead_id, origin="hubspot", created_ms=born_ms, stage=Stage(way.stage or "inquiry"),
        outcome=way.outcome, cycle=way.cycle, stage_since_ms=way.since_ms, started=True, values=values,
        owner=way.owner,
        differences={"job_title": DIFFERING} if number % 97 == 5 else {},
        unspelled={"hubspot.owner": "a queue cannot own a contact"} if number % 151 == 7 else {},
    )  # fmt: skip
    return Life(state, way.moves, way.deadlines)


def _pursue(way: _Way, chance: random.Random) -> bool:
    """From nurture to wherever sales takes it; False when it stays there."""
    way.touches += chance.randint(1, 9)
    fired = [
        *({"rule": name, "part": "fit", "points": 15} for name in FIT if chance.random() < 0.5),
        *({"rule": name, "part": "engagement", "points": 20} for name in ENGAGEMENT if chance.random() < 0.5),
    ]
    actor = "mql gate"
    if chance.random() < 0.15:
        actor = "asked for a demo"
        fired.append({"rule": actor, "part": "fast_track", "points": 0})
    person = chance.choice(OWNERS)
    way.owner = person + way.one_of_many()  # the move to MQL is recorded with that to the owner
    if not way.goes("mql", chance.expovariate(1 / (20 * DAY)), actor=actor, rules=fired):
        way.owner = None
        return False
    way.goes("distributed", 0, actor="everyone")
    way.deadline("started", way.at_ms)
    names = {rule["rule"] for rule in fired}
    liking = 0.62 + 0.2 * (actor != "mql gate") - 0.3 * ("opened e-mails" in names)
    liking += {"Partner": 0.2, "Bought list": -0.35}.get(way.source, 0.0)
    if chance.random() < {"bruno@sales.example": 0.35}.get(person, 0.06):
        way.deadline("breached", way.at_ms + 4 * HOUR)
        if chance.random() < 0.5 and way.goes("nurture", 14 * DAY, "clock", reason="no answer", new=1):
            way.owner = None
            return True
        return False  # nobody touches it
    answer_ms = chance.lognormvariate(1.2, 1.1) * HOUR
    way.deadline("met" if answer_ms <= 4 * HOUR else "breached", way.at_ms + int(answer_ms))
    if chance.random() > liking:
        reason = chance.choices(REASONS, (6, 5, 3, 3, 2, 2))[0]
        if not way.goes("nurture", answer_ms, "sales", reason=reason, actor="0055g1", new=1):
            return False
        way.owner = None
        return True
    return (
        way.goes("accepted", answer_ms, "sales", actor="0055g1")
        and chance.random() < 0.7
        and way.goes("qualified", chance.lognormvariate(2, 0.8) * DAY, "sales")
        and chance.random() < 0.7
        and way.goes("opportunity", chance.lognormvariate(1.5, 0.8) * DAY, "fact")
        and chance.random() < 0.8
        and way.goes("closed", chance.lognormvariate(3.2, 0.7) * DAY, "fact", **_end(chance))
        and False
    )


def _end(chance: random.Random) -> dict[str, str]:
    return {"outcome": "won"} if chance.random() < 0.4 else {"outcome": "lost", "reason": "price"}


def _lead(state: LeadState) -> Lead:
    return Lead(
        state.lead_id, 2, 2, state.stage.value, state.cycle, None, None, state.created_ms, state.to_json()
    )
