"""Every mistake that the mapping documents can have, with the message that names its place and the remedy."""

from __future__ import annotations

import pytest

from mappings.mapping import load_mapping
from mappings.normalise import NORMALISERS
from mappings.source import ConfigErrors, Source
from mappings.values import Unreadable
from tests.mappings.documents import HUBSPOT, LEAD, SALESFORCE, changed, complaints

# (what is there, what somebody writes instead, the message, where it points). The place is marked with ¦, in
# what is written or else in a line of the result.
LEAD_MISTAKES = [
    ("policy: newest, else: hubspot", "policy: ¦newset, else: hubspot",
     'unknown policy "newset"; did you mean "newest"?'),
    ("policy: newest, else: hubspot", "policy: ¦newest",
     'policy "newest" needs "else" for changes whose order cannot be told; '
     'else: salesforce, hubspot, not_blank, hold'),
    ("policy: newest, else: hubspot", "policy: newest, else: ¦newest",
     'unknown policy "newest"; known: hold, hubspot, not_blank, salesforce'),
    ("type: text, policy: salesforce", "type: text, policy: salesforce, first_contact: ¦newest",
     'unknown policy "newest"; known: fill, hold, hubspot, salesforce'),
    ("type: phone, policy: not_blank", "type: phone, policy: ¦opt_out",
     'policy "opt_out" is for booleans only'),
    ("type: phone, policy: not_blank", "type: phone",
     '"policy" is missing',
     "  ¦phone:     {type: phone}"),
    ("type: phone, policy: not_blank", "type: phone, policy: not_blank, blank: ¦never",
     '"never" is not known here; known: erase, keep'),
    ("type: money", "type: ¦mony",
     '"mony" is not known here; did you mean "money"?'),
    ("  revenue:   {", "  ¦Revenue:   {",
     '"Revenue" cannot be the name of a field; lower-case letters, digits and _, a letter first'),
    ("  revenue:   {", "  ¦score:     {",
     '"score" cannot be the name of a field; rules use this word'),
    ("  revenue:   {", "  ¦class:     {",
     '"class" cannot be the name of a field; rules use this word'),
    ("group: place}\n  revenue", "¦gruop: place}\n  revenue",
     'unknown key "gruop"; did you mean "group"?'),
    ("default_country: US", "default_country: ¦Atlantis",
     '"Atlantis" is no country; use a code such as US'),
    ("default_country: US", "illegal_moves: ¦undo",
     '"undo" is not known here; known: accept, hold, revert'),
    ("default_country: US", "¦defualt_country: US",
     'unknown key "defualt_country"; did you mean "default_country"?'),
    ("type: boolean, policy: opt_out", "type: boolean, policy: opt_out, ¦values: [a]",
     '"values" is for picklist and multi_select only'),
    ("[website, webinar]", '[website, ¦" webinar"]',
     '" webinar" is not in its normal form; "webinar"'),
]  # fmt: skip

SALESFORCE_MISTAKES = [
    ("    precedence: 1\n", "    precedence: 1\n    ¦accepted_by_owner: taken\n",
     '"accepted_by_owner" needs "owner" under "fields"; add owner'),
    ("    precedence: 2\n", "    precedence: 2\n    accepted_by_owner: ¦always\n",
     '"always" is not known here; known: given, taken'),
    ("    role: opportunity\n", "    role: opportunity\n    ¦stages: {Early: qualified}\n",
     '"stages" needs "stage_name" under "fields"'),
    ("    role: opportunity\n", "    role: opportunity\n    ¦accepted_by_owner: taken\n",
     '"accepted_by_owner" is for objects with "role: person"'),
    ("    precedence: 1\n", "    precedence: 1\n    ¦stages: {Early: qualified}\n",
     '"stages" is for objects with "role: opportunity"'),
    ("      phone: Phone", "      ¦fone: Phone",
     'unknown field "fone"; did you mean "phone"?'),
    ("{is_closed: IsClosed, ", "{¦is_closd: IsClosed, ",
     'unknown field "is_closd"; did you mean "is_closed"?'),
    ("      stage: Leadloop_Stage__c", "      ¦stag: Leadloop_Stage__c",
     'unknown leadloop field "stag"; did you mean "stage"?'),
    ("      phone: Phone", "      phone: {¦feild: Phone}",
     'unknown key "feild"; did you mean "field"?'),
    ("      phone: Phone", "      phone: ¦5",
     "this must be a mapping (key: value), not the number 5"),
    ("      phone: Phone", "      phone: ¦email",
     '"email" is written by "email" already, in line 16; keep one of the two'),
    ("      stage: Leadloop_Stage__c", "      stage: ¦Status",
     '"Status" is written by the stage already, in line 28; keep one of the two'),
    ("      stage: Leadloop_Stage__c", "      verdict: ¦Verdict__c",
     '"Verdict__c" is written by the verdict already, in line 35; keep one of the two'),
    ("      comment: Comment__c", "      comment: ¦Reason__c",
     '"Reason__c" is written by the verdict\'s reason already, in line 36; keep one of the two'),
    ("{field: Country, write_as: name}", "{field: Country, write_as: ¦nmae}",
     'type country cannot be written as "nmae"; did you mean "name"?'),
    ("      revenue: Revenue", "      revenue: ¦{field: Revenue, write_as: whole}",
     '"revenue" would not come back: 12.5 is written as 12 and read as 12; '
     'use "direction: write", or spell it so that it can be read back'),
    ("{field: Met_At__c, direction: read}", "¦{field: Met_At__c, write_as: date}",
     '"met_at" would not come back: "2026-02-28T23:59:59Z" is written as "2026-02-28" and read as '
     '"2026-02-28T00:00:00Z"; use "direction: write", or spell it so that it can be read back'),
    ("      phone: Phone", "      phone: {field: Phone, ¦table: {a: b}}",
     "type phone has no table; tables are for text, picklist, multi_select, boolean, number, country, state"),
    ("Seminar: webinar}", "Seminar: ¦webniar}",
     '"webniar" is not one of the values of this field; did you mean "webinar"?'),
    ("      opted_out: HasOptedOutOfEmail", "      opted_out: {field: X__c, table: {Out: ¦maybe}}",
     '"maybe" is neither yes nor no'),
    ("      opted_out: HasOptedOutOfEmail", '      opted_out: {field: X__c, table: {Out: ¦""}}',
     '"Out" means nothing; leave it out of the table'),
    ("      revenue: Revenue", "      revenue: {field: Revenue, unmapped: ¦refuse}",
     '"unmapped: refuse" without a "table" refuses everything'),
    ("max_length: 10, too_long: truncate", "too_long: ¦truncate",
     '"too_long: truncate" needs "max_length"'),
    ("{field: Email, max_length: 40}", "{field: Email, max_length: 40, too_long: ¦truncate}",
     'type email cannot be cut short: it would mean something else; use "too_long: refuse"'),
    ("max_length: 40", "max_length: ¦0",
     "this must be more than 0, not the number 0"),
    ("[accepted], means: accepted", "[¦acepted]",
     'unknown stage "acepted"; did you mean "accepted"?'),
    ("[accepted], means: accepted", "[accepted], means: ¦acepted",
     'unknown stage "acepted"; did you mean "accepted"?'),
    ("[accepted], means: accepted", "[accepted], means: ¦qualified",
     '"Working" means qualified, but does not go with it; add qualified to its stages'),
    ("[accepted], means: accepted", "[accepted], means: ¦rejected",
     '"Working" means rejected, so it must go with nurture or disqualified; name one of them under stages'),
    ("[accepted], means: accepted", "[accepted], ¦outcome: won",
     '"Working" has an outcome, but does not go with closed'),
    ("never_write: true}\n    verdict", "never_write: true}\n        never_from: [¦Convrted]\n    verdict",
     'unknown value "Convrted"; did you mean "Converted"?'),
    ("never_write: true}\n    verdict", "never_write: true}\n        write: {¦nurtur: Open}\n    verdict",
     'unknown stage "nurtur"; did you mean "nurture"?'),
    ("never_write: true}\n    verdict", "never_write: true}\n        write: {nurture: ¦Opne}\n    verdict",
     'unknown value "Opne"; did you mean "Open"?'),
    ("never_write: true}\n    verdict", "never_write: true}\n        write: {nurture: ¦Working}\n    verdict",
     '"Working" does not go with nurture; add nurture to its stages'),
    ("never_write: true}\n    verdict", "never_write: true}\n        blank: [¦inquiri]\n    verdict",
     'unknown stage "inquiri"; did you mean "inquiry"?'),
    ("never_write: true}\n    verdict", "never_write: true}\n        backward: ¦clear\n    verdict",
     '"clear" is not known here; did you mean "clear_first"?'),
    ("      field: Verdict__c", "      field: Verdict__c\n      ¦values: {Yes: accepted}",
     'no value of the verdict means "rejected"'),
    ("      stage: Leadloop_Stage__c", "      stage: {field: Leadloop_Stage__c, direction: ¦read}",
     "leadloop writes this field; it cannot be read only"),
    ("    precedence: 2", "    precedence: ¦1",
     '"Lead" and "Contact" have the same precedence; the lower one is preferred as a lead\'s primary record'),
    ("    created: CreatedDate\n", "",
     '"primary: oldest" needs "created", the native field with the record\'s birth',
     "    primary: ¦oldest"),
    ("    role: opportunity\n", "    role: opportunity\n    ¦stage: []\n",
     '"stage" is for objects with "role: person"'),
    ("{is_closed: IsClosed, ", "{is_closed: {field: IsClosed, direction: ¦write}, ",
     "leadloop reads this object and never writes it"),
    ("    role: opportunity\n", "    role: ¦oportunity\n",
     '"oportunity" is not known here; did you mean "opportunity"?'),
    ("defaults: {last_name:", "defaults: {¦last_nam:",
     '"last_nam" is not a field that "Lead" writes; did you mean "last_name"?'),
    ('{last_name: "[unknown]"}', '{last_name: "[unknown]", phone: ¦call me}',
     "it is no phone number: the string supplied did not seem to be a phone number"),
    ("      lead_id: Leadloop_Id__c\n", "",
     '"create" needs "lead_id" under "leadloop", so that a repeated create finds the first one',
     "    ¦create:"),
    ("    fields:\n      email: Email\n",
     "    fields: {email: Email}\n    leadloop: {lead_id: Id__c}\n    create: {when: 'true'}\n",
     'leads are created in one object only, here in "Contact"',
     "    ¦create:\n      when"),
    ("side: salesforce", "side: ¦newest",
     '"newest" cannot be the name of a side; lower-case letters, digits and _, beginning with a letter'),
    ("kind: crm", "kind: ¦cmr",
     '"cmr" is not known here; did you mean "crm"?'),
    ("platform: salesforce\n", "",
     '"platform" is missing',
     "¦side: salesforce"),
]  # fmt: skip

ACTIVITY = (
    SALESFORCE
    + """\
  Task:
    role: activity
    of: WhoId
    activity: {field: TaskSubtype, table: {Call: call}}
    when: {IsClosed: true, Status: [Completed, Done]}
    at: [CompletedDateTime, ActivityDate]
    attributes: {subject: Subject}
"""
)
ACTIVITY_MISTAKES = [
    ("    of: WhoId\n", "",
     '"of" is missing: the native fields that name the person; of: [LeadId, ContactId]',
     "  Task:\n    role: ¦activity"),
    ("    activity: {field: TaskSubtype, table: {Call: call}}\n", "",
     "no kind of activity is given; activity: call",
     "  Task:\n    role: ¦activity"),
    ("{field: TaskSubtype, table: {Call: call}}", "¦{field: TaskSubtype}",
     "no kind of activity is given; activity: call"),
    ("{field: TaskSubtype, table: {Call: call}}", "¦{field: TaskSubtype, kind: call}",
     '"field" and "table" go together: which field, and what its values are'),
    ("{Call: call}", "{Call: ¦Call}",
     '"Call" cannot be the name of an activity; lower-case letters, digits and _, a letter first'),
    ("{field: TaskSubtype, table: {Call: call}}", "¦a call",
     '"a call" cannot be the name of an activity; lower-case letters, digits and _, a letter first'),
    ("{subject: Subject}", "{¦at: Subject}",
     '"at" cannot be the name of an attribute; it is when the activity was'),
    ("{subject: Subject}", "{subject: {field: Subject, type: ¦txt}}",
     '"txt" is not known here; did you mean "text"?'),
    ("    of: WhoId\n", "    of: WhoId\n    ¦fields: {email: Email}\n",
     'leadloop reads no fields of an activity; use "attributes"'),
    ("    of: WhoId\n", "    of: WhoId\n    ¦create: {when: 'true'}\n",
     '"create" is for objects with "role: person"'),
    ("    role: opportunity\n", "    role: opportunity\n    ¦of: [ContactId]\n",
     '"of" is for objects with "role: activity"'),
    ("    attributes: {subject: Subject}\n",
     "    attributes: {subject: Subject}\n  Event:\n    role: activity\n    of: WhoId\n    activity: call\n"
     "    attributes: {subject: ¦{field: Subject, type: number}}\n",
     'the attribute "subject" of "call" is text elsewhere; one type for all'),
]  # fmt: skip

LEAD_CASES = [(*case, None)[:4] for case in LEAD_MISTAKES]
ACTIVITY_CASES = [(*case, None)[:4] for case in ACTIVITY_MISTAKES]
SALESFORCE_CASES = [(*case, None)[:4] for case in SALESFORCE_MISTAKES]


def marked(base: str, old: str, new: str, at: str | None) -> tuple[str, int, int]:
    """The document with the mistake in it, and the line and column of the mark."""
    text = changed(base, old, new)
    if at is not None:
        text = changed(text, at.replace("¦", ""), at)
    before, mark, after = text.partition("¦")
    assert mark
    return before + after, before.count("\n") + 1, len(before) - before.rfind("\n")


@pytest.mark.parametrize(("old", "new", "message", "at"), LEAD_CASES)
def test_a_mistake_in_what_a_lead_is(old: str, new: str, message: str, at: str | None) -> None:
    text, line, column = marked(LEAD, old, new, at)
    assert f"lead.yaml:{line}:{column}: {message}" in complaints(lead=text)


@pytest.mark.parametrize(("old", "new", "message", "at"), SALESFORCE_CASES)
def test_a_mistake_in_a_side(old: str, new: str, message: str, at: str | None) -> None:
    text, line, column = marked(SALESFORCE, old, new, at)
    assert f"salesforce.yaml:{line}:{column}: {message}" in complaints(salesforce=text)


@pytest.mark.parametrize(("old", "new", "message", "at"), ACTIVITY_CASES)
def test_a_mistake_in_an_activity(old: str, new: str, message: str, at: str | None) -> None:
    text, line, column = marked(ACTIVITY, old, new, at)
    assert f"salesforce.yaml:{line}:{column}: {message}" in complaints(salesforce=text)


def test_the_documents_the_mistakes_are_made_in_are_right() -> None:
    assert complaints() == []
    assert complaints(salesforce=ACTIVITY) == []


def test_one_mistake_is_told_once() -> None:
    assert len(complaints(salesforce=changed(SALESFORCE, "      phone: Phone", "      fone: Phone"))) == 1
    assert len(complaints(lead=changed(LEAD, "type: money", "type: mony"))) == 1


def test_all_mistakes_in_all_documents_are_told_at_once_in_their_order() -> None:
    told = complaints(
        lead=changed(LEAD, "policy: newest, else: hubspot", "policy: newest"),
        salesforce=changed(
            changed(SALESFORCE, "phone: Phone", "fone: Phone"), "means: accepted", "means: mql"
        ),
        hubspot=changed(HUBSPOT, "lastname", "email"),
    )
    assert [line.split(": ")[0] for line in told] == [
        "lead.yaml:2:36", "salesforce.yaml:18:7", "salesforce.yaml:31:51", "hubspot.yaml:9:18",
    ]  # fmt: skip


def test_a_broken_side_does_not_make_its_name_unknown() -> None:
    told = complaints(hubspot=changed(HUBSPOT, "kind: map", "kind: mpa"))
    assert told == ['hubspot.yaml:3:7: "mpa" is not known here; did you mean "map"?']


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ([], 'mappings:1:1: no document says what a lead is; one needs "fields:" at its top'),
        (
            [("s.yaml", SALESFORCE)],
            's.yaml:1:1: no document says what a lead is; one needs "fields:" at its top',
        ),
        (
            [("a.yaml", LEAD), ("b.yaml", LEAD), ("s.yaml", SALESFORCE), ("h.yaml", HUBSPOT)],
            "b.yaml:1:1: a second document says what a lead is (the first is a.yaml)",
        ),
        (
            [("a.yaml", LEAD), ("s.yaml", SALESFORCE), ("t.yaml", SALESFORCE), ("h.yaml", HUBSPOT)],
            't.yaml:1:7: two documents are about the side "salesforce"',
        ),
        (
            [("a.yaml", "feilds: {}")],
            'a.yaml:1:1: unknown key "feilds"; did you mean "fields"?',
        ),
        (
            [("a.yaml", "[1]")],
            "a.yaml:1:1: this is not a mapping document; "
            'a document of the lead has "fields:" at its top, that of a platform "side:"',
        ),
        (
            [("a.yaml", "fields: {}"), ("h.yaml", HUBSPOT)],
            "a.yaml:1:9: a lead needs at least one field",
        ),
        ([("a.yaml", "fields:\n  a: b: c")], "a.yaml:2:7: this is not valid YAML"),
    ],
)
def test_documents_that_do_not_make_a_mapping(documents: list[tuple[str, str]], message: str) -> None:
    with pytest.raises(ConfigErrors) as found:
        load_mapping([Source(name, text) for name, text in documents])
    assert any(str(error).startswith(message) for error in found.value.errors)


def test_a_side_without_people_is_refused() -> None:
    only = "side: hubspot\nplatform: hubspot\nkind: map\nobjects: {deals: {role: opportunity}}\n"
    assert complaints(hubspot=only)[0] == 'hubspot.yaml:4:1: no object of this side has "role: person"'


def test_native_values_that_differ_only_in_case_can_mean_different_things() -> None:
    table = "{field: X, table: {A: website, a: webinar}}"
    told = complaints(
        salesforce=changed(
            SALESFORCE,
            "{field: LeadSource, table: {Web: website, Internet: website, Seminar: webinar}}",
            table,
        )
    )
    assert told == []  # spelled exactly, the two can be told apart


def test_a_normal_form_that_changes_when_taken_twice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NORMALISERS, "text", lambda raw, _country: f"{raw}!")
    told = complaints()
    assert told[0] == (
        "lead.yaml:2:3: the normal form of text changes when taken twice: "
        '"Zoë O’Neill!", then "Zoë O’Neill!!"'
    )


def test_a_normal_form_that_refuses_its_own_values_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(raw: object, _country: str | None) -> None:
        raise Unreadable(f"{raw} is too much")

    monkeypatch.setitem(NORMALISERS, "money", refuse)
    assert "lead.yaml:2:3: the normal form of money refuses its own value 0: 0 is too much" in complaints()
