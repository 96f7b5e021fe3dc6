"""Cassettes: recorded exchanges with a platform, scrubbed, and how a request finds its answer among them."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import vcr  # type: ignore[import-untyped]  # published without types
from vcr.request import Request  # type: ignore[import-untyped]  # published without types

CASSETTES = Path(
    os.environ.get("LEADLOOP_CONTRACT_CASSETTES") or Path(__file__).resolve().parents[1] / "cassettes"
)
SCRUBBED = "scrubbed"

_SECRET_KEYS = {
    "access_token",
    "assertion",
    "client_id",
    "client_secret",
    "id_token",
    "refresh_token",
    "signature",
}
# What a real account shows of its people; the made-up leads of the contract keep their names.
_PERSONAL_KEYS = {
    "Alias",
    "CommunityNickname",
    "FirstName",
    "LastName",
    "Name",
    "Phone",
    "Username",
    "family_name",
    "firstName",
    "given_name",
    "lastName",
    "name",
    "nickname",
    "phone_number",
    "preferred_username",
}
_EMAIL = re.compile(r"[\w.+-]+@(?!(?:[\w-]+\.)*example\b)[\w-]+(?:\.[\w-]+)+")
_ORIGIN = re.compile(r"https?://(?:127\.0\.0\.1:\d+|[\w.-]+\.(?:my\.)?salesforce\.com)")
_KEPT_HEADERS = re.compile(
    r"content-type|sforce-limit-info|sforce-locator|sforce-numberofrecords|x-hubspot-ratelimit-.*|retry-after",
    re.IGNORECASE,
)


def cassette(path: Path, record: bool, real: bool) -> Any:
    """A context in which requests are recorded to `path` or answered from it."""
    machine = vcr.VCR(
        record_mode="all" if record else "none",
        match_on=["method", "path", "query", "body"],
        filter_headers=["authorization", "cookie", "user-agent"],
        decode_compressed_response=True,
        before_record_request=_scrub_request,
        before_record_response=lambda response: _scrub_response(response, real),
    )
    return machine.use_cassette(str(path), allow_playback_repeats=False)


def _scrub_request(request: Request) -> Request:
    parts = urlsplit(request.uri)
    # the port of a sandbox and the name of a real org differ from run to run, and are nobody's business
    request.uri = f"https://platform.example{parts.path}" + (f"?{parts.query}" if parts.query else "")
    body = request.body
    if isinstance(body, bytes) and b"grant_type=" in body:
        # whole: which credentials opened the login is of no interest, and replaying has none
        request.body = f"grant_type={SCRUBBED}".encode()
    return request


def _scrub_response(response: dict[str, Any], real: bool) -> dict[str, Any]:
    headers = response["headers"]
    response["headers"] = {name: value for name, value in headers.items() if _KEPT_HEADERS.fullmatch(name)}
    content = response["body"]["string"]
    try:
        body = json.loads(content)
    except ValueError:
        if real and b"@" in content:  # a page of CSV; records are the tests' own, their writers are not named
            response["body"]["string"] = _EMAIL.sub("someone@scrubbed.example", content.decode()).encode()
        return response
    text = json.dumps(_scrubbed(body, real), ensure_ascii=False, separators=(",", ":"))
    text = _ORIGIN.sub("https://platform.example", _EMAIL.sub("someone@scrubbed.example", text))
    response["body"]["string"] = text.encode()
    return response


def _scrubbed(value: Any, real: bool) -> Any:
    if isinstance(value, list):
        return [_scrubbed(item, real) for item in value]
    if not isinstance(value, dict):
        return value
    if "instance_url" in value:
        value = {**value, "instance_url": "https://platform.example"}
    person = real and (
        (value.get("attributes") or {}).get("type") in ("User", "Organization", "Group")
        or {"userId", "user_id", "portalId"} & set(value)
    )
    return {
        name: SCRUBBED
        if (name in _SECRET_KEYS and isinstance(item, str)) or (person and name in _PERSONAL_KEYS and item)
        else _scrubbed(item, real)
        for name, item in value.items()
    }
