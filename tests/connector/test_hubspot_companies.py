"""Companies of HubSpot as accounts: whose customer somebody is already, behind Salesforce's own Accounts."""

from __future__ import annotations

from pathlib import Path

import pytest

from mappings.problems import ConfigErrors
from tests.connector.switched_on import with_objects
from tests.connector.test_matching_accounts import ANN, LOU, ROUTES, account, with_accounts
from tests.connector.test_routing import KIM, SAM, enter, given, last_move, rules
from tests.world import World, configuration

PRIMARY = 1


@pytest.fixture
def world(tmp_path: Path) -> World:
    documents = {"preset:hubspot": with_objects("companies"), "preset:salesforce": with_accounts()}
    with World(tmp_path, configuration(rules(ROUTES), documents), salespeople=(SAM, KIM, LOU)) as made:
        yield made


def company(world: World, name: str, owner: str, domain: str | None = None) -> str:
    owners = {row.email: str(row.owner_id) for row in world.hubspot.crm.owners.values()}
    return world.hubspot.create("companies", name=name, domain=domain, hubspot_owner_id=owners[owner])


def employ(world: World, email: str, company_id: str) -> None:
    """The person is a contact whose primary company is this one."""
    contact = world.hubspot.find("contacts", "email", email) or world.hubspot.create(
        "contacts", email=email, firstname="Ann", lastname="Lee", jobtitle="VP Sales"
    )
    world.hubspot.associate("contacts", contact, "companies", company_id, PRIMARY)


def test_who_has_a_primary_company_goes_to_its_owner_whatever_the_address_says(world: World) -> None:
    bolt = company(world, "Bolt", KIM, "bolt.example")
    company(world, "Acme", LOU, "acme.example")
    world.later(days=400)  # long before anybody is read
    world.leadloop  # noqa: B018  # connected before anybody acts
    employ(world, ANN, bolt)
    world.run()
    world.hubspot.submit_form(ANN, "Pricing")
    world.run()
    assert given(world, ANN) == KIM
    assert last_move(world, ANN) == ("customers", f"account {bolt}, by its own record")


def test_without_a_primary_company_the_domain_of_the_address_tells_it(world: World) -> None:
    acme = company(world, "Acme", LOU, "acme.example")
    world.leadloop  # noqa: B018  # connected before anybody acts
    enter(world, ANN)
    assert given(world, ANN) == LOU
    assert last_move(world, ANN) == ("customers", f"account {acme}, by e-mail domain")


def test_an_account_of_the_crm_counts_before_a_company_of_the_same_domain(world: World) -> None:
    company(world, "Acme", LOU, "acme.example")
    mine = account(world, "Acme Inc", KIM, "acme.example")
    world.leadloop  # noqa: B018  # connected before anybody acts
    enter(world, ANN)
    assert given(world, ANN) == KIM
    assert last_move(world, ANN) == ("customers", f"account {mine}, by e-mail domain")


def test_a_company_that_is_archived_or_without_an_owner_is_nobodys(world: World) -> None:
    gone = company(world, "Gone", KIM)
    nobodys = world.hubspot.create("companies", name="Nobody's")
    world.leadloop  # noqa: B018  # connected before anybody acts
    world.run()
    employ(world, ANN, gone)
    employ(world, "bob@gmail.com", nobodys)
    world.hubspot.archive("companies", gone)
    world.later(hours=2)  # the recycle bin is listed every hour
    for email in (ANN, "bob@gmail.com"):
        world.run()
        world.hubspot.submit_form(email, "Pricing")
        world.run()
    assert given(world, ANN) == SAM
    assert given(world, "bob@gmail.com") == SAM
    assert last_move(world, "bob@gmail.com")[1] == (
        f"route customers: no known owner of account {nobodys}, by its own record; next in pool everyone"
    )


def test_account_without_an_object_of_accounts_is_a_mistake() -> None:
    text = with_objects("companies")
    start = text.index("  companies:\n")
    with pytest.raises(ConfigErrors) as refused:
        configuration(documents={"preset:hubspot": text[:start]})
    assert '"account" needs an object with "role: account" beside it' in str(refused.value)
