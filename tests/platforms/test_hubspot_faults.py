"""Which of the errors HubSpot's answers are: captured bodies and those of its documentation."""

from __future__ import annotations

import json

import pytest

from connector.platforms.errors import Missing, Refused, RetryLater
from connector.platforms.hubspot.faults import Pause, Sent, classify, classify_item, is_conflict
from tests.platforms.recordings import exchanges, json_of, needs_recordings

CAPTURED = "hubspot/captured-errors"


@needs_recordings
def test_a_captured_conflict_names_the_existing_contact() -> None:
    outcome = classify(json_of(f"{CAPTURED}/409_contact_exists.json"), 409, "call")
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.existing_id) == ("CONFLICT", "37765128953")
    assert is_conflict(outcome)


@needs_recordings
def test_a_captured_taken_address_names_the_holder_not_the_record_itself() -> None:
    outcome = classify(json_of(f"{CAPTURED}/400_email_already_on_other_contact.json"), 400, "call")
    assert isinstance(outcome, Refused)
    assert (outcome.fields, outcome.existing_id) == (("email",), "552239500007")
    assert "redacted@example.com" not in str(outcome)


@needs_recordings
def test_documented_validation_names_the_property() -> None:
    outcome = classify(json_of(f"{CAPTURED}/400_validation_official_doc.json"), 400, "call")
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.fields) == ("INVALID_INTEGER", ("discount",))
    assert outcome.reason == "discount was not a valid number"


@needs_recordings
def test_a_list_inside_the_message_is_read() -> None:
    body = json_of(f"{CAPTURED}/207_batch_create_multistatus_official_doc.json")
    outcome = classify_item(body["errors"][0], "create")
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.fields) == ("PROPERTY_DOESNT_EXIST", ("missing",))


@needs_recordings
@pytest.mark.parametrize("name", ["207_batch_read_none_found", "207_batch_read_partial"])
def test_captured_missing_records(name: str) -> None:
    (error,) = json_of(f"{CAPTURED}/{name}.json")["errors"]
    assert type(classify_item(error, "update")) is Missing


@needs_recordings
def test_captured_missing_scopes_are_named() -> None:
    outcome = classify(json_of(f"{CAPTURED}/403_missing_scopes_reported.json"), 403, "read")
    assert isinstance(outcome, Refused)
    assert "crm.objects.companies.write" in outcome.reason


@needs_recordings
def test_a_documented_spent_day_concerns_the_day_and_is_asked_about_now_and_then() -> None:
    outcome = classify(json_of(f"{CAPTURED}/429_daily_official_doc.json"), 429, "call")
    assert isinstance(outcome, RetryLater)
    assert (outcome.concerns, outcome.after_seconds, outcome.until_seconds) == ("day", 900, None)
    assert not outcome.applied_unknown


@pytest.mark.parametrize(
    ("body", "seconds", "concerns"),
    [
        ({"policyName": "TEN_SECONDLY_ROLLING"}, 10, "calls"),
        ({"policyName": "SECONDLY"}, 1, "searches"),
        ({"policyName": "DAILY"}, 900, "day"),
        ({"message": "You have reached your ten_secondly_rolling limit."}, 10, "calls"),
        ({"message": "You have reached your secondly limit."}, 1, "searches"),
        ({"message": "You have reached your daily limit."}, 900, "day"),
        ({"category": "RATE_LIMITS"}, 10, "calls"),
        (None, 10, "calls"),
    ],
)
def test_a_429_without_headers(body: object, seconds: float, concerns: str) -> None:
    outcome = classify(body, 429, "read")
    assert isinstance(outcome, RetryLater)
    assert (outcome.after_seconds, outcome.concerns) == (seconds, concerns)
    assert not outcome.applied_unknown


@pytest.mark.parametrize(
    ("status", "policy", "headers", "after", "until"),
    [
        (429, "TEN_SECONDLY_ROLLING", Pause(interval_seconds=20.0), 20, None),
        (429, "TEN_SECONDLY_ROLLING", Pause(7.0), 7, None),
        (429, "SECONDLY", Pause(0.0), 1, None),
        (429, "SECONDLY", Pause(4.0), 4, None),
        (429, "DAILY", Pause(5_000.0), 900, 5_000),
        (423, None, Pause(), 3, None),
        (423, None, Pause(1.0), 2, None),
        (477, None, Pause(80_000.0), 80_000, 80_000),
        (477, None, Pause(), 3_600, 3_600),
        (503, None, Pause(120.0), 120, None),
        (503, None, Pause(), 30, None),
    ],
)
def test_what_the_headers_say_about_waiting_counts(
    status: int, policy: str | None, headers: Pause, after: float, until: float | None
) -> None:
    outcome = classify({"policyName": policy}, status, "read", headers)
    assert isinstance(outcome, RetryLater)
    assert (outcome.after_seconds, outcome.until_seconds) == (after, until)


@pytest.mark.parametrize(
    ("status", "concerns"),
    [
        (200, "side"),
        (423, "request"),
        (477, "side"),
        (500, "request"),
        (502, "request"),
        (503, "side"),
        (504, "request"),
        (521, "side"),
        (522, "side"),
        (523, "side"),
        (524, "request"),
        (525, "side"),
        (526, "side"),
    ],
)
def test_only_what_is_not_the_requests_fault_concerns_the_whole_side(status: int, concerns: str) -> None:
    outcome = classify("<html>", status, "read")
    assert isinstance(outcome, RetryLater)
    assert outcome.concerns == concerns
    assert (outcome.until_seconds is not None) == (status == 477)


@pytest.mark.parametrize(
    ("status", "policy"),
    [(429, "TEN_SECONDLY_ROLLING"), (429, "SECONDLY"), (429, "DAILY"), (423, None), (503, None)],
)
def test_whatever_the_header_asks_for_it_is_tried_within_a_quarter_of_an_hour(
    status: int, policy: str | None
) -> None:
    """It is documented for an account that is being moved, and for nothing else."""
    outcome = classify({"policyName": policy}, status, "read", Pause(80_000.0))
    assert isinstance(outcome, RetryLater)
    assert outcome.after_seconds == 900


def test_a_spent_day_is_not_over_in_a_moment_whatever_the_header_says() -> None:
    outcome = classify({"policyName": "DAILY"}, 429, "read", Pause(5.0))
    assert isinstance(outcome, RetryLater)
    assert (outcome.after_seconds, outcome.until_seconds) == (900, None)


@pytest.mark.parametrize(
    ("status", "sent", "expected", "unknown"),
    [
        (401, "read", RetryLater, False),
        (404, "update", Missing, None),
        (404, "read", Refused, None),
        (414, "read", Refused, None),
        (423, "update", RetryLater, False),
        (477, "call", RetryLater, False),
        (502, "call", RetryLater, True),
        (502, "read", RetryLater, False),
        (521, "call", RetryLater, True),
        (530, "read", RetryLater, False),
        (302, "read", RetryLater, False),
        (200, "call", RetryLater, True),
    ],
)
def test_a_body_that_is_a_page_never_breaks_anything(
    status: int, sent: Sent, expected: type[Exception], unknown: bool | None
) -> None:
    bodies: tuple[object, ...] = (None, "<html>", ["x"], {})
    for body in bodies:
        outcome = classify(body, status, sent)
        assert type(outcome) is expected
        if isinstance(outcome, RetryLater):
            assert outcome.applied_unknown is unknown


def test_a_bad_value_counts_before_an_unknown_property() -> None:
    items = [
        {"isValid": False, "message": "no", "error": "PROPERTY_DOESNT_EXIST", "name": "x"},
        {"isValid": False, "message": "bad", "error": "INVALID_OPTION", "name": "y"},
    ]
    body = {"message": f"Property values were not valid: {json.dumps(items)}"}
    outcome = classify(body, 400, "call")
    assert isinstance(outcome, Refused)
    # one that is about a record's value must not condemn the property for all records
    assert outcome.code == "INVALID_OPTION"
    assert outcome.fields == ("x", "y")


@needs_recordings
@pytest.mark.parametrize(
    "name",
    [
        "contact_create_existing_email",
        "Hubspot_Contact_create_with_an_existing_email_address_raises_an_error",
        "Hubspot_Contact_create_with_an_invalid_email_address_raises_an_error",
        "Hubspot_Contact_find_with_an_invalid_ID_raises_an_error",
        "Hubspot_Contact_merge_with_an_invalid_contact_raises_an_error",
    ],
)
def test_recorded_v1_errors_are_refused_without_anybodys_address(name: str) -> None:
    path = f"hubspot/HubspotCommunity__hubspot-ruby/spec/fixtures/vcr_cassettes/{name}.yml"
    errors = [(status, answer) for *_, status, answer in exchanges(path) if status >= 400]
    assert errors
    for status, answer in errors:
        outcome = classify(json.loads(answer) if answer else None, status, "read")
        assert isinstance(outcome, Refused)
        assert "@" not in str(outcome)
