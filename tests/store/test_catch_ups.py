"""Catch-ups: an object is polled once more from the earliest moment that anybody asked for."""

from __future__ import annotations

from connector.store.catch_ups import ask_catch_ups, catch_ups_of, move_catch_up
from connector.store.database import Database


def asked(database: Database) -> dict[str, int]:
    with database.read() as conn:
        return catch_ups_of(conn, "crm")


def test_the_earliest_moment_counts(database: Database) -> None:
    for objects, since_ms in ((("Lead", "Contact"), 50), (("Lead",), 20), (("Lead", "Contact"), 70), ((), 1)):
        with database.begin() as conn:
            ask_catch_ups(conn, "crm", objects, since_ms)
            ask_catch_ups(conn, "other", objects, 1)

    assert asked(database) == {"Lead": 20, "Contact": 50}


def test_one_that_is_done_goes_and_an_earlier_one_that_came_meanwhile_stays(database: Database) -> None:
    with database.begin() as conn:
        ask_catch_ups(conn, "crm", ("Lead", "Contact"), 50)
    with database.begin() as conn:
        ask_catch_ups(conn, "crm", ("Lead",), 20)
        move_catch_up(conn, "crm", "Lead", 50, None)
        move_catch_up(conn, "crm", "Contact", 50, None)

    assert asked(database) == {"Lead": 20}
