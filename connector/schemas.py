"""Schemas: JSON Schemas of the YAML that users write, made from the very models that check it.

They let an editor complete keys and mark mistakes; `leadloop check` knows more (names, types, cases).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from connector.brake import KINDS
from connector.configuration import MAIN_FILE, _Main
from connector.platforms.settings import HubSpotSettings, PlatformSettings, SalesforceSettings
from connector.schema_shapes import narrow
from connector.settings import Settings
from mappings.csv_columns import CsvDocument
from mappings.document import LEADLOOP_FIELDS, LeadDocument, SideDocument
from mappings.stages import Stage
from mappings.vocabulary import VocabularyDocument, shipped_vocabularies
from rules.document import RulesDocument

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]

DESCRIPTIONS: Final[Mapping[str, str]] = {
    "_Main.mappings": "What a lead is, and one document for each platform: files here, or preset:NAME.",
    "_Main.rules": "The rules documents, which add up: files beside this one, or preset:NAME.",
    "_Main.brake": "Too many changes of one kind at once are stopped until you release them.",
    "_Main.read_before_handoff": "Read a record once more before a lead is handed over.",
    "_Main.report": "The fields that `leadloop report` breaks its figures down by.",
    "_Main.vocabulary": "What your team calls the stages: a shipped vocabulary, or a file of your own.",
    "_Main.sources": "What people do outside both platforms: source, kinds of activity, attributes, types.",
    "_Main.settings": "Settings that are not secret; the environment goes first.",
    "_Brake.window_minutes": "The window in which the brake counts changes.",
    "_Brake.limits": "By kind of change, how much of it a window may have.",
    "_Limit.share": "The share of all leads, 0 to 1.",
    "_Limit.at_least": "The kind is never stopped below this number.",
    "_Report.source": "The lead's field that says where it came from.",
    "_Report.campaign": "The lead's field that says which campaign brought it.",
    "_Report.segment": "The lead's field that says which part of the market it belongs to.",
    "LeadDocument.fields": "The canonical fields, by name.",
    "LeadDocument.illegal_moves": "What happens when somebody moves a lead where the stages do not allow it.",
    "LeadDocument.default_country": "Where phone numbers without a country code are dialled.",
    "FieldDocument.type": "What a value is.",
    "FieldDocument.policy": "Who wins when both changed it: a side's name, newest, not_blank, hold, opt_out.",
    "FieldDocument.else": "Who wins when the policy cannot tell.",
    "FieldDocument.first_contact": "What happens when both sides meet for the first time.",
    "FieldDocument.blank": "Whether emptying the field on one side erases it on the other.",
    "FieldDocument.group": "Fields of one group are sent together and refused together.",
    "FieldDocument.identity": "Two records with the same value are the same person.",
    "FieldDocument.personal": "Left out of messages, logs and reports.",
    "FieldDocument.values": "All that the field may hold.",
    "PairDocument.field": "The platform's own name of the field.",
    "PairDocument.direction": "both, read (only looked at) or write (only filled in).",
    "PairDocument.write_as": "How to write it: country code, name, alpha3; datetime iso, epoch_ms …",
    "PairDocument.table": "The platform's values to leadloop's.",
    "PairDocument.unmapped": "What happens to a value that is not in the table.",
    "PairDocument.max_length": "How many characters the platform takes.",
    "PairDocument.too_long": "What happens to a longer text.",
    "SideDocument.side": "The name of this side.",
    "SideDocument.platform": "Which platform it is.",
    "SideDocument.kind": "crm or map (marketing automation).",
    "SideDocument.objects": "Its objects, by the platform's own names.",
    "ObjectDocument.role": "What a record of this object is.",
    "ObjectDocument.precedence": "Which of several objects is a lead's primary record: the lowest.",
    "ObjectDocument.primary": "Which of several records of one person is kept in step.",
    "ObjectDocument.created": "The native field with the record's birth.",
    "ObjectDocument.also_known_by": "Identity fields, and the native field with more values of each.",
    "ObjectDocument.stage": "Native fields that say something about the stage.",
    "ObjectDocument.verdict": "Where sales gives its verdict.",
    "ObjectDocument.leadloop": "The leadloop fields: what leadloop writes.",
    "ObjectDocument.activities": "Counters whose increase is an activity.",
    "ObjectDocument.of": "The native fields that name the person whose activity it is.",
    "ObjectDocument.activity": "The kind of activity that a record is.",
    "ObjectDocument.when": "Native values that a record must show to count.",
    "ObjectDocument.at": "The native date of the activity; of several, the first that is filled in.",
    "ObjectDocument.per": "A native field each new value of which is an activity of its own.",
    "ObjectDocument.attributes": "What rules may ask of the activity.",
    "ObjectDocument.history": "Whether activities from before leadloop count.",
    "ObjectDocument.create": "When a lead that this side lacks is created there.",
    "RulesDocument.score": "Points for who a lead is (fit) and what it does (engagement).",
    "RulesDocument.grades": "Letters for one number, the best first.",
    "RulesDocument.gates": "What a lead needs to go on.",
    "RulesDocument.fast_track": "Named exceptions that make a lead sales-ready at once.",
    "RulesDocument.disqualify": "Leads that sales shall never see, and why.",
    "RulesDocument.hours": "Office hours by name: when people are at work.",
    "RulesDocument.pools": "Owners who take turns, by the name of the pool.",
    "RulesDocument.territories": "Tables of who gets which leads, by name.",
    "RulesDocument.routes": "Who gets a lead, from the top; the last route takes the rest.",
    "Hours.time_zone": "Where the office is, such as Europe/Berlin.",
    "Hours.days": "Working days; Monday to Friday if left out.",
    "Hours.from": 'When the office opens, such as "09:00".',
    "Hours.to": 'When it closes, up to "24:00".',
    "Hours.open": "Several spans instead of one: each with days, from and to.",
    "Hours.holidays": "Days on which it is closed: 2026-12-25, or 12-26 of every year.",
    "Away.from": "The first day away.",
    "Away.until": "The last day away.",
    "Pool.members": "Who takes turns: addresses, or owners with weight, cap, hours and days away.",
    "Pool.hours": "The office hours of members who name none of their own.",
    "Pool.time_zone": "Where members are who name no place of their own.",
    "Pool.outside_hours": "Who gets leads while nobody is at work.",
    "Member.owner": "An e-mail address, or queue:<Name>.",
    "Member.weight": "How many leads this one gets for each of a member of weight 1.",
    "Member.at_most_per_day": "The most leads of a day, where the member is.",
    "Member.hours": "When this one is at work: a name under hours.",
    "Member.time_zone": "Where this one is.",
    "Member.away": "Days out of office.",
    "Territory.by": "The lead fields that are the columns of the table.",
    "Territory.rows": "Who gets leads that show these values; the first row that matches counts.",
    "Route.route": "The name of the route.",
    "Route.when": "Which leads it is for; all if left out.",
    "Route.owner": "Somebody: an e-mail address, or queue:<Name>.",
    "Route.pool": "The next of a pool: its name, or a list of owners.",
    "Route.to": "Whom the lead itself names: previous_owner, account_owner, contact_owner.",
    "Route.territory": "Whom this territory table says.",
    "Route.may_return": "Also to somebody who has rejected the lead.",
    "RulesDocument.deadlines": "By when somebody must act on a lead, and what follows if nobody does.",
    "RulesDocument.rejection": "What follows when sales hands a lead back.",
    "RulesDocument.recycle": "When closed leads go back to nurture.",
    "RulesDocument.nurture": "Nurture tracks, and the touches wanted before a hand-off.",
    "RulesDocument.cases": "Tests of the rules, run by leadloop check.",
    "Deadline.deadline": "The name of the deadline.",
    "Deadline.stage": "The stage that the lead must have left in time.",
    "Deadline.within": "How long somebody has: 90 minutes, 3 days, 4 business hours, 2 business days.",
    "Deadline.hours": "The office hours in which business time counts.",
    "Deadline.when": "Which leads it is for; of a stage, the first deadline that applies counts.",
    "Deadline.remind": "When it is due soon: 1 business hour before; or several such.",
    "Deadline.on_breach": "What follows when nobody acts in time.",
    "Deadline.to": "With escalate: who gets the lead, an e-mail address or queue:<Name>.",
    "Deadline.reason": "With nurture: why, in the lead's history.",
    "Case.case": "The name of the case.",
    "Case.lead": "The lead's values, by canonical field.",
    "Case.activities": "What the lead did.",
    "Case.rejections": "How sales handed it back before.",
    "Case.previous_owner": "Who had the lead in an earlier cycle.",
    "Case.today": "The day on which the rules judge (its noon, UTC).",
    "Case.stage": "The stage in which the lead begins.",
    "Case.expect": "What the rules must say; what is left out is not looked at.",
    "Expectation.stage": "How far the rules take the lead.",
    "Expectation.route": "The route that gives the lead to somebody.",
    "Expectation.owner": "Who gets it; of a pool that has given nobody a lead yet.",
    "Expectation.pool": "The pool whose turn it was.",
    "Expectation.fired": "Rules that must fire.",
    "Expectation.not_fired": "Rules that must not fire.",
    "Expectation.deadline": "The deadline that the lead is under then.",
    "Expectation.due": "When that deadline is due, in UTC.",
    "Expectation.missing": "What the lead lacks at the gate in front of it.",
    "CaseActivity.at": '"3 days ago", today, or a date.',
    "CsvDocument.columns": "The column that each canonical field is read from.",
    "CsvDocument.blanks": "Texts that mean that nobody chose anything.",
    "VocabularyDocument.vocabulary": "What the vocabulary is called.",
    "VocabularyDocument.labels": "The label of every stage.",
}
"""What an editor shows beside a key, by model and key."""


def schemas() -> dict[str, Schema]:
    """Every schema by the name of its file."""
    lead, side = _schema(LeadDocument), _schema(SideDocument)
    return {
        "leadloop.schema.json": _main_schema(),
        "lead.schema.json": lead,
        "side.schema.json": side,
        "rules.schema.json": _schema(RulesDocument),
        "columns.schema.json": _schema(CsvDocument),
        "vocabulary.schema.json": _vocabulary_schema(),
    }


def schema_of(name: str, text: str) -> str:
    """The file of the schema that a document of a configuration folder is checked against."""
    if name == MAIN_FILE:
        return "leadloop.schema.json"
    if re.search(r"^side:", text, re.MULTILINE):
        return "side.schema.json"
    if re.search(r"^labels:", text, re.MULTILINE):
        return "vocabulary.schema.json"
    if re.search(r"^fields:", text, re.MULTILINE):
        return "lead.schema.json"
    return "columns.schema.json" if re.search(r"^columns:", text, re.MULTILINE) else "rules.schema.json"


def _main_schema() -> Schema:
    schema = _schema(_Main)
    settings = _schema(Settings)
    definitions = settings.pop("$defs")
    platforms: tuple[type[PlatformSettings], ...] = (SalesforceSettings, HubSpotSettings)
    for model in platforms:
        part = definitions[model.__name__]
        for name in model.credentials_only:
            part["properties"].pop(name, None)
    schema["$defs"] |= definitions
    settings.pop("$schema")
    settings.pop("title", None)
    schema["properties"]["settings"] = {
        **settings,
        "type": ["object", "null"],
        "description": DESCRIPTIONS["_Main.settings"],
    }
    schema["properties"]["vocabulary"]["examples"] = shipped_vocabularies()
    limits = schema["$defs"]["_Brake"]["properties"]["limits"]
    limits["propertyNames"] = {"enum": sorted(KINDS)}
    return schema


def _vocabulary_schema() -> Schema:
    schema = _schema(VocabularyDocument)
    stages = [stage.value for stage in Stage]
    labels = schema["properties"]["labels"]
    labels["propertyNames"] = {"enum": [*stages, "closed won", "closed lost"]}
    labels["required"] = stages
    return schema


def _schema(model: type[BaseModel]) -> Schema:
    """The schema of what may be written; defaults that are whole objects are left out."""
    schema = model.model_json_schema(mode="validation", by_alias=True)
    for name, part in {model.__name__: schema, **schema.get("$defs", {})}.items():
        part.pop("title", None)
        for key, value in part.get("properties", {}).items():
            value.pop("title", None)
            if isinstance(value.get("default"), dict | list):
                value.pop("default")
            described = DESCRIPTIONS.get(f"{name}.{key}")
            if described is not None:
                value["description"] = described
    narrow(schema.get("$defs", {}))
    if model is SideDocument:
        outputs = schema["$defs"]["ObjectDocument"]["properties"]["leadloop"]
        outputs["propertyNames"] = {"enum": sorted(LEADLOOP_FIELDS)}
    return {"$schema": DIALECT, "$defs": {}, **schema}
