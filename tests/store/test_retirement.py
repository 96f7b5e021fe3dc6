"""Two leads that turn out to be one, and a person who must be forgotten."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import text

from connector.observation import Observation
from connector.store import activities, deadline_events, quarantine, score_moves
from connector.store.activities import ActivityRow
from connector.store.baselines import baselines_of, put_baselines
from connector.store.database import Database
from connector.store.deadline_events import DeadlineEvent
from connector.store.holds import WantedHold, open_holds, sync_holds
from connector.store.leads import find_leads, read_leads
from connector.store.links import Link, keys_of, links_of, put_keys, put_links
from connector.store.observations import observations_by_key, referring, store_observations
from connector.store.outbox import Row, claim_writes, finish, of_leads, replace_pending
from connector.store.quarantine import Refusal
from connector.store.retirement import erase_lead, erased, retire_lead
from connector.store.schema import metadata
from connector.store.score_moves import ScoreMoveRow

OLD = Link("salesforce", "Contact", "003A", "old", "primary")
NEW = Link("hubspot", "contacts", "12", "new", "primary")


def _write(lead_id: str, record_id: str | None) -> Row:
    return Row(lead_id, "salesforce", "Contact", record_id, "update" if record_id else "create", 1, {"a": 1})


def test_links_keys_and_activities_become_the_survivors(
    database: Database, with_leads: Callable[..., None]
) -> None:
    with_leads("old", "new")
    visit = ActivityRow("old", "visit 1", "page_view", 1_000, {"url": "/a"})
    with database.begin() as conn:
        put_links(conn, [OLD, NEW])
        put_keys(conn, [("email", "a@x.example", "old"), ("email", "b@x.example", "new")])
        put_baselines(conn, [(OLD.key, "old", b"old"), (NEW.key, "new", b"new")])
        activities.put(conn, [visit, replace(visit, key="both"), replace(visit, lead_id="new", key="both")])
        retire_lead(conn, "old", "new")
        assert links_of(conn, ["old", "new"]) == {"old": [], "new": [NEW, OLD._replace(lead_id="new")]}
        assert keys_of(conn, [("email", "a@x.example"), ("email", "b@x.example")]) == {
            ("email", "a@x.example"): "new",
            ("email", "b@x.example"): "new",
        }
        assert [row.key for row in activities.activities_of(conn, ["new"])["new"]] == ["both", "visit 1"]
        assert baselines_of(conn, ["old", "new"]) == {}, "the survivor starts without a baseline"
        assert read_leads(conn, ["old"]) == []
        assert [lead.id for lead in find_leads(conn, "old")] == ["new"]


def test_score_moves_become_the_survivors_and_go_with_a_person(
    database: Database, with_leads: Callable[..., None]
) -> None:
    with_leads("old", "new")
    moved = ScoreMoveRow("old", 1_000, None, None, None, None, 50, 20, 30, "A", [{"rule": "form"}], "c1")
    risen = replace(moved, lead_id="new", at_ms=2_000, from_score=50, to_score=60)
    with database.begin() as conn:
        score_moves.append(conn, [risen, moved])
        retire_lead(conn, "old", "new")
        assert score_moves.of_lead(conn, "new") == [replace(moved, lead_id="new"), risen]
        erase_lead(conn, "new", [], 3_000)
        assert score_moves.of_lead(conn, "new") == []


def test_what_happened_to_deadlines_becomes_the_survivors_and_goes_with_a_person(
    database: Database, with_leads: Callable[..., None]
) -> None:
    with_leads("old", "new")
    started = DeadlineEvent("old", 1, "first", "distributed", "started", 1_000, 5_000, "sam@sales.example")
    met = started._replace(lead_id="new", what="met", at_ms=2_000)
    with database.begin() as conn:
        deadline_events.add(conn, [started, met])
        retire_lead(conn, "old", "new")
        assert deadline_events.of_lead(conn, "new") == [started._replace(lead_id="new"), met]
        assert deadline_events.count(conn, 1_000) == {"started": 1, "met": 1}
        assert deadline_events.count(conn, 1_001) == {"met": 1}
        erase_lead(conn, "new", [], 3_000)
        assert deadline_events.of_lead(conn, "new") == []


def test_writes_in_flight_keep_their_answer_and_pending_ones_go(
    database: Database, with_leads: Callable[..., None]
) -> None:
    with_leads("old", "new")
    with database.begin() as conn:
        replace_pending(conn, ["old", "new"], [_write("old", "A"), _write("old", None), _write("new", None)])
        sent = claim_writes(conn, "salesforce", "t", 5_000, 1_000, 10)
        replace_pending(conn, ["old"], [_write("old", "A")])
        retire_lead(conn, "old", "new")
        rows = of_leads(conn, ["new"])["new"]
        assert [(row.record_id, row.state) for row in rows] == [("A", "in_flight"), (None, "in_flight")]
        assert finish(conn, "t", [row.id for row in sent]) == [sent[0].id, sent[2].id]


def test_holds_are_taken_over_once(database: Database, with_leads: Callable[..., None]) -> None:
    with_leads("old", "new")
    both, only_old = WantedHold("conflict", "owner", "said"), WantedHold("conflict", "stage", "said")
    with database.begin() as conn:
        sync_holds(conn, {"old": [both, only_old], "new": [both]}, 5_000)
        retire_lead(conn, "old", "new")
        (holds,) = open_holds(conn).values()
        assert {(hold.lead_id, hold.subject) for hold in holds} == {("new", "owner"), ("new", "stage")}


def test_a_chain_of_retirements_leads_to_the_last(
    database: Database, with_leads: Callable[..., None]
) -> None:
    with_leads("a", "b", "c")
    with database.begin() as conn:
        retire_lead(conn, "a", "b")
        retire_lead(conn, "b", "c")
        assert [[lead.id for lead in find_leads(conn, one)] for one in "abc"] == [["c"]] * 3


def test_only_known_leads_and_not_itself(database: Database, with_leads: Callable[..., None]) -> None:
    with_leads("one")
    with database.begin() as conn:
        with pytest.raises(LookupError, match="no lead gone"):
            retire_lead(conn, "gone", "one")
        with pytest.raises(LookupError, match="no lead gone"):
            retire_lead(conn, "one", "gone")
        with pytest.raises(ValueError, match="itself"):
            retire_lead(conn, "one", "one")
        assert len(read_leads(conn, ["one"])) == 1


def test_a_person_is_forgotten_but_for_the_hash(database: Database, with_leads: Callable[..., None]) -> None:
    with_leads("ann", "alias", "bob")
    ann = Observation(
        "salesforce", "Contact", "003A", 1, 1, {"Name": "Ann Secret"}, refs={"Account": ("001",)}
    )
    bob = ann._replace(record_id="003B", fields={"Name": "Bob"})
    call = Observation(
        "salesforce", "Task", "00TA", 1, 1, {"Subject": "Called Ann"}, refs={"Contact": ("003A",)}
    )
    meeting = call._replace(record_id="00TB", fields={"Subject": "Met Bob"}, refs={"Contact": ("003B",)})
    with database.begin() as conn:
        for one, lead_id in ((ann, "ann"), (bob, "bob")):
            store_observations(conn, [one])
            put_links(conn, [Link("salesforce", "Contact", one.record_id, lead_id, "primary")])
            put_baselines(conn, [(one.key, lead_id, b"Secret")])
            put_keys(conn, [("email", f"{lead_id}@secret.example", lead_id)])
            activities.put(conn, [ActivityRow(lead_id, "k", "form", 1, {"said": "Secret"})])
            sync_holds(conn, {lead_id: [WantedHold("k", "s", "Secret")]}, 1)
            replace_pending(conn, [lead_id], [_write(lead_id, one.record_id)])
            quarantine.put(conn, [Refusal(*_place(one), "Name", "hash", "CODE", "Secret", 1)])
        store_observations(conn, [call, meeting])
        retire_lead(conn, "alias", "ann")
        erase_lead(conn, "ann", [b"hash of ann"], 9_000)
        erase_lead(conn, "ann", [b"hash of ann"], 9_001)
        assert erased(conn, [b"hash of ann", b"hash of bob"]) == {b"hash of ann"}
        assert observations_by_key(conn, [ann.key, bob.key]) == {bob.key: bob}
        assert observations_by_key(conn, [call.key, meeting.key]) == {meeting.key: meeting}
        assert referring(conn, "salesforce", "Account", ["001"]) == [bob]
        left = {
            table.name: [row for row in conn.execute(table.select()) if "ann" in repr(row).lower()]
            for table in metadata.tables.values()
            if table.name != "erasures"
        }
        assert {name: rows for name, rows in left.items() if rows} == {}
        assert conn.scalar(text("SELECT count(*) FROM quarantine")) == 1


def _place(one: Observation) -> tuple[str, str, str]:
    return one.side, one.object, one.record_id
