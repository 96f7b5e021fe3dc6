"""Walk: people act, trouble strikes, time passes and leadloop works, at random; then everything is mended,
and what must always be true in the end is checked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from connector.demo.agreement import compare, people_of
from connector.installation import Installation
from connector.lead import LeadState
from connector.observation import RecordKey
from connector.platforms.errors import PlatformError
from connector.refusals import NEW_RECORD
from connector.store import deadline_events, ledger, quarantine
from connector.store import leads as lead_store
from connector.store.holds import open_holds
from connector.store.links import linked, links_of
from connector.worker.passes import Pass, act, look, run_until_quiet
from mappings.stages import Illegal, Move, Stage, check_move
from tests.simulation.afterwards import counted_otherwise, made_twice, still_moving
from tests.simulation.people import People
from tests.simulation.trouble import Killed, Trouble
from tests.world import World

OPT_OUTS = {"HasOptedOutOfEmail", "DoNotCall", "hs_email_optout"}


class Walk:
    """One walk over a world, with one seed."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.chance = Random(seed)
        self.people = People(world, self.chance)
        self.trouble = Trouble(world, self.chance)
        self.log: list[str] = []
        self.events: Counter[str] = Counter()
        self.errors: list[str] = []
        self._lead_ids = 0
        self._installation: Installation | None = None

    # walking --------------------------------------------------------------------------------------------

    def walk(self, steps: int) -> None:
        self.installation()
        kinds = ["act", "trouble", "time", "work", "kill"]
        weights = [50, *(self.chance.choice(few) for few in ([0, 8, 20], [4, 15], [15, 30, 60], [0, 5]))]
        for _ in range(steps):
            what = self.chance.choices(kinds, weights)[0]
            told, made = len(self.people.did), len(self.trouble.made)
            if what == "act":
                self.people.act()
            elif what == "trouble":
                self.trouble.strike()
            elif what == "time":
                self.pass_time()
            else:
                self.work(doomed=what == "kill")
            self.log += [*self.people.did[told:], *self.trouble.made[made:]]

    def pass_time(self) -> None:
        units: Mapping[str, float] = self.chance.choice(
            [{"minutes": 2}, {"minutes": 16}, {"hours": 2}, {"days": 2}, {"days": 32}]
        )
        self.world.later(**units)
        self.log.append(f"later: {units}")

    def work(self, doomed: bool = False) -> None:
        """leadloop works for a while; a platform may not answer, or the process may die."""
        try:
            installation = self.installation()
            self.world.later(seconds=self.chance.choice([15, 60, 60]))
            if doomed:
                self.trouble.doom(installation)
            result = Pass()
            look(installation, result)
            if self.chance.random() < 0.8:
                act(installation, result)
            self.log.append(f"worked: {result}")
        except PlatformError as error:
            self.log.append(f"worked: {error}")
        except Killed:
            self.log.append("killed")
            self.world.reconnect()
        else:
            if doomed:  # nothing was written: it may die of it another day
                self.world.reconnect()

    def installation(self) -> Installation:
        """leadloop, connected, with ids and chances that are the same in every run. Raises PlatformError."""
        installation = self.world.leadloop
        if installation is not self._installation:
            self._installation = installation
            installation.jitter = self.chance.random
            installation.new_lead_id = self._new_lead_id
            installation.on_event = self._on_event
            for platform in installation.platforms.values():
                self._watch(platform)
        return installation

    def _new_lead_id(self, now_ms: int) -> str:
        self._lead_ids += 1
        return f"L{now_ms}-{self._lead_ids:03}"

    def _on_event(self, name: str, facts: Mapping[str, object]) -> None:
        self.events[name] += 1
        if name == "cannot_decide":
            self.errors.append(f"{name}: {dict(facts)}")

    def _watch(self, platform: Any) -> None:
        write: Callable[..., Any] = platform.write

        def watched(writes: Any, lane: Any = None) -> Any:
            for one in writes:
                self.log.append(f"  → {one.object} {one.record_id} {dict(one.fields)}")
                in_again = [name for name in OPT_OUTS & set(one.fields) if one.fields[name] is not True]
                if in_again:
                    self.errors.append(f"opted in: {one.object} {one.record_id} {in_again}")
            return write(writes, lane)

        platform.write = watched

    # the end --------------------------------------------------------------------------------------------

    def heal(self) -> None:
        """Everything is mended, waiting times pass, and leadloop works until it is quiet. What was refused or
        held is tried again, as an admin would have it; what was not must come right by itself."""
        self.trouble.clear()
        self.world.reconnect()
        self.log.append("healed")
        for hours in (1, 2, 13, 26, 1):
            self.world.later(hours=hours)
            installation = self.installation()
            now_ms = self.world.clock.now_ms()
            with self.world.database.begin() as conn:
                refused = {row.key for row in quarantine.quarantined(conn)}
                made = {key.record_id.removeprefix(NEW_RECORD) for key in refused}
                owners = {link.lead_id for link in linked(conn, refused).values()}
                quarantine.clear(conn)
                lead_store.mark_dirty(conn, {*made, *owners, *open_holds(conn)}, now_ms)
            run_until_quiet(installation, 60.0)

    def check(self) -> list[str]:
        """What is wrong in the end; nothing, if all is well."""
        wrong = [*self.errors]
        wrong += self._at_rest()
        wrong += self._swept()
        wrong += self._agreement()
        wrong += self._doubles()
        wrong += self._absent()
        wrong += self._ledger()
        wrong += counted_otherwise(self.world, self.installation())
        wrong += self._deadlines()
        wrong += self._last_words()
        wrong += self._deadlines()
        return wrong

    def _at_rest(self) -> list[str]:
        self.log.append("second pass")
        return still_moving(self.world, self.installation())

    def _swept(self) -> list[str]:
        """A sweep knows the reason of whatever differs, and puts right what can be; a second one finds
        nothing."""
        self.world.later(hours=3)
        run_until_quiet(self.installation(), 60.0)
        wrong: list[str] = []
        for which in ("first", "second"):
            found = self.world.verify()
            run_until_quiet(self.installation(), 60.0)
            if found.unexplained or (found.amiss and which == "second"):
                wrong.append(f"the {which} sweep: {found.named}")
        return wrong

    def _agreement(self) -> list[str]:
        installation = self.installation()
        wrong: list[str] = []
        people = people_of(self.world.sandbox)
        for side, found in compare(installation, self.world.sandbox).items():
            with self.world.database.read() as conn:
                links = {str(key): link for key, link in linked(conn, people[side]).items()}
                holds = open_holds(conn)
            for key, told in found.disagreeing.items():
                link = links.get(key)
                kinds = {hold.kind for hold in holds.get(link.lead_id, ())} if link is not None else set()
                if link is None:
                    wrong.append(f"{key} is nobody's")
                elif link.role == "primary":
                    wrong.append(f"{key} of {link.lead_id}: {told} {sorted(kinds)}")
        return wrong

    def _deadlines(self) -> list[str]:
        """Each deadline that began ends once, nobody is late before it is due, and the last one is what the
        lead's state says."""
        wrong: list[str] = []
        for state, _ in self._leads():
            with self.world.database.read() as conn:
                rows = deadline_events.of_lead(conn, state.lead_id)
            if state.aliases:
                continue  # the events of two leads that became one are mixed
            running: str | None = None
            for row in rows:
                told = f"{state.lead_id}: {row.deadline} {row.what} at {row.at_ms}, due {row.due_ms}"
                if row.what == "started":
                    if running is not None or row.due_ms <= row.at_ms:
                        wrong.append(f"{told}, while {running} ran")
                    running = row.deadline
                elif row.deadline != running:
                    wrong.append(f"{told}, while {running} ran")
                elif row.what != "reminded":
                    running = None
                if (row.what == "met" and row.at_ms > row.due_ms) or row.at_ms > self.world.clock.now_ms():
                    wrong.append(told)
            now = state.deadline
            if (now.name if now is not None and now.open else None) != running:
                wrong.append(f"{state.lead_id}: {running} runs, but its state says {now}")
        return wrong

    def _doubles(self) -> list[str]:
        """leadloop makes at most one record of a lead on a side, and one Lead for an address."""
        user = self.world.salesforce.integration_user_id
        wrong = made_twice(self.world)
        addresses = Counter(
            row["Email"]
            for row in self.world.salesforce.rows("Lead")
            if row["CreatedById"] == user and not row["IsConverted"] and row["Email"]
        )
        return wrong + [f"{number} Leads made for {mail}" for mail, number in addresses.items() if number > 1]

    def _absent(self) -> list[str]:
        """Whoever sales must see is in the CRM, unless the record was deleted there or a hold tells why."""
        wrong: list[str] = []
        for state, primaries in self._leads():
            sides = {key.side for key in primaries}
            with self.world.database.read() as conn:
                held = state.lead_id in open_holds(conn, [state.lead_id])
            pursued = state.stage in (Stage.MQL, Stage.DISTRIBUTED, Stage.ACCEPTED, Stage.QUALIFIED)
            if pursued and "salesforce" not in sides and "salesforce" not in state.cut_sides and not held:
                wrong.append(f"{state.lead_id} is {state.stage.value} and not in Salesforce")
        return wrong

    def _leads(self) -> list[tuple[LeadState, list[RecordKey]]]:
        """Every lead with its live primary records."""
        people = people_of(self.world.sandbox)
        live = {key for found in people.values() for key in found}
        with self.world.database.read() as conn:
            ids = lead_store.iterate_lead_ids(conn)
            links = links_of(conn, ids)
            return [
                (
                    LeadState.from_json(lead.state),
                    [link.key for link in links[lead.id] if link.role == "primary" and link.key in live],
                )
                for lead in lead_store.read_leads(conn, ids)
            ]

    def _last_words(self) -> list[str]:
        """In the end a person's word still counts: a title from either side arrives, sales can accept."""
        wrong: list[str] = []
        salesforce, hubspot = self.world.salesforce, self.world.hubspot
        user = next(iter(self.world.users.values()))
        pairs: list[tuple[LeadState, RecordKey, RecordKey]] = []
        for state, primaries in self._leads():
            by_side = {key.side: key for key in primaries}
            if len(by_side) == 2:
                pairs.append((state, by_side["salesforce"], by_side["hubspot"]))
        self.log.append("last words")
        for state, lead, _ in pairs:
            salesforce.update(lead.object, lead.record_id, by_user=user, Title=f"S {state.lead_id}")
        run_until_quiet(self.installation(), 60.0)
        for state, _, contact in pairs:
            shown = hubspot.get("contacts", contact.record_id)["jobtitle"]
            if shown != f"S {state.lead_id}":
                wrong.append(
                    f"{state.lead_id}: a title from Salesforce did not arrive, but {shown!r} stands there"
                )
            hubspot.update("contacts", contact.record_id, jobtitle=f"H {state.lead_id}")
        run_until_quiet(self.installation(), 60.0)
        for state, lead, _ in pairs:
            shown = salesforce.get(lead.object, lead.record_id)["Title"]
            if shown != f"H {state.lead_id}":
                wrong.append(
                    f"{state.lead_id}: a title from HubSpot did not arrive, but {shown!r} stands there"
                )
        accepted: list[tuple[str, RecordKey]] = []
        for state, primaries in self._leads():
            for key in primaries:
                if state.stage is not Stage.DISTRIBUTED or key.side != "salesforce":
                    continue
                row = salesforce.get(key.object, key.record_id)
                if row["Leadloop_Verdict__c"] is not None:
                    wrong.append(f"{state.lead_id}: the verdict of an earlier time still stands")
                elif row["OwnerId"].startswith("005"):
                    salesforce.update(key.object, key.record_id, by_user=user, Leadloop_Verdict__c="accepted")
                    accepted.append((state.lead_id, key))
        run_until_quiet(self.installation(), 60.0)
        for lead_id, key in accepted:
            shown = salesforce.get(key.object, key.record_id)["Leadloop_Stage__c"]
            if shown != "accepted":
                wrong.append(f"{lead_id}: sales accepted it, but it shows {shown!r}")
        return wrong

    def _ledger(self) -> list[str]:
        """Each row begins where the one before it ended, and is a legal move."""
        wrong: list[str] = []
        at: dict[str, str] = {}
        with self.world.database.read() as conn:
            rows = [
                row for lead_id in lead_store.iterate_lead_ids(conn) for row in ledger.of_lead(conn, lead_id)
            ]
        for row in rows:
            if row.origin != at.get(row.lead_id):
                wrong.append(f"{row.lead_id}: from {row.origin}, but it was in {at.get(row.lead_id)}")
            at[row.lead_id] = row.target
            if row.cause in ("imported", "created") or (row.actor or "").startswith("merge with"):
                continue
            move = Move(
                origin=Stage(row.origin or ""),
                target=Stage(row.target),
                cause=row.cause,  # type: ignore[arg-type]  # the two that are no cause are passed over
                gate=True,
                owner="somebody@sales.example",
                reason=row.reason,
                outcome=row.outcome,  # type: ignore[arg-type]  # won, lost or None, as stored
            )
            answer = check_move(move)
            if isinstance(answer, Illegal):
                wrong.append(f"{row.lead_id}: {row.origin} → {row.target}: {answer.message}")
        return wrong
