"""A small configuration in which every merge policy, blank rule, type and stage trick occurs.

Two sides, `left` (a CRM) and `right` (marketing automation), with no platform behind them: what the pure
simulations run on.
"""

from __future__ import annotations

from functools import lru_cache

from connector.configuration import Configuration, compile_documents

LEAD = """
fields:
  email:     {type: email, policy: newest, else: right, identity: true}
  name:      {type: text, policy: newest, else: left}
  company:   {type: text, policy: not_blank, else: left}
  city:      {type: text, policy: left, first_contact: left}
  title:     {type: text, policy: right, blank: erase}
  note:      {type: text, policy: hold, first_contact: hold, blank: erase}
  employees: {type: number, policy: not_blank, else: hold}
  revenue:   {type: money, policy: newest, else: hold}
  phone:     {type: phone, policy: newest, else: left}
  country:   {type: country, policy: newest, else: left}
  opted_out: {type: boolean, policy: opt_out}
  no_calls:  {type: boolean, policy: opt_out}
  owner:     {type: owner, policy: left, first_contact: left, group: handoff}
default_country: US
illegal_moves: %s
"""

LEFT = """
side: left
platform: none
kind: crm
objects:
  Person:
    role: person
    precedence: 1
    primary: oldest
    created: Created
    fields:
      email: Email
      name: {field: Name, max_length: 20, too_long: truncate}
      company: Company
      city: City
      title: {field: Title, max_length: 12}
      note: Note
      employees: Employees
      revenue: Revenue
      phone: Phone
      country: {field: Country, write_as: name}
      opted_out: OptedOut
      no_calls: NoCalls
      owner: OwnerId
    stage:
      - field: Status
        values:
          Open: [inquiry, qualification, nurture, mql, distributed]
          Working: {stages: [accepted, qualified], means: accepted}
          Closed: {stages: [nurture, disqualified], means: rejected}
          Converted: {stages: [qualified, opportunity, closed], never_write: true}
    verdict:
      field: Verdict
      reason: Reason
      comment: Comment
    leadloop:
      lead_id: LL_Id
      stage: LL_Stage
      stage_since: LL_Since
      cycle: LL_Cycle
      score: LL_Score
      score_reasons: {field: LL_Why, max_length: 40, too_long: truncate}
      owner: LL_Owner
      response_due: LL_Due
      response_state: LL_Response
    create:
      when: 'stage in ["mql", "distributed", "accepted", "qualified"]'
      defaults: {name: "[unknown]"}
"""

RIGHT = """
side: right
platform: none
kind: map
objects:
  contacts:
    role: person
    precedence: 1
    primary: oldest
    created: createdate
    fields:
      email: email
      name: fullname
      company: company
      city: city
      title: title
      note: note
      employees: {field: employees, write_as: text}
      revenue: {field: revenue, write_as: text}
      phone: phone
      country: country
      opted_out: {field: optout, direction: read}
      no_calls: nocalls
      owner: owner_id
    stage:
      - field: lifecycle
        claims: false
        backward: clear_first
        values:
          lead: [inquiry, qualification, nurture, disqualified]
          marketing: [mql, distributed]
          sales: [accepted, qualified]
          opportunity: [opportunity]
          customer: {stages: [closed], outcome: won}
        never_from: [opportunity, customer]
      - field: status
        blank: [inquiry, qualification, nurture, closed]
        values:
          NEW: {stages: [inquiry, qualification, nurture], means: nurture}
          OPEN: {stages: [inquiry, qualification, mql, distributed], means: mql}
          BUSY: {stages: [accepted, qualified, opportunity, closed]}
          BAD: {stages: [disqualified], means: disqualified}
        write: {closed: null}
    leadloop:
      lead_id: ll_id
      stage: ll_stage
      stage_since: ll_since
      cycle: ll_cycle
      score: ll_score
      score_reasons: ll_why
      owner: ll_owner
      response_due: ll_due
      response_state: ll_response
      verdict: ll_verdict
      rejection_reason: ll_reason
    activities:
      - {counter: forms, activity: form_submission, at: last_form}
    create:
      when: 'origin == "left" and not is_blank(email)'
"""

RULES = """
score:
  fit:
    - {rule: boss, when: 'contains(title, "boss")', points: 30}
  engagement:
    - {rule: form, on: form_submission, points: 30, half_life_days: 30, at_most: 60}
gates:
  qualification: {when: not is_blank(email)}
  nurture: {when: not is_blank(name)}
  mql: {fit: 20, engagement: 25, margin: 5}
disqualify:
  - {rule: rival, when: 'company == "Rival"', reason: competitor}
routes:
  - {route: everyone, pool: [ann@x.example, bob@x.example]}
hours: {office: {time_zone: Europe/Berlin, from: "08:00", to: "18:00", holidays: [2027-01-18]}}
deadlines:
  - {deadline: boss waits, stage: distributed, within: 50 hours, remind: 5 hours before, on_breach: reroute,
     when: fit > 20}
  - {deadline: anybody waits, stage: distributed, within: 3 business days, hours: office,
     on_breach: escalate, to: cat@x.example}
  - {deadline: nobody has it, stage: mql, within: 90 minutes}
  - {deadline: worked on, stage: accepted, within: 70 hours, remind: [30 hours before, 3 hours before],
     on_breach: nurture, reason: not worked on}
  - {deadline: qualified, stage: qualified, within: 10 business hours, hours: office, on_breach: mark}
rejection:
  default_reason: unspecified
  grace_minutes: 10
  default_after_minutes: 60
  reasons:
    timing: {then: nurture, cooling_off_days: 30, track: later}
    competitor: {then: disqualify}
    wrong_territory: {then: reroute}
    unspecified: {then: nurture}
"""


@lru_cache
def configuration(illegal_moves: str = "revert", **replaced: str) -> Configuration:
    """The compiled configuration; `replaced` holds other texts for `lead`, `left`, `right` or `rules`."""
    texts = {"lead": LEAD % illegal_moves, "left": LEFT, "right": RIGHT, "rules": RULES, **replaced}
    return compile_documents(
        {
            "leadloop.yaml": "mappings: [lead.yaml, left.yaml, right.yaml]\nrules: [rules.yaml]\n",
            **{f"{name}.yaml": text for name, text in texts.items()},
        }
    )
