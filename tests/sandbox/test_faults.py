"""Faults of the sandbox: what can be made to go wrong, from Python and over HTTP."""

from __future__ import annotations

import threading
import time

import pytest
import urllib3

from connector.sandbox.faults import Faults, Requests, Rewrite
from connector.sandbox.hubspot import HubSpotPortal
from tests.sandbox.wire import Wire

CONTACTS = "/crm/v3/objects/contacts"


def new_contact(hubspot: Wire, address: str = "a@x.example") -> int:
    return hubspot.post(CONTACTS, {"properties": {"email": address}}).status


@pytest.mark.parametrize("status", [401, 423, 429, 477, 500, 502, 503])
def test_the_next_calls_fail_and_do_no_work(hubspot: Wire, portal: HubSpotPortal, status: int) -> None:
    portal.faults.fail_next(2, status, headers={"Retry-After": "7"})
    for _ in range(2):
        reply = hubspot.post(CONTACTS, {"properties": {"email": "a@x.example"}})
        assert (reply.status, reply.body["status"], reply.headers["retry-after"]) == (status, "error", "7")
    assert portal.rows("contacts") == []
    assert new_contact(hubspot) == 201


def test_a_failure_can_have_a_body_and_wait_for_its_call(hubspot: Wire, portal: HubSpotPortal) -> None:
    portal.faults.fail_next(1, 409, body={"message": "no"}, match="POST /crm/v3/objects/contacts/batch")
    assert new_contact(hubspot) == 201
    reply = hubspot.post(f"{CONTACTS}/batch/read", {"inputs": [{"id": "1"}]})
    assert (reply.status, reply.body) == (409, {"message": "no"})


def test_a_failure_can_wait_for_a_record(hubspot: Wire, portal: HubSpotPortal) -> None:
    portal.faults.fail_next(2, 503, holding="b@x.example")
    assert new_contact(hubspot) == 201
    assert new_contact(hubspot, "b@x.example") == 503
    assert new_contact(hubspot, "b@x.example") == 503
    assert new_contact(hubspot, "b@x.example") == 201
    assert len(portal.rows("contacts")) == 2


def test_a_lost_answer_was_work_done(hubspot: Wire, portal: HubSpotPortal) -> None:
    portal.faults.lose_answer()
    with pytest.raises(urllib3.exceptions.ProtocolError, match="closed connection without response"):
        new_contact(hubspot)
    assert len(portal.rows("contacts")) == 1
    assert new_contact(hubspot) == 409


def test_a_connection_can_be_cut_before_the_work(hubspot: Wire, portal: HubSpotPortal) -> None:
    portal.faults.lose_answer(work=False)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        new_contact(hubspot)
    assert portal.rows("contacts") == []


def test_a_delay_holds_the_call_back(hubspot: Wire, portal: HubSpotPortal) -> None:
    portal.faults.delay(0.05)
    began = time.perf_counter()
    assert new_contact(hubspot) == 201
    assert time.perf_counter() - began >= 0.05


def test_a_delayed_call_does_not_hold_up_others(hubspot: Wire, portal: HubSpotPortal) -> None:
    portal.faults.delay(0.5, match="POST")
    done: list[str] = []
    with Wire(hubspot.url, hubspot.token) as other:
        slow = threading.Thread(target=lambda: done.append(f"slow {new_contact(other)}"))
        slow.start()
        while not portal.requests.count:
            threading.Event().wait(0.001)
        done.append(f"quick {hubspot.get(CONTACTS).status}")
        slow.join()
    assert done == ["quick 200", "slow 201"]


def test_every_call_is_counted_by_kind_and_control_calls_are_not(
    hubspot: Wire, portal: HubSpotPortal
) -> None:
    new_contact(hubspot)
    record_id = portal.rows("contacts")[0]["id"]
    hubspot.get(f"{CONTACTS}/{record_id}")
    hubspot.get(f"{CONTACTS}/77")
    hubspot.get("/crm/objects/2026-09/contacts/77")
    portal.faults.fail_next(1, 503)
    hubspot.post(f"{CONTACTS}/batch/read", {})
    hubspot.get("/crm/v3/owners/")
    counted = hubspot.get("/_sandbox/requests").body
    assert counted["count"] == portal.requests.count == 6
    assert counted["by_kind"] == {
        "GET /crm/v3/objects/contacts/{id}": 2,
        "GET /crm/objects/2026-09/contacts/{id}": 1,
        "GET /crm/v3/owners": 1,
        "POST /crm/v3/objects/contacts": 1,
        "POST /crm/v3/objects/contacts/batch/read": 1,
    }
    assert counted["by_status"] == {"200": 2, "201": 1, "404": 2, "503": 1}
    assert hubspot.call("DELETE", "/_sandbox/requests").body["count"] == 0


@pytest.mark.parametrize(
    ("how", "argument", "sent", "stored"),
    [
        ("truncate", 5, "a long value", "a lon"),
        ("trim", None, "  x ", "x"),
        ("lower", None, "AbC", "abc"),
        ("upper", None, "AbC", "ABC"),
        ("round", 1, "2.25", "2.3"),
        ("round", 0, 2.5, 3),
        ("round", 1, "not a number", "not a number"),
        ("replace", [r"\D", ""], "+1 (55)", "155"),
        ("set", "by flow", "anything", "by flow"),
        ("truncate", 5, None, None),
        ("lower", None, 7, 7),
    ],
)
def test_quiet_rewrites(how: str, argument: object, sent: object, stored: object) -> None:
    faults = Faults()
    faults.apply({"rewrite_on_save": [{"object": "o", "field": "f", "how": how, "argument": argument}]})
    assert faults.saved("o", {"f": sent, "g": sent}) == {"f": stored, "g": sent}
    assert faults.saved("other", {"f": sent}) == {"f": sent}
    assert faults.saved("o", {"g": sent}) == {"g": sent}


def test_a_rewritten_value_is_what_the_portal_stores(hubspot: Wire, portal: HubSpotPortal) -> None:
    portal.faults.rewrite_on_save.append(Rewrite("contacts", "company", "truncate", 3))
    reply = hubspot.post(CONTACTS, {"properties": {"firstname": "Ada", "company": "Engines"}})
    assert reply.body["properties"]["company"] == "Eng"
    assert portal.rows("contacts")[0]["company"] == "Eng"


def test_faults_can_be_asked_for_over_http(hubspot: Wire, portal: HubSpotPortal) -> None:
    wanted = {
        "fail_next": {"count": 1, "status": 503},
        "lose_answer": [{"match": "PATCH"}],
        "delay": {"seconds": 0.01, "match": "PATCH"},
        "quota_exhausted": True,
        "expire_tokens": True,
        "bad_record": {"object": "contacts", "match_field": "email", "match_value": "x", "code": "NO"},
        "visibility_lag_seconds": 5,
        "hidden_fields": [["contacts", "phone"]],
    }
    told = hubspot.post("/_sandbox/faults", wanted).body
    assert [(each["action"], each["count"]) for each in told["pending"]] == [
        ("fail", 1),
        ("lose", 1),
        ("delay", 1),
    ]
    assert portal.faults.is_hidden("contacts", "phone")
    assert portal.faults.visibility_lag_seconds == 5
    assert portal.faults.token_generation == 1
    bad = portal.faults.bad("contacts", {"email": "x"})
    assert bad is not None
    assert bad.code == "NO"
    assert hubspot.get(CONTACTS).status == 503
    assert hubspot.get(CONTACTS).status == 429
    cleared = hubspot.post("/_sandbox/faults", {"clear": True}).body
    assert (cleared["pending"], cleared["quota_exhausted"], cleared["bad_records"]) == ([], False, [])
    assert hubspot.get(CONTACTS).status == 200


@pytest.mark.parametrize(
    "wanted",
    [
        {"unknown": 1},
        {"fail_next": {"cuont": 1}},
        {"hidden_fields": [["contacts"]]},
        {"delay": 5},
        *(
            {"rewrite_on_save": [{"object": "contacts", "field": "city", "how": how, "argument": argument}]}
            for how, argument in (
                ("shout", None),
                ("truncate", None),
                ("round", "two"),
                ("replace", "x"),
                ("replace", ["(", ""]),
            )
        ),
    ],
)
def test_faults_that_are_not_understood_are_told(hubspot: Wire, wanted: dict[str, object]) -> None:
    reply = hubspot.post("/_sandbox/faults", wanted)
    assert reply.status == 400
    assert reply.body["error"]


def test_the_log_keeps_the_latest_requests(hubspot: Wire, portal: HubSpotPortal) -> None:
    portal.faults.fail_next(1, 500)
    hubspot.get(CONTACTS)
    seen = portal.requests.log[-1]
    assert (seen.method, seen.path, seen.status) == ("GET", CONTACTS, 500)
    assert Requests().to_json() == {"count": 0, "by_kind": {}, "by_status": {}}
