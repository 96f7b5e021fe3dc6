"""Leads: nobody gets one that somebody else has, and no change is ever lost between claim and save."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.exc import IntegrityError

from connector.store.database import Database
from connector.store.errors import LeaseLost
from connector.store.leads import (
    Backlog,
    Lead,
    LeadSave,
    backlog,
    claim_leads,
    count_by_stage,
    find_leads,
    insert_leads,
    iterate_lead_ids,
    mark_all_dirty,
    mark_dirty,
    next_due_ms,
    read_leads,
    release_leads,
    resolve_aliases,
    save_leads,
)
from connector.store.links import Link, put_keys, put_links
from connector.store.retirement import retire_lead
from tests.store.conftest import a_lead

WithLeads = Callable[..., None]


def _claim(database: Database, token: str, now_ms: int, limit: int = 10) -> list[Lead]:
    with database.begin() as conn:
        return claim_leads(conn, token, now_ms, lease_ms=1_000, limit=limit)


def _mark(database: Database, *ids: str, now_ms: int = 5_000) -> None:
    with database.begin() as conn:
        mark_dirty(conn, ids, now_ms)


def _save(database: Database, token: str, *claimed: Lead, stage: str = "mql", due: int | None = None) -> None:
    with database.begin() as conn:
        save_leads(
            conn,
            token,
            [LeadSave(lead.id, lead.version, lead.generation, stage, 2, due, b"saved") for lead in claimed],
        )


def _read(database: Database, lead_id: str) -> Lead:
    with database.read() as conn:
        return read_leads(conn, [lead_id])[0]


def test_an_inserted_lead_reads_as_it_was_given(database: Database) -> None:
    given = a_lead("one", due_at_ms=9_000, dirty_since_ms=2_000, generation=1, state=b'{"a": "\xc3\xa9"}')
    with database.begin() as conn:
        insert_leads(conn, [given])
    assert _read(database, "one") == given


def test_a_known_id_is_not_inserted_twice(database: Database, with_leads: WithLeads) -> None:
    with_leads("one")
    with pytest.raises(IntegrityError):
        with_leads("one")


def test_a_clean_lead_is_not_claimed(database: Database, with_leads: WithLeads) -> None:
    with_leads("one")
    assert _claim(database, "t", now_ms=10_000) == []


def test_a_dirty_lead_is_claimed_by_one_only_until_its_lease_ends(
    database: Database, with_leads: WithLeads
) -> None:
    with_leads("one")
    _mark(database, "one", now_ms=5_000)
    (lead,) = _claim(database, "a", now_ms=6_000)
    assert (lead.id, lead.generation, lead.dirty_since_ms) == ("one", 1, 5_000)
    assert _claim(database, "b", now_ms=6_999) == []
    assert [lead.id for lead in _claim(database, "b", now_ms=7_000)] == ["one"]


def test_a_lead_is_claimed_when_its_time_has_come(database: Database, with_leads: WithLeads) -> None:
    with_leads("one", due_at_ms=8_000)
    assert _claim(database, "t", now_ms=7_999) == []
    assert [lead.id for lead in _claim(database, "t", now_ms=8_000)] == ["one"]


def test_those_that_have_waited_longest_come_first_and_the_limit_holds(
    database: Database, with_leads: WithLeads
) -> None:
    with_leads("due later", due_at_ms=4_000)
    with_leads("due first", due_at_ms=1_000)
    with_leads("dirty", "dirty last", "both", due_at_ms=9_000)
    _mark(database, "dirty", now_ms=3_000)
    _mark(database, "dirty last", now_ms=6_000)
    _mark(database, "both", now_ms=5_000)
    assert [lead.id for lead in _claim(database, "a", 9_500, limit=3)] == ["due first", "dirty", "due later"]
    assert [lead.id for lead in _claim(database, "b", 9_500, limit=3)] == ["both", "dirty last"]


def test_marking_twice_keeps_since_when_and_counts_generations(
    database: Database, with_leads: WithLeads
) -> None:
    with_leads("one", "two")
    _mark(database, "one", "one", "two", now_ms=5_000)
    _mark(database, "one", now_ms=6_000)
    one, two = _read(database, "one"), _read(database, "two")
    assert (one.generation, one.dirty_since_ms) == (2, 5_000)
    assert (two.generation, two.dirty_since_ms) == (1, 5_000)


def test_marking_an_unknown_lead_does_nothing(database: Database) -> None:
    _mark(database, "nobody")
    assert _claim(database, "t", 10_000) == []


def test_saving_keeps_the_state_raises_the_version_and_gives_the_lease_back(
    database: Database, with_leads: WithLeads
) -> None:
    with_leads("one")
    _mark(database, "one")
    _save(database, "t", *_claim(database, "t", 6_000), due=20_000)
    assert _read(database, "one") == a_lead(
        "one", version=2, generation=1, stage="mql", cycle=2, due_at_ms=20_000, state=b"saved"
    )
    assert _claim(database, "other", 6_001) == []
    assert [lead.id for lead in _claim(database, "other", 20_000)] == ["one"]


def test_a_change_after_the_claim_leaves_the_lead_dirty(database: Database, with_leads: WithLeads) -> None:
    with_leads("one", "two")
    _mark(database, "one", "two")
    claimed = _claim(database, "t", 6_000)
    _mark(database, "one", now_ms=6_500)
    _save(database, "t", *claimed)
    assert _read(database, "two").dirty_since_ms is None
    assert [(lead.id, lead.generation) for lead in _claim(database, "u", 6_501)] == [("one", 2)]


def test_a_save_with_a_lost_lease_saves_nothing(database: Database, with_leads: WithLeads) -> None:
    with_leads("one", "two")
    _mark(database, "one", "two")
    claimed = _claim(database, "slow", 6_000)
    with database.begin() as conn:
        taken = claim_leads(conn, "quick", 7_000, lease_ms=1_000, limit=1)
    with pytest.raises(LeaseLost) as raised:
        _save(database, "slow", *claimed)
    assert raised.value.ids == (taken[0].id,)
    assert {_read(database, lead_id).stage for lead_id in ("one", "two")} == {"inquiry"}


def test_a_save_of_another_version_is_refused(database: Database, with_leads: WithLeads) -> None:
    with_leads("one")
    _mark(database, "one")
    (lead,) = _claim(database, "t", 6_000)
    with pytest.raises(LeaseLost), database.begin() as conn:
        save_leads(conn, "t", [LeadSave("one", lead.version + 1, lead.generation, "mql", 1, None, b"")])
    with pytest.raises(LeaseLost), database.begin() as conn:
        save_leads(conn, "t", [LeadSave("gone", 1, 1, "mql", 1, None, b"")])


def test_an_expired_lease_that_nobody_took_still_saves(database: Database, with_leads: WithLeads) -> None:
    with_leads("one")
    _mark(database, "one")
    claimed = _claim(database, "t", 6_000)
    with database.begin() as conn:
        assert claim_leads(conn, "u", 6_500, 1_000, 10) == []
    _save(database, "t", *claimed)
    assert _read(database, "one").version == 2


def test_released_leads_are_free_and_still_dirty(database: Database, with_leads: WithLeads) -> None:
    with_leads("one", "two")
    _mark(database, "one", "two")
    _claim(database, "t", 6_000)
    with database.begin() as conn:
        assert release_leads(conn, "t") == 2
    assert {lead.id for lead in _claim(database, "u", 6_001)} == {"one", "two"}


def test_all_leads_can_be_marked(database: Database, with_leads: WithLeads) -> None:
    with_leads("one", "two")
    _mark(database, "one", now_ms=3_000)
    with database.begin() as conn:
        assert mark_all_dirty(conn, 5_000) == 2
    assert [(lead.id, lead.dirty_since_ms) for lead in _claim(database, "t", 6_000)] == [
        ("one", 3_000),
        ("two", 5_000),
    ]


def test_more_leads_than_fit_in_one_statement(database: Database, with_leads: WithLeads) -> None:
    ids = [f"lead-{number:04}" for number in range(1_203)]
    with_leads(*ids)
    _mark(database, *ids)
    claimed = _claim(database, "t", 6_000, limit=5_000)
    assert len(claimed) == len({lead.id for lead in claimed}) == len(ids)
    _save(database, "t", *claimed)
    with database.read() as conn:
        assert count_by_stage(conn) == {"mql": 1_203}
        assert [lead.id for lead in read_leads(conn, reversed(ids))] == ids[::-1]


def test_the_backlog_counts_what_is_to_be_done(database: Database, with_leads: WithLeads) -> None:
    with_leads("due", due_at_ms=5_000)
    with_leads("dirty", "both", "clean", due_at_ms=9_000)
    _mark(database, "dirty", now_ms=4_000)
    _mark(database, "both", now_ms=4_500)
    with database.begin() as conn:
        claim_leads(conn, "t", 5_000, lease_ms=1_000, limit=1)
        assert backlog(conn, 5_500) == Backlog(dirty=2, due=1, leased=1, oldest_dirty_ms=4_000)
        assert next_due_ms(conn) == 5_000


def test_ids_are_walked_through_in_chunks(database: Database, with_leads: WithLeads) -> None:
    ids = {f"lead-{number}" for number in range(25)}
    with_leads(*ids)
    found: list[str] = []
    with database.read() as conn:
        while chunk := iterate_lead_ids(conn, after=found[-1] if found else "", limit=10):
            assert len(chunk) <= 10
            found.extend(chunk)
    assert len(found) == 25
    assert set(found) == ids


@pytest.mark.parametrize(
    "text",
    [
        "one",
        " one ",
        "retired",
        "ann@example.com",
        "Ann@Example.com",
        "003A",
        "salesforce:Contact:003A",
        "hubspot:contacts:12:34",
    ],
)
def test_a_person_finds_a_lead_by_any_of_its_names(
    database: Database, with_leads: WithLeads, text: str
) -> None:
    with_leads("one", "two", "retired")
    with database.begin() as conn:
        put_links(
            conn,
            [
                Link("salesforce", "Contact", "003A", "one", "primary"),
                Link("hubspot", "contacts", "12:34", "one", "primary"),
                Link("hubspot", "contacts", "99", "two", "primary"),
            ],
        )
        put_keys(conn, [("email", "ann@example.com", "one"), ("email", "bob@example.com", "two")])
        retire_lead(conn, "retired", "one")
    with database.read() as conn:
        assert [lead.id for lead in find_leads(conn, text)] == ["one"]


def test_a_text_that_is_nobodys_name_finds_nothing(database: Database, with_leads: WithLeads) -> None:
    with_leads("one")
    with database.read() as conn:
        assert find_leads(conn, "salesforce:Contact:one") == []
        assert find_leads(conn, "%") == []


def test_an_ambiguous_text_finds_all_that_it_names(database: Database, with_leads: WithLeads) -> None:
    with_leads("one", "two")
    with database.begin() as conn:
        put_links(
            conn,
            [
                Link("salesforce", "Contact", "77", "one", "primary"),
                Link("hubspot", "contacts", "77", "two", "primary"),
            ],
        )
        assert {lead.id for lead in find_leads(conn, "77")} == {"one", "two"}


def test_a_hint_for_a_retired_id_marks_the_survivor(database: Database, with_leads: WithLeads) -> None:
    with_leads("old", "new")
    with database.begin() as conn:
        retire_lead(conn, "old", "new")
        mark_dirty(conn, ["old"], 5_000)
        assert resolve_aliases(conn, ["old", "new"]) == {"old": "new"}
    assert _read(database, "new").dirty_since_ms == 5_000
