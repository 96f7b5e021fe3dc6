"""The sandbox as a whole: both ports, control endpoints, state file, seed, and `run_sandbox`."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import urllib3

from connector.clock import ManualClock, SystemClock
from connector.sandbox import HUBSPOT_ACCESS_TOKEN, SALESFORCE_SESSION_ID
from connector.sandbox.host import Sandbox, run_sandbox
from connector.sandbox.hubspot import HubSpotPortal
from connector.sandbox.salesforce.org import SalesforceOrg
from connector.sandbox.seed import SeedError, plant, read_seed
from connector.sandbox.server import PortTakenError, serve
from connector.sandbox.shifted_clock import ShiftedClock
from connector.sandbox.state_file import StateFile, StateFileError
from tests.sandbox.wire import Wire

CONTACTS = "/crm/v3/objects/contacts"


@pytest.fixture
def sandbox(clock: ManualClock) -> Iterator[Sandbox]:
    with Sandbox(clock) as sandbox:
        yield sandbox


def salesforce(sandbox: Sandbox) -> Wire:
    return Wire(sandbox.salesforce_url, SALESFORCE_SESSION_ID)


def hubspot(sandbox: Sandbox) -> Wire:
    return Wire(sandbox.hubspot_url, HUBSPOT_ACCESS_TOKEN)


def test_both_platforms_answer_and_check_who_calls(sandbox: Sandbox) -> None:
    lead = {"LastName": "Byron", "Company": "Engines"}
    with salesforce(sandbox) as crm, hubspot(sandbox) as map_:
        assert crm.post("/services/data/v62.0/sobjects/Lead", lead).status == 201
        assert map_.post(CONTACTS, {"properties": {"firstname": "Ada"}}).status == 201
        crm.token = map_.token = "wrong"
        assert crm.post("/services/data/v62.0/sobjects/Lead", lead).status == 401
        assert map_.get(CONTACTS).status == 401
    assert [row["LastName"] for row in sandbox.salesforce.rows("Lead")] == ["Byron"]
    assert [row["firstname"] for row in sandbox.hubspot.rows("contacts")] == ["Ada"]


def test_leadloops_own_fields_are_there_on_both_sides(sandbox: Sandbox) -> None:
    sandbox.add_leadloop_fields()
    with hubspot(sandbox) as map_, salesforce(sandbox) as crm:
        told = crm.get("/services/data/v62.0/sobjects/Lead/describe").body["fields"]
        native = {each["name"] for each in told if each["name"].startswith("Leadloop_")}
        listed = map_.get("/crm/v3/properties/contacts").body["results"]
        own = {each["name"] for each in listed if each["name"].startswith("leadloop_")}
    of_deals = {"leadloop_outcome", "leadloop_closed_reason", "leadloop_amount"}
    assert {name.lower().removesuffix("__c") for name in native} == own - of_deals
    assert len(own) == 21


def test_the_clock_is_shared_and_can_be_moved_on_either_port(sandbox: Sandbox, clock: ManualClock) -> None:
    with hubspot(sandbox) as map_, salesforce(sandbox) as crm:
        before = clock.now_ms()
        assert map_.post("/_sandbox/clock", {"advance_seconds": 60}).body == {"now_ms": before + 60_000}
        assert crm.post("/_sandbox/clock", {"now_ms": before + 90_000}).body == {"now_ms": before + 90_000}
        assert crm.get("/_sandbox/clock").body == map_.get("/_sandbox/clock").body
        assert map_.post("/_sandbox/clock", {"advance_seconds": -1}).status == 400
        assert map_.post("/_sandbox/clock", {}).status == 400
    assert clock.now_ms() == before + 90_000


def test_a_clock_that_cannot_be_moved_says_so() -> None:
    clock = SystemClock()
    with Sandbox(clock) as sandbox, hubspot(sandbox) as map_:
        assert "cannot be moved" in map_.post("/_sandbox/clock", {"advance_seconds": 1}).body["error"]


def test_each_port_has_its_own_faults_and_counts(sandbox: Sandbox) -> None:
    with hubspot(sandbox) as map_, salesforce(sandbox) as crm:
        crm.post("/_sandbox/faults", {"fail_next": {"count": 1, "status": 503}})
        assert map_.get(CONTACTS).status == 200
        assert crm.get("/services/data/v62.0/limits").status == 503
        assert map_.get("/_sandbox/requests").body["count"] == 1
        assert crm.get("/_sandbox/requests").body["count"] == 1
        assert crm.post("/_sandbox/faults", {"nonsense": 1}).status == 400


def test_what_people_do_in_hubspot_can_be_done_over_http(sandbox: Sandbox) -> None:
    with hubspot(sandbox) as map_:
        map_.token = None
        owner = map_.post("/_sandbox/owners", {"email": "rosa@sales.example"}).body["id"]
        map_.post("/_sandbox/properties", {"object": "contacts", "name": "region", "type": "string"})
        records = [{"email": "a@x.example", "region": "west", "hubspot_owner_id": owner}, {"firstname": "B"}]
        one, other = map_.post("/_sandbox/records", {"object": "contacts", "records": records}).body["ids"]
        change = {"object": "contacts", "records": [{"id": one, "lifecyclestage": "subscriber"}]}
        assert map_.post("/_sandbox/records", change).status == 200
        assert sandbox.hubspot.get("contacts", one)["lifecyclestage"] == "subscriber"
        form = {"email": "a@x.example", "form": "Demo", "properties": {"firstname": "Ada"}}
        assert map_.post("/_sandbox/forms", form).body["id"] == one
        survivor = map_.post("/_sandbox/merge", {"primary": one, "other": other}).body["id"]
        shown = map_.get("/_sandbox/records", object="contacts").body["records"]
        assert [(each["id"], each["firstname"], each["region"]) for each in shown] == [
            (survivor, "Ada", "west")
        ]
        assert map_.post("/_sandbox/archive", {"object": "contacts", "id": survivor}).status == 200
        assert map_.post("/_sandbox/restore", {"object": "contacts", "id": survivor}).status == 200
        assert map_.post("/_sandbox/privacy-delete", {"contact": "a@x.example"}).status == 200
        assert sandbox.hubspot.rows("contacts") == []
        settings = {"sync_deals": True, "limits": {"burst": 3}}
        assert map_.post("/_sandbox/settings", settings).body["sync_deals"] is True
        assert sandbox.hubspot.limits.burst == 3
        for action, body in (
            ("merge", {"primary": "1", "other": "2"}),
            ("records", {"object": "contacts", "records": [{"no_such": 1}]}),
            ("records", {}),
            ("settings", {"nonsense": 1}),
        ):
            assert map_.post(f"/_sandbox/{action}", body).status == 400
        assert map_.post("/_sandbox/nonsense", {}).status == 404
        assert map_.call("POST", "/_sandbox/records", b"{").status in (400, 404)


def test_a_lost_answer_is_a_broken_connection_on_both_ports(sandbox: Sandbox) -> None:
    sandbox.hubspot.faults.lose_answer()
    sandbox.salesforce.faults.lose_answer()
    with hubspot(sandbox) as map_, salesforce(sandbox) as crm:
        with pytest.raises(urllib3.exceptions.ProtocolError):
            map_.post(CONTACTS, {"properties": {"firstname": "Ada"}})
        with pytest.raises(urllib3.exceptions.ProtocolError):
            crm.post("/services/data/v62.0/sobjects/Lead", {"LastName": "Byron", "Company": "Engines"})
    assert len(sandbox.hubspot.rows("contacts")) == len(sandbox.salesforce.rows("Lead")) == 1


def test_the_state_survives_a_restart(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "sandbox.json"
    moved = ShiftedClock(clock)
    with Sandbox(moved, state=path) as first:
        portal = first.hubspot
        first.add_leadloop_fields()
        owner = portal.add_owner("rosa@sales.example")
        portal.set_options("contacts", "lifecyclestage", ["lead", "1234", "customer"])
        one = portal.create(
            "contacts",
            email="a@x.example",
            hs_additional_emails="b@x.example",
            leadloop_id="L1",
            leadloop_stage="mql",
            hubspot_owner_id=owner,
        )
        merged = portal.merge(one, portal.create("contacts", firstname="B"))
        moved.advance(60)
        portal.update("contacts", merged, phone="1", leadloop_stage="distributed")
        gone = portal.create("contacts", email="gone@x.example")
        portal.archive("contacts", gone)
        portal.privacy_delete("never@x.example")
        deal = portal.create("deals", dealname="Engine")
        portal.associate("contacts", merged, "deals", deal)
        lead = first.salesforce.insert("Lead", LastName="Byron", Company="Engines", Leadloop_Id__c="L1")
        with hubspot(first) as map_:
            form = b"grant_type=refresh_token&client_id=sandbox-hubspot-client"
            form += b"&client_secret=sandbox-hubspot-secret&refresh_token=sandbox-hubspot-refresh"
            token = map_.call("POST", "/oauth/v3/token", form).body["access_token"]
    assert path.stat().st_mode & 0o777 == 0o600
    again = ShiftedClock(clock)
    with Sandbox(again, state=path) as second, Wire(second.hubspot_url, token) as map_:
        assert second.restored
        assert again.now_ms() == moved.now_ms()
        assert second.hubspot.to_json() == portal.to_json()
        assert second.hubspot.rows("contacts") == portal.rows("contacts")
        assert second.hubspot.history("contacts", merged, "leadloop_stage") == portal.history(
            "contacts", merged, "leadloop_stage"
        )
        assert map_.get(f"{CONTACTS}/b@x.example", idProperty="email").body["id"] == merged
        assert map_.get(f"{CONTACTS}/L1", idProperty="leadloop_id").body["id"] == merged
        assert map_.get(f"{CONTACTS}/{gone}", archived="true").status == 200
        assert map_.post(CONTACTS, {"properties": {"email": "never@x.example"}}).status == 400
        linked = map_.get(f"/crm/v4/objects/deals/{deal}/associations/contacts").body["results"]
        assert [each["toObjectId"] for each in linked] == [merged]
        assert second.salesforce.get("Lead", lead)["Leadloop_Id__c"] == "L1"
        new = map_.post(CONTACTS, {"properties": {"firstname": "C"}}).body["id"]
        assert int(new) > int(gone)


def test_the_state_file_is_written_whole_and_only_when_something_changed(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "state.json")
    assert file.read() is None
    assert file.write({"a": 1}) is True
    assert file.write({"a": 1}) is False
    assert file.read() == {"format": 1, "a": 1}
    assert [each.name for each in tmp_path.iterdir()] == ["state.json"]
    file.path.write_text("{not json")
    with pytest.raises(StateFileError, match="is not a sandbox state"):
        StateFile(file.path).read()
    with pytest.raises(StateFileError, match="cannot be written"):
        StateFile(tmp_path / "no such folder" / "state.json").write({})


def test_a_taken_port_is_told_and_leaves_nothing_running(clock: ManualClock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        sandbox = Sandbox(clock)
        with pytest.raises(PortTakenError, match=f"port {port} of 127.0.0.1 cannot be used"):
            sandbox.start(hubspot_port=port)
    assert not [each for each in threading.enumerate() if each.name.startswith("sandbox:")]


def test_a_server_stops_while_clients_keep_their_connections(portal: HubSpotPortal) -> None:
    server = serve(portal.app())
    with Wire(server.url, HUBSPOT_ACCESS_TOKEN) as wire:
        assert wire.get(CONTACTS).status == 200
        server.stop()
        server.stop()
        with pytest.raises(urllib3.exceptions.HTTPError):
            wire.get(CONTACTS)


SEED = """
salesforce:
  fields:
    Lead: [{name: Region__c, type: text, length: 40}]
  User: [{name: Rosa Rep, email: rosa@sales.example}]
  Lead:
    - {FirstName: Ada, LastName: Byron, Company: Engines, Country: NO, Region__c: north}
hubspot:
  contacts:
    - {email: ada@engines.example, country: NO, region: north, num_conversion_events: 3}
  properties:
    contacts: [{name: region, type: string}]
  owners: [{email: rosa@sales.example, first_name: Rosa}]
"""


def test_a_seed_is_planted_in_both_worlds(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "seed.yaml"
    path.write_text(SEED)
    org, portal = SalesforceOrg(clock), HubSpotPortal(clock)
    assert plant(read_seed(path), org, portal) == 4
    (lead,) = org.rows("Lead")
    assert (lead["LastName"], lead["Country"], lead["Region__c"]) == ("Byron", "NO", "north")
    (contact,) = portal.rows("contacts")
    assert (contact["country"], contact["region"], contact["num_conversion_events"]) == ("NO", "north", "3")
    assert [owner.email for owner in portal.crm.owners.values()] == ["rosa@sales.example"]
    as_json = tmp_path / "seed.json"
    as_json.write_bytes(orjson.dumps({"hubspot": {"contacts": [{"firstname": "Ada"}]}}))
    assert plant(read_seed(as_json), org, portal) == 1


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("hubspot: {contacts: [{email: a@x.example}, {emial: b}]}", r"hubspot\.contacts\[1\]"),
        ("salesforce: {Lead: [{LastName: Byron}]}", r"salesforce\.Lead\[0\]"),
        ("salesforce: {Robot: [{Name: x}]}", r"salesforce\.Robot\[0\]"),
        ("hubspot: {contacts: {email: a@x.example}}", r"hubspot\.contacts"),
        ("marketo: {}", "top level"),
        ("hubspot: [", "seed.yaml"),
    ],
)
def test_a_seed_that_cannot_be_planted_says_where(
    tmp_path: Path, clock: ManualClock, text: str, where: str
) -> None:
    path = tmp_path / "seed.yaml"
    path.write_text(text)
    with pytest.raises(SeedError, match=where):
        plant(read_seed(path), SalesforceOrg(clock), HubSpotPortal(clock))
    with pytest.raises(SeedError, match="cannot be read"):
        read_seed(tmp_path / "nothing here")


def test_a_seed_brings_validation_rules(tmp_path: Path, sandbox: Sandbox) -> None:
    path = tmp_path / "seed.yaml"
    path.write_text("""
salesforce:
  validation_rules: {Lead: [{name: r, when: "Region__c = 'x'", message: Not x., field: Region__c}]}
  fields: {Lead: [{name: Region__c, type: text}]}
hubspot:
  validation_rules: {contacts: [{name: city, pattern: "[A-Z].*", message: Begin with a capital.}]}
""")
    plant(read_seed(path), sandbox.salesforce, sandbox.hubspot)
    with hubspot(sandbox) as map_, salesforce(sandbox) as crm:
        lead = {"LastName": "Byron", "Company": "Engines", "Region__c": "x"}
        refused = crm.post("/services/data/v62.0/sobjects/Lead", lead)
        assert (refused.status, refused.body[0]["message"]) == (400, "Not x.")
        contact = {"properties": {"email": "a@x.example", "city": "oslo"}}
        refused = map_.post("/crm/objects/2026-09/contacts", contact)
        assert refused.status == 400
        assert "Begin with a capital." in refused.body["message"]
        assert map_.post(CONTACTS, contact).status == 201  # v3 does not enforce them


def test_a_key_that_is_not_known_or_missing_is_told_in_the_words_of_the_request(sandbox: Sandbox) -> None:
    with hubspot(sandbox) as map_, salesforce(sandbox) as crm:
        field = {"object": "Lead", "name": "Region__c", "type": "text", "lenght": 5}
        assert crm.post("/_sandbox/fields", field).body[0]["message"] == "unknown key 'lenght'"
        rule = {"object": "Lead", "name": "r"}
        assert (
            crm.post("/_sandbox/validation-rules", rule).body[0]["message"] == "missing 'when' and 'message'"
        )
        fault = {"fail_next": {"cuont": 1}}
        assert (
            map_.post("/_sandbox/faults", fault).body["error"]
            == "cannot read the faults: unknown key 'cuont'"
        )


def test_validation_rules_can_be_added_to_hubspot_over_http(sandbox: Sandbox) -> None:
    rule = {"object": "contacts", "name": "city", "pattern": "[A-Z].*", "message": "Begin with a capital."}
    with hubspot(sandbox) as map_:
        assert map_.post("/_sandbox/validation-rules", rule).status == 200
        assert map_.post("/_sandbox/validation-rules", {**rule, "pattern": "("}).status == 400
        contact = {"properties": {"email": "a@x.example", "city": "oslo"}}
        assert map_.post("/crm/objects/2026-09/contacts", contact).status == 400


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_run_sandbox_announces_itself_and_ends_on_a_signal(tmp_path: Path, ending: signal.Signals) -> None:
    seed, state = tmp_path / "seed.yaml", tmp_path / "state.json"
    seed.write_text("hubspot: {contacts: [{email: ada@engines.example}]}")
    said: list[str] = []

    def announce(text: str) -> None:
        said.append(text)
        url = next(line.split()[1] for line in text.splitlines() if line.startswith("HubSpot"))
        with Wire(url, HUBSPOT_ACCESS_TOKEN) as map_:
            said.append(map_.get(f"{CONTACTS}/ada@engines.example", idProperty="email").body["id"])
        os.kill(os.getpid(), ending)

    before = signal.getsignal(ending)
    run_sandbox(0, 0, seed, state, announce=announce)
    assert signal.getsignal(ending) is before
    assert f"LEADLOOP_HUBSPOT__ACCESS_TOKEN={HUBSPOT_ACCESS_TOKEN}" in said[0]
    lines = [line.strip() for line in said[0].splitlines()]
    # a shell takes the ! of a session id for its history, unless it is quoted
    assert f"LEADLOOP_SALESFORCE__SESSION_ID='{SALESFORCE_SESSION_ID}'" in lines
    run_sandbox(0, 0, seed, state, announce=announce)  # the seed is not planted a second time
    assert said[1] == said[3]
