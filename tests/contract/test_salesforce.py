"""The contract on Salesforce, and what only Salesforce has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from connector.clock import ManualClock
from connector.platforms.errors import Missing, RetryLater
from connector.platforms.protocol import Platform, RecordWrite, Watch, Written
from connector.sandbox.control import Control
from connector.sandbox.salesforce.org import SalesforceOrg
from connector.sandbox.server import serve
from tests.contract.contract import PlatformContract
from tests.contract.salesforce_world import RealSalesforce, ReplayedSalesforce, SalesforceSandbox
from tests.contract.worlds import ContractMeter


@contextmanager
def org(clock: ManualClock) -> Iterator[str]:
    """A new org on a loopback port."""
    world = SalesforceOrg(clock)
    world.add_leadloop_fields()
    server = serve(Control(world, clock))
    try:
        yield server.url
    finally:
        server.stop()


class TestSalesforce(PlatformContract):
    platform = "salesforce"
    sandbox = staticmethod(org)
    sandbox_world = SalesforceSandbox
    real_world = RealSalesforce
    replayed_world = ReplayedSalesforce

    def test_five_objects_are_watched_in_one_call(
        self, world: SalesforceSandbox, there: Platform, meter: ContractMeter
    ) -> None:
        there.count(["Lead"])
        before = meter.total
        objects = ("Lead", "Contact", "Opportunity", "OpportunityContactRole", "CampaignMember")
        pages = list(there.changes([Watch(name, (), world.clock.now_ms()) for name in objects]))
        assert [page.object for page in pages] == list(objects)
        assert meter.total - before == 1

    def test_a_conversion_names_what_it_made(self, world: SalesforceSandbox, there: Platform) -> None:
        (lead_id,) = world.create(world.person("converted"))
        made = world.convert(lead_id)
        world.settle()
        seen = {
            each.record_id: each
            for page in there.changes(
                [
                    Watch("Lead", ("Status",), world.began_ms),
                    Watch("OpportunityContactRole", (), world.began_ms),
                ]
            )
            for each in page.observations
        }
        lead = seen.pop(lead_id)
        assert lead.converted
        assert not lead.deleted
        assert lead.fields == {"Status": "Closed - Converted"}
        assert lead.refs["Contact"] == made["contact_id"]
        assert lead.refs["Opportunity"] == made["opportunity_id"]
        (role,) = seen.values()
        assert role.refs == {"Contact": made["contact_id"], "Opportunity": made["opportunity_id"]}
        (result,) = there.write([RecordWrite("t", "Lead", lead_id, {"Phone": "1"})])
        assert isinstance(result.outcome, Missing)
        assert "converted" in result.outcome.reason

    def test_queues_are_owners_too(self, world: SalesforceSandbox, there: Platform) -> None:
        queue = world.add_queue("Inbound")
        owners = {owner.native_id: owner for owner in there.owners()}
        assert (owners[queue].kind, owners[queue].name, owners[queue].email) == ("queue", "Inbound", None)

    def test_assignment_rules_never_run_on_our_writes(
        self, world: SalesforceSandbox, meter: ContractMeter
    ) -> None:
        there = world.connect(meter, login="yes")
        rule_owner = world.add_queue("Assigned by rule")
        world.control("POST", "settings", {"assignment_owner": rule_owner})
        (before,) = there.write([_lead(world, "auto", "ll-auto-1")])
        world.faults(expire_tokens=True)
        (after,) = there.write([_lead(world, "renewed", "ll-auto-2")])
        ids = []
        for result in (before, after):
            assert isinstance(result.outcome, Written)
            ids.append(result.outcome.record_id)
        there.write([RecordWrite("t", "Lead", each, {"Phone": "1"}) for each in ids])
        owners = {each.fields["OwnerId"] for each in there.read("Lead", ids, ["OwnerId"]).found}
        assert rule_owner not in owners

    def test_a_locked_row_waits_alone(self, world: SalesforceSandbox, there: Platform) -> None:
        free, locked = world.create(world.person("free"), world.person("locked"))
        world.faults(
            bad_record={
                "object": "Lead",
                "match_field": "Email",
                "match_value": world.email("locked"),
                "code": "UNABLE_TO_LOCK_ROW",
            }
        )
        results = there.write([RecordWrite(each, "Lead", each, {"Phone": "1"}) for each in (free, locked)])
        assert isinstance(results[0].outcome, Written)
        assert isinstance(results[1].outcome, RetryLater)
        assert not results[1].outcome.applied_unknown

    def test_ids_of_15_characters_mean_the_same_record(
        self, world: SalesforceSandbox, there: Platform
    ) -> None:
        (lead_id,) = world.create(world.person("short"))
        reading = there.read("Lead", [lead_id[:15]], ["Email"])
        assert [each.record_id for each in reading.found] == [lead_id]
        assert list(reading.missing) == []
        (result,) = there.write([RecordWrite("t", "Lead", lead_id[:15], {"Phone": "1"})])
        assert isinstance(result.outcome, Written)
        assert result.outcome.record_id == lead_id

    def test_a_related_field_one_level_up_is_read(self, world: SalesforceSandbox, there: Platform) -> None:
        (lead_id,) = world.create(world.person("owned"))
        (found,) = there.read("Lead", [lead_id], ["Owner.Name"]).found
        assert set(found.fields) == {"Owner.Name"}
        assert found.fields["Owner.Name"]

    def test_objects_share_a_call_of_updates(
        self, world: SalesforceSandbox, there: Platform, meter: ContractMeter
    ) -> None:
        (lead_id,) = world.create(world.person("mixed"))
        made = world.convert(world.create(world.person("mixed2"))[0])
        before = meter.calls.get("write", 0)
        results = there.write(
            [
                RecordWrite("a", "Contact", made["contact_id"], {"Phone": "1"}),
                RecordWrite("b", "Lead", lead_id, {"Phone": "1"}),
                RecordWrite("c", "Opportunity", made["opportunity_id"], {"NextStep": "call"}),
            ]
        )
        assert [type(result.outcome) for result in results] == [Written] * 3
        assert meter.calls["write"] - before == 1


def _lead(world: SalesforceSandbox, name: str, key: str) -> RecordWrite:
    return RecordWrite("t", "Lead", None, world.person(name, Leadloop_Id__c=key), "Leadloop_Id__c")
