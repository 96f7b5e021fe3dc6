"""Faults: what HubSpot says when it does not do as asked, and which of the four errors that is.

One reading for whole answers and for the items in a batch's `errors`. Every field of an error body may be
missing, property validation hides a JSON list inside the message, and bodies can be HTML. Reasons are
redacted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from connector.platforms.errors import ASK_AGAIN_SECONDS, Missing, Refused, RetryLater
from connector.platforms.redaction import redact

Sent = Literal["read", "call", "update", "create"]
"""What the fault answers: a read, a whole batch of writes, or one record's update or create."""

Outcome = RetryLater | Refused | Missing

# These say that the property cannot be written at all, whichever record carries it.
UNUSABLE_FIELD = frozenset({"PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE", "CALCULATED_PROPERTY"})

_INSTALL_AGAIN = "install the app again and set LEADLOOP_HUBSPOT__REFRESH_TOKEN"
_RENEWAL_REMEDY = {
    "BAD_CLIENT_ID": "check LEADLOOP_HUBSPOT__CLIENT_ID",
    "BAD_CLIENT_SECRET": "check LEADLOOP_HUBSPOT__CLIENT_SECRET",
    "invalid_client": "check LEADLOOP_HUBSPOT__CLIENT_ID and LEADLOOP_HUBSPOT__CLIENT_SECRET",
    "BAD_REFRESH_TOKEN": _INSTALL_AGAIN,
    "invalid_grant": _INSTALL_AGAIN,
}
_ANY_REMEDY = "check LEADLOOP_HUBSPOT__CLIENT_ID, __CLIENT_SECRET and __REFRESH_TOKEN"
_APP_REMEDY = "check LEADLOOP_HUBSPOT__CLIENT_ID and __CLIENT_SECRET, and the scopes of the app"

_EXISTING = re.compile(r"Existing ID:\s*(\d+)")
# The first id is the record being written (on a create a half-made one), the second the holder.
_HOLDER = re.compile(r"on \d+\. (\d+) already has that value")
_COORDINATES = re.compile(r"propertyName=(\w+)")
_LIST = re.compile(r"\[.*\]\s*\Z", re.DOTALL)
_TAKEN = re.compile(r"already (?:has that value|exists)", re.IGNORECASE)

_SEARCH_SECONDS = 1.0
_LOCKED_SECONDS = 3.0
_SHORTEST_LOCK_SECONDS = 2.0
_MOVING_SECONDS = 3_600.0
# The edge says that it cannot reach HubSpot at all; of 500, 502, 504 and 524 the request may be the cause.
_AWAY = frozenset({503, 521, 522, 523, 525, 526})
# The documentation says to contact the support.
_LASTING = frozenset({522, 525, 526, 530})


@dataclass(frozen=True, slots=True)
class Pause:
    """What the headers say about waiting. `interval_seconds` is the stretch over which
    the limit on calls counts."""

    retry_after_seconds: float | None = None
    interval_seconds: float = 10.0

    def wait_seconds(self, otherwise: float) -> float:
        """How long to wait before it is tried again, whatever is asked for: the header is documented only for
        an account that is being moved."""
        asked = self.retry_after_seconds
        return min(asked, ASK_AGAIN_SECONDS) if asked else otherwise


def classify(body: object, status: int, sent: Sent, pause: Pause | None = None) -> Outcome:
    """The one of the errors that an answer with HTTP `status` amounts to."""
    fault = body if isinstance(body, Mapping) else {}
    pause = pause or Pause()
    writing = sent != "read"
    if status == 429:
        return _rate_limited(fault, pause)
    if status == 477:
        wait = pause.retry_after_seconds or _MOVING_SECONDS
        reason = "HubSpot is moving the account to another region"
        return RetryLater(reason, wait, concerns="side", until_seconds=wait)
    if status == 423:
        wait = max(_SHORTEST_LOCK_SECONDS, pause.wait_seconds(_LOCKED_SECONDS))
        return RetryLater("the HubSpot record is locked by another change", wait)
    if status == 401:
        return RetryLater("HubSpot does not accept the token (HTTP 401)", 300)
    if status == 403:
        return _forbidden(fault)
    if status == 404 and sent == "update":
        return Missing("the HubSpot record is deleted, archived or merged away (HTTP 404)")
    if 400 <= status < 500:
        return refusal(fault, status)
    if 300 <= status < 400:
        return RetryLater(f"HubSpot answered with a redirect (HTTP {status})", 60)
    wait = pause.wait_seconds(300.0 if status in _LASTING else 30.0)
    reason = f"HubSpot gave no usable answer (HTTP {status})"
    away = status in _AWAY or status < 300  # a page in place of data
    return RetryLater(reason, wait, writing, "side" if away else "request")


def classify_item(error: Mapping[str, Any], sent: Sent) -> Outcome:
    """The one of the errors that an item of a batch's `errors` amounts to, by its category."""
    category = str(error.get("category") or "")
    if category == "OBJECT_NOT_FOUND":
        return Missing("the HubSpot record is deleted, archived or merged away (OBJECT_NOT_FOUND)")
    if category in ("RATE_LIMITS", "RATE_LIMIT"):
        return _rate_limited(error, Pause())
    if category in ("INTERNAL_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE"):
        return RetryLater(f"HubSpot failed inside ({category})", 30, sent != "read")
    if category in ("MISSING_SCOPES", "BANNED"):
        return _forbidden(error)
    return refusal(error, 400)


def refusal(fault: Mapping[str, Any], status: int) -> Refused:
    """A 400, 404, 409 or 414, or an item like them."""
    message = str(fault.get("message") or "")
    reasons, codes, fields = _validation(message)
    for detail in fault.get("errors") or ():
        if isinstance(detail, Mapping):
            reasons.append(str(detail.get("message") or ""))
            codes.append(str(detail.get("code") or ""))
            named = (detail.get("context") or {}).get("propertyName") or ()
            fields.extend([named] if isinstance(named, str) else named)
    if not fields:
        fields = _COORDINATES.findall(message)
    found = _EXISTING.search(message) or _HOLDER.search(message)
    # a code that blames a value comes before one that condemns the property: the former needs a search
    codes = sorted((code for code in codes if code), key=lambda code: code in UNUSABLE_FIELD)
    code = codes[0] if codes else str(fault.get("category") or f"HTTP_{status}")
    reason = redact("; ".join(filter(None, reasons)) or message) or f"HubSpot refused it (HTTP {status})"
    return Refused(reason, code, tuple(dict.fromkeys(map(str, fields))), found[1] if found else None)


def renewal_refusal(body: Mapping[str, Any], status: int) -> str:
    """What a 400, 401 or 403 to the renewal of a token means, and the remedy."""
    code, said = _token_refusal(body, status)
    return f"HubSpot refused to renew the token ({said}): {_RENEWAL_REMEDY.get(code, _ANY_REMEDY)}"


def app_token_refusal(body: Mapping[str, Any], status: int) -> str:
    """What such an answer means when an app asks for a token of its own, and the remedy."""
    code, said = _token_refusal(body, status)
    return f"HubSpot gave the app no token ({said}): {_RENEWAL_REMEDY.get(code, _APP_REMEDY)}"


def _token_refusal(body: Mapping[str, Any], status: int) -> tuple[str, str]:
    """The code, and the code with what HubSpot says."""
    # v1 says BAD_REFRESH_TOKEN in `status`, the newer endpoints use OAuth's `error`
    code = str(body.get("error") or body.get("status") or f"HTTP {status}")
    message = redact(str(body.get("error_description") or body.get("message") or ""))
    return code, f"{code}: {message}" if message else code


def is_conflict(refused: Refused) -> bool:
    """Whether it says that another record holds a value that must be unique."""
    return (
        refused.existing_id is not None or refused.code == "CONFLICT" or bool(_TAKEN.search(refused.reason))
    )


def _validation(message: str) -> tuple[list[str], list[str], list[str]]:
    # Property values were not valid: [{"isValid":false,"message":…,"error":"INVALID_EMAIL","name":"email",…}]
    match = _LIST.search(message) if "[{" in message else None
    try:
        items = orjson.loads(match[0]) if match else []
    except orjson.JSONDecodeError:
        items = []
    reasons, codes, fields = [], [], []
    for item in items:
        if isinstance(item, Mapping):
            name = str(item.get("name") or "")
            reasons.append(f"{name}: {item.get('message') or ''}" if name else str(item.get("message") or ""))
            codes.append(str(item.get("error") or ""))
            fields.extend([name] if name else [])
    return reasons, codes, fields


def _rate_limited(fault: Mapping[str, Any], pause: Pause) -> RetryLater:
    policy = str(fault.get("policyName") or "").upper()
    message = str(fault.get("message") or "").lower()
    if policy == "DAILY" or (not policy and "daily" in message):
        asked = pause.retry_after_seconds
        until = asked if asked and asked >= ASK_AGAIN_SECONDS else None
        reason = "HubSpot: the account's daily calls are used up"
        return RetryLater(reason, ASK_AGAIN_SECONDS, concerns="day", until_seconds=until)
    if policy == "SECONDLY" or (not policy and "secondly" in message and "ten_secondly" not in message):
        wait = max(_SEARCH_SECONDS, pause.wait_seconds(_SEARCH_SECONDS))
        return RetryLater("HubSpot: too many searches in a second", wait, concerns="searches")
    wait = pause.wait_seconds(pause.interval_seconds)
    return RetryLater("HubSpot: too many calls in a short time", wait, concerns="calls")


def _forbidden(fault: Mapping[str, Any]) -> Refused:
    category = str(fault.get("category") or "HTTP_403")
    scopes = [
        scope
        for detail in fault.get("errors") or ()
        if isinstance(detail, Mapping)
        for scope in (detail.get("context") or {}).get("requiredGranularScopes") or ()
    ]
    if scopes:
        return Refused(f"the HubSpot token lacks the scopes {', '.join(scopes)}: grant them", category)
    return Refused(redact(str(fault.get("message") or "")) or "HubSpot forbids it (HTTP 403)", category)
