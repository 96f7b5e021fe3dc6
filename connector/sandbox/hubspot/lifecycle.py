"""The lifecycle stage's own rules (hubspot.md section 9), and the properties HubSpot derives from others.

Only decides what else changes; `writing` stores it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connector.sandbox.hubspot.crm import Crm
from connector.sandbox.hubspot.problems import Invalid, invalid_values
from connector.sandbox.hubspot.records import Record
from connector.sandbox.hubspot.table import Table
from connector.sandbox.hubspot.times import iso

STAGE = "lifecyclestage"


def is_backward(table: Table, before: str | None, after: str) -> bool:
    """Whether `after` comes earlier than `before` in the order of the property's options. A blank before or
    after is never backward, nor is a stage that the options do not have."""
    if not before or not after:
        return False
    order = [option.value for option in table.definitions[STAGE].options]
    return before in order and after in order and order.index(after) < order.index(before)


def furthest(table: Table, stages: Iterator[str]) -> str:
    """The stage that comes last in the order of the options; "" for none."""
    found = ""
    for stage in stages:
        if not found or (stage and not is_backward(table, found, stage)):
            found = stage
    return found


def keep_forward(crm: Crm, table: Table, record: Record, changes: dict[str, str]) -> None:
    """Take a backward stage out of the changes. Raises Problem 400 when the portal refuses it loudly."""
    after = changes.get(STAGE)
    if after is None or not is_backward(table, record.properties.get(STAGE), after):
        return
    if crm.backward_lifecycle == "refuse":
        message = f"{STAGE} cannot be moved backward to {after}; clear it first"
        raise invalid_values([Invalid(STAGE, "INVALID_LIFECYCLE_STAGE", message)], crm.portal_id)
    del changes[STAGE]


def derived(
    crm: Crm, table: Table, properties: Mapping[str, str], changes: Mapping[str, str], now_ms: int
) -> dict[str, str]:
    """What HubSpot itself sets because of these changes. `properties`: the record before them."""
    found: dict[str, str] = {}
    if stage := changes.get(STAGE):
        found["hs_v2_date_entered_current_stage"] = iso(now_ms)
        if f"hs_lifecyclestage_{stage}_date" in table.definitions:
            found[f"hs_lifecyclestage_{stage}_date"] = str(now_ms)  # epoch ms, unlike the others (recorded)
    if "hubspot_owner_id" in changes:
        found["hubspot_owner_assigneddate"] = iso(now_ms) if changes["hubspot_owner_id"] else ""
        found["hs_all_owner_ids"] = changes["hubspot_owner_id"]
    if table.kind.name == "contacts":
        found |= _of_contact(properties, changes)
    if table.kind.stage is not None and changes.get(table.kind.stage):
        found |= _of_pipeline(crm, table, changes)
    return found


def _of_contact(properties: Mapping[str, str], changes: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    if "email" in changes:
        found["hs_email_domain"] = changes["email"].partition("@")[2]
    if not changes.keys().isdisjoint(("email", "firstname", "lastname")):
        now = {**properties, **changes}
        name = f"{now.get('firstname', '')} {now.get('lastname', '')}".strip()
        found["hs_full_name_or_email"] = name or now.get("email", "")
    if "phone" in changes:
        digits = "".join(character for character in changes["phone"] if character.isdecimal())
        found["hs_searchable_calculated_phone_number"] = digits[-10:]  # without the country code
    return found


def _of_pipeline(crm: Crm, table: Table, changes: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    wanted = changes[table.kind.stage or ""]
    for pipeline in crm.pipelines[table.kind.name]:
        for stage in pipeline.stages:
            if stage.stage_id == wanted:
                if not changes.get(table.kind.pipeline or ""):
                    found[table.kind.pipeline or ""] = pipeline.pipeline_id
                if table.kind.name == "deals":
                    won = stage.is_closed and float(stage.probability) == 1.0
                    found["hs_is_closed"] = _boolean(stage.is_closed)
                    found["hs_is_closed_won"] = _boolean(won)
                    found["hs_is_closed_lost"] = _boolean(stage.is_closed and not won)
                    found["hs_deal_stage_probability"] = stage.probability
    return found


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def stage_from_deal(deal: Record) -> str:
    """Where deal sync moves the contacts and companies of a deal: its defaults."""
    return "customer" if deal.properties.get("hs_is_closed_won") == "true" else "opportunity"
