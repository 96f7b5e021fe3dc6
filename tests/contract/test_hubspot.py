"""The contract on HubSpot, and what only HubSpot has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from connector.clock import ManualClock
from connector.platforms.errors import Missing, Refused, RetryLater
from connector.platforms.protocol import Platform, RecordWrite, Watch, Written
from connector.sandbox import HUBSPOT_APP_ID
from connector.sandbox.control import Control
from connector.sandbox.hubspot import HubSpotPortal
from connector.sandbox.server import serve
from tests.contract.contract import PlatformContract
from tests.contract.hubspot_world import HubSpotSandbox, RealHubSpot, ReplayedHubSpot
from tests.contract.worlds import ContractMeter


@contextmanager
def portal(clock: ManualClock) -> Iterator[str]:
    """A new portal on a loopback port."""
    world = HubSpotPortal(clock)
    world.add_leadloop_fields()
    server = serve(Control(world, clock))
    try:
        yield server.url
    finally:
        server.stop()


class TestHubSpot(PlatformContract):
    platform = "hubspot"
    sandbox = staticmethod(portal)
    sandbox_world = HubSpotSandbox
    real_world = RealHubSpot
    replayed_world = ReplayedHubSpot

    def test_a_taken_address_names_the_holder(self, world: HubSpotSandbox, there: Platform) -> None:
        holder, other = world.create(world.person("taken"), world.person("other"))
        results = there.write(
            [
                RecordWrite("new", "contacts", None, world.person("taken")),
                RecordWrite("edit", "contacts", other, {"email": world.email("taken")}),
            ]
        )
        for result in results:
            assert isinstance(result.outcome, Refused)
            assert result.outcome.existing_id == holder
            assert world.email("taken") not in str(result.outcome)

    def test_a_backward_stage_needs_a_clearing_first(self, world: HubSpotSandbox, there: Platform) -> None:
        (record_id,) = world.create(world.person("stage", lifecyclestage="marketingqualifiedlead"))
        for value, then in ((None, None), ("lead", "lead")):
            (result,) = there.write([RecordWrite("t", "contacts", record_id, {"lifecyclestage": value})])
            assert isinstance(result.outcome, Written)
            (shown,) = there.read("contacts", [record_id], ["lifecyclestage"]).found
            assert shown.fields == {"lifecyclestage": then}

    def test_a_merged_id_that_is_followed_still_shows_as_merged(
        self, world: HubSpotSandbox, there: Platform
    ) -> None:
        world.settings(follow_merged_ids=True)
        one, other = world.create(world.person("one"), world.person("two"))
        survivor = world.merge(one, other)
        found = {each.record_id: each for each in there.read("contacts", [other], ["email"]).found}
        assert found[other].deleted
        assert found[other].merged_into == survivor

    def test_a_deal_shows_its_contacts_however_it_is_read(
        self, world: HubSpotSandbox, there: Platform
    ) -> None:
        one, other = world.create(world.person("deal-one"), world.person("deal-two"))
        shared, alone, nobodys = world.make("deals", {"dealname": "1"}, {"dealname": "2"}, {"dealname": "3"})
        for deal, person in ((shared, one), (shared, other), (alone, one)):
            world.associate("deals", deal, "contacts", person)
        expected = {shared: {"contacts": (one, other)}, alone: {"contacts": (one,)}, nobodys: {}}

        read = there.read("deals", list(expected), ["dealname"]).found
        assert {each.record_id: dict(each.refs) for each in read} == expected
        pages = list(there.changes([Watch("deals", ("dealname",), world.began_ms)]))
        assert {each.record_id: dict(each.refs) for page in pages for each in page.observations} == expected
        whole = list(there.everything("deals", ["dealname"]))
        assert {each.record_id: dict(each.refs) for page in whole for each in page.observations} == expected
        listed = there.listed("deals", ["dealname"]).records
        assert {each.record_id: dict(each.refs or {}) for each in listed} == expected

        world.associate("deals", shared, "contacts", one, end=True)
        (shown,) = there.read("deals", [shared], ["dealname"]).found
        assert shown.refs == {"contacts": (other,)}

    def test_the_contacts_of_many_changed_deals_are_one_call(
        self, world: HubSpotSandbox, there: Platform, meter: ContractMeter
    ) -> None:
        (person,) = world.create(world.person("many"))
        deals = world.make("deals", *({"dealname": str(number)} for number in range(410)))
        world.associate("deals", deals[0], "contacts", person)
        meter.calls.clear()
        pages = list(there.changes([Watch("deals", ("dealname",), world.began_ms)]))
        assert [len(page.observations) for page in pages] == [200, 199, 11]
        assert (meter.calls["search"], meter.calls["read"]) == (3, 1)
        (about,) = [each for page in pages for each in page.observations if each.refs]
        assert about.record_id == deals[0]

    def test_what_was_read_before_associations_fail_is_asked_for_again(
        self, world: HubSpotSandbox, there: Platform
    ) -> None:
        world.make("deals", {"dealname": "1"})
        world.faults(fail_next={"count": 1, "status": 502, "match": "associations"})
        watch = Watch("deals", ("dealname",), world.began_ms)
        with pytest.raises(RetryLater):
            list(there.changes([watch]))
        assert sum(len(page.observations) for page in there.changes([watch])) == 1

    def test_a_lead_of_the_leads_object_names_its_contact(
        self, world: HubSpotSandbox, there: Platform
    ) -> None:
        (person,) = world.create(world.person("worked"))
        about, nobodys = world.make("leads", {"hs_lead_name": "1"}, {"hs_lead_name": "2"})
        world.associate("leads", about, "contacts", person)
        found = there.read("leads", [about, nobodys], ["hs_lead_name"]).found
        assert {each.record_id: (dict(each.refs), dict(each.fields)) for each in found} == {
            about: ({"contacts": (person,)}, {"hs_lead_name": "1"}),
            nobodys: ({}, {"hs_lead_name": "2"}),
        }

    def test_the_stages_of_pipelines_are_what_a_stage_field_offers(
        self, world: HubSpotSandbox, there: Platform
    ) -> None:
        described = there.describe(["deals", "leads"]).objects
        assert "closedwon" in (described["deals"]["dealstage"].options or ())
        assert "unqualified-stage-id" in (described["leads"]["hs_pipeline_stage"].options or ())

    def test_histories_are_read_fifty_at_a_time_and_our_own_values_known(
        self, world: HubSpotSandbox, meter: ContractMeter
    ) -> None:
        there = world.connect(meter, LEADLOOP_HUBSPOT__APP_ID=str(HUBSPOT_APP_ID))
        ids = world.create(*(world.person(f"p{number}") for number in range(60)))
        world.clock.advance(5)
        there.write([RecordWrite("t", "contacts", ids[0], {"firstname": "Ours"})])
        meter.calls.clear()
        found = there.history("contacts", ids, ["firstname"])
        assert meter.calls == {"read": 2}
        assert len(found) == 60
        assert [(past.value, past.own) for past in found[ids[0], "firstname"]] == [
            ("Ours", True),
            ("Nomen", False),
        ]

    def test_numbers_and_booleans_are_sent_as_text(self, world: HubSpotSandbox, there: Platform) -> None:
        (record_id,) = world.create(world.person("typed"))
        results = there.write([RecordWrite("t", "contacts", record_id, {"leadloop_score": 12.0})])
        assert isinstance(results[0].outcome, Written)
        (shown,) = there.read("contacts", [record_id], ["leadloop_score"]).found
        assert shown.fields == {"leadloop_score": "12"}

    def test_a_written_stamp_is_the_one_that_reads_show(self, world: HubSpotSandbox, there: Platform) -> None:
        (record_id,) = world.create(world.person("stamped"))
        world.clock.advance(5)
        (result,) = there.write([RecordWrite("t", "contacts", record_id, {"phone": "1"})])
        (shown,) = there.read("contacts", [record_id], ["phone"]).found
        assert isinstance(result.outcome, Written)
        assert result.outcome.stamp_ms == shown.stamp_ms

    @pytest.mark.parametrize(
        ("policy", "seconds"), [("SECONDLY", 1.0), ("TEN_SECONDLY_ROLLING", 10.0), ("DAILY", 900.0)]
    )
    def test_a_429_waits_as_its_policy_says(
        self, world: HubSpotSandbox, there: Platform, policy: str, seconds: float
    ) -> None:
        body = {"status": "error", "message": "no", "errorType": "RATE_LIMIT", "policyName": policy}
        world.faults(fail_next={"count": 1, "status": 429, "body": body})
        with pytest.raises(RetryLater) as caught:
            there.count(["contacts"])
        assert caught.value.after_seconds == seconds

    def test_a_moving_account_waits_as_long_as_it_is_told(
        self, world: HubSpotSandbox, there: Platform
    ) -> None:
        world.faults(fail_next={"count": 1, "status": 477, "headers": {"retry-after": "7200"}})
        with pytest.raises(RetryLater) as caught:
            there.count(["contacts"])
        assert caught.value.after_seconds == 7_200

    def test_missing_scopes_are_named(self, world: HubSpotSandbox, there: Platform) -> None:
        body = {
            "category": "MISSING_SCOPES",
            "message": "no",
            "errors": [{"context": {"requiredGranularScopes": ["crm.objects.contacts.read"]}}],
        }
        world.faults(fail_next={"count": 1, "status": 403, "body": body})
        with pytest.raises(Refused, match=r"crm\.objects\.contacts\.read"):
            there.count(["contacts"])

    def test_a_record_left_out_of_the_answer_is_unknown(self, world: HubSpotSandbox, there: Platform) -> None:
        (record_id,) = world.create(world.person("omitted"))
        body = {"status": "COMPLETE", "results": []}
        world.faults(fail_next={"count": 1, "status": 200, "body": body})
        (result,) = there.write([RecordWrite("t", "contacts", record_id, {"phone": "1"})])
        assert isinstance(result.outcome, RetryLater)
        assert result.outcome.applied_unknown

    @pytest.mark.parametrize("version", ["2026-03", "2026-09"])
    def test_dated_versions_are_a_setting_away(
        self, world: HubSpotSandbox, meter: ContractMeter, version: str
    ) -> None:
        there = world.connect(meter, LEADLOOP_HUBSPOT__API_VERSION=version)
        assert there.prove_identity().account_id
        assert "email" in there.describe(["contacts"]).objects["contacts"]
        assert there.owners() is not None
        (result,) = there.write([RecordWrite("t", "contacts", None, world.person(version))])
        assert isinstance(result.outcome, Written)
        world.settle()
        pages = list(there.changes([Watch("contacts", ("email",), world.began_ms)]))
        assert result.outcome.record_id in [each.record_id for page in pages for each in page.observations]

    def test_more_properties_than_a_url_holds_are_read_in_batches(
        self, world: HubSpotSandbox, there: Platform
    ) -> None:
        (record_id,) = world.create(world.person("many"))
        world.settle()
        many = tuple(f"{'property_of_a_long_name_' * 4}{at}" for at in range(200))
        [page] = there.everything("contacts", ("email", *many))
        assert [(each.record_id, dict(each.fields)) for each in page.observations] == [
            (record_id, {"email": world.email("many")})
        ]

    def test_a_url_that_a_gateway_finds_too_long_is_shortened(
        self, world: HubSpotSandbox, there: Platform
    ) -> None:
        (record_id,) = world.create(world.person("long"))
        world.settle()
        world.faults(fail_next={"count": 1, "status": 414, "match": "GET /crm/v3/objects/contacts"})
        [page] = there.everything("contacts", ("email",))
        assert [each.record_id for each in page.observations] == [record_id]

    def test_a_gone_record_in_a_batch_is_missing_by_its_trace(
        self, world: HubSpotSandbox, there: Platform
    ) -> None:
        (record_id,) = world.create(world.person("traced"))
        results = there.write(
            [
                RecordWrite("gone", "contacts", "123456789", {"phone": "1"}),
                RecordWrite("here", "contacts", record_id, {"phone": "1"}),
            ]
        )
        assert [type(result.outcome) for result in results] == [Missing, Written]
