"""What the sandbox sends by itself: deliveries as the platforms make them, again until they are taken."""

from __future__ import annotations

from pytest_httpserver import HTTPServer

from connector.clock import ManualClock
from connector.sandbox.host import Sandbox
from connector.sandbox.hubspot.portal import HubSpotPortal
from connector.sandbox.salesforce.org import SalesforceOrg
from tests.sandbox.wire import Wire
from tests.webhooks.sending import signed

SECRET = "the app's secret"
ACKNOWLEDGED = b"<x><Ack>true</Ack></x>"


def test_nothing_is_sent_until_somebody_wants_it() -> None:
    sandbox = Sandbox(ManualClock(1_000))
    sandbox.hubspot.create("contacts", email="ann@acme.example")
    sandbox.salesforce.insert("Lead", LastName="Arbor", Company="Acme")

    assert sandbox.send() == []


def test_events_of_hubspot_are_signed_and_sent_again_when_refused(httpserver: HTTPServer) -> None:
    portal = HubSpotPortal(ManualClock(1_800_000_000_000))
    url = httpserver.url_for("/hook")
    portal.crm.webhooks.subscribe(url, SECRET)
    contact = portal.create("contacts", email="ann@acme.example")
    httpserver.expect_ordered_request("/hook", method="POST").respond_with_data(status=503)
    httpserver.expect_ordered_request("/hook", method="POST").respond_with_data(status=204)

    assert [portal.crm.webhooks.send(5_000), portal.crm.webhooks.send(6_000)] == [[503], [204]]
    assert portal.crm.webhooks.send(7_000) == []

    first, second = (request for request, _ in httpserver.log)
    events = second.get_json()
    assert [each["attemptNumber"] for each in first.get_json()] == [0, 0]
    assert [each["attemptNumber"] for each in events] == [1, 1]
    # the change before the creation, as recorded
    assert [each["subscriptionType"] for each in events] == ["contact.propertyChange", "contact.creation"]
    assert {each["objectId"] for each in events} == {int(contact)}
    right = signed(url, second.get_data(), 6_000, SECRET)
    assert all(second.headers[name] == value for name, value in right.items())


def test_messages_of_salesforce_are_sent_until_they_are_acknowledged(httpserver: HTTPServer) -> None:
    org = SalesforceOrg(ManualClock(1_800_000_000_000))
    org.outbound.set_up(httpserver.url_for("/om"), ["Lead"], org.integration_user_id)
    httpserver.expect_ordered_request("/om").respond_with_data(ACKNOWLEDGED.replace(b"true", b"false"))
    httpserver.expect_ordered_request("/om").respond_with_data(ACKNOWLEDGED)
    lead = org.insert("Lead", LastName="Arbor", Company="Acme")
    org.insert("Account", Name="Acme")
    org.insert("Lead", by_user=org.integration_user_id, LastName="Ours", Company="Acme")

    assert [org.outbound.send(), org.outbound.send(), org.outbound.send()] == [[0], [200], []]
    body = httpserver.log[-1][0].get_data(as_text=True)
    assert body.count("<Notification>") == 1
    assert f"<sf:Id>{lead}</sf:Id>" in body
    assert f"<OrganizationId>{org.organization_id}</OrganizationId>" in body


def test_both_are_set_up_by_the_control_endpoints() -> None:
    with Sandbox(ManualClock(1_800_000_000_000)) as sandbox:
        with Wire(sandbox.hubspot_url, None) as wire:
            assert wire.post("/_sandbox/webhooks", {"url": "http://127.0.0.1:1/x"}).status == 200
            assert wire.post("/_sandbox/webhooks", {"address": "x"}).status == 400
        with Wire(sandbox.salesforce_url, None) as wire:
            wire.post("/_sandbox/outbound-messages", {"url": "http://127.0.0.1:1/x"})
        sandbox.hubspot.create("contacts", email="ann@acme.example")
        sandbox.salesforce.insert("Lead", LastName="Arbor", Company="Acme")

        assert sandbox.send() == [0, 0]
