"""OnHubSpot: what leads, marketers and workflows do in HubSpot, sentence by sentence."""

from __future__ import annotations

from typing import Any

from tests.stories.scene import Scene
from tests.stories.sentences import Sentence

PRIMARY_COMPANY = 1
"""HubSpot's type of the association of a contact with its primary company."""


def fills_in(scene: Scene, lead: str, form: str, fields: dict[str, Any]) -> None:
    """HubSpot makes a contact of whoever it does not know."""
    scene.people.fills_in(lead, form, **fields)


def visits(scene: Scene, lead: str, number: int = 1) -> None:
    scene.people.visits(lead, number)


def clicks(scene: Scene, lead: str) -> None:
    scene.people.clicks(lead)


def enters(scene: Scene, lead: str, fields: dict[str, Any]) -> None:
    who = scene.leads[lead]
    about = {
        "firstname": who.first_name,
        "lastname": who.last_name,
        "jobtitle": who.title,
        "company": who.company,
        "country": who.country,
    }
    scene.portal.create("contacts", email=who.email, **{**about, **fields})


def edits(scene: Scene, lead: str, fields: dict[str, Any]) -> None:
    scene.portal.update("contacts", scene.contact_id(lead), **fields)


def workflow_edits(scene: Scene, lead: str, fields: dict[str, Any]) -> None:
    scene.portal.update("contacts", scene.contact_id(lead), source="AUTOMATION_PLATFORM", **fields)


def archives(scene: Scene, lead: str) -> None:
    scene.portal.archive("contacts", scene.contact_id(lead))


def opens_deal(scene: Scene, deal: str, lead: str, fields: dict[str, Any]) -> None:
    """HubSpot's own deal sync moves the lifecycle stage of the contact."""
    contact_id = scene.contact_id(lead)
    made = scene.portal.create("deals", **{"dealname": deal, "dealstage": "appointmentscheduled", **fields})
    scene.portal.associate("deals", made, "contacts", contact_id)


def edits_deal(scene: Scene, deal: str, fields: dict[str, Any]) -> None:
    scene.portal.update("deals", scene.in_hubspot("deals", "dealname", deal), **fields)


def opens_lead(scene: Scene, user: str, lead: str, fields: dict[str, Any]) -> None:
    """A record of HubSpot's leads object, in the first stage of its pipeline."""
    contact_id = scene.contact_id(lead)
    start = {"hs_pipeline": "lead-pipeline-id", "hs_pipeline_stage": "new-stage-id"}
    about = {"hs_lead_name": lead, "hubspot_owner_id": scene.owners[user]}
    made = scene.portal.create("leads", **{**about, **start, **fields})
    scene.portal.associate("leads", made, "contacts", contact_id)


def edits_lead(
    scene: Scene, user: str, lead: str, fields: dict[str, Any]
) -> None:  # HubSpot does not tell who
    scene.portal.update("leads", scene.in_hubspot("leads", "hs_lead_name", lead), **fields)


def enters_company(scene: Scene, user: str, company: str, fields: dict[str, Any]) -> None:
    scene.portal.create("companies", **{"name": company, "hubspot_owner_id": scene.owners[user], **fields})


def employs(scene: Scene, lead: str, company: str) -> None:
    company_id = scene.in_hubspot("companies", "name", company)
    scene.portal.associate("contacts", scene.contact_id(lead), "companies", company_id, PRIMARY_COMPANY)


def edits_later(scene: Scene, lead: str, fields: dict[str, Any]) -> None:
    """Before leadloop looks again."""
    scene.world.later(seconds=30)
    edits(scene, lead, fields)


def leaves(scene: Scene, user: str) -> None:
    if user not in scene.owners:
        raise KeyError(f"{user} is no user of HubSpot")
    scene.portal.deactivate_owner(scene.owners[user])


def joins(scene: Scene, user: str) -> None:
    scene.owners[user] = scene.portal.add_owner(scene.emails[user], user)


SENTENCES = (
    Sentence(
        '{lead} fills in the form "{form}"', "on the website; fields are further answers", fills_in, "may"
    ),
    Sentence("{lead} visits the website", "and reads one page", visits),
    Sentence("{lead} visits the website and reads {number} pages", "in one visit", visits),
    Sentence("{lead} clicks in an e-mail", "of marketing's", clicks),
    Sentence("marketing enters {lead}", "types the person in as a contact", enters, "may"),
    Sentence("marketing edits {lead}", "changes these properties of the contact", edits, "must"),
    Sentence("a workflow edits {lead}", "changes these properties of the contact", workflow_edits, "must"),
    Sentence("marketing deletes {lead}", "moves the contact to the recycle bin", archives),
    Sentence(
        'somebody opens the deal "{deal}" for {lead}',
        "a deal with the contact; HubSpot moves the lifecycle stage by itself",
        opens_deal,
        "may",
    ),
    Sentence('somebody edits the deal "{deal}"', "changes its properties", edits_deal, "must"),
    Sentence(
        "{user} opens a HubSpot lead for {lead}",
        "makes a record of the leads object about the contact, and owns it",
        opens_lead,
        "may",
    ),
    Sentence("{user} edits the HubSpot lead of {lead}", "changes the newest one", edits_lead, "must"),
    Sentence('{user} enters the company "{company}"', "makes a company and owns it", enters_company, "may"),
    Sentence(
        'marketing puts {lead} into the company "{company}"',
        "makes it the primary company of the contact",
        employs,
    ),
    Sentence(
        "half a minute later marketing edits {lead}",
        "changes these properties of the contact before leadloop looks again",
        edits_later,
        "must",
    ),
    Sentence("{user} leaves", "the user is deactivated", leaves),
    Sentence("{user} joins", "the user is made", joins),
)
