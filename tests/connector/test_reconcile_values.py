"""Reconcile, field by field: whose word counts, what is left alone, what is reported. Pure, no platforms."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.plan import Plan
from tests.simulation.documents import LEAD, configuration
from tests.simulation.model import REWRITES, Model


def both_sides(**rewrites: str) -> Model:
    """Ann on both sides, in step; `rewrites` is `left_Native="lower"`."""
    model = Model(rewrites={_place(name): REWRITES[how] for name, how in rewrites.items()})
    model.edit("left", Email="ann@acme.example", Name="Ann Lee")
    model.edit("right", email="ann@acme.example", fullname="Ann Lee")
    model.settle()
    return model


def _place(name: str) -> tuple[str, str]:
    side, _, native = name.partition("_")
    return side, native


def holds(plan: Plan) -> set[tuple[str, str]]:
    return {(hold.kind, hold.subject) for hold in plan.holds}


def test_a_value_that_cannot_be_read_is_left_alone_until_the_other_side_changes() -> None:
    model = both_sides()
    model.edit("right", phone="+1 850 644 4200")
    model.settle()
    model.edit("left", Phone="call me")
    model.settle()
    assert model.shown("left", "Phone") == "call me"
    assert model.shown("right", "phone") == "+1 850 644 4200"
    assert model.state.values["phone"] == "+18506444200"
    assert "left.phone" in model.state.unreadable
    model.edit("right", phone="+49 30 901820")
    model.settle()
    assert model.shown("left", "Phone") == "+4930901820"


def test_an_unreadable_value_that_is_mended_reaches_the_other_side() -> None:
    model = both_sides()
    model.edit("left", Phone="call me")
    model.settle()
    model.edit("left", Phone="850 644 4200")
    model.settle()
    assert model.shown("right", "phone") == "+18506444200"
    assert model.state.unreadable == {}


def test_a_value_that_was_overwritten_is_no_longer_reported_as_unreadable() -> None:
    model = both_sides()
    model.edit("left", Phone="call me")
    model.settle()
    model.edit("right", phone="+49 30 901820")
    model.settle()
    assert model.state.unreadable == {}


def test_an_unreadable_value_at_first_contact_is_left_alone() -> None:
    model = Model()
    model.edit("left", Email="ann@acme.example", Phone="call me")
    model.edit("right", email="ann@acme.example", phone="+49 30 901820")
    model.settle()
    assert model.shown("left", "Phone") == "call me"
    assert model.shown("right", "phone") == "+49 30 901820"
    assert "left.phone" in model.state.unreadable
    assert "phone" not in model.state.differences, "it is reported once"
    model.edit("left", Email="ann.lee@acme.example")
    model.settle()
    assert model.shown("left", "Phone") == "call me", "it is left alone whatever else changes"
    model.edit("right", phone="+49 30 901821")
    model.settle()
    assert model.shown("left", "Phone") == "+4930901821"
    assert model.state.unreadable == {}


def test_nobody_is_opted_in_not_even_where_the_record_says_nothing() -> None:
    model = both_sides()
    model.edit("left", NoCalls=False)
    model.settle()
    assert model.shown("right", "nocalls") is None


def test_an_opt_out_reaches_the_other_side_and_one_side_alone_does_not_take_it_back() -> None:
    model = both_sides()
    model.edit("right", nocalls=True)
    model.settle()
    assert model.shown("left", "NoCalls") is True
    model.edit("right", nocalls=False)
    model.settle()
    assert model.shown("left", "NoCalls") is True
    assert model.shown("right", "nocalls") is True


def test_an_opt_out_survives_when_its_record_is_met_anew() -> None:
    """After two leads became one there is no baseline, and the survivor's record may say nothing."""
    model = both_sides()
    model.edit("left", NoCalls=True)
    model.settle()
    model.baselines.clear()
    model.records["left"].fields["NoCalls"] = False
    model.records["right"].fields["nocalls"] = False
    model.settle()
    assert model.state.values["no_calls"] is True
    assert model.shown("left", "NoCalls") is True
    assert model.shown("right", "nocalls") is True


def test_a_field_that_waits_for_a_person_is_written_by_nobody_until_one_side_decides() -> None:
    model = both_sides()
    model.edit("left", Note="call")
    model.edit("right", note="write")
    plan = model.round()
    assert ("conflict", "note") in holds(plan)
    assert (model.shown("left", "Note"), model.shown("right", "note")) == ("call", "write")
    assert model.plan().is_empty
    assert ("conflict", "note") in holds(model.plan()), "it stays until somebody decides"
    model.edit("right", note="call")
    model.settle()
    assert holds(model.plan()) == set()
    assert model.state.values["note"] == "call"


def test_a_conflict_goes_away_when_both_sides_say_the_same() -> None:
    model = both_sides()
    model.edit("left", Note="call")
    model.edit("right", note="write")
    model.settle()
    model.edit("left", Note="both")
    model.edit("right", note="both")
    model.settle()
    assert holds(model.plan()) == set()


@pytest.mark.parametrize("how", ["truncate", "lower", "flow"])
def test_a_platforms_own_spelling_is_kept_and_spreads_nowhere(how: str) -> None:
    model = both_sides(left_Company=how)
    model.edit("right", company="ACME Corp")
    assert model.settle() == 1
    assert model.shown("left", "Company") == REWRITES[how]("ACME Corp")
    assert model.shown("right", "company") == "ACME Corp"
    model.edit("left", Company="Beta")
    model.settle()
    assert model.shown("right", "company") == REWRITES[how]("Beta"), "a person's edit of it is a change"


def test_a_value_is_written_again_when_its_spelling_was_of_an_earlier_one() -> None:
    model = both_sides(left_Company="truncate")
    for name in ("ACME Corp", "ACME Inc", "Beta", "ACME Corp"):
        model.edit("right", company=name)
        model.settle()
        assert model.shown("left", "Company") == name[:3]


def test_at_first_contact_blanks_are_filled_and_differences_wait() -> None:
    model = Model()
    model.edit("left", Email="ann@acme.example", Company="Acme", City="Bonn")
    model.edit("right", email="ann@acme.example", company="ACME Corp", city="Cologne", fullname="Ann")
    model.settle()
    assert model.shown("left", "Name") == "Ann"
    assert (model.shown("left", "Company"), model.shown("right", "company")) == ("Acme", "ACME Corp")
    assert model.state.differences["company"] == {"right": "ACME Corp"}
    assert model.shown("right", "city") == "Cologne", "a named side is believed, and the other left alone"
    assert model.state.values["city"] == "Bonn"


def test_a_blank_that_is_a_value_erases_and_one_that_is_not_does_not() -> None:
    model = both_sides()
    model.edit("left", Title="the boss", Company="Acme")
    model.settle()
    model.edit("left", Title=None, Company=None)
    model.settle()
    assert model.shown("right", "title") is None
    assert model.shown("right", "company") == "Acme"
    assert model.shown("left", "Company") is None, "nor is it filled in again against somebody's will"


def test_the_newer_change_wins_and_where_nobody_can_tell_the_policy_says() -> None:
    model = both_sides()
    model.edit("left", Name="Ann B")
    model.edit("right", fullname="Ann C")
    model.settle()
    assert model.shown("right", "fullname") == "Ann B", "both changed between two looks: else is left"


def test_an_owner_without_a_counterpart_is_reported_and_left_alone() -> None:
    model = both_sides()
    model.edit("left", OwnerId="left-queue")
    model.settle()
    assert model.shown("right", "owner_id") is None
    assert model.state.values["owner"] == "queue:Inbound"
    assert "right.owner" in model.state.unspelled


def test_an_owner_who_is_no_user_of_the_other_side_is_a_hold_when_the_lead_is_handed_over() -> None:
    routes = "routes:\n  - {route: everyone, owner: dan@x.example}\n"
    rules = configuration().documents["rules.yaml"]
    pooled = "routes:\n  - {route: everyone, pool: [ann@x.example, bob@x.example]}\n"
    assert pooled in rules
    alone = rules.replace(pooled, routes).replace("on_breach: reroute", "on_breach: mark")
    model = Model(configuration(rules=alone))
    model.edit("right", email="ann@acme.example", fullname="Ann", title="boss", forms=0)
    model.settle()
    model.edit("right", forms=1, last_form="2027-01-15T08:00:00Z")
    model.settle()
    assert model.shown("left", "OwnerId") == "left-only"
    assert model.shown("right", "owner_id") is None
    assert ("owner_unknown", "right") in holds(model.plan())


def test_a_text_too_long_for_a_side_is_reported_and_not_sent() -> None:
    model = both_sides()
    model.edit("right", title="a very long title")
    model.settle()
    assert model.shown("left", "Title") is None
    assert "left.title" in model.state.unspelled
    assert "title" in LEAD


def test_a_field_that_is_absent_is_unknown_and_not_blank() -> None:
    model = both_sides()
    model.edit("right", company="Acme")
    model.settle()
    del model.records["left"].fields["Company"]
    model.records["left"].stamp_ms += 1_000
    model.settle()
    assert model.shown("right", "company") == "Acme"
    assert model.state.values["company"] == "Acme"


def test_a_field_that_is_mapped_later_is_read_before_it_is_merged() -> None:
    model = both_sides()
    model.edit("left", Company="Acme")
    model.edit("right", company="ACME Corp")
    model.settle()
    for side, native in (("left", "Company"), ("right", "company")):
        shown = dict(model.baselines[model.key(side)].shown)
        del shown[native]
        model.baselines[model.key(side)] = _with_shown(model, side, shown)
    standing = (model.shown("left", "Company"), model.shown("right", "company"))
    model.settle()
    assert (model.shown("left", "Company"), model.shown("right", "company")) == standing


def _with_shown(model: Model, side: str, shown: dict[str, object]):  # type: ignore[no-untyped-def]  # a Baseline
    return replace(model.baselines[model.key(side)], shown=shown)


def test_an_edit_of_an_output_field_is_put_right() -> None:
    model = both_sides()
    model.edit("left", LL_Stage="closed")
    model.edit("right", ll_score=99)
    model.settle()
    assert model.shown("left", "LL_Stage") == "nurture"
    assert model.shown("right", "ll_score") == 0


def test_a_read_that_began_before_our_write_was_answered_is_not_compared_with_it() -> None:
    model = both_sides()
    model.edit("right", company="Acme")
    early = model.observe()
    plan = model.plan()
    model.store(plan)
    for write in plan.writes:
        model.send(write)
    again = model.plan(early)
    assert again.is_empty
    model.store(again)
    assert model.plan().is_empty
    assert model.state.values["company"] == "Acme"


def test_an_edit_of_an_output_right_after_our_write_is_no_spelling_of_it() -> None:
    model = both_sides()
    model.edit("right", title="the boss")
    plan = model.plan()
    model.store(plan)
    for write in plan.writes:
        model.send(write)
    model.edit("right", ll_stage="closed", ll_score=99)
    model.settle()
    assert model.shown("right", "ll_stage") == "nurture"
    assert model.shown("right", "ll_score") == 30


def test_a_field_that_is_hidden_after_a_write_does_not_keep_the_record_being_read() -> None:
    model = both_sides()
    model.edit("left", Company="Acme")
    plan = model.plan()
    model.store(plan)
    for write in plan.writes:
        model.send(write)
    del model.records["right"].fields["company"]
    model.later(hours=1)
    assert not model.round().writes
    model.later(hours=1)
    assert not model.plan().writes


def test_a_record_read_before_a_field_could_be_seen_is_read_again_once() -> None:
    model = both_sides()
    del model.records["right"].fields["company"]
    model.settle()
    model.later(hours=1)
    natives = frozenset(model.config.mapping.sides["right"].objects["contacts"].natives)
    model.policy = replace(
        model.policy, readable={("right", "contacts"): natives}, readable_since_ms=model.now_ms + 5_000
    )
    [write] = model.plan(model.observe()).writes
    assert write.confirms
    assert (write.side, write.record_id) == ("right", "right-record")
    model.later(hours=1)
    assert not model.plan().writes, "it was read since, and the platform leaves the field out"


def lose_answers(model: Model, carried_out: bool = True) -> None:
    """A round of leadloop whose writes get no answer."""
    plan = model.plan()
    model.store(plan)
    assert plan.writes
    for write in plan.writes:
        model.lose(write, carried_out)


def test_a_write_without_an_answer_is_not_taken_for_somebodys_change() -> None:
    """The title is what right says: an echo of ours must not win as the other side's word."""
    model = both_sides()
    model.edit("left", Title="clerk")
    model.settle()
    model.edit("left", Title="buyer")
    lose_answers(model)
    assert model.shown("right", "title") == "buyer"
    model.edit("left", Title="boss")
    model.settle()
    assert (model.shown("left", "Title"), model.shown("right", "title")) == ("boss", "boss")


def test_a_write_without_an_answer_is_known_even_when_it_shows_after_the_next_change() -> None:
    model = both_sides()
    model.edit("left", Title="clerk")
    model.settle()
    before = model.observe()
    model.edit("left", Title="buyer")
    lose_answers(model)
    model.edit("left", Title="boss")
    late = [item for item in before if item.side == "right"]
    seen = [item for item in model.observe() if item.side == "left"]
    model.store(model.plan([*seen, *late]))
    model.settle()
    assert (model.shown("left", "Title"), model.shown("right", "title")) == ("boss", "boss")


def test_a_write_that_was_not_carried_out_is_sent_again() -> None:
    model = both_sides()
    model.edit("left", Company="Acme")
    lose_answers(model, carried_out=False)
    model.settle()
    assert model.shown("right", "company") == "Acme"


def test_a_value_cut_by_a_write_without_an_answer_is_that_records_spelling() -> None:
    model = both_sides(right_company="truncate")
    model.edit("left", Company="Acme Corp", City="Bonn")
    lose_answers(model)
    model.settle()
    assert (model.shown("left", "Company"), model.shown("right", "company")) == ("Acme Corp", "Acm")


def test_a_record_that_was_made_and_not_read_yet_is_not_made_again() -> None:
    model = Model()
    model.edit("right", email="ann@acme.example", fullname="Ann", title="boss", forms=0)
    model.settle()
    model.edit("right", forms=1, last_form="2027-01-15T08:00:00Z")
    plan = model.plan()
    assert [write.op for write in plan.writes if write.side == "left"] == ["create"]
    model.store(plan)
    model.linked_sides = frozenset({"left"})
    assert not [write for write in model.plan().writes if write.side == "left"]
