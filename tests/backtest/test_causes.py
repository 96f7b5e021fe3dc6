"""Why an MQL is gained or lost: the rule, the threshold or the past that makes the difference."""

from __future__ import annotations

import pytest

from connector.backtest.causes import COOLING_OFF, EARLIER_GATE, GATE, PAST, why
from rules.evaluate import Rules
from tests.backtest.lives import RULES, form, history_of, live, row, rules_of

LEAD = history_of(activities=[form(10), form(12)])


def cause(had: Rules, lacks: Rules, history: object = LEAD) -> tuple[str, ...]:
    """Why `had` hands the lead over and `lacks` does not."""
    handed = live(LEAD if history is LEAD else history, had).handed  # type: ignore[arg-type]  # histories both
    one = handed[max(handed)]
    return why(one.verdict, had, lacks, one.facts, one.at_ms)


@pytest.mark.parametrize(
    ("lacks", "told"),
    [
        (RULES.replace("mql: {score: 50}", "mql: {score: 65}"), (GATE,)),
        (RULES.replace('"vp")\', points: 20', '"vp")\', points: 5'), ("decides",)),
        (RULES.replace("form_submission, points: 20", "form_submission, points: 12"), ("form",)),
        (RULES.replace("mql: {score: 50}", "mql: {score: 50, when: is_blank(last_name)}"), (GATE,)),
        (RULES.replace('job_title == "rival"', 'job_title == "VP Sales"'), ("rival",)),
        (RULES.replace("when: not is_blank(email)", "when: is_blank(email)"), (EARLIER_GATE,)),
        (RULES, (PAST,)),
    ],
)
def test_what_differs_is_named(lacks: str, told: tuple[str, ...]) -> None:
    assert cause(rules_of(), rules_of(lacks)) == told


def test_a_fast_track_of_its_own_is_the_cause() -> None:
    fast = RULES + "fast_track:\n  - {rule: two forms, when: 'count(\"form_submission\") >= 1'}\n"
    assert cause(rules_of(fast), rules_of()) == ("two forms",)


def test_of_several_rules_as_many_are_named_as_are_enough() -> None:
    both = RULES.replace('"vp")\', points: 20', '"vp")\', points: 2').replace(
        "form_submission, points: 20", "form_submission, points: 18"
    )
    assert cause(rules_of(), rules_of(both)) == ("decides",)
    without = both.replace("points: 2}", "points: 8}").replace("points: 18", "points: 10")
    assert cause(rules_of(), rules_of(without)) == ("form", "decides")


def test_a_longer_cooling_off_is_the_cause() -> None:
    returned = history_of(
        row(12, "nurture", "mql"),
        row(15, "mql", "nurture", "sales", reason="timing", cycle=2),
        activities=[form(10), form(12), form(30), form(31)],
    )
    short = rules_of(RULES.replace("cooling_off_days: 60", "cooling_off_days: 5"))
    assert cause(short, rules_of(), returned) == (COOLING_OFF,)
