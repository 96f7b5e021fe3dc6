"""The compiled mapping: reading a record, spelling values, and what it says about sides and objects."""

from __future__ import annotations

import dataclasses

import pytest

from mappings.mapping import Mapping, load_mapping
from mappings.object_mapping import ObjectMapping
from mappings.source import Source
from mappings.stages import Stage
from mappings.values import NoSpelling, Unreadable
from tests.mappings.documents import HUBSPOT, LEAD, SALESFORCE, People, changed, loaded

PEOPLE = People()


@pytest.fixture(scope="module")
def mapping() -> Mapping:
    return loaded()


@pytest.fixture(scope="module")
def lead(mapping: Mapping) -> ObjectMapping:
    return mapping.sides["salesforce"].objects["Lead"]


def test_a_record_is_read_in_canonical_values(lead: ObjectMapping) -> None:
    read = lead.read(
        {
            "Email": " Ann@Acme.EXAMPLE", "LastName": "O’Neill", "Phone": "(850) 644-4200", "Country": "USA",
            "State": "Florida", "Revenue": 1000.0, "LeadSource": "Internet", "Interests__c": "b;a",
            "HasOptedOutOfEmail": False, "Met_At__c": "2023-05-03T10:34:07.000+0000", "OwnerId": "005B",
            "Unmapped__c": "x",
        },
        PEOPLE,
    )  # fmt: skip
    assert read.unreadable == {}
    assert read.values == {
        "email": "ann@acme.example", "last_name": "O’Neill", "phone": "+18506444200", "country": "US",
        "state": "FL", "revenue": 1000, "source": "website", "interests": ("a", "b"), "opted_out": False,
        "met_at": "2023-05-03T10:34:07Z", "owner": "bob@acme.example",
    }  # fmt: skip


def test_absent_is_unknown_and_none_is_blank(lead: ObjectMapping) -> None:
    assert lead.read({"Email": None}, PEOPLE).values == {"email": None}


def test_what_cannot_be_read_is_reported_and_the_rest_is_read(lead: ObjectMapping) -> None:
    read = lead.read(
        {"Email": "nobody", "LastName": "A", "LeadSource": "Radio", "OwnerId": "005X", "Country": "Atlantis"},
        PEOPLE,
    )
    assert read.values == {"last_name": "A"}
    assert read.unreadable == {
        "email": "it is no e-mail address: An email address must have an @-sign",
        "source": '"Radio" is not one of the values of this field',
        "owner": "005X is not among the owners of salesforce",
        "country": '"Atlantis" is no country',
    }


def test_a_phone_number_is_dialled_in_the_leads_country(lead: ObjectMapping) -> None:
    number = {"Phone": "020 7946 0958"}
    assert lead.read({**number, "Country": "England"}, PEOPLE).values["phone"] == "+442079460958"
    assert "phone" in lead.read({**number, "Country": None}, PEOPLE).unreadable  # not a number in the US
    assert lead.pair("phone").read("020 7946 0958", PEOPLE, "GB") == "+442079460958"
    assert lead.pair("phone").read("(850) 644-4200", PEOPLE) == "+18506444200"


def test_values_are_spelled_for_the_platform(lead: ObjectMapping) -> None:
    spelled = lead.write(
        {
            "email": "ann@acme.example", "last_name": "A very long name", "phone": "+18506444200;ext=12",
            "country": "DE", "source": "website", "interests": ("a", "b"), "opted_out": True,
            "owner": "queue:Inbound", "met_at": "2023-05-03T10:34:07Z", "revenue": None,
        },
        PEOPLE,
    )  # fmt: skip
    assert spelled.no_spelling == {}
    assert spelled.fields == {
        "Email": "ann@acme.example", "LastName": "A very lon", "Phone": "+18506444200 ext. 12",
        "Country": "Germany", "LeadSource": "Web", "Interests__c": "a;b", "HasOptedOutOfEmail": True,
        "OwnerId": "00GQ", "Revenue": None,
    }  # fmt: skip


def test_what_has_no_spelling_is_reported_and_the_rest_is_spelled(mapping: Mapping) -> None:
    long_address = f"{'a' * 40}@acme.example"
    lead = mapping.sides["salesforce"].objects["Lead"]
    spelled = lead.write(
        {"email": long_address, "owner": "carl@acme.example", "phone": "+18506444200"}, PEOPLE
    )
    assert spelled.fields == {"Phone": "+18506444200"}
    assert spelled.no_spelling == {
        "email": "it has 53 characters, and Email takes 40",
        "owner": "carl@acme.example is not among the owners of salesforce",
    }
    contact = mapping.sides["hubspot"].objects["contacts"]
    assert contact.write({"owner": "queue:Inbound"}, PEOPLE).no_spelling == {
        "owner": "queue:Inbound is not among the owners of hubspot"
    }


def test_a_field_that_is_only_read_is_never_written(mapping: Mapping) -> None:
    contact = mapping.sides["hubspot"].objects["contacts"]
    assert contact.pair("opted_out").reads
    assert not contact.pair("opted_out").writes
    assert contact.write({"opted_out": True}, PEOPLE).fields == {}


def test_all_native_fields_are_named_once(mapping: Mapping, lead: ObjectMapping) -> None:
    assert lead.natives == (
        "Email", "LastName", "Phone", "Country", "State", "Revenue", "LeadSource", "Interests__c",
        "HasOptedOutOfEmail", "Met_At__c", "OwnerId", "Status", "Verdict__c", "Reason__c", "Comment__c",
        "Leadloop_Id__c", "Leadloop_Stage__c", "CreatedDate",
    )  # fmt: skip
    assert mapping.sides["hubspot"].objects["contacts"].natives == (
        "email", "lastname", "phone", "hs_email_optout", "hubspot_owner_id", "lifecyclestage", "leadloop_id",
        "leadloop_stage", "num_conversion_events", "recent_conversion_date",
    )  # fmt: skip


def test_people_and_where_they_are_created(mapping: Mapping, lead: ObjectMapping) -> None:
    side = mapping.sides["salesforce"]
    assert [mapped.object for mapped in side.person_objects] == ["Contact", "Lead"]
    assert side.object_for_create is lead
    assert mapping.sides["hubspot"].object_for_create is None
    create = lead.create
    assert create.when == 'stage == "mql"'
    assert SALESFORCE.splitlines()[create.line - 1][create.column - 1 :].startswith("'stage ==")
    assert create.file == "salesforce.yaml"
    assert dict(create.defaults) == {"last_name": "[unknown]"}


def test_opportunities_are_read_by_their_own_names(mapping: Mapping) -> None:
    opportunity = mapping.sides["salesforce"].objects["Opportunity"]
    read = opportunity.read(
        {"IsClosed": "true", "Amount": "10.00", "CreatedDate": "2026-01-01T00:00:00Z"}, PEOPLE
    )
    assert read.values == {"is_closed": True, "amount": 10, "created": "2026-01-01T00:00:00Z"}
    assert not any(pair.writes for pair in opportunity.pairs)


def test_groups_and_rules_are_carried_over(mapping: Mapping) -> None:
    assert dict(mapping.groups) == {"place": ("country", "state")}
    email = mapping.fields["email"]
    assert (email.policy, email.otherwise, email.first_contact, email.blank) == (
        "newest",
        "hubspot",
        "fill",
        "keep",
    )
    assert email.identity
    assert mapping.illegal_moves == "revert"
    assert mapping.default_country == "US"


def test_the_version_is_that_of_the_texts_alone() -> None:
    documents = [Source("a", LEAD), Source("b", SALESFORCE), Source("c", HUBSPOT)]
    elsewhere = [Source("z", HUBSPOT), Source("x", LEAD), Source("y", SALESFORCE)]
    assert load_mapping(documents).version == load_mapping(elsewhere).version
    assert load_mapping(documents).version != loaded(lead=LEAD + "# a comment\n").version


def test_a_compiled_mapping_cannot_be_changed(mapping: Mapping, lead: ObjectMapping) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        lead.precedence = 7
    with pytest.raises(TypeError):
        mapping.sides["other"] = None


def test_the_verdict_is_read_as_accepted_or_rejected(lead: ObjectMapping) -> None:
    verdict = lead.verdict
    assert verdict.read(None) is None
    assert verdict.read("rejected") == "rejected"
    with pytest.raises(Unreadable, match='"maybe" is no verdict'):
        verdict.read("maybe")
    assert verdict.reason.read("Too early", PEOPLE) == "timing"
    assert verdict.reason.write("timing", PEOPLE) == "Too early"


def test_an_own_spelling_of_the_verdict() -> None:
    text = changed(
        SALESFORCE, "field: Verdict__c", "field: Verdict__c\n      values: {Ja: accepted, Nein: rejected}"
    )
    verdict = loaded(salesforce=text).sides["salesforce"].objects["Lead"].verdict
    assert verdict is not None
    assert verdict.read("Nein") == "rejected"


def test_a_table_reads_any_case_and_never_writes_what_it_would_read_as_another() -> None:
    fields = changed(LEAD, ", values: [website, webinar]}", "}")
    pair = loaded(lead=fields).sides["salesforce"].objects["Lead"].pair("source")
    assert pair is not None
    assert pair.read("SEMINAR", PEOPLE) == "webinar"
    assert pair.read("Radio", PEOPLE) == "Radio"
    assert pair.write("Radio", PEOPLE) == "Radio"
    with pytest.raises(NoSpelling, match='the table of LeadSource has nothing that means "Web"'):
        pair.write("Web", PEOPLE)


def test_a_table_that_refuses_what_it_does_not_know() -> None:
    fields = changed(LEAD, ", values: [website, webinar]}", "}")
    sides = changed(SALESFORCE, "Seminar: webinar}", "Seminar: webinar}, unmapped: refuse")
    pair = loaded(lead=fields, salesforce=sides).sides["salesforce"].objects["Lead"].pair("source")
    assert pair is not None
    with pytest.raises(Unreadable, match='"Radio" is not in the table of LeadSource'):
        pair.read("Radio", PEOPLE)
    with pytest.raises(NoSpelling, match='the table of LeadSource has nothing that means "Radio"'):
        pair.write("Radio", PEOPLE)


def test_a_picklist_that_lost_options_is_read_and_not_written(mapping: Mapping) -> None:
    narrowed = mapping.offered({("salesforce", "Lead"): {"Status": ["Working", "Unqualified"]}})
    status = narrowed.sides["salesforce"].objects["Lead"].stage_fields[0]
    assert status.spelling(Stage.INQUIRY) is None
    assert status.spelling(Stage.NURTURE) == "Unqualified"
    assert status.compatible("Open", Stage.INQUIRY) is True
    assert mapping.sides["salesforce"].objects["Lead"].stage_fields[0].spelling(Stage.INQUIRY) == "Open"
