"""World: both sandboxes over HTTP, a leadloop of one's own on SQLite, and one clock that stands still.

What stories, simulations and end-to-end tests stand on. People act through `salesforce` and `hubspot`;
`run()` lets leadloop work until nothing is left to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from connector.clock import MINUTE_MS, ManualClock
from connector.configuration import Configuration, compile_documents, shipped
from connector.delivery import deliver
from connector.demo.stage_set import add_fields
from connector.installation import Installation
from connector.intake.findings import Findings
from connector.intake.hints import follow_hints
from connector.intake.poll import poll
from connector.intake.sweep import sweep
from connector.lead import LeadState
from connector.platforms.errors import RetryLater
from connector.sandbox import HUBSPOT_ACCESS_TOKEN, SALESFORCE_SESSION_ID
from connector.sandbox.host import Sandbox
from connector.sandbox.shifted_clock import ShiftedClock
from connector.settings import load_settings
from connector.settle import settle
from connector.store import leads as lead_store
from connector.store.database import Database
from connector.store.holds import Hold, open_holds
from connector.wiring import Connected, connect
from connector.worker.passes import Pass, run_until_quiet

START_MS = 1_800_000_000_000  # 2027-01-15T08:00:00Z
SALES = ("sam@sales.example", "kim@sales.example")

RULES = """
score:
  fit:
    - {rule: senior title, when: 'matches(job_title, "(?i)(chief|vp|director|head)")', points: 20}
    - {rule: large company, when: employees >= 200, points: 20}
  engagement:
    - {rule: form, on: form_submission, points: 30, at_most: 60}
gates:
  qualification: {when: not is_blank(email)}
  nurture: {when: not is_blank(last_name)}
  mql: {fit: 20, engagement: 30}
fast_track:
  - {rule: asked for a demo, when: 'contains(description, "demo")'}
disqualify:
  - {rule: competitor, when: 'company == "Rival Inc"', reason: competitor}
routes:
  - {route: everyone, pool: [sam@sales.example, kim@sales.example]}
rejection:
  default_reason: unspecified
  grace_minutes: 10
  reasons:
    timing: {then: nurture, cooling_off_days: 30, track: later}
    bad_data: {then: disqualify}
    competitor: {then: disqualify}
    wrong_territory: {then: reroute}
"""


def configuration(rules: str = RULES, documents: Mapping[str, str] | None = None) -> Configuration:
    """The shipped mappings with small rules, or whatever `documents` replace."""
    texts = {
        "leadloop.yaml": "rules: [rules.yaml]\n",
        "rules.yaml": rules,
        **{f"preset:{name}": shipped("mappings", name) for name in ("lead", "salesforce", "hubspot")},
        **(documents or {}),
    }
    return compile_documents(texts)


class World:
    """`with World(tmp_path) as world:`. The platforms have every field that the configuration maps, and these
    salespeople. `fast_seconds`: how far leadloop's own clock is ahead of the platforms'."""

    def __init__(
        self,
        folder: Path,
        config: Configuration | None = None,
        url: str | None = None,
        salespeople: Sequence[str] = SALES,
        start_ms: int = START_MS,
        fast_seconds: float = 0.0,
    ) -> None:
        self.clock = ManualClock(start_ms)
        self.own_clock = ShiftedClock(self.clock, round(1_000 * fast_seconds))
        self.sandbox = Sandbox(self.clock)
        self.salesforce = self.sandbox.salesforce
        self.hubspot = self.sandbox.hubspot
        self.config = config or configuration()
        add_fields(self.sandbox, self.config.mapping)
        self.users = {
            email: self.salesforce.add_user(email.partition("@")[0].title(), email) for email in salespeople
        }
        for email in self.users:
            self.hubspot.add_owner(email)
        self.database = Database.open(url or f"sqlite:///{folder}/leadloop.db")
        self.database.migrate()
        self._connected: Connected | None = None

    def __enter__(self) -> World:
        self.sandbox.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connected is not None:
            for platform in self.leadloop.platforms.values():
                platform.close()
        self.sandbox.stop()
        self.database.close()

    @property
    def connected(self) -> Connected:
        """leadloop, connected when first asked for."""
        if self._connected is None:
            settings = load_settings(
                {},
                {
                    "LEADLOOP_SALESFORCE__BASE_URL": self.sandbox.salesforce_url,
                    "LEADLOOP_SALESFORCE__SESSION_ID": SALESFORCE_SESSION_ID,
                    "LEADLOOP_HUBSPOT__BASE_URL": self.sandbox.hubspot_url,
                    "LEADLOOP_HUBSPOT__ACCESS_TOKEN": HUBSPOT_ACCESS_TOKEN,
                },
            )
            self._connected = connect(self.config, settings, self.database, self.own_clock)
        return self._connected

    def reconnect(self) -> None:
        """leadloop stops and starts again on the same database."""
        if self._connected is not None:
            for platform in self.leadloop.platforms.values():
                platform.close()
            self._connected = None

    @property
    def leadloop(self) -> Installation:
        return self.connected.installation

    def later(self, **units: float) -> None:
        """Let time pass: `later(days=30)`."""
        seconds = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400}
        self.clock.advance(sum(amount * seconds[unit] for unit, amount in units.items()))

    def run(self) -> Pass:
        """A minute passes, and leadloop works until nothing is left to do."""
        installation = self.leadloop
        self.later(minutes=1)
        return run_until_quiet(installation, 60.0)

    def work(self, minutes: float, every_seconds: float = 30.0) -> None:
        """leadloop works for so long as `leadloop run` does, whatever the platforms say."""
        until_ms = self.clock.now_ms() + minutes * MINUTE_MS
        while self.clock.now_ms() < until_ms:
            self.later(seconds=every_seconds)
            for side in self.leadloop.feeds:
                with suppress(RetryLater):
                    poll(self.leadloop, side)
                while follow_hints(self.leadloop, side).taken:
                    pass
            while settle(self.leadloop).leads:
                pass
            for side in self.leadloop.feeds:
                deliver(self.leadloop, side)

    def verify(self, *, repair: bool = True) -> Findings:
        """Sweep both sides; what was found on either."""
        found = Findings()
        for side in self.leadloop.feeds:
            swept = sweep(self.leadloop, side, repair=repair)
            assert swept is not None
            assert swept.ended_ms is not None
            for names in swept.findings.named.values():
                found.add(names)
        return found

    def lead(self, text: str) -> LeadState:
        """leadloop's own view of the one lead that `text` (an e-mail address or id) names."""
        with self.database.read() as conn:
            found = lead_store.find_leads(conn, text)
        assert len(found) == 1, f"{text}: {len(found)} leads"
        return LeadState.from_json(found[0].state)

    def holds(self, text: str) -> list[Hold]:
        """The open holds of that lead."""
        lead_id = self.lead(text).lead_id
        with self.database.read() as conn:
            return open_holds(conn, [lead_id]).get(lead_id, [])

    def contact(self, email: str) -> dict[str, Any]:
        """The HubSpot contact with this address."""
        found = [row for row in self.hubspot.rows("contacts") if row["email"] == email]
        assert len(found) == 1, f"{email}: {len(found)} HubSpot contacts"
        return found[0]

    def sf_lead(self, email: str) -> dict[str, Any]:
        """The Salesforce Lead with this address."""
        found = [row for row in self.salesforce.rows("Lead") if row["Email"] == email]
        assert len(found) == 1, f"{email}: {len(found)} Salesforce Leads"
        return found[0]
