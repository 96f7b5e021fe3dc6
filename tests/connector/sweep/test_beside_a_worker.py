"""A sweep works beside a worker that reads, decides and writes at the same time, and takes nothing of that
for a fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.intake.sweep import sweep
from connector.settle import settle
from connector.worker.passes import Pass, act, look
from tests.connector.sweep.sweeping import behind
from tests.world import World

PEOPLE = 12


@pytest.mark.parametrize("writes", ["at once", "later"])
def test_what_a_worker_does_between_two_steps_is_nothing_amiss(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, writes: str
) -> None:
    monkeypatch.setattr("connector.intake.sweep.LEADS_AT_ONCE", 3)
    with World(tmp_path, url=database_url) as world:
        world.leadloop  # noqa: B018  # connected before anybody acts
        people = [
            world.hubspot.create(
                "contacts", source="FORM", email=f"p{number}@acme.example", lastname="P", jobtitle="VP"
            )
            for number in range(PEOPLE)
        ]
        behind(world)
        steps = iter(range(1_000))

        def meanwhile(_part: str, _swept: object) -> None:
            number = next(steps)
            world.later(seconds=5)
            world.hubspot.submit_form(f"p{number % PEOPLE}@acme.example", "Pricing")
            world.hubspot.update("contacts", people[7 * number % PEOPLE], city=f"City {number}")
            for row in world.salesforce.rows("Lead")[:1]:
                world.salesforce.update("Lead", row["Id"], Phone=f"+4930{number:06}")
            look(world.leadloop, Pass())
            if writes == "at once":
                act(world.leadloop, Pass())
            else:
                settle(world.leadloop)

        for side in world.leadloop.feeds:
            swept = sweep(world.leadloop, side, told=meanwhile)
            assert swept is not None
            assert swept.findings.amiss == 0, swept.findings
        behind(world)
        assert next(steps) > 10, "else this test shows nothing"
        assert world.verify().amiss == 0
        assert world.run().written == 0
