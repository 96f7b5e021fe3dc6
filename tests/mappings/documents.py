"""Small mapping documents for the tests, and what loading them says."""

from __future__ import annotations

from mappings.mapping import Mapping, load_mapping
from mappings.source import ConfigErrors, Source

LEAD = """\
fields:
  email:     {type: email, policy: newest, else: hubspot, identity: true, personal: true}
  last_name: {type: text, policy: salesforce, personal: true}
  phone:     {type: phone, policy: not_blank}
  country:   {type: country, policy: not_blank, group: place}
  state:     {type: state, policy: not_blank, group: place}
  revenue:   {type: money, policy: not_blank}
  source:    {type: picklist, policy: salesforce, values: [website, webinar]}
  interests: {type: multi_select, policy: not_blank}
  opted_out: {type: boolean, policy: opt_out}
  met_at:    {type: datetime, policy: salesforce}
  owner:     {type: owner, policy: salesforce}
default_country: US
"""
SALESFORCE = """\
side: salesforce
platform: salesforce
kind: crm
objects:
  Contact:
    role: person
    precedence: 1
    fields:
      email: Email
  Lead:
    role: person
    precedence: 2
    primary: oldest
    created: CreatedDate
    fields:
      email: {field: Email, max_length: 40}
      last_name: {field: LastName, max_length: 10, too_long: truncate}
      phone: Phone
      country: {field: Country, write_as: name}
      state: State
      revenue: Revenue
      source: {field: LeadSource, table: {Web: website, Internet: website, Seminar: webinar}}
      interests: Interests__c
      opted_out: HasOptedOutOfEmail
      met_at: {field: Met_At__c, direction: read}
      owner: OwnerId
    stage:
      - field: Status
        values:
          Open:       {stages: [inquiry, qualification, nurture, mql, distributed]}
          Working:    {stages: [accepted], means: accepted}
          Unqualified: {stages: [nurture, disqualified], means: rejected}
          Converted:  {stages: [qualified, opportunity, closed], never_write: true}
    verdict:
      field: Verdict__c
      reason: {field: Reason__c, table: {Too early: timing}}
      comment: Comment__c
    leadloop:
      lead_id: Leadloop_Id__c
      stage: Leadloop_Stage__c
    create:
      when: 'stage == "mql"'
      defaults: {last_name: "[unknown]"}
  Opportunity:
    role: opportunity
    fields: {is_closed: IsClosed, amount: Amount, created: CreatedDate}
"""
HUBSPOT = """\
side: hubspot
platform: hubspot
kind: map
objects:
  contacts:
    role: person
    fields:
      email: email
      last_name: lastname
      phone: phone
      opted_out: {field: hs_email_optout, direction: read}
      owner: hubspot_owner_id
    stage:
      - field: lifecyclestage
        claims: false
        backward: clear_first
        values:
          lead: {stages: [inquiry, qualification, nurture, disqualified]}
          marketingqualifiedlead: {stages: [mql, distributed]}
          salesqualifiedlead: {stages: [accepted, qualified]}
          opportunity: {stages: [opportunity]}
          customer: {stages: [closed], outcome: won}
        never_from: [opportunity, customer]
    leadloop: {lead_id: leadloop_id, stage: leadloop_stage}
    activities:
      - {counter: num_conversion_events, activity: form_submission, at: recent_conversion_date}
"""


def loaded(lead: str = LEAD, salesforce: str = SALESFORCE, hubspot: str = HUBSPOT) -> Mapping:
    """The compiled documents."""
    return load_mapping(
        [Source("lead.yaml", lead), Source("salesforce.yaml", salesforce), Source("hubspot.yaml", hubspot)]
    )


def complaints(lead: str = LEAD, salesforce: str = SALESFORCE, hubspot: str = HUBSPOT) -> list[str]:
    """What is wrong with the documents, one text for each error."""
    try:
        loaded(lead, salesforce, hubspot)
    except ConfigErrors as found:
        return [str(error) for error in found.errors]
    return []


def changed(text: str, old: str, new: str) -> str:
    """The text with one place changed."""
    assert text.count(old) == 1, f"{old!r} is in the text {text.count(old)} times"
    return text.replace(old, new)


class People:
    """Who can own records: on Salesforce two users and a queue, on HubSpot one of the users."""

    _by_id = {  # noqa: RUF012  # a constant of a test double
        "salesforce": {"005A": "ann@acme.example", "005B": "Bob@acme.example", "00GQ": "queue:Inbound"},
        "hubspot": {"77": "ann@acme.example"},
    }

    def email_of(self, side: str, native_id: str) -> str | None:
        return self._by_id[side].get(native_id)

    def native_of(self, side: str, owner: str) -> str | None:
        return next((key for key, known in self._by_id[side].items() if known.lower() == owner.lower()), None)

    def knows_owners_of(self, side: str) -> bool:
        return side in self._by_id
