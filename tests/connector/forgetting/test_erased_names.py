"""The names of the erased, on each kind of database: known again by their hashes, and by nothing else."""

from __future__ import annotations

from sqlalchemy import select

from connector.intake.erased_names import ErasedNames, record_name, somebody_is_erased
from connector.observation import RecordKey
from connector.store import outsiders
from connector.store.database import Database
from connector.store.schema import metadata

ANN, BOB = ("email", "ann@acme.example"), ("email", "bob@acme.example")
RECORD = RecordKey("hubspot", "contacts", "551000000001")


def test_a_name_is_known_again_and_can_be_released(database: Database) -> None:
    with database.begin() as conn:
        assert not somebody_is_erased(conn)
        names = ErasedNames(conn)
        names.keep([ANN, record_name(RECORD)], 1)
        assert somebody_is_erased(conn)
        assert ErasedNames(conn).among({ANN, BOB, record_name(RECORD)}) == {ANN, record_name(RECORD)}
        assert names.release([ANN, BOB], 2) == 1
        assert names.among({ANN}) == set()
        assert names.released({ANN, record_name(RECORD)}) == {ANN}
        names.hold_again([ANN])
        assert names.released({ANN}) == set()


def test_nothing_of_a_name_can_be_read(database: Database) -> None:
    with database.begin() as conn:
        ErasedNames(conn).keep([ANN], 1)
        rows = [row for table in metadata.sorted_tables for row in conn.execute(select(table))]
    stored = [value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row]
    assert not any(ANN[1].encode() in value for value in stored)


def test_the_names_of_a_record_outside_are_known_by_the_record(database: Database) -> None:
    with database.begin() as conn:
        other = RECORD._replace(record_id="2")
        outsiders.replace(conn, [RECORD, other], [(*ANN, RECORD), (*BOB, other)])
        assert outsiders.names_of(conn, RECORD) == [ANN]
