"""Activities, baselines, quarantine, cursors, calls, configurations, pools, brakes, values and leases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from connector.clock import HOUR_MS
from connector.lane import Lane
from connector.observation import RecordKey, digest
from connector.platforms.protocol import Cursor
from connector.store import activities, brakes, quarantine
from connector.store.activities import ActivityRow
from connector.store.baselines import baselines_of, put_baselines
from connector.store.brakes import Brake
from connector.store.calls import count_calls, forget_calls, used_by_lane
from connector.store.configurations import (
    Configuration,
    applied_configuration,
    apply_configuration,
    put_configuration,
)
from connector.store.cursors import cursors_of, put_cursor, updated_ms
from connector.store.database import Database
from connector.store.leases import drop_lease, take_lease
from connector.store.pools import lock_states, put_states, read_states
from connector.store.quarantine import Refusal
from connector.store.settings_values import get_value, put_value, values_under

CONTACT = RecordKey("salesforce", "Contact", "003A")
PERSON = RecordKey("hubspot", "contacts", "12")


def test_an_activity_reported_twice_is_kept_once(database: Database, with_leads: Callable[..., None]) -> None:
    with_leads("one", "two")
    form = ActivityRow("one", "form:1", "form_submission", 2_000, {"form": "demo", "fields": ["a", None]})
    earlier = replace(form, key="visit \ud800", at_ms=1_000, attributes={})
    with database.begin() as conn:
        assert activities.put(conn, [form, earlier, form]) == [form, earlier]
        assert activities.put(conn, [replace(form, at_ms=9_000), earlier]) == []
        assert activities.put(conn, [replace(form, lead_id="two")]) == [replace(form, lead_id="two")]
        assert activities.activities_of(conn, ["one", "three"]) == {
            "one": [replace(earlier, key="visit \ufffd"), form],
            "three": [],
        }


def test_baselines_are_replaced_by_record(database: Database, with_leads: Callable[..., None]) -> None:
    with_leads("one", "two")
    with database.begin() as conn:
        put_baselines(conn, [(CONTACT, "one", b"1"), (PERSON, "one", b"2")])
        put_baselines(conn, [(CONTACT, "two", b"\x00\xff")])
        assert baselines_of(conn, ["one"]) == {PERSON: b"2"}
        assert baselines_of(conn, ["one", "two"]) == {PERSON: b"2", CONTACT: b"\x00\xff"}


def _refusal(field: str = "Title", value: str = "x", since_ms: int = 1_000) -> Refusal:
    return Refusal(
        "salesforce", "Contact", "003A", field, digest(value), "STRING_TOO_LONG", "too long\0", since_ms
    )


def test_a_value_refused_again_counts_another_attempt(database: Database) -> None:
    with database.begin() as conn:
        quarantine.put(conn, [_refusal()])
        quarantine.put(conn, [_refusal(since_ms=2_000), _refusal("Phone")])
        (phone, title) = quarantine.of_records(conn, [CONTACT, PERSON])[CONTACT]
        assert (title.attempts, title.since_ms, title.reason) == (2, 1_000, "too long\ufffd")
        assert (phone.field, phone.attempts) == ("Phone", 1)
        quarantine.put(conn, [_refusal(value="y", since_ms=3_000)])
        (_, title) = quarantine.of_records(conn, [CONTACT])[CONTACT]
        assert (title.attempts, title.since_ms, title.value_hash) == (1, 3_000, digest("y"))
        assert quarantine.count(conn) == {"salesforce": 2}


def test_quarantine_is_cleared_by_record_field_or_side(database: Database) -> None:
    elsewhere = replace(_refusal(), side="hubspot", object="contacts", record_id="12")
    with database.begin() as conn:
        quarantine.put(conn, [_refusal(), _refusal("Phone"), elsewhere])
        assert quarantine.quarantined(conn, side="hubspot")[0].key == PERSON
        assert quarantine.clear(conn, [CONTACT], fields=["Title", "Other"]) == 1
        assert [one.field for one in quarantine.of_records(conn, [CONTACT])[CONTACT]] == ["Phone"]
        assert quarantine.clear(conn, side="hubspot") == 1
        assert quarantine.clear(conn) == 1
        assert quarantine.quarantined(conn) == []


def test_a_hash_says_whether_a_value_is_the_same_not_what_it_is() -> None:
    assert digest("a") == digest("a")
    assert len({digest(value) for value in ("1", 1, True, None, "true", "")}) == 6
    assert "secret" not in digest("secret")


def test_cursors_are_kept_by_side_and_feed(database: Database) -> None:
    with database.begin() as conn:
        put_cursor(conn, "salesforce", "Lead", Cursor(1_000, "00QA"), 5_000)
        put_cursor(conn, "salesforce", "Contact", Cursor(2_000), 5_000)
        put_cursor(conn, "salesforce", "Lead", Cursor(3_000, "00QB"), 6_000)
        assert cursors_of(conn, "salesforce") == {"Lead": Cursor(3_000, "00QB"), "Contact": Cursor(2_000)}
        assert updated_ms(conn, "salesforce") == {"Lead": 6_000, "Contact": 5_000}
        assert cursors_of(conn, "hubspot") == {}


def test_calls_are_counted_by_hour_and_lane(database: Database) -> None:
    day = 24 * HOUR_MS
    with database.begin() as conn:
        count_calls(conn, "salesforce", Lane.UPDATE, day + 5, 3)
        count_calls(conn, "salesforce", Lane.UPDATE, day + HOUR_MS - 1)
        count_calls(conn, "salesforce", Lane.HANDOFF, day + HOUR_MS)
        count_calls(conn, "hubspot", Lane.UPDATE, day)
        assert sum(used_by_lane(conn, "salesforce", day).values()) == 5
        assert sum(used_by_lane(conn, "salesforce", day + 600).values()) == 5, (
            "the hour that has begun counts whole"
        )
        assert sum(used_by_lane(conn, "salesforce", day + HOUR_MS).values()) == 1
        assert used_by_lane(conn, "salesforce", 0) == {Lane.UPDATE: 4, Lane.HANDOFF: 1}
        forget_calls(conn, day + HOUR_MS)
        assert sum(used_by_lane(conn, "salesforce", 0).values()) == 1


def test_the_configuration_in_force_is_the_one_applied_last(database: Database) -> None:
    documents = {"mappings/lead.yaml": "fields: {é: 1}"}
    with database.begin() as conn:
        put_configuration(conn, "v1", documents, 1_000)
        put_configuration(conn, "v2", {}, 2_000)
        assert applied_configuration(conn) is None
        apply_configuration(conn, "v2", 3_000)
        apply_configuration(conn, "v1", 4_000)
        put_configuration(conn, "v1", {"other": ""}, 5_000)
        assert applied_configuration(conn) == Configuration("v1", 1_000, 4_000, documents)
        with pytest.raises(LookupError, match="v3"):
            apply_configuration(conn, "v3", 6_000)


def test_turns_begin_at_none_taken_and_looking_takes_none(database: Database) -> None:
    with database.begin() as conn:
        assert read_states(conn, ["emea", "apac"]) == {"emea": {}, "apac": {}}
        assert lock_states(conn, ["emea", "apac"]) == {"apac": {}, "emea": {}}
        put_states(conn, {"emea": {"turn": 3}})
        assert lock_states(conn, ["emea"]) == {"emea": {"turn": 3}}
        assert read_states(conn, ["emea", "apac"]) == {"emea": {"turn": 3}, "apac": {}}


def test_changes_are_counted_per_configuration_kind_and_window(database: Database) -> None:
    with database.begin() as conn:
        brakes.count_changes(conn, "v1", 1_000, {"mql": 2, "create": 1})
        brakes.count_changes(conn, "v1", 2_000, {"mql": 3})
        brakes.count_changes(conn, "v2", 2_000, {"mql": 50})
        brakes.count_changes(conn, "v1", 2_000, {"mql": 1})
        brakes.count_changes(conn, "v1", 2_000, {})
        assert brakes.counted(conn, "v1", 1_000) == {"mql": 6, "create": 1}
        assert brakes.counted(conn, "v1", 2_000) == {"mql": 4}
        brakes.forget_counts(conn, 2_000)
        assert brakes.counted(conn, "v1", 0) == {"mql": 4}


def test_a_brake_trips_once_and_is_released(database: Database) -> None:
    with database.begin() as conn:
        brakes.trip(conn, "v1", "mql", "60 of 100", 1_000)
        brakes.trip(conn, "v1", "mql", "90 of 100", 2_000)
        brakes.trip(conn, "v1", "create", "500 in an hour", 2_000)
        assert brakes.brakes_of(conn, "v1")["mql"] == Brake("v1", "mql", "60 of 100", 1_000)
        assert brakes.release(conn, "v1", "mql", 3_000, per_hour=20) == ["mql"]
        assert brakes.release(conn, "v1", "mql", 3_500) == []
        assert brakes.brakes_of(conn, "v1")["mql"] == Brake("v1", "mql", "60 of 100", 1_000, 3_000, 20)
        brakes.trip(conn, "v1", "mql", "again", 4_000)
        assert brakes.brakes_of(conn, "v1")["mql"] == Brake("v1", "mql", "again", 4_000)
        assert brakes.release(conn, "v1", None, 5_000) == ["create", "mql"]
        assert brakes.brakes_of(conn, "v2") == {}


def test_values_are_json_and_found_by_prefix(database: Database) -> None:
    with database.begin() as conn:
        put_value(conn, "account:salesforce", {"id": "00D", "flags": [True, None]})
        put_value(conn, "account_x", 2)
        put_value(conn, "Account:other", 3)
        assert values_under(conn, "account:") == {"account:salesforce": {"id": "00D", "flags": [True, None]}}
        put_value(conn, "account:salesforce", 1)
        assert get_value(conn, "account:salesforce") == 1
        assert get_value(conn, "account:hubspot", "none") == "none"
        assert set(values_under(conn)) == {"account:salesforce", "account_x", "Account:other"}


def test_a_duty_has_one_holder_until_its_lease_ends(database: Database) -> None:
    with database.begin() as conn:
        assert take_lease(conn, "poll:salesforce", "a", 1_000, 500)
        assert not take_lease(conn, "poll:salesforce", "b", 1_499, 500)
        assert take_lease(conn, "poll:salesforce", "a", 1_400, 500), "its holder renews it"
        assert take_lease(conn, "poll:hubspot", "b", 1_400, 500)
        assert not take_lease(conn, "poll:salesforce", "b", 1_899, 500)
        assert take_lease(conn, "poll:salesforce", "b", 1_900, 500)
        drop_lease(conn, "poll:salesforce", "a")
        assert not take_lease(conn, "poll:salesforce", "a", 2_000, 500)
        drop_lease(conn, "poll:salesforce", "b")
        assert take_lease(conn, "poll:salesforce", "a", 2_000, 500)
