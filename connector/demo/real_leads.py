"""Real leads: the rows of a CSV file live their lives in both sandboxes while leadloop runs.

People act in waves: leads arrive in HubSpot and in Salesforce, visit the website, are judged by sales where
they were distributed (the file's tags play the salesperson), are converted and won where they really became
customers. After each wave leadloop works until nothing is left to do. The addresses are made up, since the
file has none. Columns filled in after the outcome play the salesperson and are never read by a rule.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connector.clock import Clock, ManualClock
from connector.demo.agreement import compare
from connector.demo.floor import Wave
from connector.installation import Installation
from connector.lead import LeadState
from connector.platforms.protocol import Cursor
from connector.sandbox.host import Sandbox
from connector.store import leads as lead_store
from connector.store import ledger
from connector.store.cursors import put_cursor
from connector.wiring import Connected
from connector.worker.passes import Pass, run_until_quiet
from mappings.csv_columns import CsvColumns
from mappings.mapping import ObjectMapping
from mappings.stages import Stage
from mappings.values import Value

START_MS = 1_798_761_600_000  # 2027-01-01T00:00:00Z
ARRIVALS = 4
"""In how many waves the leads arrive."""

IN_BOTH_EVERY = 10
"""Every tenth lead is in both systems from the start, under the same address."""

POLL_SECONDS = 60.0

ACTIVITY_FIELDS = ("total_visits", "website_seconds", "page_views_per_visit", "last_activity")

SALES_OWNERS = ("asha@school.example", "ben@school.example", "chitra@school.example", "dev@school.example")

REJECTIONS: Mapping[str, str] = {
    "Already a student": "already_customer",
    "Not doing further education": "no_need",
    "Interested in other courses": "no_need",
    "Interested  in full time MBA": "no_need",
    "Graduation in progress": "timing",
    "Diploma holder (Not Eligible)": "not_a_fit",
    "University not recognized": "not_a_fit",
    "invalid number": "bad_data",
    "wrong number given": "bad_data",
    "number not provided": "bad_data",
    "Ringing": "unreachable",
    "switched off": "unreachable",
    "opp hangup": "unreachable",
    "Want to take admission but has financial problems": "no_budget",
    "Interested in Next batch": "timing",
    "Shall take in the next coming month": "timing",
    "Lost to Others": "competitor",
}
"""What a salesperson who wrote this tag says of a lead that was distributed."""

ACCEPTED = frozenset(
    {
        "Will revert after reading the email",
        "Busy",
        "in touch with EINS",
        "Closed by Horizzon",
        "Lost to EINS",
    }
)
"""Tags of leads that sales works on."""


@dataclass(slots=True)
class Person:
    """One row of the file, and where it is."""

    number: str
    email: str
    values: Mapping[str, Value]
    tag: str
    won: bool
    contact_id: str | None = None
    lead_id: str | None = None


@dataclass(slots=True)
class RealLeads:
    """The run. `play` acts out the file and returns the figures."""

    sandbox: Sandbox
    connected: Connected
    clock: ManualClock
    people: Sequence[Person]
    tell: Callable[[str], None]
    waves: list[Wave] = field(default_factory=list)
    written: int = 0
    _touched: dict[str, set[str]] = field(default_factory=lambda: {"salesforce": set(), "hubspot": set()})

    @property
    def leadloop(self) -> Installation:
        return self.connected.installation

    def play(self, now_seconds: Callable[[], float]) -> dict[str, Any]:
        """Everything, from the first arrival to the second pass that must write nothing."""
        began = now_seconds()
        startup = {side: budget.total() for side, budget in self.connected.budgets.items()}
        before = self._counts()
        size = -(-len(self.people) // ARRIVALS)
        for start in range(0, len(self.people), size):
            self._wave("arrival", lambda group=self.people[start : start + size]: self._arrive(group))
        self._wave("activity", self._visit_the_website)
        self._wave("verdicts", self._judge)
        self._wave("entered by hand", self._enter_by_hand)
        self._wave("conversions", self._convert)
        self._wave("won", self._win)
        after = self._counts()
        requests = {side: after[side] - before[side] for side in after}
        agreement = compare(self.leadloop, self.sandbox)
        second = self._second_pass()
        return {
            "leads": self._leads(),
            "stages": self._stages(),
            "agreement": {side: found.to_json() for side, found in agreement.items()},
            "disagreeing": {
                side: dict(list(found.disagreeing.items())[:20])
                for side, found in agreement.items()
                if found.disagreeing
            },
            "requests": requests,
            "fewest_requests": {
                "salesforce": sum(wave.salesforce_calls() for wave in self.waves),
                "hubspot": sum(wave.hubspot_calls() for wave in self.waves),
            },
            "startup_requests": sum(startup.values()),
            "writes": self.written,
            "rejections": self._rejections(),
            "seconds": round(now_seconds() - began, 1),
            "second_pass_writes": second.written,
        }

    # waves --------------------------------------------------------------------------------------------------

    def _wave(self, name: str, act: Callable[[], None]) -> None:
        for touched in self._touched.values():
            touched.clear()
        act()
        self.clock.advance(POLL_SECONDS)
        began_ms = self.clock.now_ms()
        done = run_until_quiet(self.leadloop, POLL_SECONDS)
        self.written += done.written
        salesforce, hubspot, clears = self._written_since(began_ms)
        wave = Wave(
            salesforce_changed=len(self._touched["salesforce"]),
            hubspot_changed=len(self._touched["hubspot"]),
            salesforce_written=salesforce,
            hubspot_written=hubspot,
            lifecycle_clears=clears,
        )
        self.waves.append(wave)
        self.tell(f"{name}: {done.moves} moves, {done.written} writes")
        self.clock.advance(3_600)

    def _written_since(self, since_ms: int) -> tuple[int, int, int]:
        """Records that leadloop changed on each platform in this wave, and the contacts it cleared first."""
        portal, org = self.sandbox.hubspot, self.sandbox.salesforce
        salesforce = sum(
            1
            for name in ("Lead", "Contact")
            for row in org.rows(name)
            if _iso_ms(row["SystemModstamp"]) >= since_ms - since_ms % 1_000
        )
        contacts = [row for row in portal.rows("contacts") if _iso_ms(row["lastmodifieddate"]) >= since_ms]
        clears = 0
        for row in contacts:
            history = portal.history("contacts", str(row["hs_object_id"]), "lifecyclestage")
            clears += any(not item["value"] and _iso_ms(item["timestamp"]) >= since_ms for item in history)
        return salesforce, len(contacts), clears

    def _arrive(self, group: Sequence[Person]) -> None:
        for place, person in enumerate(group):
            values = {name: value for name, value in person.values.items() if name not in ACTIVITY_FIELDS}
            in_both = place % IN_BOTH_EVERY == 0
            if place % 2 == 0 or in_both:
                fields = self._spelled("hubspot", "contacts", values)
                person.contact_id = self.sandbox.hubspot.create("contacts", source="FORM", **fields)
                self._touched["hubspot"].add(person.contact_id)
            if place % 2 == 1 or in_both:
                self._insert_lead(person, values)

    def _visit_the_website(self) -> None:
        for person in self.people:
            values = {name: person.values.get(name) for name in ACTIVITY_FIELDS}
            if person.contact_id is not None:
                fields = self._spelled("hubspot", "contacts", values)
                if self.sandbox.hubspot.update("contacts", person.contact_id, source="ANALYTICS", **fields):
                    self._touched["hubspot"].add(person.contact_id)
            elif person.lead_id is not None:
                fields = self._spelled("salesforce", "Lead", values)
                if fields:
                    self.sandbox.salesforce.update("Lead", person.lead_id, **fields)
                    self._touched["salesforce"].add(person.lead_id)

    def _judge(self) -> None:
        """Sales gives its verdict on the leads that it has been handed."""
        open_leads = {
            row["Email"]: row for row in self.sandbox.salesforce.rows("Lead") if not row["IsConverted"]
        }
        for person in self.people:
            row = open_leads.get(person.email)
            if row is None or row["Leadloop_Stage__c"] != Stage.DISTRIBUTED.value:
                continue
            person.lead_id = row["Id"]
            reason = REJECTIONS.get(person.tag)
            if reason is not None and not person.won:
                changes: dict[str, Any] = {
                    "Status": "Closed - Not Converted",
                    "Leadloop_Rejection_Reason__c": reason,
                    "Leadloop_Rejection_Comment__c": person.tag,
                }
            elif person.tag in ACCEPTED or person.won:
                changes = {"Status": "Working - Contacted"}
            else:
                continue
            self.sandbox.salesforce.update("Lead", row["Id"], by_user=row["OwnerId"], **changes)
            self._touched["salesforce"].add(row["Id"])

    def _enter_by_hand(self) -> None:
        """Sales wins people whom nobody handed over: it enters them in Salesforce itself."""
        known = {row["Email"]: row["Id"] for row in self.sandbox.salesforce.rows("Lead")}
        for person in self.people:
            if person.won:
                person.lead_id = known.get(person.email)
                if person.lead_id is None:
                    self._insert_lead(person, {})

    def _convert(self) -> None:
        for person in self.people:
            if person.won and person.lead_id is not None:
                made = self.sandbox.salesforce.convert_lead(
                    person.lead_id, "Closed - Converted", opportunity_name=f"Enrolment {person.number}"
                )
                touched = (person.lead_id, made.contact_id, made.opportunity_id)
                self._touched["salesforce"].update(item for item in touched if item is not None)

    def _win(self) -> None:
        for row in self.sandbox.salesforce.rows("Opportunity"):
            self.sandbox.salesforce.update("Opportunity", row["Id"], StageName="Closed Won", Amount=1_000)
            self._touched["salesforce"].add(row["Id"])

    def _insert_lead(self, person: Person, values: Mapping[str, Value]) -> None:
        fields = {"Company": "[private]", "LastName": f"Applicant {person.number}", "Email": person.email}
        fields |= self._spelled("salesforce", "Lead", values)
        person.lead_id = self.sandbox.salesforce.insert("Lead", **fields)
        self._touched["salesforce"].add(person.lead_id)

    def _spelled(self, side: str, name: str, values: Mapping[str, Value]) -> dict[str, Any]:
        """Canonical values as a person would type them on that platform; blanks are left out."""
        target: ObjectMapping = self.leadloop.policy.mapping.sides[side].objects[name]
        spelled: dict[str, Any] = {}
        for pair in target.pairs:
            value = values.get(pair.canonical)
            if value is not None and pair.writes:
                spelled[pair.native] = pair.write(value, self.leadloop.policy.directory)
        return spelled

    # figures ------------------------------------------------------------------------------------------------

    def _counts(self) -> dict[str, int]:
        return {
            "salesforce": self.sandbox.salesforce.requests.count,
            "hubspot": self.sandbox.hubspot.requests.count,
        }

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

    def _leads(self) -> int:
        return sum(self._stages().values())

    def _stages(self) -> dict[str, int]:
        with self.leadloop.database.read() as conn:
            found = lead_store.count_by_stage(conn)
        return {stage.value: found[stage.value] for stage in Stage if stage.value in found}

    def _rejections(self) -> dict[str, int]:
        counts: Counter[str] = Counter()
        after = ""
        while True:
            with self.leadloop.database.read() as conn:
                ids = lead_store.iterate_lead_ids(conn, after)
                rows = ledger.of_leads(conn, ids)
            if not ids:
                return dict(counts.most_common())
            counts.update(
                row.reason for found in rows.values() for row in found if row.cause == "sales" and row.reason
            )
            after = ids[-1]


def read_people(path: Path, columns: CsvColumns) -> list[Person]:
    """The people of a CSV file. Raises OSError, UnicodeDecodeError, ValueError with one sentence."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in columns.headings if name not in (reader.fieldnames or ())]
        if missing:
            raise ValueError(f"{path}: the columns {', '.join(missing)} are missing")
        people: list[Person] = []
        for place, row in enumerate(reader, start=1):
            number = (row.get("Lead Number") or str(place)).strip()
            email = f"applicant.{number}@students.example"
            values = {
                **columns.read(row).values,
                "email": email,
                "last_name": f"Applicant {number}",
            }
            people.append(
                Person(
                    number=number,
                    email=email,
                    values=values,
                    tag=(row.get("Tags") or "").strip(),
                    won=(row.get("Converted") or "").strip() == "1",
                )
            )
    if not people:
        raise ValueError(f"{path}: there are no leads in it")
    return people


def state_of(installation: Installation, text: str) -> LeadState | None:
    """leadloop's own view of a lead, for whoever watches."""
    with installation.database.read() as conn:
        found = lead_store.find_leads(conn, text)
    return LeadState.from_json(found[0].state) if found else None


def _iso_ms(text: str) -> int:
    from datetime import datetime

    return int(datetime.fromisoformat(text).timestamp() * 1_000)


def new_clock() -> Clock:
    """The clock that both sandboxes and leadloop share in this run."""
    return ManualClock(START_MS)
