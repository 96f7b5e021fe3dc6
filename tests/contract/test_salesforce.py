"""The contract on Salesforce, and what only Salesforce has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

import pytest

from connector.clock import ManualClock
from connector.platforms.errors import Missing, Refused, RetryLater
from connector.platforms.protocol import Platform, RecordWrite, Watch, Written
from connector.sandbox.control import Control
from connector.sandbox.salesforce.org import SalesforceOrg
from connector.sandbox.server import serve
from connector.store.rows import to_json
from tests.contract.contract import PlatformContract
from tests.contract.salesforce_world import RealSalesforce, ReplayedSalesforce, SalesforceSandbox
from tests.contract.steps import all_of, bulk_pages
from tests.contract.worlds import ContractMeter, RealWorld


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

    def test_an_org_that_tracks_nothing_is_asked_for_histories_once(
        self, world: SalesforceSandbox, there: Platform, meter: ContractMeter
    ) -> None:
        if isinstance(world, RealWorld):
            pytest.skip("what a real org tracks is its admin's choice")
        (record_id,) = world.create(world.person("untracked"))
        assert there.history("Lead", [record_id], ["FirstName"]) == {}
        before = meter.total
        assert there.history("Lead", [record_id], ["FirstName"]) == {}
        assert there.history("Opportunity", ["006000000000001AAA"], ["Name"]) == {}
        assert meter.total == before

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
        assert lead.refs["Contact"] == (made["contact_id"],)
        assert lead.refs["Opportunity"] == (made["opportunity_id"],)
        (role,) = seen.values()
        assert role.refs == {"Contact": (made["contact_id"],), "Opportunity": (made["opportunity_id"],)}
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

    def test_bulk_results_are_the_same_bit_for_bit(self, world: SalesforceSandbox, there: Platform) -> None:
        (plain, converted) = world.create(
            world.person(
                "typed",
                NumberOfEmployees=250,
                AnnualRevenue=1234567.5,
                Leadloop_Score__c=12.0,
                HasOptedOutOfEmail=True,
                Description="Zeile \"eins\",\r\nzwei\nMüller 🙂, 'drei'",
                Leadloop_Stage_Since__c="2026-05-06T11:55:32.000+0000",
                FirstName=None,
            ),
            world.person("converted"),
        )
        made = world.convert(converted)
        world.settle()
        fields = (
            "FirstName",
            "NumberOfEmployees",
            "AnnualRevenue",
            "Leadloop_Score__c",
            "HasOptedOutOfEmail",
            "Description",
            "Leadloop_Stage_Since__c",
            "CreatedDate",
            "OwnerId",
            "ConvertedDate",
            "IsConverted",
        )
        found = {}
        for page in there.everything("Lead", fields):
            found.update({each.record_id: each for each in page.observations})
            world.clock.advance(page.wait_seconds)
        [changes] = there.changes([Watch("Lead", fields, world.began_ms)])
        by_rest = {each.record_id: each for each in changes.observations}
        assert set(found) == set(by_rest) == {plain, converted}
        for record_id, each in by_rest.items():
            assert to_json(found[record_id].fields) == to_json(each.fields)
            assert found[record_id]._replace(read_started_ms=0) == each._replace(read_started_ms=0)
        assert found[converted].refs["Contact"] == (made["contact_id"],)
        assert found[plain].fields["FirstName"] is None

    def test_bulk_results_have_the_fields_of_related_records(
        self, world: SalesforceSandbox, there: Platform
    ) -> None:
        made = world.convert(world.create(world.person("related"))[0])
        fields = ("LastName", "Account.OwnerId", "Account.Name")
        there.describe(["Contact", "Contact.Account"])
        found = []
        for page in there.everything("Contact", fields):
            found.extend(page.observations)
            world.clock.advance(page.wait_seconds)
        [changes] = there.changes([Watch("Contact", fields, world.began_ms)])
        [by_rest] = changes.observations
        assert [each._replace(read_started_ms=0) for each in found] == [by_rest._replace(read_started_ms=0)]
        assert found[0].record_id == made["contact_id"]
        assert found[0].fields["Account.Name"] == "Nil Ltd"
        assert world.bulk_jobs() == 1

    def test_a_job_is_taken_up_again_and_no_second_one_is_made(
        self, world: SalesforceSandbox, there: Platform, meter: ContractMeter
    ) -> None:
        world.small_lists()
        world.create(*(world.person(f"job{at}") for at in range(30)))
        waiting = next(iter(there.everything("Lead", ("Email",))))
        assert waiting.wait_seconds > 0
        world.clock.advance(10)
        again = world.connect(meter)
        told, first = islice(again.everything("Lead", ("Email",), None, waiting.resume), 2)
        assert told.total == 30
        _, second = islice(world.connect(meter).everything("Lead", ("Email",), None, first.resume), 2)
        assert (len(first.observations), len(second.observations), second.last) == (20, 10, True)
        assert world.bulk_jobs() == 1

    def test_a_job_that_is_no_longer_kept_is_made_anew(
        self, world: SalesforceSandbox, there: Platform
    ) -> None:
        world.small_lists()
        made = world.create(*(world.person(f"kept{at}") for at in range(30)))
        first = next(page for page in bulk_pages(there, world) if page.observations)
        world.clock.advance(8 * 86_400)
        pages = list(bulk_pages(there, world, first.resume))
        assert pages[0].restarted
        assert sorted(each.record_id for page in pages for each in page.observations) == sorted(made)

    def test_a_job_that_fails_is_read_by_id(self, world: SalesforceSandbox, there: Platform) -> None:
        (record_id,) = world.create(world.person("failed"))
        world.control("POST", "settings", {"bulk_failure": "InternalServerError : retries exhausted"})
        pages = list(bulk_pages(there, world))
        assert [each.record_id for page in pages for each in page.observations] == [record_id]
        assert pages[-1].restarted

    def test_a_job_that_somebody_aborts_is_not_made_again_by_itself(
        self, world: SalesforceSandbox, there: Platform
    ) -> None:
        (record_id,) = world.create(world.person("aborted"))
        pages = bulk_pages(there, world)
        waiting = next(pages)
        world.abort_bulk_jobs()
        with pytest.raises(Refused, match="aborted"):
            next(pages)
        assert [each.record_id for each in all_of(there, world, waiting.resume)] == [record_id]

    def test_what_the_bulk_api_does_not_know_is_read_by_id(
        self, world: SalesforceSandbox, there: Platform
    ) -> None:
        (lead_id,) = world.create(world.person("owned"))
        body = [{"errorCode": "INVALIDENTITY", "message": "Entity 'Lead' is not supported by the Bulk API."}]
        world.faults(fail_next={"count": 1, "status": 400, "body": body, "match": "jobs/query"})
        assert [each.record_id for each in all_of(there, world)] == [lead_id]
        [page] = there.everything("Lead", ("Owner.Name",))
        assert [(each.record_id, set(each.fields)) for each in page.observations] == [
            (lead_id, {"Owner.Name"})
        ]

    def test_few_records_are_one_call(
        self, world: SalesforceSandbox, there: Platform, meter: ContractMeter
    ) -> None:
        (lead_id,) = world.create(world.person("few"))
        there.describe(["Lead"])
        before = meter.total
        assert [each.record_id for each in all_of(there, world, expected=1)] == [lead_id]
        assert meter.total - before == 1

    def test_reading_by_id_goes_on_behind_the_last_one(
        self, world: SalesforceSandbox, there: Platform, meter: ContractMeter
    ) -> None:
        world.small_lists()
        made = world.create(*(world.person(f"by{at}") for at in range(50)))
        pages = list(bulk_pages(there, world, expected=50))
        assert [len(page.observations) for page in pages] == [20, 20, 10]
        assert pages[0].total == 50
        rest = all_of(world.connect(meter), world, pages[0].resume, expected=50)
        assert sorted(each.record_id for each in rest) == sorted(made)[20:]

    def test_a_page_of_results_that_is_not_whole_is_asked_for_again(
        self, world: SalesforceSandbox, there: Platform
    ) -> None:
        world.create(world.person("cut"))
        pages = bulk_pages(there, world)
        next(pages)
        headers = {"Content-Type": "text/csv", "Sforce-NumberOfRecords": "2", "Sforce-Locator": "null"}
        body = '"Id","FirstName"\n"00Q000000000001AAA","Ann"\n'
        world.faults(
            fail_next={"count": 1, "status": 200, "body": body, "headers": headers, "match": "results"}
        )
        with pytest.raises(RetryLater):
            list(pages)


def _lead(world: SalesforceSandbox, name: str, key: str) -> RecordWrite:
    return RecordWrite("t", "Lead", None, world.person(name, Leadloop_Id__c=key), "Leadloop_Id__c")
