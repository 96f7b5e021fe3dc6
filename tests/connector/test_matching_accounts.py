"""Matching accounts: who is no Contact yet, but whose company is an Account already, goes to its owner."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.configuration import Configuration, shipped
from connector.intake.sweep import sweep
from connector.learning import learn_again
from connector.observation import RecordKey
from connector.store import account_names
from connector.store.versions import drop_observations
from mappings.problems import ConfigErrors
from tests.connector.test_routing import EVERYONE, KIM, SAM, enter, given, last_move, rules
from tests.world import World, configuration

LOU = "lou@sales.example"
ROUTES = "  - {route: customers, to: account_owner}\n  - {route: everyone, pool: [sam@sales.example]}"
ANN, BOB, CAT = "ann@acme.example", "bob@acme.example", "cat@acme.example"


def with_accounts() -> str:
    """The shipped mapping with the # before its accounts taken away."""
    before, marker, rest = shipped("mappings", "salesforce").partition("  # Account:\n")
    assert marker
    commented, blank, after = rest.partition("\n\n")
    return before + "  Account:\n" + commented.replace("  # ", "  ") + blank + after


def config(routes: str = ROUTES) -> Configuration:
    return configuration(rules(routes), {"preset:salesforce": with_accounts()})


def account(world: World, name: str, owner: str, website: str | None = None) -> str:
    return world.salesforce.insert("Account", Name=name, OwnerId=world.users[owner], Website=website)


@pytest.fixture
def world(tmp_path: Path) -> World:
    with World(tmp_path, config(), salespeople=(SAM, KIM, LOU)) as made:
        yield made


def test_whose_address_is_of_an_accounts_website_goes_to_its_owner(world: World) -> None:
    acme = account(world, "Acme Holding", KIM, "HTTP://www.Acme.example/en")
    world.later(days=400)  # long before anybody is read
    world.leadloop  # noqa: B018  # connected before anybody acts
    enter(world, ANN, company="Something else")
    assert given(world, ANN) == KIM
    assert last_move(world, ANN) == ("customers", f"account {acme}, by e-mail domain")
    assert world.contact(ANN)["leadloop_stage"] == "distributed"
    assert world.sf_lead(ANN)["OwnerId"] == world.users[KIM]


def test_somebody_who_is_a_lead_of_the_crm_goes_to_the_accounts_owner_too(world: World) -> None:
    account(world, "Acme", KIM, "acme.example")
    world.leadloop  # noqa: B018  # connected before anybody acts
    world.later(minutes=5)
    world.salesforce.insert("Lead", Email=ANN, LastName="Lee", Title="VP Sales", Company="Else")
    world.run()
    world.run()
    world.hubspot.submit_form(ANN, "Pricing")
    assert given(world, ANN) == KIM


def test_free_mail_says_nothing_about_the_company(world: World) -> None:
    account(world, "A mail provider", KIM, "https://gmail.com")
    world.leadloop  # noqa: B018  # connected before anybody acts
    enter(world, "ann@gmail.com")
    assert given(world, "ann@gmail.com") == SAM
    assert last_move(world, "ann@gmail.com")[1] == (
        "route customers: no account owner; next in pool everyone"
    )


def test_the_very_name_of_the_company_counts_and_nothing_like_it(world: World) -> None:
    acme = account(world, "ACME  Anvils", KIM)
    world.leadloop  # noqa: B018  # connected before anybody acts
    enter(world, "ann@gmail.com", company="Acme anvils")
    enter(world, "bob@gmail.com", company="Acme Anvils Inc")
    assert given(world, "ann@gmail.com") == KIM
    assert last_move(world, "ann@gmail.com") == ("customers", f"account {acme}, by company name")
    assert given(world, "bob@gmail.com") == SAM


def test_two_accounts_of_one_name_are_no_match(world: World) -> None:
    ids = sorted(account(world, "Acme", KIM) for _ in range(2))
    world.leadloop  # noqa: B018  # connected before anybody acts
    enter(world, ANN)
    assert given(world, ANN) == SAM
    assert last_move(world, ANN)[1] == (
        f"route customers: 2 accounts have this company name ({ids[0]}, {ids[1]}); next in pool everyone"
    )


def test_accounts_of_different_owners_are_no_match_and_the_history_says_so(world: World) -> None:
    ids = sorted(account(world, f"Acme {owner}", owner, "acme.example") for owner in (KIM, LOU))
    world.leadloop  # noqa: B018  # connected before anybody acts
    enter(world, ANN)
    assert given(world, ANN) == SAM
    assert last_move(world, ANN) == (
        "everyone",
        f"route customers: 2 accounts of different owners have this e-mail domain ({ids[0]}, {ids[1]}); "
        "next in pool everyone",
    )


def test_several_accounts_of_one_owner_are_a_match(world: World) -> None:
    for name in ("Acme", "Acme Europe"):
        account(world, name, KIM, "acme.example")
    world.leadloop  # noqa: B018  # connected before anybody acts
    enter(world, ANN)
    assert given(world, ANN) == KIM


def test_an_account_that_is_deleted_or_has_another_website_counts_no_more(world: World) -> None:
    acme = account(world, "Acme Holding", KIM, "acme.example")
    world.leadloop  # noqa: B018  # connected before anybody acts
    enter(world, ANN)
    assert given(world, ANN) == KIM
    world.salesforce.update("Account", acme, Website="https://other.example")
    world.run()
    enter(world, BOB)
    assert given(world, BOB) == SAM
    enter(world, "eve@other.example")
    assert given(world, "eve@other.example") == KIM
    world.salesforce.delete("Account", acme)
    world.run()
    enter(world, "dan@other.example")
    assert given(world, "dan@other.example") == SAM


def test_a_renamed_account_is_found_by_its_new_name_only(world: World) -> None:
    acme = account(world, "Acme", KIM)
    world.leadloop  # noqa: B018  # connected before anybody acts
    world.later(minutes=5)
    world.salesforce.update("Account", acme, Name="Anvils")
    world.run()
    enter(world, ANN, company="Acme")
    enter(world, BOB, company="Anvils")
    assert given(world, ANN) == SAM
    assert given(world, BOB) == KIM


def test_a_new_owner_of_an_account_gets_who_comes_from_then_on(world: World) -> None:
    acme = account(world, "Acme", KIM, "acme.example")
    world.leadloop  # noqa: B018  # connected before anybody acts
    enter(world, ANN)
    assert given(world, ANN) == KIM
    world.salesforce.update("Account", acme, OwnerId=world.users[LOU])
    world.run()
    enter(world, BOB)
    assert given(world, BOB) == LOU
    assert given(world, ANN) == KIM, "who was handed over stays"


def test_an_owner_who_has_left_is_passed_over(world: World) -> None:
    account(world, "Acme", KIM, "acme.example")
    world.salesforce.update("User", world.users[KIM], IsActive=False)
    world.leadloop  # noqa: B018  # connected before anybody acts
    learn_again(world.leadloop, "salesforce")
    enter(world, ANN)
    assert given(world, ANN) == SAM
    told = last_move(world, ANN)[1]
    assert told is not None
    assert told.startswith("route customers: kim@sales.example is no active user on salesforce")


def test_the_account_of_a_persons_own_contact_counts_more(world: World) -> None:
    account(world, "Acme", KIM, "acme.example")
    own = account(world, "Elsewhere", LOU)
    world.leadloop  # noqa: B018  # connected before anybody acts
    world.later(minutes=5)
    world.salesforce.insert("Contact", Email=ANN, LastName="Lee", Title="VP Sales", AccountId=own)
    world.run()
    world.run()
    world.hubspot.submit_form(ANN, "Pricing")
    world.run()
    world.run()
    assert world.contact(ANN)["leadloop_owner"] == LOU
    assert last_move(world, ANN) == ("customers", None)


def test_the_stand_in_for_an_unknown_company_is_no_name(world: World) -> None:
    account(world, "[not provided]", KIM)  # a Lead that leadloop created was converted
    world.leadloop  # noqa: B018  # connected before anybody acts
    enter(world, "ann@gmail.com", company="[not provided]")
    assert given(world, "ann@gmail.com") == SAM


def test_an_account_whose_owner_nobody_knows_is_told(world: World) -> None:
    acme = account(world, "Acme", KIM, "acme.example")
    world.leadloop  # noqa: B018  # connected before anybody acts
    stranger = world.salesforce.add_user("New", "new@sales.example")  # not read yet
    world.later(minutes=5)
    world.salesforce.update("Account", acme, OwnerId=stranger)
    enter(world, ANN)
    assert given(world, ANN) == SAM
    assert last_move(world, ANN)[1] == (
        f"route customers: no known owner of account {acme}, by e-mail domain; next in pool everyone"
    )


def test_a_sweep_finds_an_account_that_was_missed(world: World) -> None:
    account(world, "Old", KIM)
    world.later(days=30)
    world.run()
    acme = account(world, "Acme", KIM, "acme.example")
    world.run()
    assert sweep_of_accounts(world) == {}, "also those from before leadloop have been read"
    with world.database.begin() as conn:
        drop_observations(conn, [RecordKey("salesforce", "Account", acme)])
        account_names.replace(conn, [RecordKey("salesforce", "Account", acme)], [])
    world.later(hours=3)
    assert sweep_of_accounts(world) == {"missed": 1}
    enter(world, ANN)
    assert given(world, ANN) == KIM


def sweep_of_accounts(world: World) -> dict[str, int]:
    swept = sweep(world.leadloop, "salesforce", object_name="Account")
    assert swept is not None
    return {cause: number for cause, number in swept.findings.found.items() if number and cause != "same"}


def test_accounts_that_are_mapped_otherwise_are_read_again(world: World) -> None:
    account(world, "Acme", KIM, "acme.example")
    text = with_accounts()
    world.config = configuration(
        rules(ROUTES), {"preset:salesforce": text.replace("website: Website\n", "\n")}
    )
    world.run()
    enter(world, ANN, company="Else")
    assert given(world, ANN) == SAM
    world.reconnect()
    world.config = config()
    world.run()
    enter(world, BOB, company="Else")
    assert given(world, BOB) == KIM


def test_rules_know_the_owner_of_the_matching_account(tmp_path: Path) -> None:
    routes = "  - {route: new ones, when: is_blank(account_owner), owner: sam@sales.example}\n  - " + EVERYONE
    with World(tmp_path, config(routes.replace("is_blank", "not is_blank"))) as world:
        account(world, "Acme", KIM, "acme.example")
        world.leadloop  # noqa: B018  # connected before anybody acts
        enter(world, ANN)
        given(world, ANN)
        assert last_move(world, ANN)[0] == "new ones"
        assert world.lead(ANN).values.get("account_owner") is None, "it is not the lead's own"


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        ("    owner: OwnerId\n\n  # What", "\n  # What", 'an account needs "owner" under "fields"'),
        ("    name: Name\n      website: Website\n", "", 'an account needs "website" or "name"'),
        ("role: account", "role: account\n    precedence: 1\n    stage: []", '"stage" is for objects'),
    ],
)
def test_an_account_of_no_use_is_a_mistake(written: str, instead: str, told: str) -> None:
    text = with_accounts()
    assert written in text
    with pytest.raises(ConfigErrors, match=told):
        configuration(rules(ROUTES), {"preset:salesforce": text.replace(written, instead)})
