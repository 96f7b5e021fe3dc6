"""What the tests of deadlines share: a world with deadlines, Ann who is handed over, and what both platforms
show of her response. The world begins on Friday, 15 January 2027, 8:00 UTC."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

from connector.moments import native_moment_ms
from connector.outputs import iso_datetime
from connector.store import deadline_events, ledger
from connector.store import leads as lead_store
from connector.store.deadline_events import DeadlineEvent
from connector.store.ledger import LedgerRow
from tests.world import RULES, World, configuration

ANN = "ann@acme.example"
SAM, KIM, BOSS = "sam@sales.example", "kim@sales.example", "boss@sales.example"
HOURS = """
hours:
  berlin: {time_zone: Europe/Berlin, from: "09:00", to: "17:30", holidays: [2027-01-18]}
  new_york: {time_zone: America/New_York, from: "09:00", to: "17:00"}
"""
FIRST = """
deadlines:
  - {deadline: first response, stage: distributed, within: 4 business hours, hours: berlin,
     remind: 1 business hour before}
"""


def first_response(on_breach: str) -> str:
    """A first response within 4 business hours, and what follows a breach."""
    return FIRST.replace("hours: berlin,", f"hours: berlin, {on_breach},")


class DeadlineStage:
    """`with DeadlineStage(tmp_path, FIRST) as stage:`"""

    def __init__(self, folder: Path, deadlines: str, rules: str = RULES, main: str = "") -> None:
        self.world = World(folder, self._compiled(deadlines, rules, main))
        self.world.users[BOSS] = self.world.salesforce.add_user("Boss", BOSS)
        self.world.hubspot.add_owner(BOSS)

    def _compiled(self, deadlines: str, rules: str, main: str) -> Any:
        return configuration(rules + HOURS + deadlines, {"leadloop.yaml": f"rules: [rules.yaml]\n{main}"})

    def __enter__(self) -> Self:
        self.world.__enter__()
        self.world.leadloop  # noqa: B018  # live before anybody comes
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.world.__exit__(kind, error, trace)

    def apply(self, deadlines: str, rules: str = RULES) -> None:
        """The rules are changed and put in force, and every lead is looked at again."""
        self.world.config = self._compiled(deadlines, rules, "")
        self.world.reconnect()
        with self.world.database.begin() as conn:
            lead_store.mark_all_dirty(conn, self.world.clock.now_ms())
        self.world.run()

    # time -----------------------------------------------------------------------------------------------

    def pass_until(self, moment: str) -> None:
        """Time passes until a moment (UTC); leadloop is not there."""
        at_ms = native_moment_ms(moment)
        assert at_ms is not None
        ahead = (at_ms - self.world.clock.now_ms()) / 1000
        assert ahead >= 0, f"it is {iso_datetime(self.world.clock.now_ms())} already"
        self.world.clock.advance(ahead)

    def until(self, moment: str) -> None:
        """Time passes, and leadloop works at this moment."""
        at_ms = native_moment_ms(moment)
        assert at_ms is not None
        self.pass_until(iso_datetime(at_ms - 60_000))
        self.world.run()

    # people ---------------------------------------------------------------------------------------------

    def hand_over(self, moment: str = "2027-01-15T08:01:00Z", email: str = ANN) -> str:
        """Somebody asks for prices, and is handed over at this moment; returns the id of the Salesforce
        Lead."""
        at_ms = native_moment_ms(moment)
        assert at_ms is not None
        self.pass_until(iso_datetime(at_ms - 60_000))
        fields = {"firstname": "Ann", "lastname": "Lee", "jobtitle": "VP Sales", "company": "Acme"}
        self.world.hubspot.submit_form(email, "Pricing", **fields)
        self.world.run()
        return str(self.world.sf_lead(email)["Id"])

    def says(self, lead_id: str, by: str = SAM, **fields: Any) -> None:
        """A salesperson changes the Salesforce Lead."""
        self.world.salesforce.update("Lead", lead_id, by_user=self.world.users[by], **fields)

    def accepts(self, lead_id: str, by: str = SAM) -> None:
        self.says(lead_id, by, Status="Working - Contacted")

    # what can be seen -----------------------------------------------------------------------------------

    def shown(self, email: str = ANN) -> tuple[str | None, str | None]:
        """Due (UTC) and state of the response, as both platforms show them."""
        contact = self.world.contact(email)
        here = native_moment_ms(contact["leadloop_response_due"])
        state = contact["leadloop_response_state"] or None
        for name in ("Lead", "Contact"):
            for row in self.world.salesforce.rows(name):
                if row["Email"] == email and not row.get("IsConverted"):
                    assert native_moment_ms(row["Leadloop_Response_Due__c"]) == here
                    assert row["Leadloop_Response_State__c"] == state
        return (None if here is None else iso_datetime(here)), state

    def lead(self, name: str) -> Any:
        """A field of the Salesforce Lead."""
        return self.world.sf_lead(ANN)[name]

    def owner(self) -> str:
        """Who owns the Salesforce Lead."""
        (found,) = [email for email, user in self.world.users.items() if user == self.lead("OwnerId")]
        return found

    def rows(self) -> list[DeadlineEvent]:
        with self.world.database.read() as conn:
            return deadline_events.of_lead(conn, self.world.lead(ANN).lead_id)

    def events(self) -> list[tuple[str, str | None]]:
        """What happened to the deadlines of the lead, and who had it."""
        return [(row.what, row.owner) for row in self.rows()]

    def ledger(self) -> list[LedgerRow]:
        with self.world.database.read() as conn:
            return ledger.of_lead(conn, self.world.lead(ANN).lead_id)
