"""The graph of stages: what the design's table allows, for whom, and what it needs."""

from __future__ import annotations

from itertools import product

import pytest

from mappings.stages import (
    LINE,
    Allowed,
    Illegal,
    Move,
    Stage,
    check_move,
    legal_targets,
)

CAUSES = ("rules", "marketing", "sales", "clock", "fact")
BEFORE_OPPORTUNITY = [
    "inquiry", "qualification", "nurture", "mql", "distributed", "accepted", "qualified",
]  # fmt: skip

LEGAL: set[tuple[str, str, str]] = set()
"""The design's table of moves, written out a second time: (origin, target, cause)."""
for origin, target in (
    ("inquiry", "qualification"), ("inquiry", "nurture"), ("inquiry", "mql"),
    ("qualification", "nurture"), ("qualification", "mql"), ("nurture", "mql"),
):  # fmt: skip
    LEGAL |= {(origin, target, "rules"), (origin, target, "marketing")}
LEGAL |= {("mql", "distributed", "rules")}
LEGAL |= {("distributed", "accepted", "sales"), ("distributed", "qualified", "sales")}
LEGAL |= {("accepted", "qualified", "sales")}
for origin in ("mql", "distributed", "accepted", "qualified"):
    LEGAL |= {(origin, "nurture", "sales"), (origin, "nurture", "clock")}
LEGAL |= {("distributed", "mql", "sales"), ("distributed", "mql", "clock"), ("accepted", "mql", "sales")}
for stage in Stage:
    LEGAL |= {(stage.value, goal, "fact") for goal in ("qualified", "opportunity") if goal != stage.value}
LEGAL |= {("opportunity", "closed", "fact")}
LEGAL |= {("closed", "nurture", cause) for cause in ("rules", "clock", "sales")}
LEGAL |= {(o, "disqualified", cause) for o in BEFORE_OPPORTUNITY for cause in ("rules", "sales", "marketing")}
LEGAL |= {("disqualified", "nurture", cause) for cause in ("rules", "sales", "marketing")}


def full(origin: str, target: str, cause: str) -> Move:
    """A move with everything that any edge could need."""
    return Move(
        Stage(origin), Stage(target), cause, gate=True, owner="ann@acme.example", reason="r", outcome="won"
    )  # type: ignore[arg-type]  # the texts are causes


@pytest.mark.parametrize(("origin", "target", "cause"), list(product(Stage, Stage, CAUSES)))
def test_a_move_is_legal_exactly_when_the_design_says_so(origin: str, target: str, cause: str) -> None:
    verdict = check_move(full(origin, target, cause))
    assert isinstance(verdict, Allowed) == ((str(origin), str(target), cause) in LEGAL)


def test_the_line_has_the_nine_stages_in_order() -> None:
    assert [str(stage) for stage in LINE] == [
        "inquiry", "qualification", "nurture", "mql", "distributed", "accepted", "qualified", "opportunity",
        "closed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("origin", "target", "cause", "new_cycle"),
    [
        ("nurture", "mql", "rules", False),
        ("accepted", "nurture", "sales", True),
        ("distributed", "nurture", "clock", True),
        ("distributed", "mql", "sales", False),
        ("opportunity", "qualified", "fact", False),
        ("closed", "nurture", "rules", True),
        ("mql", "disqualified", "rules", False),
        ("disqualified", "nurture", "marketing", True),
        ("closed", "opportunity", "fact", False),
    ],
)
def test_going_back_to_nurture_begins_a_new_cycle(
    origin: str, target: str, cause: str, new_cycle: bool
) -> None:
    verdict = check_move(full(origin, target, cause))
    assert isinstance(verdict, Allowed)
    assert verdict.new_cycle is new_cycle


@pytest.mark.parametrize(
    ("origin", "target", "cause", "skipped"),
    [
        ("inquiry", "opportunity", "fact", "qualification nurture mql distributed accepted qualified"),
        ("inquiry", "mql", "rules", "qualification nurture"),
        ("distributed", "qualified", "sales", "accepted"),
        ("accepted", "qualified", "sales", ""),
        ("opportunity", "qualified", "fact", ""),
        ("qualified", "nurture", "sales", ""),
        ("disqualified", "opportunity", "fact", ""),
    ],
)
def test_stages_passed_over_are_named(origin: str, target: str, cause: str, skipped: str) -> None:
    verdict = check_move(full(origin, target, cause))
    assert isinstance(verdict, Allowed)
    assert [str(stage) for stage in verdict.skipped] == skipped.split()


@pytest.mark.parametrize(
    ("move", "message"),
    [
        (
            Move(Stage.NURTURE, Stage.MQL, "rules"),
            "nurture → mql by rules needs a passed gate or a named fast track",
        ),
        (Move(Stage.MQL, Stage.DISTRIBUTED, "rules"), "mql → distributed by rules needs an owner"),
        (
            Move(Stage.DISTRIBUTED, Stage.ACCEPTED, "sales", owner="queue:Inbound"),
            "distributed → accepted by sales needs an owner who is a person",
        ),
        (
            Move(Stage.DISTRIBUTED, Stage.ACCEPTED, "sales"),
            "distributed → accepted by sales needs an owner who is a person",
        ),
        (Move(Stage.ACCEPTED, Stage.NURTURE, "sales"), "accepted → nurture by sales needs a reason"),
        (
            Move(Stage.OPPORTUNITY, Stage.CLOSED, "fact"),
            "opportunity → closed by fact needs an outcome, won or lost",
        ),
        (
            Move(Stage.OPPORTUNITY, Stage.CLOSED, "fact", outcome="lost"),
            "opportunity → closed by fact needs a reason, because it was lost",
        ),
        (Move(Stage.MQL, Stage.MQL, "rules"), "the lead is in mql already"),
        (
            Move(Stage.INQUIRY, Stage.ACCEPTED, "sales", owner="ann@acme.example"),
            "inquiry → accepted is not a move for sales: from inquiry, sales may move it to disqualified",
        ),
        (
            Move(Stage.OPPORTUNITY, Stage.NURTURE, "sales", reason="no"),
            "opportunity → nurture is not a move for sales: from opportunity, sales may not move it at all",
        ),
    ],
)
def test_an_illegal_move_says_what_it_lacks_or_what_would_be_legal(move: Move, message: str) -> None:
    assert check_move(move) == Illegal(message)


def test_marketing_needs_no_gate_and_a_queue_can_receive_an_mql() -> None:
    assert isinstance(check_move(Move(Stage.INQUIRY, Stage.MQL, "marketing")), Allowed)
    routed = check_move(Move(Stage.MQL, Stage.DISTRIBUTED, "rules", owner="queue:Inbound"))
    assert isinstance(routed, Allowed)


def test_facts_are_legal_from_every_stage() -> None:
    for stage in Stage:
        assert set(legal_targets(stage, "fact")) >= {Stage.QUALIFIED, Stage.OPPORTUNITY} - {stage}
