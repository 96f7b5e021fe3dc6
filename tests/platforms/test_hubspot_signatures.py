"""Signatures of HubSpot's webhooks: the published test vectors, and what is decoded of an address."""

from __future__ import annotations

import hmac

import pytest

from connector.platforms.hubspot.signatures import decoded, is_v1, is_v3, timestamp_ms

SECRET = b"yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
URL = "https://www.example.com/webhook_uri"
DOCUMENTED = (
    b'[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,'
    b'"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM",'
    b'"changeFlag":"NEW","appId":54321}]'
)
EXAMPLE = b"{'example_field':'example_value'}"


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        (DOCUMENTED, "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de"),
        (EXAMPLE, "69fc6631a867edd4f9e9e627fc5c1148e3fbdd8b21837b6d2b8901c1fa57f750"),
    ],
)
def test_the_vectors_of_version_1(body: bytes, signature: str) -> None:
    assert is_v1(SECRET, body, signature)
    assert not is_v1(SECRET, body + b" ", signature)
    assert not is_v1(SECRET + b"y", body, signature)
    assert not is_v1(SECRET, body, signature.upper())
    assert not is_v1(SECRET, body, "")


def test_the_vector_of_version_3() -> None:
    right = "HPW73RUtKmcYoEDADG0s6MmGFWUzWJKAW07r8RDgcQw="

    assert is_v3(SECRET, "POST", URL, EXAMPLE, "15000000", right)
    assert not is_v3(SECRET, "PUT", URL, EXAMPLE, "15000000", right)
    assert not is_v3(SECRET, "POST", URL + "/", EXAMPLE, "15000000", right)
    assert not is_v3(SECRET, "POST", URL, EXAMPLE + b"\n", "15000000", right)
    assert not is_v3(SECRET, "POST", URL, EXAMPLE, "15000001", right)
    assert not is_v3(b"", "POST", URL, EXAMPLE, "15000000", right)


@pytest.mark.parametrize("signature", ["", "=", "a", "ü", "HPW73RUtKmcYoEDADG0s6MmGFWUzWJKAW07r8RDgcQw=\n"])
def test_what_is_no_signature_is_not_right(signature: str) -> None:
    assert not is_v3(SECRET, "POST", URL, EXAMPLE, "15000000", signature)


def test_twelve_escapes_are_decoded_once_and_no_other() -> None:
    every = "%3A%2F%3F%40%21%24%27%28%29%2A%2C%3B"

    assert decoded(f"https://x/{every}?a={every.lower()}") == "https://x/:/?@!$'()*,;?a=:/?@!$'()*,;"
    kept = "https://x/%20%25%26%3D%2B%23%5B%5D%C3%BC?b=2&a=1+1"
    assert decoded(kept) == kept
    assert decoded("%253A") == "%253A"


@pytest.mark.parametrize("text", ["", "-1", "1.5", " 1", "1\n", "１", "9" * 17, "0x1"])
def test_what_is_no_timestamp(text: str) -> None:
    assert timestamp_ms(text) is None


def test_only_a_comparison_in_constant_time_says_what_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test can time it. So: whatever `hmac.compare_digest` says is the answer, and nothing else is."""
    for verdict in (True, False):
        monkeypatch.setattr(hmac, "compare_digest", lambda _ours, _given, said=verdict: said)
        assert is_v1(SECRET, EXAMPLE, "0" * 64) is verdict
        assert is_v3(SECRET, "POST", URL, EXAMPLE, "15000000", "HPW73RUtKmcYoEDADG0s6A==") is verdict
