"""Observations: the newest stays, whatever the order of arrival, and everything a platform sends survives."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from connector.observation import Observation, RecordKey
from connector.store.database import Database
from connector.store.links import Link, put_links
from connector.store.observations import (
    Linked,
    Stored,
    observations_by_key,
    observations_of,
    referring,
    store_observations,
)
from tests.at_once import at_once

ANN = Observation(
    "salesforce", "Contact", "003A", stamp_ms=1_000, read_started_ms=2_000, fields={"Name": "Ann", "Age": 41}
)


def _store(database: Database, *new: Observation) -> list[str]:
    with database.begin() as conn:
        return [stored.status for stored in store_observations(conn, new)]


def _stored(database: Database, key: RecordKey = ANN.key) -> Observation:
    with database.read() as conn:
        return observations_by_key(conn, [key])[key]


def test_the_first_observation_is_new_and_reads_as_it_was(database: Database) -> None:
    given = ANN._replace(
        fields={"a": None, "b": True, "c": 1.5, "d": "ü\u202e<b>🙂", "e": 2**53, "f": ""},
        deleted=True,
        merged_into="003B",
        converted=True,
        refs={"Account": ("001A",), "Opportunity": ("006A",)},
        modified_by="005A",
    )
    assert _store(database, given) == ["new"]
    found = _stored(database)
    assert found == given
    assert isinstance(found.deleted, bool)
    assert isinstance(found.converted, bool)


def test_the_same_read_again_is_the_same(database: Database) -> None:
    _store(database, ANN)
    reordered = ANN._replace(fields={"Age": 41, "Name": "Ann"})
    assert _store(database, ANN, reordered) == ["same", "same"]
    assert _stored(database) == ANN


def test_a_later_read_of_the_same_is_the_same_but_notes_when_it_was_read(database: Database) -> None:
    _store(database, ANN)
    assert _store(database, ANN._replace(read_started_ms=3_000)) == ["same"]
    assert _stored(database) == ANN._replace(read_started_ms=3_000)


def test_a_newer_stamp_is_a_change_also_with_equal_content(database: Database) -> None:
    _store(database, ANN)
    newer = ANN._replace(stamp_ms=1_001, read_started_ms=2_500, modified_by="005B")
    assert _store(database, newer) == ["changed"]
    assert _stored(database) == newer


def test_an_older_stamp_is_discarded_even_if_read_later(database: Database) -> None:
    _store(database, ANN)
    assert _store(database, ANN._replace(stamp_ms=999, read_started_ms=9_000, fields={})) == ["older"]
    assert _stored(database) == ANN


def test_a_persons_edit_within_the_same_stamp_is_seen(database: Database) -> None:
    _store(database, ANN)
    edited = ANN._replace(read_started_ms=2_001, fields={"Name": "Anne", "Age": 41})
    assert _store(database, edited) == ["changed"]
    assert _stored(database) == edited


def test_at_an_equal_stamp_the_read_that_began_earlier_is_discarded(database: Database) -> None:
    _store(database, ANN)
    assert _store(database, ANN._replace(read_started_ms=1_999, fields={"Name": "Anne"})) == ["older"]
    assert _stored(database) == ANN


@pytest.mark.parametrize(
    "changed",
    [{"deleted": True}, {"merged_into": "003B"}, {"converted": True}, {"refs": {"Account": ("001A",)}}],
)
def test_what_became_of_the_record_is_part_of_its_content(
    database: Database, changed: dict[str, object]
) -> None:
    _store(database, ANN)
    other = ANN._replace(**changed)  # type: ignore[arg-type]  # parametrised
    assert _store(database, other) == ["changed"]
    assert _stored(database) == other
    assert _store(database, other) == ["same"]


def test_one_record_several_times_in_a_batch(database: Database) -> None:
    newest = ANN._replace(stamp_ms=1_500, fields={"Name": "Anna"}, refs={"Account": ("001B",)})
    assert _store(database, ANN, newest, ANN, newest, newest._replace(read_started_ms=2_100)) == [
        "new",
        "changed",
        "older",
        "same",
        "same",
    ]
    assert _stored(database) == newest._replace(read_started_ms=2_100)


def test_a_batch_over_sides_and_objects_answers_in_its_own_order(database: Database) -> None:
    batch = [
        ANN._replace(side=side, object=name, record_id=str(number % 9), stamp_ms=number)
        for number in range(1, 60)
        for side, name in (("salesforce", "Lead"), ("hubspot", "contacts"), ("hubspot", "deals"))
    ]
    with database.begin() as conn:
        stored = store_observations(conn, batch)
        assert [one.observation for one in stored] == batch
        assert len(observations_by_key(conn, {one.key for one in batch})) == 27


def test_more_records_than_fit_in_one_statement(database: Database) -> None:
    batch = [ANN._replace(record_id=f"003{number:05}", fields={"n": number}) for number in range(2_501)]
    assert _store(database, *batch) == ["new"] * 2_501
    changed = [one._replace(stamp_ms=1_001) if number % 2 else one for number, one in enumerate(batch)]
    assert _store(database, *changed) == ["same", "changed"] * 1_250 + ["same"]
    with database.read() as conn:
        assert observations_by_key(conn, [one.key for one in changed]) == {one.key: one for one in changed}


def test_the_lead_is_told_also_for_a_record_linked_before_it_was_read(
    database: Database, with_leads: Callable[..., None]
) -> None:
    with_leads("lead")
    bob = ANN._replace(record_id="003B")
    with database.begin() as conn:
        put_links(conn, [Link("salesforce", "Contact", "003A", "lead", "primary")])
        assert store_observations(conn, [ANN, bob]) == [Stored(ANN, "new", "lead"), Stored(bob, "new", None)]
        put_links(conn, [Link("salesforce", "Contact", "003B", "lead", "secondary")])
        assert store_observations(conn, [ANN, bob]) == [
            Stored(ANN, "same", "lead"),
            Stored(bob, "same", "lead"),
        ]


def test_a_leads_observations_come_with_their_roles(
    database: Database, with_leads: Callable[..., None]
) -> None:
    with_leads("one", "two")
    past = ANN._replace(object="Lead", record_id="00QA", converted=True, refs={"Contact": ("003A",)})
    with database.begin() as conn:
        store_observations(conn, [past, ANN])
        put_links(
            conn,
            [
                Link("salesforce", "Contact", "003A", "one", "primary"),
                Link("salesforce", "Lead", "00QA", "one", "past"),
                Link("hubspot", "contacts", "never read", "one", "primary"),
            ],
        )
        assert observations_of(conn, ["one", "two"]) == {
            "one": [Linked("primary", ANN), Linked("past", past)],
            "two": [],
        }


def test_whoever_refers_to_a_record_is_found_by_its_newest_refs(database: Database) -> None:
    role = ANN._replace(
        object="OpportunityContactRole",
        record_id="00K1",
        refs={"Contact": ("003A",), "Opportunity": ("006A",)},
    )
    other = role._replace(record_id="00K2", refs={"Contact": ("003B",), "Opportunity": ("006A",)})
    elsewhere = role._replace(side="hubspot")
    _store(database, role, other, elsewhere)
    with database.read() as conn:
        assert referring(conn, "salesforce", "Contact", ["003A"]) == [role]
        assert referring(conn, "salesforce", "Opportunity", ["006A", "006B"]) == [role, other]
        assert referring(conn, "salesforce", "Lead", ["003A"]) == []
    moved = role._replace(stamp_ms=1_001, refs={"Contact": ("003B",)})
    _store(database, moved)
    with database.read() as conn:
        assert referring(conn, "salesforce", "Contact", ["003A"]) == []
        assert referring(conn, "salesforce", "Contact", ["003B"]) == [moved, other]
        assert referring(conn, "salesforce", "Opportunity", ["006A"]) == [other]
    _store(database, moved._replace(stamp_ms=1_002, refs={}))
    with database.read() as conn:
        assert referring(conn, "salesforce", "Contact", ["003B"]) == [other]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("nul \0 inside", "nul \ufffd inside"),
        ("half \ud83d of an emoji", "half \ufffd of an emoji"),
        ("both halves \ud83d\ude42", "both halves 🙂"),
        (2**70, float(2**70)),
        (10**400, str(10**400)),
    ],
)
def test_what_no_database_takes_never_stops_the_rest(
    database: Database, sent: str | int, kept: str | float
) -> None:
    # U+0000 alone is fine in JSON; it is replaced only where something else forces a second look
    fields = {"Note": sent, "half": "\ud800"}
    assert _store(database, ANN._replace(fields=fields), ANN._replace(record_id="003B")) == ["new", "new"]
    assert _stored(database).fields == {"Note": kept, "half": "\ufffd"}
    assert _store(database, ANN._replace(fields=fields)) == ["same"]


_MOMENTS = st.integers(min_value=1, max_value=4)
_READS = st.lists(
    st.tuples(st.sampled_from("AB"), _MOMENTS, _MOMENTS, st.sampled_from(["x", "y"]), st.booleans()),
    min_size=1,
    max_size=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reads=_READS, sizes=st.lists(st.integers(min_value=1, max_value=5), min_size=1), data=st.data())
def test_any_order_of_arrival_ends_with_the_newest(
    rolled_back: Callable[[], AbstractContextManager[Connection]],
    reads: list[tuple[str, int, int, str, bool]],
    sizes: list[int],
    data: st.DataObject,
) -> None:
    """Reads in any order, some of them twice, in batches of any size."""
    # two reads with the same stamp that began at the same moment have seen the same
    by_moment = {
        (record_id, stamp_ms, read_ms): ANN._replace(
            record_id=record_id,
            stamp_ms=stamp_ms,
            read_started_ms=read_ms,
            fields={"v": value},
            deleted=deleted,
        )
        for record_id, stamp_ms, read_ms, value, deleted in reads
    }
    seen = list(by_moment.values())
    arrivals = data.draw(st.permutations(seen + data.draw(st.lists(st.sampled_from(seen)))))
    with rolled_back() as conn:
        left, turn = list(arrivals), 0
        while left:
            size = sizes[turn % len(sizes)]
            store_observations(conn, left[:size])
            left, turn = left[size:], turn + 1
        found = observations_by_key(conn, {one.key for one in seen})
    assert found == {
        key: max((one for one in seen if one.key == key), key=lambda one: (one.stamp_ms, one.read_started_ms))
        for key in {one.key for one in seen}
    }


def test_two_writers_at_once_keep_the_newest(database: Database) -> None:
    """Threads store overlapping batches of the same records in different order."""
    batches = [
        [
            ANN._replace(record_id=f"{number:03}", stamp_ms=stamp_ms, refs={"Account": (str(stamp_ms),)})
            for number in (range(120) if stamp_ms % 2 else range(119, -1, -1))
        ]
        for stamp_ms in range(1, 9)
    ]

    def store(turn: int) -> None:
        for batch in batches[turn::3]:
            _store(database, *batch)

    at_once(store, list(range(3)))
    with database.read() as conn:
        found = observations_by_key(conn, [one.key for one in batches[0]])
        assert {one.stamp_ms for one in found.values()} == {8}
        assert len(referring(conn, "salesforce", "Account", ["8"])) == 120
        assert referring(conn, "salesforce", "Account", ["1", "2", "3", "4", "5", "6", "7"]) == []
