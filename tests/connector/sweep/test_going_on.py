"""A sweep works in batches, goes on where it was killed, and may only look."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update

from connector.clock import HOUR_MS
from connector.intake.sweep import lease_of, sweep
from connector.store.leases import take_lease
from connector.store.schema import leads, links, observations
from connector.worker.passes import Pass, look
from tests.connector.sweep.sweeping import (
    amiss,
    behind,
    bob_comes,
    rows_of,
)
from tests.world import World


def test_looking_only_names_the_same_and_changes_nothing(known: World) -> None:
    contact = bob_comes(known)
    behind(known)
    known.hubspot.archive("contacts", contact)
    with known.database.begin() as conn:
        conn.execute(update(observations).where(observations.c.side == "salesforce").values(stamp_ms=1))
    before = rows_of(known)
    found = known.verify(repair=False)
    assert amiss(found) == {"missed": 1, "vanished": 1}
    assert found.left == 2
    assert rows_of(known) == before
    assert amiss(known.verify()) == {"missed": 1, "vanished": 1}


def test_2500_people_are_swept_in_batches_and_those_amiss_among_them_found(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.intake.version_window.AT_ONCE", 700)
    with World(tmp_path, url=database_url) as world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        people = [
            world.hubspot.create("contacts", email=f"p{number}@acme.example", lastname=f"P{number}")
            for number in range(2_500)
        ]
        while look(world.leadloop, Pass()):
            world.later(minutes=1)
        with world.database.begin() as conn:
            conn.execute(update(leads).values(dirty_since_ms=None))
        world.later(hours=3)
        look(world.leadloop, Pass())
        gone, odd, lost = people[99], people[100], people[2_400]
        world.hubspot.archive("contacts", gone)
        with world.database.begin() as conn:
            conn.execute(update(observations).where(observations.c.record_id == odd).values(stamp_ms=1))
            conn.execute(links.delete().where(links.c.record_id == lost))
        world.hubspot.requests.reset()
        swept = sweep(world.leadloop, "hubspot", object_name="contacts")
        assert swept is not None
        assert swept.records == 2_499
        named = {cause: [one.record for one in names] for cause, names in swept.findings.named.items()}
        assert named == {
            "vanished": [f"hubspot:contacts:{gone}"],
            "missed": [f"hubspot:contacts:{odd}"],
            "unlinked": [f"hubspot:contacts:{lost}"],
        }
        assert world.hubspot.requests.count == 25 + 2, "a page for each 100, and two reads for three records"


def test_a_sweep_that_was_killed_goes_on_at_its_page(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.intake.sweep.SAVE_EVERY", 1)
    with World(tmp_path, url=database_url) as world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        for number in range(450):
            world.hubspot.create("contacts", email=f"p{number}@acme.example", lastname=f"P{number}")
        while look(world.leadloop, Pass()):
            world.later(minutes=1)
        world.later(hours=3)
        look(world.leadloop, Pass())
        pages = iter(range(10))

        class Killed(BaseException):
            pass

        def told(_part: str, _swept: object) -> None:
            if next(pages) == 2:
                raise Killed

        with pytest.raises(Killed):
            sweep(world.leadloop, "hubspot", object_name="contacts", told=told)
        world.hubspot.requests.reset()
        swept = sweep(world.leadloop, "hubspot", object_name="contacts")
        assert swept is not None
        assert (swept.records, world.hubspot.requests.count) == (450, 2)
        assert swept.findings.found == {}


def test_one_process_at_a_time_sweeps_a_side(known: World) -> None:
    with known.database.begin() as conn:
        take_lease(conn, lease_of("hubspot"), "another", known.clock.now_ms(), HOUR_MS)
    assert sweep(known.leadloop, "hubspot") is None
    assert sweep(known.leadloop, "salesforce") is not None
