"""The batch calls of the HubSpot sandbox: what fails whole, what fails in part, what is silently absent."""

from __future__ import annotations

import time
from typing import Any

import pytest

from connector.clock import ManualClock
from connector.sandbox.hubspot import HubSpotPortal
from tests.sandbox.wire import Reply, Wire

BATCH = "/crm/v3/objects/contacts/batch"


def send(hubspot: Wire, action: str, *inputs: dict[str, Any], **more: Any) -> Reply:
    return hubspot.post(f"{BATCH}/{action}", {"inputs": list(inputs), **more})


def traced(inputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**each, "objectWriteTraceId": f"row-{number}"} for number, each in enumerate(inputs)]


def ids(reply: Reply) -> set[str]:
    return {each["id"] for each in reply.body["results"]}


def test_a_read_that_finds_everything_is_200_and_otherwise_207_with_one_error(
    hubspot: Wire, portal: HubSpotPortal
) -> None:
    one, other = (portal.create("contacts", email=f"{name}@x.example") for name in "ab")
    whole = send(hubspot, "read", {"id": one}, {"id": other}, properties=["email"])
    assert (whole.status, ids(whole), whole.body["status"]) == (200, {one, other}, "COMPLETE")
    assert "numErrors" not in whole.body
    part = send(hubspot, "read", {"id": one}, {"id": "77"}, {"id": "78"})
    assert (part.status, ids(part), part.body["numErrors"]) == (207, {one}, 1)
    assert part.body["errors"][0]["context"]["ids"] == ["77", "78"]
    assert part.body["errors"][0]["category"] == "OBJECT_NOT_FOUND"


def test_a_read_by_address_answers_with_record_ids(hubspot: Wire, portal: HubSpotPortal) -> None:
    record_id = portal.create("contacts", email="a@x.example", hs_additional_emails="b@x.example")
    reply = send(hubspot, "read", {"id": "B@x.example"}, {"id": "c@x.example"}, idProperty="email")
    assert (reply.status, ids(reply)) == (207, {record_id})


def test_results_do_not_follow_the_order_of_the_inputs(hubspot: Wire, portal: HubSpotPortal) -> None:
    made = [portal.create("contacts", email=f"{number}@x.example") for number in range(12)]
    reply = send(hubspot, "read", *({"id": each} for each in made))
    answered = [each["id"] for each in reply.body["results"]]
    assert answered != made
    assert sorted(answered) == made


def test_too_many_inputs_are_refused(hubspot: Wire) -> None:
    inputs = [{"id": str(number)} for number in range(101)]
    for action in ("read", "update", "create", "upsert", "archive"):
        assert send(hubspot, action, *inputs).status == 400
    history = send(hubspot, "read", *inputs[:51], propertiesWithHistory=["email"])
    assert history.status == 400
    assert history.body["message"].startswith(
        "The maximum number of inputs supported in a batch request for property histories is 50"
    )
    assert send(hubspot, "read").status == 400


def test_a_create_without_trace_ids_fails_whole(hubspot: Wire, portal: HubSpotPortal) -> None:
    existing = portal.create("contacts", email="a@x.example")
    inputs = [{"properties": {"email": f"{name}@x.example"}} for name in "bac"]
    reply = send(hubspot, "create", *inputs)
    assert (reply.status, reply.body["category"]) == (409, "CONFLICT")
    assert reply.body["message"] == f"Contact already exists. Existing ID: {existing}"
    assert len(portal.rows("contacts")) == 1
    some_traced = send(hubspot, "create", *traced(inputs)[:2], inputs[2])
    assert some_traced.status == 409


def test_a_create_with_trace_ids_fails_in_part(hubspot: Wire, portal: HubSpotPortal) -> None:
    existing = portal.create("contacts", email="a@x.example")
    inputs = [{"properties": {"email": f"{name}@x.example"}} for name in "bac"]
    inputs.append({"properties": {"email": "d@x.example", "missing": "1"}})
    reply = send(hubspot, "create", *traced(inputs))
    assert (reply.status, reply.body["numErrors"]) == (207, 2)
    by_trace = {each["context"]["objectWriteTraceId"][0]: each for each in reply.body["errors"]}
    assert by_trace["row-1"]["category"] == "CONFLICT"
    assert by_trace["row-1"]["message"].endswith(f"Existing ID: {existing}")
    assert "PROPERTY_DOESNT_EXIST" in by_trace["row-3"]["message"]
    assert {each["objectWriteTraceId"] for each in reply.body["results"]} == {"row-0", "row-2"}
    assert {row["email"] for row in portal.rows("contacts")} == {f"{name}@x.example" for name in "abc"}


def test_a_whole_create_is_201_and_one_address_twice_in_it_is_a_conflict(hubspot: Wire) -> None:
    inputs = [{"properties": {"email": f"{name}@x.example"}} for name in "ab"]
    assert send(hubspot, "create", *inputs).status == 201
    twice = [{"properties": {"email": "c@x.example"}}, {"properties": {"email": "c@x.example"}}]
    assert send(hubspot, "create", *twice).status == 409


def test_an_update_reports_missing_ids_with_their_trace_ids(hubspot: Wire, portal: HubSpotPortal) -> None:
    record_id = portal.create("contacts", email="a@x.example")
    inputs = [{"id": record_id, "properties": {"phone": "1"}}, {"id": "77", "properties": {"phone": "1"}}]
    reply = send(hubspot, "update", *traced(inputs))
    assert (reply.status, ids(reply)) == (207, {record_id})
    assert reply.body["errors"][0]["context"] == {"ids": ["77"], "objectWriteTraceId": ["row-1"]}
    assert portal.get("contacts", record_id)["phone"] == "1"


def test_a_merged_away_record_is_silently_absent_from_an_update(hubspot: Wire, portal: HubSpotPortal) -> None:
    one, other, third = (portal.create("contacts", email=f"{name}@x.example") for name in "abc")
    portal.merge(one, other)
    inputs = [{"id": each, "properties": {"phone": "1"}} for each in (other, third)]
    reply = send(hubspot, "update", *traced(inputs))
    assert (reply.status, ids(reply)) == (200, {third})
    assert "errors" not in reply.body


def test_an_update_by_address_changes_nothing_or_is_refused(hubspot: Wire, portal: HubSpotPortal) -> None:
    record_id = portal.create("contacts", email="a@x.example")
    unnamed = send(hubspot, "update", {"id": "a@x.example", "properties": {"phone": "1"}})
    assert (unnamed.status, unnamed.body["results"]) == (200, [])
    named = send(
        hubspot, "update", {"id": "a@x.example", "idProperty": "email", "properties": {"phone": "1"}}
    )
    assert named.status == 400
    assert named.body["message"] == "Unable to perform update/upsert by non-unique 0-1 property"
    assert portal.get("contacts", record_id)["phone"] is None


def test_one_bad_value_fails_an_update_whole_unless_every_input_is_traced(
    hubspot: Wire, portal: HubSpotPortal
) -> None:
    one, other = (portal.create("contacts", email=f"{name}@x.example") for name in "ab")
    inputs = [
        {"id": one, "properties": {"phone": "1"}},
        {"id": other, "properties": {"phone": "1", "hs_lead_status": "no such status"}},
    ]
    assert send(hubspot, "update", *inputs).status == 400
    assert portal.get("contacts", one)["phone"] is None
    reply = send(hubspot, "update", *traced(inputs))
    assert (reply.status, ids(reply)) == (207, {one})
    assert "INVALID_OPTION" in reply.body["errors"][0]["message"]
    assert reply.body["errors"][0]["context"]["objectWriteTraceId"] == ["row-1"]


def test_an_update_to_a_taken_address_names_record_and_holder(hubspot: Wire, portal: HubSpotPortal) -> None:
    one, other = (portal.create("contacts", email=f"{name}@x.example") for name in "ab")
    reply = send(hubspot, "update", {"id": one, "properties": {"email": "b@x.example"}})
    assert reply.status == 400
    assert reply.body["message"].endswith(f" on {one}. {other} already has that value.")


def test_the_same_id_twice_is_refused(hubspot: Wire, portal: HubSpotPortal) -> None:
    record_id = portal.create("contacts", email="a@x.example")
    twice = [{"id": record_id, "properties": {"phone": text}} for text in "12"]
    assert send(hubspot, "update", *twice).status == 400


def test_an_upsert_by_a_unique_property_creates_and_updates(hubspot: Wire, portal: HubSpotPortal) -> None:
    existing = portal.create("contacts", email="a@x.example", leadloop_id="L1")
    inputs = [
        {"id": "L1", "idProperty": "leadloop_id", "properties": {"phone": "1"}},
        {"id": "L2", "idProperty": "leadloop_id", "properties": {"email": "b@x.example"}},
    ]
    reply = send(hubspot, "upsert", *traced(inputs))
    assert reply.status == 200
    new = {each["objectWriteTraceId"]: each["new"] for each in reply.body["results"]}
    assert new == {"row-0": False, "row-1": True}
    assert portal.get("contacts", existing)["phone"] == "1"
    made = portal.find("contacts", "leadloop_id", "L2")
    assert made is not None
    assert portal.get("contacts", made)["email"] == "b@x.example"


def test_one_conflict_refuses_an_upsert_whole_with_409(hubspot: Wire, portal: HubSpotPortal) -> None:
    portal.create("contacts", email="a@x.example")
    inputs = [
        {"id": "L1", "idProperty": "leadloop_id", "properties": {"email": "b@x.example"}},
        {"id": "L2", "idProperty": "leadloop_id", "properties": {"email": "a@x.example"}},
    ]
    reply = send(hubspot, "upsert", *traced(inputs))
    assert (reply.status, reply.body["category"]) == (409, "CONFLICT")
    assert len(portal.rows("contacts")) == 1


def test_an_upsert_by_address_is_all_or_nothing(hubspot: Wire, portal: HubSpotPortal) -> None:
    inputs = [
        {"id": "a@x.example", "idProperty": "email", "properties": {"phone": "1"}},
        {"id": "b@x.example", "idProperty": "email", "properties": {"hs_lead_status": "no such status"}},
    ]
    assert send(hubspot, "upsert", *traced(inputs)).status == 400
    assert portal.rows("contacts") == []
    by_name = {"id": "x", "idProperty": "firstname", "properties": {}}
    assert send(hubspot, "upsert", by_name).status == 400


def test_an_archive_is_204_and_does_not_report_missing_ids(hubspot: Wire, portal: HubSpotPortal) -> None:
    record_id = portal.create("contacts", email="a@x.example")
    reply = send(hubspot, "archive", {"id": record_id}, {"id": "77"})
    assert (reply.status, reply.body) == (204, None)
    assert portal.rows("contacts") == []


@pytest.mark.parametrize("version", ["2026-03", "2026-09"])
def test_the_dated_paths_do_the_same(hubspot: Wire, portal: HubSpotPortal, version: str) -> None:
    record_id = portal.create("contacts", email="a@x.example")
    body = {"inputs": [{"id": record_id, "properties": {"phone": "1"}}]}
    assert hubspot.post(f"/crm/objects/{version}/contacts/batch/update", body).status == 200
    read = hubspot.post(f"/crm/objects/{version}/0-1/batch/read", {**body, "properties": ["phone"]})
    assert read.body["results"][0]["properties"]["phone"] == "1"


def test_a_record_made_bad_on_purpose_is_refused_alone(hubspot: Wire, portal: HubSpotPortal) -> None:
    one, other = (portal.create("contacts", email=f"{name}@x.example") for name in "ab")
    portal.faults.bad_record("contacts", "email", "b@x.example", "INVALID_OPTION")
    inputs = [{"id": each, "properties": {"phone": "1"}} for each in (one, other)]
    reply = send(hubspot, "update", *traced(inputs))
    assert (reply.status, ids(reply)) == (207, {one})


def test_a_batch_of_100_updates_is_quick(hubspot: Wire, portal: HubSpotPortal, clock: ManualClock) -> None:
    made = [portal.create("contacts", email=f"{number}@x.example") for number in range(100)]
    best = 1.0
    for turn in range(5):
        clock.advance(1)
        inputs = [
            {"id": each, "properties": {"leadloop_score": str(turn), "company": f"c{turn}"}} for each in made
        ]
        began = time.perf_counter()
        assert send(hubspot, "update", *traced(inputs)).status == 200
        best = min(best, time.perf_counter() - began)
    assert best < 0.05
