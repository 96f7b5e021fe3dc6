"""Reconcile, what people may not do and what sales sends back: illegal moves, and rejections."""

from __future__ import annotations

from connector.claims import REASON_NEEDED
from mappings.stages import Stage
from tests.connector.test_reconcile_stages import handed_over, holds, nurtured, submit_form

# illegal moves ------------------------------------------------------------------------------------------


def test_an_illegal_move_is_put_right() -> None:
    model = nurtured()
    model.edit("left", Status="Working")
    model.settle()
    assert model.state.stage is Stage.NURTURE
    assert model.shown("left", "Status") == "Open"


def test_an_illegal_verdict_is_taken_off_the_record_again() -> None:
    model = nurtured()
    model.edit("left", Verdict="accepted")
    model.settle()
    assert model.state.stage is Stage.NURTURE
    assert model.shown("left", "Verdict") is None, "or it could not be given when the time has come"
    submit_form(model)
    model.edit("left", Verdict="accepted")
    model.settle()
    assert model.state.stage is Stage.ACCEPTED


def test_an_illegal_move_is_accepted_where_the_mapping_says_so() -> None:
    model = nurtured("accept")
    model.edit("left", Status="Working")
    model.settle()
    assert model.state.stage is Stage.ACCEPTED
    assert model.shown("left", "Status") == "Working"


def test_an_illegal_move_waits_for_a_person_where_the_mapping_says_so() -> None:
    model = nurtured("hold")
    model.edit("left", Status="Working")
    model.settle()
    assert model.state.stage is Stage.NURTURE
    assert model.shown("left", "Status") == "Working"
    assert holds(model.plan()) == {"illegal_move"}
    model.edit("left", Status="Open")
    model.settle()
    assert holds(model.plan()) == set()


def test_an_illegal_verdict_waits_for_a_person_where_the_mapping_says_so() -> None:
    model = nurtured("hold")
    model.edit("left", Verdict="accepted")
    model.settle()
    assert model.shown("left", "Verdict") == "accepted"
    assert holds(model.plan()) == {"illegal_move"}


# rejections ---------------------------------------------------------------------------------------------


def test_a_rejection_without_a_reason_waits_is_asked_for_and_then_takes_the_default() -> None:
    model = handed_over()
    model.edit("left", Status="Closed")
    model.settle()
    assert model.state.stage is Stage.DISTRIBUTED
    assert model.shown("left", "Status") == "Closed", "what sales said stands while it is asked why"
    due_ms = model.plan().due_at_ms
    assert due_ms is not None
    assert due_ms <= model.now_ms + 11 * 60_000
    model.later(minutes=11)
    model.settle()
    assert model.shown("left", "Reason") == REASON_NEEDED
    assert holds(model.plan()) == {"reason_missing"}
    model.later(minutes=61)
    model.settle()
    assert model.state.stage is Stage.NURTURE
    assert model.state.rejections[-1].reason == "unspecified"
    assert model.shown("left", "Reason") != REASON_NEEDED, "the question is answered"
    assert holds(model.plan()) == set()


def test_a_reason_that_comes_later_is_taken() -> None:
    model = handed_over()
    model.edit("left", Status="Closed")
    model.settle()
    model.later(minutes=11)
    model.settle()
    model.edit("left", Reason="competitor", Comment="bought elsewhere")
    model.settle()
    assert model.state.stage is Stage.DISQUALIFIED
    assert model.state.rejections[-1].comment == "bought elsewhere"
    assert model.shown("right", "ll_reason") == "competitor"


def test_a_rejection_that_is_taken_back_leaves_nothing_behind() -> None:
    model = handed_over()
    model.edit("left", Status="Closed")
    model.settle()
    model.later(minutes=11)
    model.settle()
    model.edit("left", Status="Working")
    model.settle()
    assert model.state.stage is Stage.ACCEPTED
    assert model.state.awaited_reason is None
    assert model.shown("left", "Reason") is None
    assert holds(model.plan()) == set()


def test_a_reason_that_nobody_knows_counts_as_the_default() -> None:
    model = handed_over()
    model.edit("left", Status="Closed", Reason="I do not like them")
    model.settle()
    assert model.state.stage is Stage.NURTURE
    assert model.state.rejections[-1].reason == "I do not like them"


def test_an_old_reason_never_serves_a_new_rejection() -> None:
    model = handed_over()
    model.edit("left", Status="Closed", Reason="timing", Comment="next year")
    model.settle()
    model.later(days=31)
    submit_form(model)
    assert model.state.stage is Stage.DISTRIBUTED
    assert (model.shown("left", "Reason"), model.shown("left", "Comment")) == (None, None)
    model.edit("left", Status="Closed")
    model.settle()
    assert model.state.stage is Stage.DISTRIBUTED, "it waits for a reason of its own"


def test_a_verdict_can_be_given_again_in_a_new_cycle() -> None:
    model = handed_over()
    model.edit("left", Verdict="accepted")
    model.settle()
    model.edit("left", Verdict="rejected", Reason="timing")
    model.settle()
    assert model.state.stage is Stage.NURTURE
    model.later(days=31)
    submit_form(model)
    assert model.shown("left", "Verdict") is None
    model.edit("left", Verdict="accepted")
    model.settle()
    assert model.state.stage is Stage.ACCEPTED


def test_a_verdict_given_in_an_earlier_cycle_can_be_given_again() -> None:
    """Accepted by verdict, rejected by status: the verdict that still stands must not mute the next one."""
    model = handed_over()
    model.edit("left", Verdict="accepted")
    model.settle()
    model.edit("left", Status="Closed", Reason="timing")
    model.settle()
    assert model.state.stage is Stage.NURTURE
    model.later(days=31)
    submit_form(model)
    assert model.shown("left", "Verdict") is None


def test_the_wrong_territory_goes_to_the_next_one_in_the_same_cycle() -> None:
    model = handed_over()
    model.edit("left", Verdict="rejected", Reason="wrong_territory")
    model.settle()
    assert model.state.stage is Stage.DISTRIBUTED
    assert model.state.cycle == 1
    assert model.shown("left", "OwnerId") == "left-1"
    assert model.shown("left", "Verdict") is None
    assert model.shown("left", "Reason") is None
