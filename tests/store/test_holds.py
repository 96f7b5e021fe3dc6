"""Holds: exactly the wanted ones are open, each once, and the old ones are remembered."""

from __future__ import annotations

from connector.store.database import Database
from connector.store.holds import (
    INSTALLATION,
    Hold,
    SyncedHolds,
    WantedHold,
    count_open,
    holds_of,
    open_holds,
    sync_holds,
)

OWNER = WantedHold("conflict", "salesforce:owner", "two owners", "choose one", {"values": ["a", "b"]})
STAGE = WantedHold("illegal move", "hubspot:stage", "closed to mql")


def _open(database: Database, *lead_ids: str) -> dict[str, list[tuple[str, str, int]]]:
    with database.read() as conn:
        return {
            lead_id: [(hold.kind, hold.message, hold.opened_ms) for hold in holds]
            for lead_id, holds in open_holds(conn, lead_ids or None).items()
        }


def test_wanted_holds_are_opened_and_read_as_given(database: Database) -> None:
    with database.begin() as conn:
        synced = sync_holds(conn, {"one": [OWNER, STAGE], "two": []}, 5_000)
        assert {hold.kind for hold in synced.opened} == {"conflict", "illegal move"}
        assert synced.closed == ()
        (first, second) = open_holds(conn, ["one", "two"])["one"]
    assert first == Hold(
        first.id,
        "one",
        "conflict",
        "salesforce:owner",
        "two owners",
        "choose one",
        {"values": ["a", "b"]},
        5_000,
    )
    assert second.details is None


def test_what_is_wanted_again_stays_open_since_then(database: Database) -> None:
    with database.begin() as conn:
        sync_holds(conn, {"one": [OWNER]}, 5_000)
        assert sync_holds(conn, {"one": [OWNER]}, 6_000) == SyncedHolds((), ())
        renewed = WantedHold("conflict", "salesforce:owner", "three owners", "choose one")
        assert sync_holds(conn, {"one": [renewed]}, 7_000) == SyncedHolds((), ())
    assert _open(database) == {"one": [("conflict", "three owners", 5_000)]}


def test_what_is_no_longer_wanted_is_closed_and_remembered(database: Database) -> None:
    with database.begin() as conn:
        sync_holds(conn, {"one": [OWNER, STAGE], "two": [OWNER]}, 5_000)
        synced = sync_holds(conn, {"one": [STAGE]}, 6_000)
        assert [(hold.lead_id, hold.kind, hold.closed_ms) for hold in synced.closed] == [
            ("one", "conflict", 6_000)
        ]
        sync_holds(conn, {"one": [STAGE, OWNER]}, 7_000)
        assert [(hold.kind, hold.opened_ms, hold.closed_ms) for hold in holds_of(conn, "one")] == [
            ("conflict", 5_000, 6_000),
            ("illegal move", 5_000, None),
            ("conflict", 7_000, None),
        ]
        assert count_open(conn) == {"conflict": 2, "illegal move": 1}
    assert set(_open(database, "two", "three")) == {"two"}


def test_holds_of_other_kinds_can_be_left_alone(database: Database) -> None:
    with database.begin() as conn:
        sync_holds(conn, {"one": [OWNER, STAGE]}, 5_000)
        sync_holds(conn, {"one": []}, 6_000, kinds={"conflict"})
    assert _open(database) == {"one": [("illegal move", "closed to mql", 5_000)]}


def test_the_installation_can_have_holds(database: Database) -> None:
    with database.begin() as conn:
        sync_holds(conn, {INSTALLATION: [WantedHold("missing field", "hubspot:x", "gone")]}, 5_000)
    assert _open(database, INSTALLATION) == {"": [("missing field", "gone", 5_000)]}


def test_words_that_quote_a_platform_are_stored_whatever_they_hold(database: Database) -> None:
    hold = WantedHold("odd\u202e", "subject \0", "said \0 and \ud800", "\U0001f642", {"v": "\ud800"})
    with database.begin() as conn:
        sync_holds(conn, {"one": [hold]}, 5_000)
        sync_holds(conn, {"one": [hold]}, 6_000)
    assert _open(database) == {"one": [("odd\u202e", "said \ufffd and \ufffd", 5_000)]}
