"""Scene: the two platforms of a story, who is on them, and where their records are found."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Mapping
from typing import Any

from connector.demo.people import Character, People
from tests.cli.shell import Answer, Shell
from tests.stories.document import Person, Story
from tests.world import World


class Scene:
    """A world peopled by a story. Look-ups raise KeyError with a sentence when nobody is there. Commands are
    typed into `shell`."""

    def __init__(self, world: World, story: Story, shell: Shell) -> None:
        self.world = world
        self.org = world.salesforce
        self.portal = world.hubspot
        self.portal.crm.sync_deals = True  # as accounts have it unless somebody has switched it off
        self.leads = story.told.leads
        self.users: dict[str, str] = {"Admin": self.org.admin_id, "leadloop": self.org.integration_user_id}
        self.owners: dict[str, str] = {}
        self.queues = {name: self.org.add_queue(name) for name in story.told.queues}
        self.emails = {name: who.email for name, who in story.sales.items()}
        self.contacts: dict[str, str] = {}
        for name, who in story.sales.items():
            if who.only_on != "hubspot":
                self.users[name] = self.org.add_user(name, who.email)
            if who.only_on != "salesforce":
                self.owners[name] = self.portal.add_owner(who.email, name)
        characters = [_character(name, who) for name, who in self.leads.items()]
        self.people = People(world.sandbox, world.clock, characters)

        self._shell = shell
        for name, text in story.told.files.items():
            (shell.folder / name).write_text(text, encoding="utf-8")

    def command(self, line: str) -> Answer:
        """What the admin gets who types `leadloop` and this. Raises KeyError when it ends with an error."""
        with contextlib.chdir(self._shell.folder):
            answer = self._shell(*shlex.split(line))
        if answer.code:
            raise KeyError(f"it ends with {answer.code}: {' '.join((answer.err + answer.out).split())}")
        return answer

    # Salesforce ---------------------------------------------------------------------------------------------

    def user_id(self, name: str) -> str:
        """The Salesforce user with this name."""
        if name not in self.users:
            raise KeyError(f"{name} is no user of Salesforce")
        return self.users[name]

    def person(self, lead: str) -> tuple[str, dict[str, Any]] | None:
        """The object and row that Salesforce users see of a lead: the Contact if there is one, else the Lead
        that is not converted."""
        email = self.leads[lead].email.lower()
        for name in ("Contact", "Lead"):
            for row in self.org.rows(name):
                if (row["Email"] or "").lower() == email and not row.get("IsConverted"):
                    return name, row
        return None

    def record(self, lead: str) -> tuple[str, dict[str, Any]]:
        """As `person`, for somebody who has to be there."""
        found = self.person(lead)
        if found is None:
            raise KeyError(f"{lead} is not in Salesforce")
        return found

    def named(self, object_name: str, name: str) -> dict[str, Any]:
        """The newest account or opportunity of this name."""
        found = [row for row in self.org.rows(object_name) if row["Name"] == name]
        if not found:
            raise KeyError(f'there is no {object_name} "{name}" in Salesforce')
        return found[-1]

    def owner_shown(self, native_id: str | None) -> str | None:
        """The name of the user or queue with this Salesforce id."""
        names = {number: name for name, number in (*self.users.items(), *self.queues.items())}
        return names.get(native_id or "", native_id)

    # HubSpot ------------------------------------------------------------------------------------------------

    def contact(self, lead: str) -> Mapping[str, Any] | None:
        """The HubSpot contact of a lead."""
        record_id = self.portal.find("contacts", "email", self.leads[lead].email)
        return None if record_id is None else self.portal.get("contacts", record_id)

    def contact_id(self, lead: str) -> str:
        """The id of the HubSpot contact of a lead that has to be there."""
        record_id = self.portal.find("contacts", "email", self.leads[lead].email)
        if record_id is None:
            raise KeyError(f"{lead} is not in HubSpot")
        return record_id

    def in_hubspot(self, object_name: str, key: str, value: str) -> str:
        """The id of the newest record of this object whose property shows this value."""
        found = [row["id"] for row in self.portal.rows(object_name) if row[key] == value]
        if not found or found[-1] is None:
            raise KeyError(f'there is no "{value}" among the {object_name} of HubSpot')
        return found[-1]

    def hubspot_owner_shown(self, native_id: str | None) -> str | None:
        """The name of the HubSpot user with this id."""
        names = {number: name for name, number in self.owners.items()}
        return names.get(native_id or "", native_id)


def _character(name: str, who: Person) -> Character:
    return Character(
        name=name,
        email=who.email,
        first_name=who.first_name or "",
        last_name=who.last_name,
        title=who.title or "",
        company=who.company or "",
        country=who.country or "",
        employees=who.employees,
    )
