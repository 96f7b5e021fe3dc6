"""What the replayed lives of several leads come to: MQLs kept, gained and lost, and with which answer."""

from __future__ import annotations

from connector.backtest.findings import findings
from connector.backtest.history import History
from connector.backtest.known import Known
from connector.backtest.replay import replay
from connector.backtest.tally import Tally
from rules.evaluate import Rules
from tests.backtest.lives import at, form, history_of, row, rules_of

HANDED = (row(12, "nurture", "mql"), row(12, "mql", "distributed"))
ACCEPTED = history_of(
    *HANDED, row(15, "distributed", "accepted", "sales"), activities=[form(10), form(12), form(20), form(21)]
)
REJECTED = history_of(
    *HANDED,
    row(15, "distributed", "nurture", "sales", reason="timing", cycle=2),
    activities=[form(10), form(12), form(20), form(21)],
)
UNANSWERED = history_of(*HANDED, activities=[form(10), form(12)])


def tallied(in_force: Rules, tried: Rules, *histories: History) -> Tally:
    """The lives of these leads under both sets of rules."""
    tally = Tally(in_force, tried, "accepted", None, at(365))
    for history in histories:
        known = Known().of(history)
        lives = [replay(history, rules, known, at(365)) for rules in (in_force, tried)]
        tally.add(history, known, *lives, "ann@acme.example")
    return tally


def test_an_mql_that_both_make_keeps_its_answer() -> None:
    found = findings(tallied(rules_of(), rules_of(gate="mql: {score: 52}"), ACCEPTED, REJECTED, UNANSWERED))
    assert (found["kept"]["mqls"], found["kept"]["good"], found["kept"]["bad"]) == (3, 1, 1)
    assert found["gained"]["mqls"] == found["lost"]["mqls"] == 0


def test_rules_that_only_wait_are_no_better_for_it() -> None:
    """Whoever offers a lead after sales has answered does not know what it would have said, yes or no."""
    found = findings(tallied(rules_of(), rules_of(gate="mql: {score: 65}"), ACCEPTED, REJECTED))
    assert (found["kept"]["mqls"], found["kept"]["later"], found["kept"]["too_late"]) == (2, 2, 2)
    assert (found["tried"]["good"], found["tried"]["bad"]) == (0, 0)
    assert (found["in_force"]["good"], found["in_force"]["bad"]) == (1, 1)
    assert found["gained"]["mqls"] == found["lost"]["mqls"] == 0


def test_an_mql_that_is_never_made_is_lost_with_its_answer() -> None:
    found = findings(tallied(rules_of(), rules_of(gate="mql: {score: 95}"), ACCEPTED, REJECTED, UNANSWERED))
    assert (found["lost"]["mqls"], found["lost"]["good"], found["lost"]["bad"]) == (3, 1, 1)
    assert found["lost"]["reasons"] == {"timing": 1}


def test_a_lead_that_sales_found_by_itself_tells_what_an_earlier_offer_was_worth() -> None:
    """No rules handed it over, but sales took it on: looser rules would have been right."""
    found_it = history_of(
        row(40, "nurture", "opportunity", "fact", skipped=("mql", "distributed", "accepted", "qualified")),
        activities=[form(10)],
    )
    found = findings(tallied(rules_of(), rules_of(gate="mql: {score: 40}"), found_it))
    assert (found["gained"]["mqls"], found["gained"]["good"]) == (1, 1)


def test_a_lead_that_is_lost_first_may_come_in_a_later_pursuit_of_its_own() -> None:
    twice = history_of(
        *HANDED,
        row(15, "distributed", "nurture", "sales", reason="timing", cycle=2),
        row(75, "nurture", "mql"),
        row(80, "mql", "accepted", "sales"),
        activities=[form(10), form(12), form(72), form(73), form(74), form(75)],
    )
    found = findings(tallied(rules_of(), rules_of(gate="mql: {score: 70}"), twice))
    assert (found["in_force"]["mqls"], found["tried"]["mqls"]) == (2, 1)
    assert (found["lost"]["bad"], found["lost"]["in_a_later_pursuit"]) == (1, 1)
    assert (found["kept"]["mqls"], found["kept"]["good"]) == (1, 1)
