"""Stamps of both platforms, and texts without personal data."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.platforms.redaction import LONGEST_REASON, redact
from connector.platforms.stamps import epoch_ms, soql_literal


@given(st.integers(0, 4_102_444_800_000).map(lambda stamp_ms: datetime.fromtimestamp(stamp_ms / 1_000, UTC)))
def test_every_spelling_of_a_moment_is_the_same_moment(moment: datetime) -> None:
    expected = round(moment.timestamp() * 1_000)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1_000:03d}"
    for zone in ("Z", "+0000", "+00:00"):
        assert epoch_ms(text + zone) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-05-03T10:34:07.000+0000", 1_683_110_047_000),
        ("2026-03-12T07:34:24.559Z", 1_773_300_864_559),
        ("2026-03-12T07:34:24Z", 1_773_300_864_000),
        ("2026-03-12T09:34:24.559+0200", 1_773_300_864_559),
    ],
)
def test_recorded_stamps(text: str, expected: int) -> None:
    assert epoch_ms(text) == expected


@pytest.mark.parametrize("text", ["2026-03-12T07:34:24.559", "yesterday", "", "2026-13-12T07:34:24.559Z"])
def test_what_is_no_stamp_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):
        epoch_ms(text)


def test_a_literal_is_cut_down_to_its_second() -> None:
    assert soql_literal(1_683_110_047_999) == "2023-05-03T10:34:07Z"


@pytest.mark.parametrize(
    ("text", "gone", "kept"),
    [
        ("Email: invalid email address: bob at x", "bob", "Email: invalid email address"),
        ("value=ann@example.com} on 12. 34 already has that value.", "ann", "34 already has that value"),
        ("Last Name: data value too large: Wolfe (max length=80)", "Wolfe", "(max length=80)"),
        ("Email address jo is invalid", " jo ", "is invalid"),
        ("call +1 (555) 010-0199 now", "0199", "call"),
        ("from VALUE_STRING value banana or request may be missing", "banana", "VALUE_STRING"),
        ('{"value":"me%40example.org"}', "example.org", "value"),
    ],
)
def test_personal_data_is_taken_out(text: str, gone: str, kept: str) -> None:
    assert gone not in redact(text)
    assert kept in redact(text)


def test_ids_codes_and_field_names_stay() -> None:
    text = "INVALID_FIELD: No such column 'Foo__c' on record 00Q5i00000GAqYdEAL, 552239500007 (max length=40)"
    assert redact(text) == text


def test_a_reason_is_one_line_of_bounded_length() -> None:
    assert redact("\nSELECT\n   ^\nERROR") == "SELECT ^ ERROR"
    assert len(redact("x" * 10_000)) == LONGEST_REASON
