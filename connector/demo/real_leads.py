"""Real leads: the rows of a CSV file live their lives in both sandboxes while leadloop runs.

People act in waves: leads arrive in HubSpot and in Salesforce, visit the website, are judged by sales where
they were distributed, are converted and won where they really became customers. After each wave leadloop
works until nothing is left to do. The calls made are held against the fewest that each wave can cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from typing import Any

from connector.clock import SECOND_MS, Clock, ManualClock
from connector.demo import figures
from connector.demo.agreement import compare
from connector.demo.floor import Wave
from connector.demo.leads_file import LeadsFileError, Person
from connector.demo.modified import count_modified
from connector.demo.salesperson import SALESPEOPLE, verdict_on
from connector.installation import Installation
from connector.platforms.protocol import Cursor
from connector.sandbox.host import Sandbox
from connector.sandbox.hubspot.problems import Problem
from connector.sandbox.salesforce.refusals import Refusal
from connector.store import leads as lead_store
from connector.store.cursors import put_cursor
from connector.wiring import Connected
from connector.worker.passes import Pass, run_until_quiet
from mappings.object_mapping import ObjectMapping
from mappings.stages import Stage
from mappings.values import NoSpelling, Value

START_MS = 1_798_761_600_000  # 2027-01-01T00:00:00Z
ARRIVALS = 4
"""In how many waves the leads arrive."""

IN_BOTH_EVERY = 10
"""Every tenth lead is in both systems from the start, under the same address."""

POLL_SECONDS = 60.0

ACTIVITY_FIELDS = ("total_visits", "website_seconds", "page_views_per_visit", "last_activity")


@dataclass(slots=True)
class RealLeads:
    """The run. `play` acts out the file and returns the figures; `clock` is the story's, `wall` the real one;
    `tell` is told of every wave."""

    sandbox: Sandbox
    connected: Connected
    clock: ManualClock
    people: Sequence[Person]
    wall: Clock
    tell: Callable[[str], None]
    waves: list[Wave] = field(default_factory=list)
    _written: int = 0
    _touched: dict[str, set[str]] = field(default_factory=lambda: {"salesforce": set(), "hubspot": set()})
    _salespeople: tuple[str, ...] = ()

    @property
    def leadloop(self) -> Installation:
        """The leadloop at work."""
        return self.connected.installation

    def play(self) -> dict[str, Any]:
        """Everything, from the first arrival to the second pass that must write nothing.

        Raises LeadsFileError when a platform refuses what a row says, and NeverQuiet."""
        began_ms = self.wall.now_ms()
        startup = sum(budget.total() for budget in self.connected.budgets.values())
        before = figures.requests_to(self.sandbox)
        users = {row["Email"]: row["Id"] for row in self.sandbox.salesforce.rows("User")}
        self._salespeople = tuple(users[email] for email in SALESPEOPLE)
        size = -(-len(self.people) // ARRIVALS)
        for start in range(0, len(self.people), size):
            self._wave("arrival", partial(self._arrive, self.people[start : start + size]))
        self._wave("activity", self._visit_the_website)
        self._wave("verdicts", self._judge)
        self._wave("entered by hand", self._enter_by_hand)
        self._wave("conversions", self._convert)
        self._wave("won", self._win)
        after = figures.requests_to(self.sandbox)
        agreement = compare(self.leadloop, self.sandbox)
        stages = figures.stages_of(self.leadloop)
        rejections = figures.rejections_of(self.leadloop)
        second = self._second_pass()
        return {
            "leads": sum(stages.values()),
            "stages": stages,
            "agreement": {side: found.to_json() for side, found in agreement.items()},
            **figures.disagreeing(agreement),
            "requests": {side: after[side] - before[side] for side in after},
            "fewest_requests": {
                "salesforce": sum(wave.salesforce_calls() for wave in self.waves),
                "hubspot": sum(wave.hubspot_calls() for wave in self.waves),
            },
            "startup_requests": startup,
            "writes": self._written,
            "rejections": rejections,
            "seconds": round((self.wall.now_ms() - began_ms) / SECOND_MS, 1),
            "second_pass_writes": second.written,
        }

    # waves --------------------------------------------------------------------------------------------------

    def _wave(self, name: str, act: Callable[[], None]) -> None:
        """People act, leadloop works until nothing is left to do, and both are counted."""
        for touched in self._touched.values():
            touched.clear()
        act()
        self.clock.advance(POLL_SECONDS)
        began_ms = self.clock.now_ms()
        done = run_until_quiet(self.leadloop, POLL_SECONDS)
        self._written += done.written
        written = count_modified(self.sandbox, began_ms)
        self.waves.append(
            Wave(
                salesforce_changed=len(self._touched["salesforce"]),
                hubspot_changed=len(self._touched["hubspot"]),
                salesforce_written=written.salesforce,
                hubspot_written=written.hubspot,
                lifecycle_clears=written.lifecycle_clears,
            )
        )
        self.tell(f"{name}: {done.moves} moves, {done.written} writes")
        self.clock.advance(3_600)

    def _arrive(self, group: Sequence[Person]) -> None:
        """Half of the leads fill in a form, half are imported into Salesforce, some are in both."""
        for place, person in enumerate(group):
            values = {name: value for name, value in person.values.items() if name not in ACTIVITY_FIELDS}
            in_both = place % IN_BOTH_EVERY == 0
            if place % 2 == 0 or in_both:
                fields = self._spelled("hubspot", "contacts", values)
                with _typed_in(person):
                    person.contact_id = self.sandbox.hubspot.create("contacts", source="FORM", **fields)
                self._touched["hubspot"].add(person.contact_id)
            if place % 2 == 1 or in_both:
                self._insert_lead(person, values)

    def _visit_the_website(self) -> None:
        """What each lead did is counted where it is known: in HubSpot, else in Salesforce."""
        for person in self.people:
            values = {name: person.values.get(name) for name in ACTIVITY_FIELDS}
            with _typed_in(person):
                if person.contact_id is not None:
                    fields = self._spelled("hubspot", "contacts", values)
                    if self.sandbox.hubspot.update(
                        "contacts", person.contact_id, source="ANALYTICS", **fields
                    ):
                        self._touched["hubspot"].add(person.contact_id)
                elif person.lead_id is not None:
                    fields = self._spelled("salesforce", "Lead", values)
                    if fields:
                        self.sandbox.salesforce.update("Lead", person.lead_id, **fields)
                        self._touched["salesforce"].add(person.lead_id)

    def _judge(self) -> None:
        """Sales gives its verdict on the leads that it has been handed."""
        handed_over = {
            row["Email"]: row
            for row in self.sandbox.salesforce.query(
                "SELECT Id, Email, OwnerId FROM Lead "
                f"WHERE IsConverted = false AND Leadloop_Stage__c = '{Stage.DISTRIBUTED.value}'"
            )
        }
        for person in self.people:
            row = handed_over.get(person.email)
            if row is None:
                continue
            person.lead_id = row["Id"]
            changes = verdict_on(person)
            if changes is not None:
                self.sandbox.salesforce.update("Lead", row["Id"], by_user=row["OwnerId"], **changes)
                self._touched["salesforce"].add(row["Id"])

    def _enter_by_hand(self) -> None:
        """Sales wins people whom nobody handed over: it enters them in Salesforce itself."""
        known = {
            row["Email"]: row["Id"] for row in self.sandbox.salesforce.query("SELECT Id, Email FROM Lead")
        }
        turns = cycle(self._salespeople)
        for person in self.people:
            if person.won:
                person.lead_id = known.get(person.email)
                if person.lead_id is None:
                    self._insert_lead(person, {}, by_user=next(turns))

    def _convert(self) -> None:
        """The leads that became customers are converted, by their owner or by whoever met them."""
        org = self.sandbox.salesforce
        owners = {row["Id"]: row["OwnerId"] for row in org.query("SELECT Id, OwnerId FROM Lead")}
        turns = cycle(self._salespeople)
        for person in self.people:
            if not person.won or person.lead_id is None:
                continue
            owner = owners[person.lead_id]
            seller = owner if owner in self._salespeople else next(turns)
            made = org.convert_lead(
                person.lead_id,
                "Closed - Converted",
                opportunity_name=f"Enrolment {person.number}",
                owner_id=seller,
                by_user=seller,
            )
            touched = (person.lead_id, made.contact_id, made.opportunity_id)
            self._touched["salesforce"].update(item for item in touched if item is not None)

    def _win(self) -> None:
        org = self.sandbox.salesforce
        for row in org.query("SELECT Id, OwnerId FROM Opportunity"):
            org.update("Opportunity", row["Id"], by_user=row["OwnerId"], StageName="Closed Won", Amount=1_000)
            self._touched["salesforce"].add(row["Id"])

    def _insert_lead(self, person: Person, values: Mapping[str, Value], by_user: str | None = None) -> None:
        fields: dict[str, Any] = {
            "Company": "[private]",
            "LastName": f"Applicant {person.number}",
            "Email": person.email,
            **self._spelled("salesforce", "Lead", values),
        }
        with _typed_in(person):
            person.lead_id = self.sandbox.salesforce.insert("Lead", by_user=by_user, **fields)
        self._touched["salesforce"].add(person.lead_id)

    def _spelled(self, side: str, name: str, values: Mapping[str, Value]) -> dict[str, Any]:
        """Canonical values as a person would type them on that platform; blanks, and what cannot be typed
        there, are left out."""
        target: ObjectMapping = self.leadloop.policy.mapping.sides[side].objects[name]
        spelled: dict[str, Any] = {}
        for pair in target.pairs:
            value = values.get(pair.canonical)
            if value is not None and pair.writes:
                try:
                    spelled[pair.native] = pair.write(value, self.leadloop.policy.directory)
                except NoSpelling:
                    continue
        return spelled

    def _second_pass(self) -> Pass:
        """Read everything once more from the beginning, and decide every lead again."""
        installation = self.leadloop
        now_ms = self.clock.now_ms()
        with installation.database.begin() as conn:
            for side, feed in installation.feeds.items():
                for name in feed.objects:
                    put_cursor(conn, side, name, Cursor(0), now_ms)
            lead_store.mark_all_dirty(conn, now_ms)
        return run_until_quiet(installation)


@contextmanager
def _typed_in(person: Person) -> Iterator[None]:
    """A row that a platform does not take from a person either is named. Raises LeadsFileError."""
    try:
        yield
    except (Problem, Refusal) as error:
        raise LeadsFileError(
            f"Row {person.line} cannot be entered by hand, the platform says: {error}"
        ) from error
