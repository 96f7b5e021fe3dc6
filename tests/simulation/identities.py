"""Identities: people are merged, converted, deleted, brought back, renamed and forgotten on both platforms,
told of in any order or not at all, while leadloop looks, reads, sweeps and decides; then what must be true.

A walk is a list of numbers, one a step, so that a walk that fails can be made shorter. What the platforms say
about who became whom is the truth that leadloop's links are held against.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from random import Random
from threading import Event
from typing import Any

from sqlalchemy import select

from connector.demo.agreement import compare, people_of
from connector.installation import Installation
from connector.intake.backfill import Standing, begin, objects_of, read
from connector.intake.forgetting import forget_lead
from connector.intake.hints import follow_hints
from connector.intake.poll import poll
from connector.intake.sweep import sweep
from connector.lead import LeadState
from connector.observation import RecordKey
from connector.platforms.hubspot.events import read_event
from connector.report import history
from connector.sandbox.hubspot.problems import Problem
from connector.sandbox.salesforce.refusals import Refusal
from connector.settle import settle
from connector.store import leads as lead_store
from connector.store import ledger, outbox, rollups
from connector.store.holds import open_holds
from connector.store.inbox import Hint, put_hints
from connector.store.links import keys_of_leads, linked, links_of
from connector.store.schema import metadata
from connector.worker.passes import Pass, act, run_until_quiet
from tests.world import World

HINTED = ("Lead", "Contact", "Opportunity")
Act = Callable[[Random], str | None]


class Identities:
    """One walk over a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.log: list[str] = []
        self.wrong: list[str] = []
        self.became: dict[RecordKey, RecordKey] = {}
        self.marks: dict[RecordKey, str] = {}
        self.forbidden: set[str] = set()
        self.forgotten: set[str] = set()
        self._to_be_forgotten: set[str] = set()
        self._gone: list[tuple[str, str]] = []
        self._events: list[Hint] = []
        self._lead_ids = 0
        self._marks = 0
        self._installation: Installation | None = None
        acts: list[tuple[int, Act]] = [
            (6, self.enter_contact),
            (5, self.enter_lead),
            (2, self.enter_sf_contact),
            (3, self.submit_form),
            (3, self.judge),
            (4, self.convert),
            (4, self.merge_in_salesforce),
            (4, self.merge_in_hubspot),
            (3, self.delete_in_salesforce),
            (3, self.archive),
            (4, self.undelete),
            (1, self.purge),
            (2, self.privacy_delete),
            (1, self.forget),
            (3, self.change_address),
            (2, self.swap_addresses),
            (2, self.second_address),
            (2, self.edit),
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
        """One thing that people do before leadloop is there."""
        chance = Random(number)
        places = range(self._acts.index(self.forget))
        one = self._acts[chance.choices(places, [self._weights[place] for place in places])[0]]
        self.world.later(seconds=chance.choice([0, 1, 7, 40]))
        with suppress(Refusal, Problem, KeyError):
            self.log.append(f"before: {one.__name__}: {one(chance)}")
        self.world.hubspot.crm.webhooks.pending.clear()
        self.world.salesforce.outbound.pending.clear()

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
                if one.record_id is None and said & self.forgotten:
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

    # picking --------------------------------------------------------------------------------------------

    def _address(self, chance: Random) -> str:
        return f"p{chance.randint(1, 5)}@acme.example"

    def _mark(self) -> str:
        self._marks += 1
        return f"Mark{self._marks:03}x"

    def _rows(self, *objects: str) -> list[tuple[str, dict[str, Any]]]:
        return [
            (name, row)
            for name in objects
            for row in self.world.salesforce.rows(name)
            if not row.get("IsConverted")
        ]

    def _pick(self, chance: Random, *objects: str) -> tuple[str, dict[str, Any]] | None:
        found = self._rows(*objects)
        return chance.choice(found) if found else None

    def _contact(self, chance: Random) -> Any:
        found = self.world.hubspot.rows("contacts")
        return chance.choice(found) if found else None

    # people ---------------------------------------------------------------------------------------------

    def enter_contact(self, chance: Random) -> str:
        mark = self._mark()
        mail = chance.choice([self._address(chance)] * 5 + [None])
        contact = self.world.hubspot.create(
            "contacts", email=mail, lastname=mark, firstname="Fn", jobtitle="VP"
        )
        self.marks[RecordKey("hubspot", "contacts", contact)] = mark
        return f"{contact} {mark} {mail}"

    def enter_lead(self, chance: Random) -> str:
        mark = self._mark()
        mail = chance.choice([self._address(chance)] * 5 + ["info@acme.example", None])
        lead = self.world.salesforce.insert("Lead", LastName=mark, Company="Acme", Email=mail)
        self.marks[RecordKey("salesforce", "Lead", lead)] = mark
        return f"{lead} {mark} {mail}"

    def enter_sf_contact(self, chance: Random) -> str:
        mark = self._mark()
        account = self.world.salesforce.insert("Account", Name="Acme")
        mail = self._address(chance)
        contact = self.world.salesforce.insert("Contact", LastName=mark, AccountId=account, Email=mail)
        self.marks[RecordKey("salesforce", "Contact", contact)] = mark
        return f"{contact} {mark} {mail}"

    def submit_form(self, chance: Random) -> str | None:
        contact = self._contact(chance)
        if contact is None or not contact["email"]:
            return None
        return self.world.hubspot.submit_form(contact["email"], "Pricing")

    def judge(self, chance: Random) -> str | None:
        found = self._pick(chance, "Lead")
        if found is None:
            return None
        status = chance.choice(["Working - Contacted", "Closed - Not Converted"])
        values: dict[str, Any] = {
            "Status": status,
            "Leadloop_Rejection_Reason__c": "timing" if "Closed" in status else None,
        }
        self.world.salesforce.update(
            "Lead", found[1]["Id"], by_user=self.world.users["sam@sales.example"], **values
        )
        return f"{found[1]['Id']} {status}"

    def edit(self, chance: Random) -> str | None:
        if chance.random() < 0.5:
            contact = self._contact(chance)
            if contact is None:
                return None
            self.world.hubspot.update("contacts", contact["id"], city=chance.choice(["Bonn", "Oslo"]))
            return f"contact {contact['id']}"
        found = self._pick(chance, "Lead", "Contact")
        if found is None:
            return None
        self.world.salesforce.update(found[0], found[1]["Id"], Title=chance.choice(["Clerk", "VP Buying"]))
        return f"{found[0]} {found[1]['Id']}"

    def convert(self, chance: Random) -> str | None:
        found = self._pick(chance, "Lead")
        if found is None:
            return None
        into: dict[str, Any] = {}
        contact = self._pick(chance, "Contact")
        if contact is not None and chance.random() < 0.5:
            into = {"contact_id": contact[1]["Id"], "account_id": contact[1]["AccountId"]}
        made = self.world.salesforce.convert_lead(
            found[1]["Id"],
            "Closed - Converted",
            chance.choice([None, "Deal"]),
            owner_id=self.world.users["sam@sales.example"],
            **into,
        )
        lead, contact_key = (
            RecordKey("salesforce", "Lead", made.lead_id),
            RecordKey("salesforce", "Contact", made.contact_id),
        )
        self.became[lead] = contact_key
        if lead in self.marks:
            self.marks.setdefault(contact_key, self.marks[lead])
        return f"{made.lead_id} → {made.contact_id} {'existing' if into else ''}"

    def merge_in_salesforce(self, chance: Random) -> str | None:
        name = chance.choice(["Lead", "Contact"])
        rows = [row for _, row in self._rows(name)]
        if len(rows) < 2:
            return None
        one, other = chance.sample(rows, 2)
        self.world.salesforce.merge(one["Id"], other["Id"])
        self.became[RecordKey("salesforce", name, other["Id"])] = RecordKey("salesforce", name, one["Id"])
        return f"{name} {other['Id']} into {one['Id']}"

    def merge_in_hubspot(self, chance: Random) -> str | None:
        contacts = self.world.hubspot.rows("contacts")
        if len(contacts) < 2:
            return None
        one, other = chance.sample(contacts, 2)
        self.world.hubspot.crm.keep_primary_id = chance.random() < 0.3
        made = self.world.hubspot.merge(str(one["id"]), str(other["id"]))
        for gone in {str(one["id"]), str(other["id"])} - {made}:
            self.became[RecordKey("hubspot", "contacts", gone)] = RecordKey("hubspot", "contacts", made)
        self.marks.pop(RecordKey("hubspot", "contacts", made), None)  # it may show either's name now
        return f"{one['id']} + {other['id']} = {made}"

    def delete_in_salesforce(self, chance: Random) -> str | None:
        found = self._pick(chance, "Lead", "Contact")
        if found is None:
            return None
        self.world.salesforce.delete(found[0], found[1]["Id"])
        self._gone.append((found[0], found[1]["Id"]))
        return f"{found[0]} {found[1]['Id']}"

    def archive(self, chance: Random) -> str | None:
        contact = self._contact(chance)
        if contact is None:
            return None
        self.world.hubspot.archive("contacts", contact["id"])
        self._gone.append(("contacts", contact["id"]))
        return f"contact {contact['id']}"

    def undelete(self, chance: Random) -> str | None:
        if not self._gone:
            return None
        name, record_id = chance.choice(self._gone)
        self._gone.remove((name, record_id))
        if name == "contacts":
            self.world.hubspot.restore("contacts", record_id)
        else:
            self.world.salesforce.undelete(name, record_id)
        return f"{name} {record_id}"

    def purge(self, chance: Random) -> str | None:
        found = [each for each in self._gone if each[0] != "contacts"]
        if not found:
            return None
        name, record_id = chance.choice(found)
        self._gone.remove((name, record_id))
        self.world.salesforce.purge(name, record_id)
        return f"{name} {record_id}"

    def privacy_delete(self, chance: Random) -> str | None:
        contact = self._contact(chance)
        if contact is None:
            return None
        key = RecordKey("hubspot", "contacts", contact["id"])
        with self.world.database.read() as conn:
            link = linked(conn, [key]).get(key)
        self._will_be_forgotten(key, None if link is None else link.lead_id)
        self.world.hubspot.privacy_delete(contact["id"])
        # without its event nobody could know; it comes first or last, but it comes
        self._hear()
        return f"contact {contact['id']} of {link}"

    def forget(self, chance: Random) -> str | None:
        with self.world.database.read() as conn:
            ids = list(lead_store.iterate_lead_ids(conn))
        if not ids:
            return None
        lead_id = chance.choice(ids)
        self._will_be_forgotten(None, lead_id)
        with self.world.database.begin() as conn:
            forget_lead(conn, lead_id, self.world.clock.now_ms())
        return lead_id

    def _will_be_forgotten(self, key: RecordKey | None, lead_id: str | None) -> None:
        """Only what is certain at this moment is held against leadloop afterwards."""
        if lead_id is not None and key in (None, *self.marks):
            with self.world.database.read() as conn:
                links = links_of(conn, [lead_id])[lead_id]
                names = keys_of_leads(conn, [lead_id])[lead_id]
            self.forbidden.update(self.marks[link.key] for link in links if link.key in self.marks)
            mails = {name.value for name in names if name.kind == "email"}
            (self.forgotten if key is None else self._to_be_forgotten).update(mails)

    def change_address(self, chance: Random) -> str | None:
        mail = self._address(chance)
        if chance.random() < 0.5:
            contact = self._contact(chance)
            if contact is None:
                return None
            self.world.hubspot.update("contacts", contact["id"], email=mail)
            return f"contact {contact['id']} {mail}"
        found = self._pick(chance, "Lead", "Contact")
        if found is None:
            return None
        self.world.salesforce.update(found[0], found[1]["Id"], Email=mail)
        return f"{found[0]} {found[1]['Id']} {mail}"

    def swap_addresses(self, chance: Random) -> str | None:
        rows = self._rows("Lead", "Contact")
        if len(rows) < 2:
            return None
        one, other = chance.sample(rows, 2)
        mails = one[1]["Email"], other[1]["Email"]
        self.world.salesforce.update(one[0], one[1]["Id"], Email=mails[1])
        self.world.salesforce.update(other[0], other[1]["Id"], Email=mails[0])
        return f"{one[1]['Id']} {mails} {other[1]['Id']}"

    def second_address(self, chance: Random) -> str | None:
        contact = self._contact(chance)
        if contact is None:
            return None
        mail = self._address(chance)
        self.world.hubspot.update("contacts", contact["id"], hs_additional_emails=mail)
        return f"contact {contact['id']} {mail}"

    # leadloop -------------------------------------------------------------------------------------------

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
            self.forgotten |= self._to_be_forgotten
            self._to_be_forgotten = set()

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
        return [
            *self.wrong,
            *self._sweeps(),
            *self._at_rest(),
            *self._survivors(),
            *self._same_address(),
            *self._strangers(),
            *self._doubles(),
            *self._traces(),
            *self._history(),
        ]

    def _sweeps(self) -> list[str]:
        found = self.world.verify()
        return [f"amiss: {found.named}"] if found.amiss else []

    def _at_rest(self) -> list[str]:
        with self.world.database.begin() as conn:
            lead_store.mark_all_dirty(conn, self.world.clock.now_ms())
        again = run_until_quiet(self.installation(), 60.0)
        wrong = [f"a second pass moved or wrote: {again}"] if again.written or again.moves else []
        with self.world.database.read() as conn:
            waiting = outbox.counts(conn)
        return wrong + ([f"the outbox is not empty: {dict(waiting)}"] if waiting else [])

    def _people(self) -> dict[RecordKey, Any]:
        return {key: row for found in people_of(self.world.sandbox).values() for key, row in found.items()}

    def _survivors(self) -> list[str]:
        """Who became somebody else belongs to the same lead."""
        ends: dict[RecordKey, RecordKey] = {}
        for key in self.became:
            end = key
            while end in self.became:
                end = self.became[end]
            ends[key] = end
        with self.world.database.read() as conn:
            links = linked(conn, {*ends, *ends.values()})
        return [
            f"{key} belongs to {links[key].lead_id}, but it became {end}, of {links[end].lead_id}"
            for key, end in ends.items()
            if key in links and end in links and links[key].lead_id != links[end].lead_id
            # of a survivor that was deleted before anybody looked nobody could tell
            if end in self._people()
        ]

    def _same_address(self) -> list[str]:
        """Two live records with one address are one lead, or held."""
        people = self._people()
        with self.world.database.read() as conn:
            links = linked(conn, people)
            holds = {hold.subject for found in open_holds(conn).values() for hold in found}
        by_mail: dict[str, set[RecordKey]] = {}
        for key, row in people.items():
            mail = row["email"] if key.side == "hubspot" else row["Email"]
            if mail and not mail.startswith("info@"):
                by_mail.setdefault(mail.lower(), set()).add(key)
        return [
            f"{mail} is several leads: {[(key, links[key].lead_id) for key in keys if key in links]}"
            for mail, keys in by_mail.items()
            if len({links[key].lead_id for key in keys if key in links}) > 1
            and not any({str(key), f"{key.side} {key.object} {key.record_id}"} & holds for key in keys)
        ]

    def _strangers(self) -> list[str]:
        """Everybody who stands on a platform is known, held or forgotten, and shows what leadloop says."""
        wrong: list[str] = []
        people = people_of(self.world.sandbox)
        with self.world.database.read() as conn:
            all_holds = open_holds(conn)
        holds = {hold.subject for found in all_holds.values() for hold in found}
        for side, found in compare(self.installation(), self.world.sandbox).items():
            with self.world.database.read() as conn:
                links = {str(key): link for key, link in linked(conn, people[side]).items()}
            said = {str(key): f"{key.side} {key.object} {key.record_id}" for key in people[side]}
            for key, told in found.disagreeing.items():
                if said[key] in holds:
                    continue  # forgotten, and left alone
                if key in links and links[key].role == "primary":
                    wrong.append(f"{key}: {told}")
                elif key not in links and key not in holds:
                    wrong.append(f"{key} is nobody's, and nobody says why")
        return wrong

    def _doubles(self) -> list[str]:
        """leadloop makes at most one record of a lead on a side."""
        user = self.world.salesforce.integration_user_id
        made: Counter[tuple[str, Any]] = Counter(
            ("salesforce", row["Leadloop_Id__c"])
            for name in ("Lead", "Contact")
            for row in self.world.salesforce.rows(name)
            if row["CreatedById"] == user and row["Leadloop_Id__c"]
        )
        return [f"{number} records made for {lead}" for lead, number in made.items() if number > 1]

    def _traces(self) -> list[str]:
        """Nothing of a forgotten person is anywhere, unless a record of somebody else shows it."""
        with self.world.database.read() as conn:
            links = linked(conn, self._people())
            shown = {
                str(value) for key, row in self._people().items() if key in links for value in row.values()
            }
            rows = [
                (table.name, row) for table in metadata.sorted_tables for row in conn.execute(select(table))
            ]
        wrong: list[str] = []
        for mark in sorted(self.forbidden - shown):
            for name, row in rows:
                if any(mark.encode() in (v if isinstance(v, bytes) else str(v).encode()) for v in row):
                    wrong.append(f"{mark} stands in {name}: {row}")
        return wrong

    def _history(self) -> list[str]:
        """Every row of the ledger leads to a lead or to nobody; the report's counters say what it says."""
        wrong: list[str] = []
        with self.world.database.begin() as conn:
            kept = rollups.all_counts(conn)
            history.rebuild(conn, self.installation().report_fields)
            anew = rollups.all_counts(conn)
            for lead in lead_store.read_leads(conn, lead_store.iterate_lead_ids(conn)):
                state = LeadState.from_json(lead.state)
                rows = [row for row in ledger.of_lead(conn, lead.id) if row.lead_id == lead.id]
                if rows and rows[-1].target != state.stage.value:
                    wrong.append(f"{lead.id} is {state.stage}, but the ledger ends with {rows[-1]}")
        if any(told.startswith(("forget", "privacy_delete")) for told in self.log):
            return wrong  # who became part of a forgotten person is not told any more
        return wrong + [
            f"counted {kept.get(key, 0)} and not {anew.get(key, 0)}: {key}"
            for key in sorted({*kept, *anew})
            if kept.get(key) != anew.get(key)
        ]
