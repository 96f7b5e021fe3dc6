"""People: what the cast and their salespeople do, by hand, in HubSpot and in Salesforce.

Every method is one thing that a person does in one of the two systems, at the moment it is called. Nothing
here knows leadloop; it keeps a diary of who did what, for whoever watches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.clock import Clock
from connector.sandbox.host import Sandbox
from connector.sandbox.salesforce.conversion import ConvertResult


@dataclass(frozen=True, slots=True)
class Character:
    """One lead of the cast. `name` is what the show calls it; the rest is what the systems are told."""

    name: str
    email: str
    first_name: str
    last_name: str
    title: str
    company: str
    country: str
    employees: int | None = None


@dataclass(frozen=True, slots=True)
class Doing:
    """An entry of the diary: what somebody did about a lead, and when."""

    name: str
    at_ms: int
    text: str


class People:
    """The cast and the two teams at work in one sandbox. Raises KeyError on a name that is not there."""

    def __init__(self, sandbox: Sandbox, clock: Clock, characters: Sequence[Character]) -> None:
        self.characters: Mapping[str, Character] = {each.name: each for each in characters}
        self.diary: list[Doing] = []
        self.org = sandbox.salesforce
        self.portal = sandbox.hubspot
        self._clock = clock
        self._converted: dict[str, ConvertResult] = {}
        self._opportunities: dict[str, str] = {}

    # the leads themselves -----------------------------------------------------------------------------------

    def fills_in(self, name: str, form: str, **answers: str) -> None:
        """Submits a form on the website; HubSpot makes a contact of whoever it does not know."""
        who = self.characters[name]
        known = {
            "firstname": who.first_name,
            "lastname": who.last_name,
            "jobtitle": who.title,
            "company": who.company,
            "country": who.country,
        }
        self.portal.submit_form(who.email, form, **{**({} if self._contact(name) else known), **answers})
        self._note(name, f"fills in the form “{form}”")

    def visits(self, name: str, pages: int = 1) -> None:
        """Comes to the website and reads some pages, which HubSpot counts."""
        self._count(name, {"hs_analytics_num_visits": 1, "hs_analytics_num_page_views": pages})
        self._note(name, "visits the website")

    def clicks(self, name: str) -> None:
        """Clicks a link in an e-mail of marketing's."""
        self._count(name, {"hs_email_click": 1})
        self._note(name, "clicks a link in an e-mail")

    # marketing ----------------------------------------------------------------------------------------------

    def is_marked(self, name: str, status: str) -> None:
        """Marketing sets the contact's lead status by hand."""
        self.portal.update("contacts", self._contact_id(name), hs_lead_status=status)
        self._note(name, f"marketing sets the lead status {status}")

    # sales --------------------------------------------------------------------------------------------------

    def is_imported(self, name: str) -> None:
        """Sales imports a list with this person into Salesforce, in whatever spelling the list has."""
        who = self.characters[name]
        self.org.insert(
            "Lead",
            FirstName=who.first_name,
            LastName=who.last_name,
            Title=who.title,
            Company=who.company,
            Country=who.country,
            Email=who.email.upper() if self._contact(name) else who.email,
            NumberOfEmployees=who.employees,
            LeadSource="Trade Show",
        )
        self._note(name, "is imported into Salesforce")

    def is_rejected(self, name: str, reason: str | None, comment: str | None = None) -> None:
        """The owner sends the lead back; without a reason, if the owner is in a hurry."""
        self._change_lead(
            name,
            Status="Closed - Not Converted",
            Leadloop_Rejection_Reason__c=reason,
            Leadloop_Rejection_Comment__c=comment,
        )
        self._note(name, f"{self._owner(name)} rejects: {reason or 'no reason given'}")

    def is_given_reason(self, name: str, reason: str) -> None:
        """The owner, asked for it, says why the lead was rejected."""
        self._change_lead(name, Leadloop_Rejection_Reason__c=reason)
        self._note(name, f"{self._owner(name)} gives the reason: {reason}")

    def is_accepted(self, name: str, in_verdict_field: bool = False) -> None:
        """The owner takes the lead on, by its status or by the verdict field."""
        taken = {"Leadloop_Verdict__c": "accepted"} if in_verdict_field else {"Status": "Working - Contacted"}
        self._change_lead(name, **taken)
        self._note(name, f"{self._owner(name)} accepts")

    def is_converted(self, name: str, with_opportunity: bool = False, by: str | None = None) -> None:
        """The lead becomes a contact of an account. `by` (an e-mail address): a colleague does it."""
        lead = self._lead(name)
        user = self._user_id(by) if by else lead["OwnerId"]
        who = self.characters[name]
        deal = f"{who.company}: first order" if with_opportunity else None
        made = self.org.convert_lead(
            lead["Id"], "Closed - Converted", opportunity_name=deal, owner_id=user, by_user=user
        )
        self._converted[name] = made
        if made.opportunity_id is not None:
            self._opportunities[name] = made.opportunity_id
        self._note(name, f"{self._first_name(user)} converts the lead")

    def gets_opportunity(self, name: str) -> None:
        """The owner opens an opportunity for a contact that was converted earlier."""
        made = self._converted[name]
        owner = self.org.get("Contact", made.contact_id)["OwnerId"]
        opportunity = self.org.insert(
            "Opportunity",
            by_user=owner,
            Name=f"{self.characters[name].company}: first order",
            StageName="Prospecting",
            CloseDate="2027-06-30",
            AccountId=made.account_id,
            OwnerId=owner,
        )
        self.org.insert(
            "OpportunityContactRole",
            by_user=owner,
            OpportunityId=opportunity,
            ContactId=made.contact_id,
            IsPrimary=True,
        )
        self._opportunities[name] = opportunity
        self._note(name, f"{self._first_name(owner)} opens an opportunity")

    def is_won(self, name: str) -> None:
        """They buy."""
        self._close(name, "Closed Won", "wins")

    def is_lost(self, name: str) -> None:
        """They buy elsewhere, or not at all."""
        self._close(name, "Closed Lost", "loses")

    # looking things up --------------------------------------------------------------------------------------

    def _close(self, name: str, stage: str, verb: str) -> None:
        opportunity = self._opportunities[name]
        owner = self.org.get("Opportunity", opportunity)["OwnerId"]
        self.org.update("Opportunity", opportunity, by_user=owner, StageName=stage)
        self._note(name, f"{self._first_name(owner)} {verb} the opportunity")

    def _count(self, name: str, more: Mapping[str, int]) -> None:
        contact = self.portal.get("contacts", self._contact_id(name))
        counted = {key: int(contact[key] or 0) + number for key, number in more.items()}
        at = {
            "hs_email_click": "hs_email_last_click_date",
            "hs_analytics_num_visits": "hs_analytics_last_timestamp",
        }
        dated = {at[key]: self._clock.now_ms() for key in more if key in at}
        self.portal.update("contacts", self._contact_id(name), source="ANALYTICS", **counted, **dated)

    def _contact(self, name: str) -> str | None:
        return self.portal.find("contacts", "email", self.characters[name].email)

    def _contact_id(self, name: str) -> str:
        found = self._contact(name)
        if found is None:
            raise KeyError(f"{name} is not in HubSpot")
        return found

    def _lead(self, name: str) -> dict[str, Any]:
        email = self.characters[name].email
        for row in self.org.rows("Lead"):
            if (row["Email"] or "").lower() == email and not row["IsConverted"]:
                return row
        raise KeyError(f"{name} is not an open Lead in Salesforce")

    def _change_lead(self, name: str, **fields: Any) -> None:
        lead = self._lead(name)
        self.org.update("Lead", lead["Id"], by_user=lead["OwnerId"], **fields)

    def _owner(self, name: str) -> str:
        return self._first_name(self._lead(name)["OwnerId"])

    def _first_name(self, user_id: str) -> str:
        return str(self.org.get("User", user_id)["Name"])

    def _user_id(self, email: str) -> str:
        return next(str(row["Id"]) for row in self.org.rows("User") if row["Email"] == email)

    def _note(self, name: str, text: str) -> None:
        self.diary.append(Doing(name, self._clock.now_ms(), text))
