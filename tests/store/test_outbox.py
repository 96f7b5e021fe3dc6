"""The outbox: one write in flight per record, nothing sent twice unknowingly, the urgent first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from connector.lane import Lane
from connector.store.database import Database
from connector.store.leads import claim_leads, mark_dirty, release_leads
from connector.store.outbox import (
    Count,
    Row,
    claim_expired,
    claim_writes,
    counts,
    finish,
    next_write_ms,
    of_leads,
    postpone,
    replace_pending,
)

WithLeads = Callable[..., None]


def _row(lead_id: str = "one", record_id: str | None = "003A", **given: object) -> Row:
    values: dict[str, object] = {
        "side": "salesforce",
        "object": "Contact",
        "op": "update" if record_id else "create",
        "lane": int(Lane.UPDATE),
        "fields": {"Title": "CEO"},
        "created_ms": 1_000,
        **given,
    }
    return Row(lead_id=lead_id, record_id=record_id, **values)  # type: ignore[arg-type]  # the test gives values of the right types


def _plan(database: Database, *rows: Row, leads: tuple[str, ...] = ("one",)) -> None:
    with database.begin() as conn:
        replace_pending(conn, leads, rows)


def _claim(database: Database, token: str = "t", now_ms: int = 5_000, limit: int = 10) -> list[Row]:
    with database.begin() as conn:
        return claim_writes(conn, "salesforce", token, now_ms, lease_ms=1_000, limit=limit)


def _rows(database: Database, lead_id: str = "one") -> list[Row]:
    with database.read() as conn:
        return of_leads(conn, [lead_id])[lead_id]


def test_a_row_reads_as_it_was_given(database: Database, with_leads: WithLeads) -> None:
    with_leads("one")
    given = _row(
        record_id=None,
        fields={"Email": "ann@example.com", "Optional": None},
        expected={"Email": None},
        then={"fields": {"Stage": "mql"}},
        groups=("handoff", "consent"),
        planned_generation=7,
        not_before_ms=3_000,
    )
    _plan(database, given)
    (found,) = _rows(database)
    assert found == replace(given, id=found.id)
    assert found.id > 0


def test_a_new_plan_replaces_what_is_pending(database: Database, with_leads: WithLeads) -> None:
    with_leads("one", "two")
    _plan(database, _row(record_id="A"), _row(record_id="B"), _row("two", "C"), leads=("one", "two"))
    _plan(database, _row(record_id="B", fields={"Title": "CFO"}), _row(record_id="D"))
    assert [(row.record_id, row.fields["Title"]) for row in _rows(database)] == [("B", "CFO"), ("D", "CEO")]
    assert [row.record_id for row in _rows(database, "two")] == ["C"]
    _plan(database)
    assert _rows(database) == []


def test_a_replaced_wish_keeps_its_place_its_attempts_and_the_more_urgent_lane(
    database: Database, with_leads: WithLeads
) -> None:
    with_leads("one")
    _plan(database, _row(lane=Lane.HANDOFF))
    (claimed,) = _claim(database)
    with database.begin() as conn:
        assert postpone(conn, "t", [(claimed.id, 9_000, True)]) == [claimed.id]
    _plan(database, _row(lane=Lane.BACKFILL, fields={"Title": "CFO"}, created_ms=8_000))
    (kept,) = _rows(database)
    assert kept == replace(
        claimed,
        fields={"Title": "CFO"},
        state="pending",
        attempts=1,
        not_before_ms=9_000,
        unknown=True,
        lease_token=None,
        lease_until_ms=None,
    )
    _plan(database, _row(lane=Lane.HANDOFF))
    assert _rows(database)[0].lane == Lane.HANDOFF


def test_a_create_keeps_its_attempts_too(database: Database, with_leads: WithLeads) -> None:
    with_leads("one")
    _plan(database, _row(record_id=None))
    (claimed,) = _claim(database)
    with database.begin() as conn:
        postpone(conn, "t", [(claimed.id, 6_000, False)])
    _plan(database, _row(record_id=None, fields={"Title": "CFO"}))
    (kept,) = _rows(database)
    assert (kept.id, kept.attempts, kept.fields) == (claimed.id, 1, {"Title": "CFO"})


def test_what_is_in_flight_is_left_alone_by_a_new_plan(database: Database, with_leads: WithLeads) -> None:
    with_leads("one")
    _plan(database, _row())
    (sent,) = _claim(database)
    _plan(database, _row(fields={"Title": "CFO"}))
    assert [(row.state, row.fields["Title"]) for row in _rows(database)] == [
        ("in_flight", "CEO"),
        ("pending", "CFO"),
    ]
    assert _claim(database, "u") == []
    with database.begin() as conn:
        assert finish(conn, "t", [sent.id]) == [sent.id]
    assert [row.fields for row in _claim(database, "u")] == [{"Title": "CFO"}]


def test_two_wishes_for_one_record_in_one_plan_are_refused(database: Database, with_leads: WithLeads) -> None:
    with_leads("one")
    with pytest.raises(ValueError, match="two pending writes"):
        _plan(database, _row(), _row(fields={"Title": "CFO"}))


def test_a_postponed_write_and_a_later_wish_become_one(database: Database, with_leads: WithLeads) -> None:
    with_leads("one")
    _plan(database, _row(lane=Lane.HANDOFF))
    (sent,) = _claim(database)
    _plan(database, _row(fields={"Title": "CFO"}, created_ms=4_000))
    with database.begin() as conn:
        postpone(conn, "t", [(sent.id, 7_000, True)])
    assert [row.id for row in _claim(database, "u", now_ms=7_000)] == [sent.id], "one of the two at a time"
    with database.begin() as conn:
        postpone(conn, "u", [(sent.id, 8_000, False)])
    _plan(database, _row(fields={"Title": "COO"}))
    (row,) = _rows(database)
    assert (row.fields["Title"], row.attempts, row.not_before_ms) == ("COO", 2, 8_000)
    assert (row.lane, row.created_ms) == (Lane.HANDOFF, 1_000)


def test_the_urgent_go_first_then_the_oldest(database: Database, with_leads: WithLeads) -> None:
    with_leads("one", "two")
    _plan(
        database,
        _row(record_id="A", lane=Lane.BACKFILL),
        _row(record_id="B", lane=Lane.UPDATE),
        _row(record_id="C", lane=Lane.HANDOFF),
        _row("two", "D", lane=Lane.UPDATE),
        leads=("one", "two"),
    )
    claimed = _claim(database, limit=3)
    assert [row.record_id for row in claimed] == ["C", "B", "D"]
    assert {(row.state, row.lease_token, row.lease_until_ms) for row in claimed} == {
        ("in_flight", "t", 6_000)
    }
    assert [row.record_id for row in _claim(database, "u")] == ["A"]


def test_only_rows_that_may_go_are_claimed(database: Database, with_leads: WithLeads) -> None:
    with_leads("one", "dirty")
    _plan(
        database,
        _row(record_id="now"),
        _row(record_id="later", not_before_ms=5_001),
        _row(record_id="other side", side="hubspot", object="contacts"),
        _row("dirty", "to be planned again"),
        leads=("one", "dirty"),
    )
    with database.begin() as conn:
        mark_dirty(conn, ["dirty"], 4_000)
    assert [row.record_id for row in _claim(database)] == ["now"]
    assert [row.record_id for row in _claim(database, now_ms=5_001)] == ["later"]


def test_a_record_of_two_leads_has_one_write_in_flight(database: Database, with_leads: WithLeads) -> None:
    with_leads("one", "two")
    _plan(database, _row("one", "A"), _row("two", "A"), leads=("one", "two"))
    assert [row.lead_id for row in _claim(database)] == ["one"]
    assert _claim(database, "u") == []


def test_creates_of_two_leads_do_not_wait_for_each_other(database: Database, with_leads: WithLeads) -> None:
    with_leads("one", "two")
    _plan(database, _row("one", None), _row("two", None), leads=("one", "two"))
    assert [row.lead_id for row in _claim(database)] == ["one", "two"]


def test_a_sender_that_does_not_come_back_leaves_rows_of_unknown_outcome(
    database: Database, with_leads: WithLeads
) -> None:
    with_leads("one")
    _plan(database, _row())
    (sent,) = _claim(database, "slow", now_ms=5_000)
    with database.begin() as conn:
        assert claim_expired(conn, "salesforce", "sweep", 5_999, 1_000) == []
        assert claim_expired(conn, "hubspot", "sweep", 6_000, 1_000) == []
        (taken,) = claim_expired(conn, "salesforce", "sweep", 6_000, 1_000)
    assert taken == replace(sent, unknown=True, lease_token="sweep", lease_until_ms=7_000)
    with database.begin() as conn:
        assert finish(conn, "slow", [sent.id]) == [], "its answer comes too late"
        assert postpone(conn, "slow", [(sent.id, 1, False)]) == []
        assert _rows(database) == [taken]
        assert postpone(conn, "sweep", [(sent.id, 8_000, True)]) == [sent.id]
    (row,) = _rows(database)
    assert (row.state, row.attempts, row.not_before_ms, row.unknown) == ("pending", 1, 8_000, True)


def test_a_row_number_is_never_used_again(database: Database, with_leads: WithLeads) -> None:
    with_leads("one")
    _plan(database, _row())
    (first,) = _claim(database)
    with database.begin() as conn:
        finish(conn, "t", [first.id])
    _plan(database, _row())
    assert _rows(database)[0].id > first.id


def test_queues_are_counted_and_tell_when_to_look_again(database: Database, with_leads: WithLeads) -> None:
    with_leads("one")
    with database.begin() as conn:
        assert (counts(conn), next_write_ms(conn, "salesforce")) == ({}, None)
    _plan(
        database,
        _row(record_id="A"),
        _row(record_id="B", not_before_ms=9_000),
        _row(record_id="C", not_before_ms=8_000, lane=Lane.HANDOFF),
    )
    _claim(database, now_ms=5_000)
    with database.read() as conn:
        assert counts(conn) == {
            Count("salesforce", "in_flight", Lane.UPDATE): 1,
            Count("salesforce", "pending", Lane.UPDATE): 1,
            Count("salesforce", "pending", Lane.HANDOFF): 1,
        }
        assert next_write_ms(conn, "salesforce") == 6_000
        assert next_write_ms(conn, "hubspot") is None


def test_the_database_itself_refuses_two_writes_in_flight(database: Database, with_leads: WithLeads) -> None:
    with_leads("one")
    _plan(database, _row())
    _claim(database)
    _plan(database, _row())
    with pytest.raises(IntegrityError), database.begin() as conn:
        conn.execute(text("UPDATE outbox SET state = 'in_flight'"))


def test_many_rows_go_through_in_batches(database: Database, with_leads: WithLeads) -> None:
    ids = [f"lead-{number:04}" for number in range(1_100)]
    with_leads(*ids)
    _plan(database, *(_row(one, f"rec-{one}") for one in ids), leads=tuple(ids))
    claimed = _claim(database, limit=700) + _claim(database, limit=700)
    assert len({row.id for row in claimed}) == len(claimed) == 1_100
    with database.begin() as conn:
        assert sorted(finish(conn, "t", [row.id for row in claimed])) == [row.id for row in claimed]
        assert counts(conn) == {}


def test_a_write_of_a_lead_that_is_being_decided_just_now_waits(
    database: Database, with_leads: WithLeads
) -> None:
    """It would be sent twice: as it was planned before, and by the plan that does not know of it."""
    with_leads("one", due_at_ms=4_000)
    _plan(database, _row())
    with database.begin() as conn:
        assert [lead.id for lead in claim_leads(conn, "settling", 5_000, 60_000, 10)] == ["one"]
    assert _claim(database) == []
    with database.begin() as conn:
        release_leads(conn, "settling")
    assert len(_claim(database)) == 1
