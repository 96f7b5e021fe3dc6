"""Who may call the HubSpot sandbox, and how often: tokens, scopes, OAuth, rate limits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connector.clock import ManualClock
from connector.sandbox import (
    HUBSPOT_ACCESS_TOKEN,
    HUBSPOT_CLIENT_ID,
    HUBSPOT_CLIENT_SECRET,
    HUBSPOT_PORTAL_ID,
    HUBSPOT_REFRESH_TOKEN,
)
from connector.sandbox.hubspot import HubSpotPortal
from connector.sandbox.server import Server
from tests.sandbox.wire import Reply, Wire

CONTACTS = "/crm/v3/objects/contacts"
FORM = (
    f"grant_type=refresh_token&client_id={HUBSPOT_CLIENT_ID}&client_secret={HUBSPOT_CLIENT_SECRET}"
    f"&refresh_token={HUBSPOT_REFRESH_TOKEN}"
)


@pytest.fixture
def anyone(hubspot_server: Server) -> Iterator[Wire]:
    with Wire(hubspot_server.url, None) as wire:
        yield wire


def refresh(anyone: Wire, version: str = "v3", form: str = FORM) -> Reply:
    return anyone.call("POST", f"/oauth/{version}/token", form.encode())


@pytest.mark.parametrize("token", [None, "pat-na1-wrong", ""])
def test_no_call_without_a_token_that_is_known(anyone: Wire, token: str | None) -> None:
    anyone.token = token
    reply = anyone.get(CONTACTS)
    assert (reply.status, reply.body["category"]) == (401, "INVALID_AUTHENTICATION")


def test_a_token_without_the_scope_is_refused_and_told_which(anyone: Wire, portal: HubSpotPortal) -> None:
    portal.access.add_token("narrow", scopes=["crm.objects.contacts.read"])
    anyone.token = "narrow"
    assert anyone.get(CONTACTS).status == 200
    assert anyone.post(f"{CONTACTS}/search", {}).status == 200
    reply = anyone.post(CONTACTS, {"properties": {"firstname": "Ada"}})
    assert (reply.status, reply.body["category"]) == (403, "MISSING_SCOPES")
    context = reply.body["errors"][0]["context"]
    assert context == {"requiredGranularScopes": ["crm.objects.contacts.write"]}
    assert anyone.get("/crm/v3/owners").status == 403
    assert anyone.post("/crm/v4/associations/deals/contacts/batch/read", {"inputs": []}).status == 403
    assert anyone.get("/crm/v3/pipelines/deals").status == 403
    assert anyone.get("/crm/v3/properties/contacts").status == 403


@pytest.mark.parametrize("version", ["v1", "v3", "2026-03", "2026-09"])
def test_a_refresh_gives_a_token_that_ends_by_the_clock(
    anyone: Wire, clock: ManualClock, version: str
) -> None:
    reply = refresh(anyone, version)
    assert (reply.status, reply.body["expires_in"], reply.body["token_type"]) == (200, 1_800, "bearer")
    assert reply.body["refresh_token"] == HUBSPOT_REFRESH_TOKEN
    if version != "v1":
        assert reply.body["hub_id"] == HUBSPOT_PORTAL_ID
    anyone.token = reply.body["access_token"]
    clock.advance(1_799)
    assert anyone.get(CONTACTS).status == 200
    clock.advance(1)
    expired = anyone.get(CONTACTS)
    assert (expired.status, expired.body["category"]) == (401, "EXPIRED_AUTHENTICATION")


def test_tokens_can_be_expired_on_purpose_and_new_ones_work(anyone: Wire, portal: HubSpotPortal) -> None:
    anyone.token = refresh(anyone).body["access_token"]
    portal.faults.expire_tokens()
    assert anyone.get(CONTACTS).status == 401
    anyone.token = refresh(anyone).body["access_token"]
    assert anyone.get(CONTACTS).status == 200


def test_a_bad_refresh_is_told_in_each_versions_own_way(anyone: Wire) -> None:
    bad = FORM.replace(HUBSPOT_REFRESH_TOKEN, "wrong")
    old = refresh(anyone, "v1", bad)
    assert (old.status, old.body["status"]) == (400, "BAD_REFRESH_TOKEN")
    new = refresh(anyone, "2026-03", bad)
    assert (new.status, new.body["error"]) == (400, "invalid_grant")
    assert (
        refresh(anyone, "v3", FORM.replace(HUBSPOT_CLIENT_SECRET, "wrong")).body["error"] == "invalid_client"
    )


def test_only_v1_reads_its_parameters_from_the_url(anyone: Wire) -> None:
    assert anyone.call("POST", f"/oauth/v1/token?{FORM}").status == 200
    assert anyone.call("POST", f"/oauth/v3/token?{FORM}").status == 400


def test_a_rotated_refresh_token_replaces_the_old_one(anyone: Wire, portal: HubSpotPortal) -> None:
    portal.access.rotate = True
    rotated = refresh(anyone).body["refresh_token"]
    assert rotated != HUBSPOT_REFRESH_TOKEN
    assert refresh(anyone).status == 400
    assert refresh(anyone, form=FORM.replace(HUBSPOT_REFRESH_TOKEN, rotated)).status == 200


def test_introspection_tells_the_portal(anyone: Wire) -> None:
    token = refresh(anyone).body["access_token"]
    found = anyone.call("POST", "/oauth/2026-03/token/introspect", f"token={token}".encode())
    assert found.body["hub_id"] == HUBSPOT_PORTAL_ID
    assert anyone.get(f"/oauth/v1/access-tokens/{token}").body["hub_id"] == HUBSPOT_PORTAL_ID
    assert anyone.get(f"/oauth/v1/access-tokens/{HUBSPOT_ACCESS_TOKEN}").status == 404


def test_the_burst_is_counted_over_ten_rolling_seconds(
    hubspot: Wire, portal: HubSpotPortal, clock: ManualClock
) -> None:
    portal.limits.burst = 3
    left = []
    for _ in range(3):
        left.append(hubspot.get(CONTACTS).headers["x-hubspot-ratelimit-remaining"])
        clock.advance(4)
    assert left == ["2", "1", "0"]
    assert hubspot.get(CONTACTS).status == 200  # the first call is more than ten seconds ago
    refused = hubspot.get(CONTACTS)
    assert (refused.status, refused.body["policyName"]) == (429, "TEN_SECONDLY_ROLLING")
    assert refused.body["errorType"] == "RATE_LIMIT"
    assert refused.body["message"] == "You have reached your ten_secondly_rolling limit."
    assert "category" not in refused.body
    assert "retry-after" not in refused.headers


def test_the_day_ends_at_midnight_of_the_accounts_time_zone(
    hubspot: Wire, portal: HubSpotPortal, clock: ManualClock
) -> None:
    portal.limits.time_zone = "America/New_York"  # 14:13 UTC is 10:13 there
    portal.limits.daily = 2
    for left in ("1", "0"):
        assert hubspot.get(CONTACTS).headers["x-hubspot-ratelimit-daily-remaining"] == left
    refused = hubspot.get(CONTACTS)
    assert (refused.status, refused.body["policyName"]) == (429, "DAILY")
    assert refused.body["message"] == "You have reached your daily limit."
    clock.advance(13 * 3_600)
    assert hubspot.get(CONTACTS).status == 429
    clock.advance(3_600)
    assert hubspot.get(CONTACTS).status == 200


def test_searches_have_a_limit_of_their_own_and_no_headers(
    hubspot: Wire, portal: HubSpotPortal, clock: ManualClock
) -> None:
    portal.limits.searches_per_second = 5
    for _ in range(5):
        reply = hubspot.post(f"{CONTACTS}/search", {})
        assert reply.status == 200
        assert not [name for name in reply.headers if "ratelimit" in name]
    refused = hubspot.post("/crm/v3/objects/companies/search", {})
    assert (refused.status, refused.body["policyName"]) == (429, "SECONDLY")
    assert hubspot.get(CONTACTS).status == 200
    clock.advance(1)
    assert hubspot.post(f"{CONTACTS}/search", {}).status == 200


def test_oauth_apps_have_a_smaller_burst_and_no_daily_headers(anyone: Wire) -> None:
    anyone.token = refresh(anyone).body["access_token"]
    headers = anyone.get(CONTACTS).headers
    assert headers["x-hubspot-ratelimit-max"] == "110"
    assert "x-hubspot-ratelimit-daily" not in headers


def test_a_used_up_quota_can_be_made(hubspot: Wire, portal: HubSpotPortal) -> None:
    portal.faults.quota_exhausted = True
    reply = hubspot.get(CONTACTS)
    assert (reply.status, reply.body["policyName"]) == (429, "DAILY")
    assert reply.headers["x-hubspot-ratelimit-daily-remaining"] == "0"


def test_account_info_tells_which_portal_this_is(hubspot: Wire, portal: HubSpotPortal) -> None:
    portal.limits.time_zone = "America/New_York"
    for path in ("/account-info/v3/details", "/account-info/2026-03/details"):
        body = hubspot.get(path).body
        assert (body["portalId"], body["accountType"]) == (HUBSPOT_PORTAL_ID, "STANDARD")
        assert (body["timeZone"], body["utcOffset"]) == ("America/New_York", "-04:00")
        assert body["utcOffsetMilliseconds"] == -4 * 3_600_000
    usage = hubspot.get("/account-info/v3/api-usage/daily/private-apps").body["results"][0]
    assert (usage["currentUsage"], usage["usageLimit"]) == (3, 625_000)
