"""Which of the four errors Salesforce's answers are: recorded bodies and those of public issues."""

from __future__ import annotations

import json

import pytest

from connector.platforms.errors import Ambiguous, Missing, Refused, RetryLater
from connector.platforms.salesforce.faults import Sent, classify, faults_of
from tests.platforms.recordings import CUMULUS, RESTFORCE, exchanges, json_of, needs_recordings


def _error(
    code: str, message: str = "said", fields: list[str] | None = None, key: str = "errorCode"
) -> dict[str, object]:
    return {key: code, "message": message, "fields": fields or []}


@pytest.mark.parametrize(
    "body",
    [
        [_error("STRING_TOO_LONG", "too long", ["LastName"])],
        {"success": False, "errors": [_error("STRING_TOO_LONG", "too long", ["LastName"], "statusCode")]},
        {"httpStatusCode": 400, "body": [_error("STRING_TOO_LONG", "too long", ["LastName"])]},
        "STRING_TOO_LONG:too long:LastName --",
    ],
    ids=["http body", "collections item", "composite part", "bulk text"],
)
def test_a_code_means_the_same_wherever_it_sits(body: object) -> None:
    outcome = classify(body, 400, "update")
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.fields, outcome.reason) == ("STRING_TOO_LONG", ("LastName",), "too long")


def test_an_oauth_answer_is_read_too() -> None:
    (fault,) = faults_of({"error": "invalid_grant", "error_description": "expired access/refresh token"})
    assert (fault.code, fault.message) == ("invalid_grant", "expired access/refresh token")


@pytest.mark.parametrize(
    ("code", "message", "sent", "status", "expected"),
    [
        ("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access", "update", 200, (RetryLater, False)),
        ("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access", "update", 500, (RetryLater, False)),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "x: UNABLE_TO_LOCK_ROW", "update", 200, (RetryLater, False)),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "a trigger failed", "update", 200, (Refused, None)),
        ("SERVER_UNAVAILABLE", "Server Unavailable", "call", 503, (RetryLater, True)),
        ("SERVER_UNAVAILABLE", "Server Unavailable", "read", 503, (RetryLater, False)),
        ("UNKNOWN_EXCEPTION", "An unexpected error", "call", 500, (RetryLater, True)),
        ("INVALID_QUERY_LOCATOR", "invalid query locator", "read", 400, (RetryLater, False)),
        ("ENTITY_IS_DELETED", "entity is deleted", "update", 200, (Missing, None)),
        ("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", "update", 200, (Missing, None)),
        ("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", "create", 200, (Refused, None)),
        ("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", "update", 200, (Missing, None)),
        ("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", "create", 200, (Refused, None)),
        ("DUPLICATE_EXTERNAL_ID", "more than one", "create", 200, (Ambiguous, None)),
        ("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access", "update", 200, (Refused, None)),
        ("SOMETHING_NEW", "new", "update", 400, (Refused, None)),
        ("SOMETHING_NEW", "new", "call", 502, (RetryLater, True)),
    ],
)
def test_codes(
    code: str, message: str, sent: Sent, status: int, expected: tuple[type[Exception], bool | None]
) -> None:
    outcome = classify([_error(code, message)], status, sent)
    assert type(outcome) is expected[0]
    if isinstance(outcome, RetryLater):
        assert outcome.applied_unknown is expected[1]


def test_a_bad_lookup_value_names_its_field_and_is_no_missing_record() -> None:
    fault = _error("INVALID_CROSS_REFERENCE_KEY", "Owner ID: id value of incorrect type", ["OwnerId"])
    outcome = classify([fault], 200, "update")
    assert isinstance(outcome, Refused)
    assert outcome.fields == ("OwnerId",)


def test_a_spent_day_waits_long_and_a_crowded_moment_shortly() -> None:
    day = classify([_error("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")], 403, "read")
    moment = classify(
        [_error("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.")],
        403,
        "read",
    )
    assert isinstance(day, RetryLater)
    assert isinstance(moment, RetryLater)
    assert day.after_seconds >= 900 > 60 > moment.after_seconds


def test_several_faults_of_one_record_are_one_refusal_with_all_fields() -> None:
    outcome = classify(
        {"errors": [_error("STRING_TOO_LONG", "a", ["A"]), _error("INVALID_EMAIL_ADDRESS", "b", ["B"])]},
        200,
        "update",
    )
    assert isinstance(outcome, Refused)
    assert outcome.fields == ("A", "B")
    assert outcome.reason == "a; b"


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        ("No such column 'foo__c' on sobject of type Lead", ("foo__c",)),
        ("Unable to create/update fields: Amount__c, Name. Please check", ("Amount__c", "Name")),
        ("Required fields are missing: [LastName, Company]", ("LastName", "Company")),
    ],
)
def test_fields_are_found_in_messages_where_the_list_is_empty(message: str, fields: tuple[str, ...]) -> None:
    (fault,) = faults_of([_error("INVALID_FIELD", message)])
    assert fault.fields == fields


def test_a_duplicate_value_names_the_field_and_the_holder() -> None:
    message = "duplicate value found: uuid__c duplicates value on record with id: 00Q5i00000GAqYd"
    outcome = classify([_error("DUPLICATE_VALUE", message)], 200, "update")
    assert isinstance(outcome, Refused)
    assert (outcome.fields, outcome.existing_id) == (("uuid__c",), "00Q5i00000GAqYd")


@pytest.mark.parametrize("key", ["duplicateResut", "duplicateResult"])
def test_a_fuzzy_duplicate_is_described_but_never_taken_for_the_record(key: str) -> None:
    match = {"matchRecords": [{"record": {"Id": "0038d00000AbCdEFAV"}}]}
    body = [{**_error("DUPLICATES_DETECTED", "Use one of these records?"), key: {"matchResults": [match]}}]
    outcome = classify(body, 400, "create")
    assert isinstance(outcome, Refused)
    assert "0038d00000AbCdEFAV" in outcome.reason
    assert outcome.existing_id is None


@pytest.mark.parametrize(
    ("status", "sent", "expected"),
    [
        (200, "read", RetryLater),
        (302, "read", RetryLater),
        (403, "read", Refused),
        (404, "update", Missing),
        (404, "read", Refused),
        (410, "read", Refused),
        (414, "read", Refused),
        (502, "call", RetryLater),
    ],
)
def test_a_body_that_is_a_page_never_breaks_anything(
    status: int, sent: Sent, expected: type[Exception]
) -> None:
    assert type(classify("<html>maintenance</html>", status, sent)) is expected
    assert type(classify(None, status, sent)) is expected


@needs_recordings
@pytest.mark.parametrize(
    ("name", "status", "sent", "expected", "code"),
    [
        ("expired_session_response", 401, "read", RetryLater, ""),
        ("sobject/delete_error_response", 404, "update", Missing, ""),
        ("sobject/query_error_response", 400, "read", Refused, "INVALID_FIELD"),
        ("sobject/search_error_response", 400, "read", Refused, "MALFORMED_SEARCH"),
        ("sobject/sobject_describe_error_response", 404, "read", Refused, "NOT_FOUND"),
        ("sobject/sobject_find_error_response", 404, "read", Refused, "NOT_FOUND"),
        ("sobject/upsert_error_response", 404, "call", Refused, "NOT_FOUND"),
        ("sobject/write_error_response", 400, "update", Refused, "INVALID_FIELD"),
    ],
)
def test_recorded_error_bodies(
    name: str, status: int, sent: Sent, expected: type[Exception], code: str
) -> None:
    outcome = classify(json_of(f"{RESTFORCE}/{name}.json"), status, sent)
    assert type(outcome) is expected
    if isinstance(outcome, Refused):
        assert outcome.code == code


@needs_recordings
def test_a_recorded_300_names_all_candidates() -> None:
    outcome = classify(json_of(f"{RESTFORCE}/sobject/upsert_multiple_error_response.json"), 300, "update")
    assert isinstance(outcome, Ambiguous)
    assert outcome.candidates == ("foo", "bar")


@needs_recordings
def test_a_recorded_composite_part_is_refused_alone() -> None:
    path = f"{CUMULUS}/utils/salesforce/tests/cassettes/TestCountSObjects.test_count_sobjects__errors.yaml"
    ((_, _, _, _, answer),) = exchanges(path)
    good, bad = json.loads(answer)["compositeResponse"]
    assert faults_of(good) == ()
    outcome = classify(bad["body"], bad["httpStatusCode"], "read")
    assert isinstance(outcome, Refused)
    assert outcome.code == "INVALID_TYPE"
    assert "XYZZY" in outcome.reason
    assert "\n" not in outcome.reason


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("<html>We are down for maintenance.</html>", 503),
        ("<html>We are down for maintenance.</html>", 200),
        ("", 503),
        ("", 302),
        ([{"errorCode": "SERVER_UNAVAILABLE", "message": "Server Unavailable"}], 503),
    ],
)
def test_maintenance_keeps_all_calls_to_the_side_away(body: object, status: int) -> None:
    found = classify(body, status, "read")
    assert isinstance(found, RetryLater)
    assert found.concerns == "side"
