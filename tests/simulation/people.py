"""People: what salespeople, marketers, visitors and admins do on the two platforms, at random.

Every act is one method that picks what it needs from what is there, and does nothing where there is nothing
to act on. A platform may refuse a person's act; that is their problem.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from connector.sandbox.hubspot.problems import Problem
from connector.sandbox.salesforce.refusals import Refusal
from tests.world import World

NAMES = ("Lee", "Kim", "Roe", "Ng", "Diaz")
TITLES = ("VP Sales", "Director", "Clerk", "Head of Buying", "x" * 150, " chief  Buyer ", None)
REASONS = ("timing", "bad_data", "wrong_territory", "competitor", "whatever", None)
SF_STATUSES = ("Open - Not Contacted", "Working - Contacted", "Closed - Not Converted")
HS_STATUSES = ("NEW", "OPEN", "IN_PROGRESS", "UNQUALIFIED", "BAD_TIMING", None)
PHONES = ("+1 850 644 4200", "(850) 644-4200", "call me", "+49 30 901820", None)


class People:
    """All the people, with one source of chance. `did` tells what they did, in order."""

    def __init__(self, world: World, chance: Random) -> None:
        self.world = world
        self.chance = chance
        self.did: list[str] = []
        acts: list[tuple[int, Callable[[], str | None]]] = [
            (4, self.fill_in_a_form),
            (2, self.enter_a_lead),
            (1, self.enter_a_contact),
            (4, self.edit_in_salesforce),
            (4, self.edit_in_hubspot),
            (6, self.judge),
            (2, self.give_a_verdict),
            (2, self.set_a_lead_status),
            (1, self.move_a_lifecycle_stage),
            (2, self.hand_to_somebody_else),
            (2, self.convert),
            (2, self.open_an_opportunity),
            (3, self.move_an_opportunity),
            (1, self.merge_in_salesforce),
            (1, self.merge_in_hubspot),
            (1, self.delete_in_salesforce),
            (1, self.archive_in_hubspot),
            (1, self.opt_out),
            (1, self.change_an_address),
            (1, self.edit_an_output),
        ]
        # each crowd does some things often and others never: rare sequences are met sooner so
        self._acts = [(weight * chance.choice([0, 1, 1, 4]), act) for weight, act in acts[2:]] + acts[:2]

    def act(self) -> None:
        """One act of somebody, a few seconds after the last."""
        self.world.later(seconds=self.chance.randint(1, 40))
        weights = [weight for weight, _ in self._acts]
        act = self.chance.choices([act for _, act in self._acts], weights)[0]
        try:
            told = act()
        except (Refusal, Problem) as refused:
            told = f"was refused: {refused}"
        if told is not None:
            self.did.append(f"{act.__name__}: {told}")

    # picking --------------------------------------------------------------------------------------------

    def _address(self) -> str:
        return f"p{self.chance.randint(1, 6)}@acme.example"

    def _user(self) -> str:
        return self.chance.choice(sorted(self.world.users.values()))

    def _salesforce(self, *objects: str) -> tuple[str, dict[str, Any]] | None:
        found = [
            (name, row)
            for name in objects
            for row in self.world.salesforce.rows(name)
            if not row.get("IsConverted")
        ]
        return self.chance.choice(found) if found else None

    def _contact(self) -> Any:
        found = self.world.hubspot.rows("contacts")
        return self.chance.choice(found) if found else None

    def _update(self, name: str, row: dict[str, Any], **values: Any) -> str:
        self.world.salesforce.update(name, row["Id"], by_user=self._user(), **values)
        return f"{name} {row['Id']} {values}"

    def _set(self, contact: Any, **values: Any) -> str:
        self.world.hubspot.update("contacts", contact["id"], **values)
        return f"contact {contact['id']} {values}"

    # marketing ------------------------------------------------------------------------------------------

    def fill_in_a_form(self) -> str:
        address, form = self._address(), self.chance.choice(["Pricing", "Newsletter"])
        self.world.hubspot.submit_form(
            address,
            form,
            lastname=self.chance.choice(NAMES),
            jobtitle=self.chance.choice(TITLES[:4]),
            company=self.chance.choice(["Acme", "Beta", "Rival Inc"]),
        )
        return f"{address} {form}"

    def edit_in_hubspot(self) -> str | None:
        contact = self._contact()
        if contact is None:
            return None
        change: dict[str, Any] = self.chance.choice(
            [
                {"jobtitle": self.chance.choice(TITLES)},
                {"phone": self.chance.choice(PHONES)},
                {"company": self.chance.choice(["Acme", "ACME corp", None])},
                {"city": self.chance.choice(["Bonn", "Oslo", None]), "country": "Germany"},
                {"annualrevenue": self.chance.choice(["1000000", "2.5", None])},
            ]
        )
        return self._set(contact, **change)

    def set_a_lead_status(self) -> str | None:
        contact = self._contact()
        return contact and self._set(contact, hs_lead_status=self.chance.choice(HS_STATUSES))

    def move_a_lifecycle_stage(self) -> str | None:
        contact = self._contact()
        stages = ["subscriber", "lead", "salesqualifiedlead", "opportunity", "customer", "other"]
        return contact and self._set(contact, lifecyclestage=self.chance.choice(stages))

    def opt_out(self) -> str | None:
        if self.chance.random() < 0.5:
            contact = self._contact()
            return contact and self._set(contact, hs_email_optout=self.chance.choice(["true", "false"]))
        found = self._salesforce("Lead", "Contact")
        return found and self._update(*found, HasOptedOutOfEmail=self.chance.random() < 0.7)

    def merge_in_hubspot(self) -> str | None:
        contacts = self.world.hubspot.rows("contacts")
        if len(contacts) < 2:
            return None
        one, other = self.chance.sample(contacts, 2)
        return f"{one['id']} + {other['id']} = {self.world.hubspot.merge(one['id'], other['id'])}"

    def archive_in_hubspot(self) -> str | None:
        contact = self._contact()
        if contact is None:
            return None
        self.world.hubspot.archive("contacts", contact["id"])
        return f"contact {contact['id']}"

    # sales ----------------------------------------------------------------------------------------------

    def enter_a_lead(self) -> str:
        values = {
            "LastName": self.chance.choice(NAMES),
            "Company": "Acme",
            "Email": self.chance.choice([self._address(), self._address(), "info@acme.example", None]),
            "Title": self.chance.choice(["VP Sales", "Clerk", None]),
            "Description": self.chance.choice([None, None, "Asked for a demo"]),
        }
        row_id = self.world.salesforce.insert("Lead", by_user=self._user(), **values)
        return f"{row_id} {values}"

    def enter_a_contact(self) -> str:
        account = self.world.salesforce.insert("Account", Name="Acme")
        values = {"LastName": self.chance.choice(NAMES), "Email": self._address(), "AccountId": account}
        return f"{self.world.salesforce.insert('Contact', by_user=self._user(), **values)} {values}"

    def edit_in_salesforce(self) -> str | None:
        found = self._salesforce("Lead", "Contact")
        if found is None:
            return None
        change: dict[str, Any] = self.chance.choice(
            [
                {"Title": self.chance.choice([None, "Buyer", "CHIEF buyer", " padded "])},
                {"Phone": self.chance.choice(PHONES)},
                {"LastName": self.chance.choice(NAMES)},
                {"DoNotCall": self.chance.random() < 0.5},
            ]
        )
        return self._update(*found, **change)

    def judge(self) -> str | None:
        found = self._salesforce("Lead")
        if found is None:
            return None
        change: dict[str, Any] = {"Status": self.chance.choice(SF_STATUSES)}
        if self.chance.random() < 0.6:
            change["Leadloop_Rejection_Reason__c"] = self.chance.choice(REASONS)
        return self._update(*found, **change)

    def give_a_verdict(self) -> str | None:
        found = self._salesforce("Lead", "Contact")
        if found is None:
            return None
        return self._update(
            *found,
            Leadloop_Verdict__c=self.chance.choice(["accepted", "rejected", None]),
            Leadloop_Rejection_Reason__c=self.chance.choice(REASONS),
        )

    def hand_to_somebody_else(self) -> str | None:
        if self.chance.random() < 0.4:
            contact = self._contact()
            owners = [*self.world.hubspot.crm.owners, None]
            return contact and self._set(contact, hubspot_owner_id=self.chance.choice(owners))
        found = self._salesforce("Lead")
        return found and self._update(*found, OwnerId=self._user())

    def convert(self) -> str | None:
        found = self._salesforce("Lead")
        if found is None:
            return None
        into: dict[str, Any] = {}
        contact = self._salesforce("Contact")
        if contact is not None and self.chance.random() < 0.3:
            into = {"contact_id": contact[1]["Id"], "account_id": contact[1]["AccountId"]}
        name = self.chance.choice([None, "Deal"])
        made = self.world.salesforce.convert_lead(
            found[1]["Id"], "Closed - Converted", name, owner_id=self._user(), by_user=self._user(), **into
        )
        return f"{made}"

    def open_an_opportunity(self) -> str | None:
        contact = self._salesforce("Contact")
        if contact is None:
            return None
        opportunity = self.world.salesforce.insert(
            "Opportunity",
            by_user=self._user(),
            Name="Deal",
            StageName="Prospecting",
            CloseDate="2027-12-31",
            AccountId=contact[1]["AccountId"],
        )
        self.world.salesforce.insert(
            "OpportunityContactRole", OpportunityId=opportunity, ContactId=contact[1]["Id"], IsPrimary=True
        )
        return f"{opportunity} for {contact[1]['Id']}"

    def move_an_opportunity(self) -> str | None:
        found = self._salesforce("Opportunity")
        if found is None:
            return None
        if self.chance.random() < 0.1:
            self.world.salesforce.delete("Opportunity", found[1]["Id"])
            return f"deleted {found[1]['Id']}"
        stages = ("Negotiation/Review", "Closed Won", "Closed Lost")
        return self._update(*found, StageName=self.chance.choice(stages))

    def merge_in_salesforce(self) -> str | None:
        name = self.chance.choice(["Lead", "Lead", "Contact"])
        rows = [row for row in self.world.salesforce.rows(name) if not row.get("IsConverted")]
        if len(rows) < 2:
            return None
        one, other = self.chance.sample(rows, 2)
        self.world.salesforce.merge(one["Id"], other["Id"], by_user=self._user())
        return f"{name} {other['Id']} into {one['Id']}"

    def delete_in_salesforce(self) -> str | None:
        found = self._salesforce("Lead", "Contact")
        if found is None:
            return None
        self.world.salesforce.delete(found[0], found[1]["Id"])
        return f"{found[0]} {found[1]['Id']}"

    # either ---------------------------------------------------------------------------------------------

    def change_an_address(self) -> str | None:
        if self.chance.random() < 0.5:
            contact = self._contact()
            return contact and self._set(contact, email=self._address())
        found = self._salesforce("Lead", "Contact")
        return found and self._update(*found, Email=self._address())

    def edit_an_output(self) -> str | None:
        contact = self._contact()
        if contact is not None and self.chance.random() < 0.5:
            return self._set(contact, leadloop_stage=self.chance.choice(["closed", "mql", None]))
        found = self._salesforce("Lead", "Contact")
        return found and self._update(*found, Leadloop_Cycle__c=77)
