"""Reconcile, the stage: who may move a lead where, what is put right, and when it comes to rest. Pure."""

from __future__ import annotations

import pytest

from connector.plan import Plan
from mappings.stages import Stage
from tests.simulation.documents import configuration
from tests.simulation.model import START_MS, Model


def holds(plan: Plan) -> set[str]:
    return {hold.kind for hold in plan.holds}


def nurtured(illegal_moves: str = "revert") -> Model:
    """Ann, in nurture, on both sides."""
    model = Model(configuration(illegal_moves))
    model.edit("left", Email="ann@acme.example", Name="Ann Lee", Status="Open")
    model.edit("right", email="ann@acme.example", fullname="Ann Lee", title="the boss", forms=0)
    model.settle()
    assert model.state.stage is Stage.NURTURE
    return model


def submit_form(model: Model) -> None:
    count = model.shown("right", "forms")
    assert isinstance(count, int)
    model.edit("right", forms=count + 1, last_form=_iso(model.now_ms))
    model.settle()


def _iso(at_ms: int) -> str:
    from connector.outputs import iso_datetime

    return iso_datetime(at_ms)


def handed_over(illegal_moves: str = "revert") -> Model:
    """Ann, distributed to ann@x.example."""
    model = nurtured(illegal_moves)
    submit_form(model)
    assert model.state.stage is Stage.DISTRIBUTED
    return model


# what people say ----------------------------------------------------------------------------------------


def test_sales_accepts_by_status_or_by_verdict() -> None:
    for edit in ({"Status": "Working"}, {"Verdict": "accepted"}):
        model = handed_over()
        model.edit("left", **edit)
        model.settle()
        assert model.state.stage is Stage.ACCEPTED
        assert model.shown("right", "lifecycle") == "sales"
        assert model.shown("right", "ll_verdict") == "accepted"
        assert model.shown("left", "Status") == "Working"


def test_a_status_that_goes_with_the_stage_says_nothing_new() -> None:
    model = handed_over()
    model.edit("left", Status="Working")
    model.settle()
    moves = len(model.moves)
    model.edit("left", Verdict="accepted")
    model.settle()
    assert len(model.moves) == moves


def test_marketing_disqualifies_and_earns_back() -> None:
    model = nurtured()
    model.edit("right", status="BAD")
    model.settle()
    assert model.state.stage is Stage.DISQUALIFIED
    assert model.moves[-1].cause == "marketing"
    assert model.moves[-1].reason
    assert model.shown("left", "Status") == "Closed"
    model.edit("right", status="NEW")
    model.settle()
    assert model.state.stage is Stage.NURTURE
    assert model.state.cycle == 2


def test_marketing_makes_an_mql_of_a_lead_in_nurture_and_it_is_routed() -> None:
    model = nurtured()
    model.edit("right", status="OPEN")
    model.settle()
    assert model.state.stage is Stage.DISTRIBUTED
    assert model.moves[-2].cause == "marketing"


def test_a_rule_does_not_undo_what_a_person_earned_back() -> None:
    model = nurtured()
    model.edit("right", company="Rival")
    model.settle()
    assert model.state.stage is Stage.DISQUALIFIED
    assert model.moves[-1].actor == "rival"
    model.edit("right", status="NEW")
    model.settle()
    assert model.state.stage is Stage.NURTURE
    model.later(days=1)
    model.edit("right", city="Bonn")
    model.settle()
    assert model.state.stage is Stage.NURTURE


def test_the_verdict_of_sales_comes_before_marketings_word() -> None:
    model = handed_over()
    model.edit("left", Status="Closed", Reason="competitor")
    model.edit("right", status="NEW")
    model.settle()
    assert model.state.stage is Stage.DISQUALIFIED
    assert model.shown("right", "status") == "BAD"


def test_a_lifecycle_stage_is_never_listened_to_and_opportunity_is_never_left() -> None:
    model = nurtured()
    model.edit("right", lifecycle="opportunity")
    model.settle()
    assert model.state.stage is Stage.NURTURE
    assert model.shown("right", "lifecycle") == "opportunity"


def test_a_lifecycle_stage_of_somebodys_own_is_left_alone() -> None:
    model = nurtured()
    model.edit("right", lifecycle="our own")
    model.settle()
    submit_form(model)
    assert model.state.stage is Stage.DISTRIBUTED
    assert model.shown("right", "lifecycle") == "our own"


def test_a_lifecycle_stage_goes_back_in_two_steps_and_the_blank_between_claims_nothing() -> None:
    model = handed_over()
    model.sent.clear()
    model.edit("left", Status="Closed", Reason="timing")
    model.settle()
    assert [raw for side, native, raw in model.sent if (side, native) == ("right", "lifecycle")] == [
        None,
        "lead",
    ]
    assert model.state.stage is Stage.NURTURE
    assert len([move for move in model.moves if move.cause in ("sales", "marketing")]) == 1


# a platform that does not take it -----------------------------------------------------------------------


def test_a_stage_that_is_not_taken_is_sent_once_more_and_then_held() -> None:
    model = nurtured()
    model.rewrites = {("right", "lifecycle"): lambda raw: "lead"}
    submit_form(model)
    assert model.shown("right", "ll_stage") == "distributed"
    assert holds(model.plan()) == {"stage_not_taken"}
    assert len([sent for sent in model.sent if sent[1] == "lifecycle" and sent[2] == "marketing"]) == 2
    assert model.plan().is_empty


def test_a_stage_that_was_not_taken_is_no_reason_to_give_up_on_the_next() -> None:
    model = nurtured()
    model.rewrites = {("right", "lifecycle"): lambda raw: "lead"}
    submit_form(model)
    model.rewrites = {}
    model.edit("left", Status="Working")
    model.settle()
    assert model.shown("right", "lifecycle") == "sales"
    assert holds(model.plan()) == set()


def test_a_stage_that_was_not_taken_is_tried_again_a_day_later() -> None:
    model = nurtured()
    model.rewrites = {("right", "lifecycle"): lambda raw: "lead"}
    submit_form(model)
    model.rewrites = {}
    model.later(days=2)
    model.settle()
    assert model.shown("right", "lifecycle") == "marketing"
    assert holds(model.plan()) == set()


def test_two_writers_of_one_field_end_in_a_hold_that_names_them() -> None:
    model = nurtured()
    for _ in range(10):
        model.later(minutes=30)
        model.edit("left", LL_Stage="closed")
        model.settle()
    assert model.shown("left", "LL_Stage") == "closed"
    hold = next(hold for hold in model.plan().holds if hold.kind == "oscillates")
    assert "nurture" in hold.message
    assert "closed" in hold.message
    assert hold.details["writer"] == "left-0"
    model.later(days=2)
    model.settle()
    assert model.shown("left", "LL_Stage") == "nurture", "a day later it is tried again"


# the beginning ------------------------------------------------------------------------------------------


def test_a_lead_from_before_leadloop_is_imported_and_rests_until_something_happens() -> None:
    model = Model(live_since_ms=START_MS + 86_400_000)
    model.edit("right", email="ann@acme.example", fullname="Ann", title="the boss", forms=9)
    model.settle()
    assert [move.cause for move in model.moves] == ["imported"]
    assert model.state.stage is Stage.INQUIRY
    assert model.plan().due_at_ms is None
    model.edit("right", forms=10, last_form=_iso(model.now_ms))
    model.settle()
    assert model.state.stage is Stage.DISTRIBUTED


def test_what_sales_said_before_leadloop_is_where_the_lead_begins() -> None:
    for status, stage in (("Working", Stage.ACCEPTED), ("Closed", Stage.NURTURE), ("Open", Stage.INQUIRY)):
        model = Model(live_since_ms=START_MS + 86_400_000)
        model.edit("left", Email="ann@acme.example", Status=status)
        model.round()
        assert model.state.stage is stage
        model.settle()
        assert model.shown("left", "Status") == status


@pytest.mark.parametrize(
    ("reason", "stage", "kept"),
    [
        ("timing", Stage.NURTURE, "timing"),
        ("competitor", Stage.DISQUALIFIED, "competitor"),
        (None, Stage.NURTURE, "unspecified"),
    ],
)
def test_what_sales_rejected_before_the_first_read_is_not_handed_over(
    reason: str | None, stage: Stage, kept: str
) -> None:
    model = Model()
    model.edit("left", Email="ann@acme.example", Name="Ann", Title="boss", Status="Closed", Reason=reason)
    model.edit("right", email="ann@acme.example", forms=0)
    model.settle()
    assert model.state.stage is stage
    assert model.state.rejections[-1].reason == kept
    assert model.shown("left", "Status") == "Closed"
    assert model.moves[0].reason == kept


def test_rules_do_not_move_a_lead_while_sales_is_asked_why_it_said_no() -> None:
    model = Model()
    model.edit("left", Email=None, Name="Ann", Status="Open")
    model.settle()
    assert model.state.stage is Stage.INQUIRY
    model.edit("left", Status="Closed", Email="ann@acme.example")
    model.settle()
    assert model.state.stage is Stage.INQUIRY
    model.edit("left", Reason="timing")
    model.settle()
    assert model.state.stage is Stage.DISQUALIFIED


def test_a_lead_that_rests_is_not_disturbed_by_its_record_on_the_other_side() -> None:
    model = Model(live_since_ms=START_MS + 86_400_000)
    model.edit("right", email="ann@acme.example", fullname="Ann", title="the boss", company="Rival")
    model.settle()
    model.edit("left", Email="ann@acme.example", Name="Ann Lee")
    model.settle()
    assert [move.cause for move in model.moves] == ["imported"]
    assert model.state.resting


# the brake ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "stage"), [("mql", Stage.NURTURE), ("handoff", Stage.MQL)])
def test_the_brake_stops_its_kind_of_move_and_shows_it(kind: str, stage: Stage) -> None:
    model = nurtured()
    model.braked = frozenset({kind})
    submit_form(model)
    assert model.state.stage is stage
    assert "brake" in holds(model.plan())
    assert kind not in model.plan().brake_kinds
    model.braked = frozenset()
    model.settle()
    assert model.state.stage is Stage.DISTRIBUTED


def test_the_brake_stops_regressions_by_rules() -> None:
    model = nurtured()
    model.edit("right", company="Rival")
    assert "regressions" in model.plan().brake_kinds
    model.braked = frozenset({"regressions"})
    model.settle()
    assert model.state.stage is Stage.NURTURE
    assert "brake" in holds(model.plan())
    model.braked = frozenset()
    model.settle()
    assert model.state.stage is Stage.DISQUALIFIED


def test_the_brake_stops_changes_of_owners() -> None:
    model = handed_over()
    model.edit("right", owner_id="right-2")
    assert "owner_changes" in model.plan().brake_kinds
    model.braked = frozenset({"owner_changes"})
    model.settle()
    assert model.shown("left", "OwnerId") == "left-0"
    assert "brake" in holds(model.plan())
    assert "owner_changes" not in model.plan().brake_kinds
    model.braked = frozenset()
    model.settle()
    assert model.shown("left", "OwnerId") == "left-2"


def test_the_brake_stops_blanks_and_creates() -> None:
    model = nurtured()
    model.braked = frozenset({"blanks"})
    model.edit("right", title=None)
    model.settle()
    assert model.shown("left", "Title") == "the boss"
    assert "brake" in holds(model.plan())
    model = Model()
    model.braked = frozenset({"creates"})
    model.edit("right", email="ann@acme.example", fullname="Ann", title="the boss", forms=0)
    model.settle()
    submit_form(model)
    assert set(model.records) == {"right"}
    assert "brake" in holds(model.plan())
