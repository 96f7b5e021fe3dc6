"""Signatures of HubSpot's webhooks: proof that a request comes from HubSpot. Pure.

v3 is base64(HMAC-SHA256(client secret, method + URL + body + timestamp)), v1 is hex(SHA-256(secret + body));
both over the raw bytes (DOCS/apps/developer-platform/build-apps/authentication/request-validation). HubSpot's
own Python package decodes nothing of the URL, accepts any time in the future, and fails with a TypeError when
a header is missing; so this is our own.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re

PAST_MS = 5 * 60_000
"""HubSpot's own limit of age."""

FUTURE_MS = 60_000
"""HubSpot names no limit; more than this is no difference of clocks."""

# the documentation's list, complete: nothing else is decoded
_DECODED = {
    "%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%21": "!", "%24": "$", "%27": "'",
    "%28": "(", "%29": ")", "%2A": "*", "%2C": ",", "%3B": ";",
}  # fmt: skip
_ESCAPE = re.compile("|".join(_DECODED), re.IGNORECASE)
_TIMESTAMP = re.compile(r"\d{1,16}\Z", re.ASCII)


def decoded(url: str) -> str:
    """The URL as HubSpot signs it: twelve escapes are decoded, once, and no other."""
    return _ESCAPE.sub(lambda found: _DECODED[found[0].upper()], url)


def timestamp_ms(text: str) -> int | None:
    """The timestamp of a request in milliseconds since the epoch; None when it is no such number."""
    return int(text) if _TIMESTAMP.match(text) else None


def is_v3(secret: bytes, method: str, url: str, body: bytes, timestamp: str, signature: str) -> bool:
    """Whether the signature is right, in a time that does not tell how much of it is. The timestamp's age is
    another matter."""
    signed = b"".join((method.encode(), decoded(url).encode(), body, timestamp.encode()))
    try:
        given = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(hmac.digest(secret, signed, hashlib.sha256), given)


def is_v1(secret: bytes, body: bytes, signature: str) -> bool:
    """Whether the older signature is right. It holds no time, so that a copy of a request is as good as the
    request."""
    ours = hashlib.sha256(secret + body).hexdigest()
    return hmac.compare_digest(ours.encode(), signature.encode("utf-8", "replace"))
