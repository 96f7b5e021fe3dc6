"""Delete, undelete, merge and purge.

A deleted row stays, marked, until it is purged; a merge marks the losers with the winner's id and moves their
children. Source: facts/salesforce.md 8.2, 9.4. This file must not know HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence

from connector.sandbox.salesforce.derived import copy_person
from connector.sandbox.salesforce.refusals import Refusal
from connector.sandbox.salesforce.saving import Body, Save, check_unique, update, writable_row
from connector.sandbox.salesforce.schema import ObjectSpec, Row
from connector.sandbox.salesforce.world import World

MOST_LOSERS = 2

_GOES_WITH = {
    # parent: the children that are deleted with it, by their reference field
    "Account": (("Contact", "AccountId"), ("Opportunity", "AccountId")),
    "Contact": (("OpportunityContactRole", "ContactId"), ("CampaignMember", "ContactId")),
    "Lead": (("CampaignMember", "LeadId"),),
    "Opportunity": (("OpportunityContactRole", "OpportunityId"),),
    "Campaign": (("CampaignMember", "CampaignId"),),
}
_MOVES_WITH = {
    # merged object: what is re-parented to the winner, by its reference field
    "Account": (("Contact", "AccountId"), ("Opportunity", "AccountId"), ("Lead", "ConvertedAccountId")),
    "Contact": (
        ("OpportunityContactRole", "ContactId"),
        ("CampaignMember", "ContactId"),
        ("Lead", "ConvertedContactId"),
        ("Task", "WhoId"),
        ("Event", "WhoId"),
    ),
    "Lead": (("CampaignMember", "LeadId"), ("Task", "WhoId"), ("Event", "WhoId")),
}


def delete(world: World, spec: ObjectSpec, row_id: str, by_user: str) -> None:
    """Put a row, and the children that go with it, into the recycle bin. Raises Refusal."""
    row = writable_row(world, spec, row_id)
    if not spec.deletable:
        raise Refusal("INVALID_TYPE_FOR_OPERATION", f"entity type does not support delete: {spec.label}")
    _mark_deleted(world, spec.name, row, by_user)
    for child, field in _GOES_WITH.get(spec.name, ()):
        for each in world.children(child, field, row_id):
            if child == "CampaignMember" and spec.name == "Lead" and each.get("ContactId"):
                continue  # the membership went to the contact at conversion
            delete(world, world.objects[child], each["Id"], by_user)


def undelete(world: World, spec: ObjectSpec, row_id: str, by_user: str) -> None:
    """Bring a row back from the recycle bin under the same id. Raises Refusal."""
    row = world.tables[spec.name].rows.get(row_id)
    if row is None or not row.get("IsDeleted") or not spec.undeletable:
        raise Refusal("UNDELETE_FAILED", "Entity is not in the recycle bin", [])
    back = {name: value for name, value in row.items() if name != "MasterRecordId"}
    check_unique(world, spec, back)
    _touch(world, spec.name, {**back, "IsDeleted": False}, by_user)


def purge(world: World, spec: ObjectSpec, row_id: str) -> None:
    """Empty a deleted row out of the recycle bin: nothing of it is left but its place in the delete log."""
    row = world.tables[spec.name].rows.get(row_id)
    if row is None or not row.get("IsDeleted"):
        raise Refusal("UNDELETE_FAILED", "Entity is not in the recycle bin", [])
    world.tables[spec.name].remove(row_id)


def merge(world: World, winner_id: str, loser_ids: Sequence[str], fields: Body, save: Save) -> None:
    """Merge up to two losers into the winner, which is updated with `fields`. Raises Refusal."""
    spec = world.object_of_id(winner_id)
    if spec is None or not spec.mergeable:
        raise Refusal("INVALID_TYPE_FOR_OPERATION", "entity type does not support merge")
    if not 1 <= len(loser_ids) <= MOST_LOSERS or winner_id in loser_ids:
        raise Refusal("INVALID_OPERATION", f"a merge takes 1 to {MOST_LOSERS} other records")
    writable_row(world, spec, winner_id)
    losers = [writable_row(world, spec, row_id) for row_id in loser_ids]
    for loser in losers:
        for child, field in _MOVES_WITH[spec.name]:
            for each in world.children(child, field, loser["Id"]):
                _move(world, child, field, each, winner_id, save.by_user)
        _mark_deleted(world, spec.name, {**loser, "MasterRecordId": winner_id}, save.by_user)
    update(world, spec, winner_id, fields, save)


def _move(world: World, child: str, field: str, row: Row, winner_id: str, by_user: str) -> None:
    if child == "CampaignMember":
        campaigns = {each["CampaignId"] for each in world.children(child, field, winner_id)}
        if row["CampaignId"] in campaigns:
            _mark_deleted(world, child, row, by_user)
            return
    moved = {**row, field: winner_id}
    winner = world.row(winner_id)
    if child == "CampaignMember" and winner is not None:
        copy_person(moved, winner)
    # children are re-parented by the system: their stamp moves, their last writer does not
    world.put(child, {**moved, "SystemModstamp": world.now_stamp()})


def _mark_deleted(world: World, object_name: str, row: Row, by_user: str) -> None:
    _touch(world, object_name, {**row, "IsDeleted": True}, by_user)


def _touch(world: World, object_name: str, row: Row, by_user: str) -> None:
    now = world.now_stamp()
    stamped = {**row, "LastModifiedDate": now, "LastModifiedById": by_user, "SystemModstamp": now}
    world.put(object_name, stamped)
