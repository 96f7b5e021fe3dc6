"""What is erased leaves the files of SQLite too, though leadloop is at work on them."""

from __future__ import annotations

from pathlib import Path

from connector.store import outsiders
from connector.store.write_ahead_log import empty_if_asked
from tests.connector.forgetting.test_privacy_deletes import privacy_delete
from tests.connector.forgetting.traces import PHONE, forget
from tests.connector.test_life_of_a_lead import ANN, make_mql
from tests.world import World


def in_files(world: World) -> list[str]:
    """What of the person stands anywhere in the database's files."""
    assert world.database.file is not None
    files: Path = world.database.file
    content = files.read_bytes() + files.with_name(f"{files.name}-wal").read_bytes()
    return [word for word in (ANN, PHONE) if word.encode() in content]


def test_a_person_whom_the_platform_erased_is_in_no_file(world: World) -> None:
    make_mql(world)
    contact = str(world.contact(ANN)["id"])
    assert ANN in in_files(world), "else this test could not fail"
    privacy_delete(world, contact)
    assert in_files(world) == []


def test_of_a_person_among_hundreds_nothing_is_left_in_a_file(world: World, known: str) -> None:
    """Rows that come and go move on their pages, and pages are split."""
    for number in range(300):
        world.salesforce.insert(
            "Lead", LastName=f"N{number}", Company="Bolt", Email=f"n{number}@bolt.example"
        )
    world.run()
    forget(world, known)
    assert empty_if_asked(world.database)
    assert in_files(world) == []


def test_while_somebody_reads_forgetting_waits_for_nobody_and_the_next_look_clears_the_files(
    world: World, known: str
) -> None:
    with world.database.read() as reader:
        outsiders.named(reader, [("email", ANN)])
        forget(world, known)
        assert not empty_if_asked(world.database)
        assert ANN in in_files(world)

    world.run()

    assert in_files(world) == []
    assert empty_if_asked(world.database)
