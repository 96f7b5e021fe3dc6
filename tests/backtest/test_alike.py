"""Which answered leads an MQL that never was is like, and how sure that is."""

from __future__ import annotations

import pytest

from connector.backtest.alike import FAR, Alike


def answered(*groups: tuple[str, int, int]) -> Alike:
    """Groups of answered leads: the rules that fired, how many were good, how many bad."""
    alike = Alike()
    for rules, good, bad in groups:
        for number in range(good + bad):
            alike.add(alike.pattern(rules.split()), good=number < good)
    return alike


def test_leads_for_which_the_same_rules_fired_decide() -> None:
    alike = answered(("title form", 18, 4), ("student form", 1, 24))
    good, bad = (alike.votes(alike.pattern(rules.split())) for rules in ("form title", "form student"))
    assert (good.good, good.of, good.like) == (18, 22, "good")
    assert (bad.good, bad.of, bad.like) == (1, 25, "bad")


def test_where_too_few_are_the_same_the_next_nearest_count_as_well() -> None:
    alike = answered(("title form", 3, 0), ("title form visit", 0, 20), ("a b c d e f", 50, 0))
    votes = alike.votes(alike.pattern(["title", "form"]))
    assert (votes.good, votes.of, votes.like) == (3, 23, "bad")


def test_leads_that_differ_in_many_rules_are_not_like_it() -> None:
    rules = [f"rule {number}" for number in range(FAR + 1)]
    alike = answered((" ".join(rule.replace(" ", "_") for rule in rules), 40, 0))
    votes = alike.votes(alike.pattern([]))
    assert (votes.of, votes.like) == (0, "unknown")


def test_of_very_few_nothing_is_guessed() -> None:
    alike = answered(("title form", 4, 0))
    assert alike.votes(alike.pattern(["title", "form"])).like == "unknown"
    assert alike.expected([alike.pattern(["title", "form"])]).of == 0


def test_what_to_expect_is_as_sure_as_the_leads_that_speak() -> None:
    alike = answered(("title form", 15, 5), ("student form", 2, 38))
    title, student = alike.pattern(["title", "form"]), alike.pattern(["student", "form"])
    once, often = alike.expected([title]), alike.expected([title] * 500)
    assert (once.share, round(once.of)) == (0.75, 20)
    assert (often.share, round(often.of)) == (0.75, 20)  # asked often, the same twenty know no more
    both = alike.expected([title, student])
    assert both.share == pytest.approx(0.4, abs=0.01)
    assert 20 < both.of < 60


def test_the_guess_is_checked_on_the_answered_leads_themselves() -> None:
    alike = answered(("title form", 18, 2), ("student form", 0, 30))
    checked = alike.checked()
    assert (checked.hits, checked.of) == (48, 50)
