"""`leadloop forget` erases a person here, names what is left on the platforms, and can let one come back."""

from __future__ import annotations

from tests.cli.people import ANN, sales_rejects_ann
from tests.cli.shell import Shell
from tests.world import World


def test_asks_first_and_changes_nothing_without_a_yes(world: World, leadloop: Shell) -> None:
    sales_rejects_ann(world)
    answer = leadloop("forget", ANN, typed="n\n")
    assert answer.code == 1
    assert "Erase this person here for good? Nothing of it can be brought back." in answer.out
    assert world.lead(ANN).stage == "nurture"


def test_erases_the_person_and_names_what_is_left_to_erase(world: World, leadloop: Shell) -> None:
    lead_id = sales_rejects_ann(world)
    known = world.lead(ANN).lead_id

    answer = leadloop("forget", ANN, "--yes")

    assert answer.code == 0
    assert answer.out.splitlines()[0] == f"Lead {known} is forgotten."
    assert answer.out.splitlines()[1].startswith("2 records of this person are still there: ")
    assert f"salesforce:Lead:{lead_id}" in answer.out
    assert leadloop("explain", ANN).code == 1
    held = leadloop("holds", "--json").json["holds"]
    assert {(hold["lead"], hold["kind"]) for hold in held} == {(None, "forgotten")}
    assert f'leadloop forget --undo "salesforce Lead {lead_id}"' in leadloop("holds").out.replace(
        "\n    ", " "
    )


def test_tells_the_same_as_json(world: World, leadloop: Shell) -> None:
    sales_rejects_ann(world)
    known = world.lead(ANN).lead_id
    told = leadloop("forget", ANN, "--json").json
    assert told["lead"] == known
    assert len(told["still_there"]) == 2


def test_who_came_back_may_be_known_again(world: World, leadloop: Shell) -> None:
    lead_id = sales_rejects_ann(world)
    leadloop("forget", ANN, "--yes")
    assert leadloop("forget", "--undo", "nobody@acme.example").code == 1
    assert leadloop("forget", "--undo", ANN, "--json").json == {"released": 1}
    assert leadloop("forget", "--undo", f"salesforce Lead {lead_id}").code == 0
    world.salesforce.update("Lead", lead_id, Phone="+4940999888")
    world.run()
    assert world.lead(ANN).stage == "nurture"


def test_nobody_is_forgotten_who_is_not_known(world: World, leadloop: Shell) -> None:
    world.run()
    answer = leadloop("forget", "nobody@acme.example", "--yes")
    assert answer.code == 1
    assert "No lead is known by 'nobody@acme.example'" in answer.err
