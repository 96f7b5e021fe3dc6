"""OnSalesforce: what salespeople and admins do in Salesforce, sentence by sentence."""

from __future__ import annotations

from typing import Any

from tests.stories.scene import Scene
from tests.stories.sentences import Sentence

CLOSE_DATE = "2027-12-31"


def enters(scene: Scene, user: str, lead: str, fields: dict[str, Any]) -> None:
    """A Lead that somebody types in."""
    who = scene.leads[lead]
    about = {
        "FirstName": who.first_name,
        "LastName": who.last_name,
        "Title": who.title,
        "Company": who.company or "[not provided]",
        "Country": who.country,
        "Email": who.email,
        "NumberOfEmployees": who.employees,
    }
    scene.org.insert("Lead", by_user=scene.user_id(user), **{**about, **fields})


def enters_contact(
    scene: Scene, user: str, lead: str, fields: dict[str, Any], account: str | None = None
) -> None:
    """A Contact that never was a Lead."""
    who = scene.leads[lead]
    about = {
        "FirstName": who.first_name,
        "LastName": who.last_name,
        "Title": who.title,
        "MailingCountry": who.country,
        "Email": who.email,
        "AccountId": scene.named("Account", account)["Id"] if account else None,
    }
    scene.org.insert("Contact", by_user=scene.user_id(user), **{**about, **fields})


def enters_account(scene: Scene, user: str, account: str, fields: dict[str, Any]) -> None:
    scene.org.insert(
        "Account", by_user=scene.user_id(user), Name=account, OwnerId=scene.user_id(user), **fields
    )


def edits(scene: Scene, user: str, lead: str, fields: dict[str, Any]) -> None:
    name, row = scene.record(lead)
    scene.org.update(name, row["Id"], by_user=scene.user_id(user), **fields)


def takes(scene: Scene, user: str, lead: str) -> None:
    gives(scene, user, lead, user)


def gives(scene: Scene, user: str, lead: str, colleague: str) -> None:
    name, row = scene.record(lead)
    scene.org.update(name, row["Id"], by_user=scene.user_id(user), OwnerId=scene.user_id(colleague))


def gives_to_queue(scene: Scene, user: str, lead: str, queue: str) -> None:
    name, row = scene.record(lead)
    if queue not in scene.queues:
        raise KeyError(f'there is no queue "{queue}"')
    scene.org.update(name, row["Id"], by_user=scene.user_id(user), OwnerId=scene.queues[queue])


def converts(
    scene: Scene,
    user: str,
    lead: str,
    opportunity: str | None = None,
    account: str | None = None,
    **more: Any,
) -> None:
    """The Lead becomes a Contact of an Account, with an Opportunity if wanted."""
    name, row = scene.record(lead)
    if name != "Lead":
        raise KeyError(f"{lead} is a Contact already")
    made = scene.org.convert_lead(
        row["Id"],
        opportunity_name=opportunity,
        account_id=scene.named("Account", account)["Id"] if account else None,
        owner_id=None if row["OwnerId"].startswith("005") else scene.user_id(user),
        by_user=scene.user_id(user),
    )
    if made.opportunity_id is not None and more.get("fields"):
        scene.org.update("Opportunity", made.opportunity_id, by_user=scene.user_id(user), **more["fields"])


def opens(scene: Scene, user: str, opportunity: str, lead: str, fields: dict[str, Any]) -> None:
    """An Opportunity with the Contact in a role."""
    name, row = scene.record(lead)
    if name != "Contact":
        raise KeyError(f"{lead} is no Contact: convert the Lead first")
    about = {"StageName": "Prospecting", "CloseDate": CLOSE_DATE, "AccountId": row["AccountId"]}
    by = scene.user_id(user)
    made = scene.org.insert("Opportunity", by_user=by, OwnerId=by, Name=opportunity, **{**about, **fields})
    scene.org.insert(
        "OpportunityContactRole", by_user=by, OpportunityId=made, ContactId=row["Id"], IsPrimary=True
    )


def edits_opportunity(scene: Scene, user: str, opportunity: str, fields: dict[str, Any]) -> None:
    row = scene.named("Opportunity", opportunity)
    scene.org.update("Opportunity", row["Id"], by_user=scene.user_id(user), **fields)


def deletes_opportunity(scene: Scene, user: str, opportunity: str) -> None:
    scene.org.delete(
        "Opportunity", scene.named("Opportunity", opportunity)["Id"], by_user=scene.user_id(user)
    )


def leaves(scene: Scene, user: str) -> None:
    scene.org.update("User", scene.user_id(user), IsActive=False)


def joins(scene: Scene, user: str) -> None:
    """Somebody new, or somebody who comes back."""
    if user in scene.users:
        scene.org.update("User", scene.user_id(user), IsActive=True)
    else:
        scene.users[user] = scene.org.add_user(user, scene.emails[user])


SENTENCES = (
    Sentence("{user} enters {lead}", "types the person in as a Lead", enters, "may"),
    Sentence("{user} enters {lead} as a Contact", "types the person in as a Contact", enters_contact, "may"),
    Sentence(
        '{user} enters {lead} as a Contact of "{account}"',
        "of an Account that is there",
        enters_contact,
        "may",
    ),
    Sentence('{user} enters the account "{account}"', "makes an Account and owns it", enters_account, "may"),
    Sentence("{user} edits {lead}", "changes these fields of the Lead, or of the Contact", edits, "must"),
    Sentence("{user} takes {lead}", "becomes the owner of the record", takes),
    Sentence("{user} gives {lead} to {colleague}", "makes a colleague the owner", gives),
    Sentence('{user} gives {lead} to the queue "{queue}"', "makes a queue the owner", gives_to_queue),
    Sentence("{user} converts {lead}", "converts the Lead, without an Opportunity", converts),
    Sentence(
        '{user} converts {lead} with the opportunity "{opportunity}"',
        "converts the Lead, with an Opportunity that has these fields",
        converts,
        "may",
    ),
    Sentence(
        '{user} converts {lead} into the account "{account}"', "into an Account that is there", converts
    ),
    Sentence(
        '{user} opens the opportunity "{opportunity}" for {lead}',
        "makes an Opportunity and puts the Contact in a role of it",
        opens,
        "may",
    ),
    Sentence('{user} edits the opportunity "{opportunity}"', "changes its fields", edits_opportunity, "must"),
    Sentence(
        '{user} deletes the opportunity "{opportunity}"', "moves it to the recycle bin", deletes_opportunity
    ),
    Sentence("{user} leaves", "the user is made inactive", leaves),
    Sentence("{user} joins", "the user is made active, or made", joins),
)
