"""Year: a recorded year. leadloop itself works through a year of made-up people, into a real database.

Polls, decisions, writes and the ledger are leadloop's own; the platforms keep their records in memory and the
clock leaps from day to day. The same seed gives the same year, down to the lead ids. For tests, for the
documentation, and for whoever wants to try `leadloop backtest` and `leadloop report` without a history.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from importlib import resources
from itertools import count
from random import Random
from typing import Any, Final

from connector.brake import BrakeLimits
from connector.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, ManualClock
from connector.configuration import (
    DEFAULT_MAPPINGS,
    MAIN_FILE,
    PRESET,
    Configuration,
    compile_documents,
    shipped,
)
from connector.demo.crowd import Doing, Soul, crowd
from connector.demo.memory_platform import MemoryPlatform, iso
from connector.installation import Installation
from connector.settings import load_settings
from connector.store.database import Database
from connector.wiring import choose_configuration, connect
from connector.worker.passes import Pass, act, look
from mappings.stages import Stage

START_MS: Final = 1_767_571_200_000  # 2026-01-05T00:00:00Z, a Monday
DAYS: Final = 365
LEADS: Final = 300
STEP_DAYS: Final = 3
"""leadloop looks every third day: more looks take longer and tell hardly more."""

SEED: Final = 4
SALES: Final = ("sam@sales.example", "kim@sales.example", "lou@sales.example")
OBJECTS: Final = {
    "hubspot": ("contacts",),
    "salesforce": ("Lead", "Contact", "Opportunity", "OpportunityContactRole"),
}
COUNTERS: Final = {
    "form": ("num_conversion_events", "recent_conversion_date"),
    "visit": ("hs_analytics_num_visits", "hs_analytics_last_timestamp"),
    "click": ("hs_email_click", "hs_email_last_click_date"),
}


def year_configuration(rules: str | None = None) -> Configuration:
    """The shipped mappings with the rules in force during the year (rules/examples/year.yaml), or others."""
    presets = {name: shipped("mappings", name.removeprefix(PRESET)) for name in DEFAULT_MAPPINGS}
    return compile_documents(
        {MAIN_FILE: "rules: [year.yaml]\n", "year.yaml": rules or year_rules("year"), **presets}
    )


def year_rules(name: str) -> str:
    """The text of one of the rules documents for the year: year, or year-better."""
    return resources.files("rules").joinpath("examples", f"{name}.yaml").read_text(encoding="utf-8")


def record_year(
    database: Database,
    leads: int = LEADS,
    seed: int = SEED,
    days: int = DAYS,
    configuration: Configuration | None = None,
) -> Year:
    """Live through a year on an empty, migrated database. Takes some seconds for 300 leads."""
    year = Year(database, configuration or year_configuration(), crowd(leads, seed, days), seed, days)
    year.live()
    return year


@dataclass(slots=True)
class Year:
    """The year as it is lived: everybody's agenda, and two platforms in memory."""

    database: Database
    configuration: Configuration
    people: list[Soul]
    seed: int
    days: int
    clock: ManualClock = field(default_factory=lambda: ManualClock(START_MS))
    installation: Installation = field(init=False)
    hubspot: MemoryPlatform = field(init=False)
    salesforce: MemoryPlatform = field(init=False)
    _chance: Random = field(init=False)
    _agenda: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = field(default_factory=list)
    _turn: Iterator[int] = field(default_factory=count)
    _contacts: dict[int, str] = field(default_factory=dict)
    _handed: set[tuple[str, int]] = field(default_factory=set)
    _by_email: dict[str, Soul] = field(init=False)

    def __post_init__(self) -> None:
        self._chance = Random(self.seed + 1)  # noqa: S311  # made-up salespeople, no secret
        self._by_email = {soul.email: soul for soul in self.people}
        users = {f"00500000000000{number}AAA": mail for number, mail in enumerate(SALES, start=1)}
        owners = {str(500 + number): mail for number, mail in enumerate(SALES, start=1)}
        self.hubspot = self._platform("hubspot", owners)
        self.salesforce = self._platform("salesforce", users)
        chosen, _ = choose_configuration(self.database, self.configuration, START_MS)
        settings = load_settings({}, {})
        platforms = {"hubspot": self.hubspot, "salesforce": self.salesforce}
        self.installation = connect(chosen, settings, self.database, self.clock, platforms).installation
        self.installation.brake = BrakeLimits({})
        self.installation.new_lead_id = self._new_lead_id
        for soul in self.people:
            for doing in soul.doings:
                self._put(START_MS + doing.after_ms, self._does, soul, doing)

    def live(self) -> None:
        """Day after day: people act, leadloop works, and sales looks at what it was handed."""
        for day in range(STEP_DAYS, self.days + STEP_DAYS, STEP_DAYS):
            evening_ms = START_MS + min(day, self.days) * DAY_MS
            while self._agenda and self._agenda[0][0] < evening_ms:
                at_ms, _, do, arguments = heappop(self._agenda)
                self._until(at_ms)
                do(*arguments)
            self._until(evening_ms)
            done = Pass()
            look(self.installation, done)
            act(self.installation, done)
            self._look_at_inbox()

    def _platform(self, side: str, people: Mapping[str, str]) -> MemoryPlatform:
        described = self.configuration.mapping.sides[side].objects
        objects = {name: target for name, target in described.items() if name in OBJECTS[side]}
        return MemoryPlatform(
            side=side,
            clock=self.clock,
            natives={name: target.natives for name, target in objects.items()},
            people=people,
            defaults={"Lead": {"Status": "Open - Not Contacted"}},
            created={name: target.created for name, target in objects.items() if target.created},
        )

    def _new_lead_id(self, now_ms: int) -> str:
        return f"L{now_ms:011x}{self._chance.getrandbits(52):013x}"

    def _put(self, at_ms: int, do: Callable[..., None], *arguments: Any) -> None:
        heappush(self._agenda, (at_ms, next(self._turn), do, arguments))

    def _until(self, at_ms: int) -> None:
        self.clock.advance(max(0, at_ms - self.clock.now_ms()) / SECOND_MS)

    # marketing ----------------------------------------------------------------------------------------------

    def _does(self, soul: Soul, doing: Doing) -> None:
        counter, dated = COUNTERS[doing.act]
        contact = self._contacts.get(soul.number)
        now = iso(self.clock.now_ms())
        more = {"recent_conversion_event_name": doing.detail} if doing.detail else {}
        if contact is None:
            self._contacts[soul.number] = self.hubspot.insert(
                "contacts",
                None,
                email=soul.email,
                firstname=soul.first_name,
                lastname=soul.last_name,
                jobtitle=soul.title,
                company=soul.company,
                annualrevenue=str(soul.revenue),
                country=soul.country,
                hs_analytics_source=soul.source,
                lifecyclestage="lead",
                **{counter: "1", dated: now, **more},
            )
            return
        before = self.hubspot.records["contacts"][contact].fields.get(counter)
        self.hubspot.update(
            "contacts", contact, None, **{counter: str(int(str(before or 0)) + 1), dated: now, **more}
        )

    # sales --------------------------------------------------------------------------------------------------

    def _look_at_inbox(self) -> None:
        """Every lead that was handed over since the last look is answered one day, or never."""
        for record_id, record in self.salesforce.records.get("Lead", {}).items():
            turn = (record_id, int(str(record.fields.get("Leadloop_Cycle__c") or 0)))
            if record.fields.get("Leadloop_Stage__c") != Stage.DISTRIBUTED or turn in self._handed:
                continue
            self._handed.add(turn)
            if self._chance.random() < 0.05:
                continue  # nobody touches it
            wait_ms = int(self._chance.expovariate(1 / 2.0) * DAY_MS) + 2 * HOUR_MS
            soul = self._by_email[str(record.fields["Email"])]
            self._put(self.clock.now_ms() + wait_ms, self._answer, record_id, soul, turn[1])

    def _answer(self, record_id: str, soul: Soul, cycle: int) -> None:
        owner = self._owner(record_id)
        if self._chance.random() < (0.92 if soul.wants else 0.12):
            self.salesforce.update("Lead", record_id, owner, Status="Working - Contacted")
            if soul.wants or self._chance.random() < 0.3:
                wait_ms = self._chance.randint(4, 20) * DAY_MS
                self._put(self.clock.now_ms() + wait_ms, self._convert, record_id, soul)
            return
        reason = soul.reasons[cycle % len(soul.reasons)] if not soul.wants else "timing"
        given = None if self._chance.random() < 0.06 else reason
        self.salesforce.update(
            "Lead", record_id, owner, Status="Closed - Not Converted", Leadloop_Rejection_Reason__c=given
        )

    def _convert(self, record_id: str, soul: Soul) -> None:
        lead = self.salesforce.records["Lead"][record_id]
        owner = self._owner(record_id)
        native = self.salesforce.natives["Contact"]
        same = {name: raw for name, raw in lead.fields.items() if name in native and name != "CreatedDate"}
        contact = self.salesforce.insert("Contact", owner, **same)
        opportunity = self.salesforce.insert(
            "Opportunity",
            owner,
            Name=f"{soul.company}: first order",
            StageName="Prospecting",
            IsClosed=False,
            IsWon=False,
            Amount=round(2_000 + soul.revenue / 2_000, -2),
            CreatedDate=iso(self.clock.now_ms()),
            CloseDate=iso(self.clock.now_ms() + 60 * DAY_MS)[:10],
            OwnerId=owner,
        )
        lead.converted = True
        lead.refs = {"Contact": (contact,), "Opportunity": (opportunity,)}
        self.salesforce.update("Lead", record_id, owner, Status="Closed - Converted")
        wait_ms = self._chance.randint(15, 60) * DAY_MS + 30 * MINUTE_MS
        won = soul.wants and not soul.lost
        self._put(self.clock.now_ms() + wait_ms, self._close, opportunity, owner, won)

    def _close(self, opportunity: str, owner: str, won: bool) -> None:
        stage = "Closed Won" if won else "Closed Lost"
        self.salesforce.update("Opportunity", opportunity, owner, StageName=stage, IsClosed=True, IsWon=won)

    def _owner(self, record_id: str) -> str:
        return str(self.salesforce.records["Lead"][record_id].fields["OwnerId"])
