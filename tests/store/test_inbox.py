"""The inbox holds one row for each record and kind, however often it was told of."""

from __future__ import annotations

from connector.store.database import Database
from connector.store.inbox import (
    Filling,
    Hint,
    count_hints,
    due_hints,
    finish_hints,
    next_hint_ms,
    postpone_hints,
    put_hints,
)


def told(record_id: str, at_ms: int = 1_000, side: str = "hubspot") -> Hint:
    return Hint(side, "contacts", record_id, "read", at_ms)


def test_what_was_put_is_due_oldest_first(database: Database) -> None:
    with database.begin() as conn:
        put_hints(conn, [told("2", 2_000), told("1", 1_000), told("9", 1_500, "salesforce")])

        assert [each.record_id for each in due_hints(conn, "hubspot", 3_000, 10)] == ["1", "2"]
        assert [each.record_id for each in due_hints(conn, "hubspot", 1_999, 10)] == ["1"]
        assert [each.record_id for each in due_hints(conn, "hubspot", 3_000, 1)] == ["1"]
        assert next_hint_ms(conn, "hubspot") == 1_000
        assert next_hint_ms(conn, "marketo") is None
        assert count_hints(conn) == {"hubspot": Filling(2, 1_000), "salesforce": Filling(1, 1_500)}


def test_what_is_told_twice_is_one_hint(database: Database) -> None:
    with database.begin() as conn:
        assert put_hints(conn, [told("1"), told("1"), told("1", 1_200)]) == 1
        put_hints(conn, [told("1", 5_000)])

        [waiting] = due_hints(conn, "hubspot", 9_000, 10)
        assert (waiting.received_ms, waiting.generation) == (1_200, 2)


def test_what_is_told_again_while_it_is_read_stays(database: Database) -> None:
    with database.begin() as conn:
        put_hints(conn, [told("1"), told("2")])
        taken = due_hints(conn, "hubspot", 2_000, 10)
        put_hints(conn, [told("1", 2_500)])

        finish_hints(conn, taken)

        assert [each.record_id for each in due_hints(conn, "hubspot", 3_000, 10)] == ["1"]


def test_what_could_not_be_read_waits_for_its_moment_and_is_not_hurried(database: Database) -> None:
    with database.begin() as conn:
        put_hints(conn, [told("1"), told("2")])
        one, _ = due_hints(conn, "hubspot", 2_000, 10)
        postpone_hints(conn, [(one, 60_000)])
        put_hints(conn, [told("1", 3_000)])

        assert [each.record_id for each in due_hints(conn, "hubspot", 59_999, 10)] == ["2"]
        assert {each.record_id: each.attempts for each in due_hints(conn, "hubspot", 60_000, 10)} == {
            "1": 1,
            "2": 0,
        }
