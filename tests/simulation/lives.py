"""Lives: what people's records go through on both platforms, at random: entered, judged, converted, merged,
deleted, brought back, renamed; and what people do meanwhile. What the platforms say about who became whom is
the truth that leadloop's links are held against.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Any

from connector.observation import RecordKey
from connector.store.links import keys_of_leads, linked, links_of
from tests.world import World

Act = Callable[[Random], str | None]


class Lives:
    """What happens on the platforms, and what is known of it for certain. `became`: who lives on in whom;
    `marks`: a name of each record that is nobody else's; `forbidden`: those that must be gone in the end, and
    `forgotten` the addresses that nobody may be made with; `did`: records that say what somebody did, which
    must count; `forms`: how many were filled in."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.became: dict[RecordKey, RecordKey] = {}
        self.marks: dict[RecordKey, str] = {}
        self.forbidden: set[str] = set()
        self.forgotten: set[str] = set()
        self.to_be_forgotten: set[str] = set()
        self.did: list[RecordKey] = []
        self.forms = 0
        self._gone: list[tuple[str, str]] = []
        self._marks = 0
        self.acts: list[tuple[int, Act]] = [
            (6, self.enter_contact),
            (5, self.enter_lead),
            (2, self.enter_sf_contact),
            (3, self.submit_form),
            (2, self.respond),
            (2, self.call),
            (3, self.judge),
            (4, self.convert),
            (4, self.merge_in_salesforce),
            (4, self.merge_in_hubspot),
            (3, self.delete_in_salesforce),
            (3, self.archive),
            (4, self.undelete),
            (1, self.purge),
            (2, self.privacy_delete),
            (3, self.change_address),
            (2, self.swap_addresses),
            (2, self.second_address),
            (2, self.edit),
        ]

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
        self.forms += 1
        return self.world.hubspot.submit_form(contact["email"], "Pricing")

    def respond(self, chance: Random) -> str | None:
        """A member of a campaign has responded."""
        found = self._pick(chance, "Lead", "Contact")
        if found is None:
            return None
        campaign = self.world.salesforce.insert("Campaign", Name="Fair")
        who = {f"{found[0]}Id": found[1]["Id"]}
        member = self.world.salesforce.insert(
            "CampaignMember", CampaignId=campaign, Status="Responded", **who
        )
        self.did.append(RecordKey("salesforce", "CampaignMember", member))
        return f"{member} {who}"

    def call(self, chance: Random) -> str | None:
        """Somebody was called, or met."""
        found = self._pick(chance, "Lead", "Contact")
        if found is None:
            return None
        name = chance.choice(["Task", "Event"])
        about: dict[str, Any] = {"WhoId": found[1]["Id"], "Subject": name}
        if name == "Task":
            about |= {"Status": "Completed", "TaskSubtype": "Call"}
        else:
            begun = datetime.fromtimestamp(self.world.clock.now_ms() / 1000, UTC)
            about |= {"StartDateTime": f"{begun:%Y-%m-%dT%H:%M:%S}.000+0000", "DurationInMinutes": 30}
        made = self.world.salesforce.insert(name, **about)
        self.did.append(RecordKey("salesforce", name, made))
        return f"{made} {found[1]['Id']}"

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
        self.world.hubspot.crm.follow_merged_ids = chance.random() < 0.5
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
        self.will_be_forgotten(key, None if link is None else link.lead_id)
        self.world.hubspot.privacy_delete(contact["id"])
        return f"contact {contact['id']} of {link}"

    def will_be_forgotten(self, key: RecordKey | None, lead_id: str | None) -> None:
        """Only what is certain at this moment is held against leadloop afterwards."""
        if lead_id is not None and key in (None, *self.marks):
            with self.world.database.read() as conn:
                links = links_of(conn, [lead_id])[lead_id]
                names = keys_of_leads(conn, [lead_id])[lead_id]
            self.forbidden.update(self.marks[link.key] for link in links if link.key in self.marks)
            mails = {name.value for name in names if name.kind == "email"}
            (self.forgotten if key is None else self.to_be_forgotten).update(mails)

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
