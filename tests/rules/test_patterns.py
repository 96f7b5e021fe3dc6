"""Patterns mean what Python's `re` means by them, and no text makes them slow."""

from __future__ import annotations

import re
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.automaton import backtracking_steps, parse_pattern
from rules.patterns import MAX_STEPS, MAX_TEXT, Pattern, Unsearchable

parts = st.sampled_from(
    [
        "a",
        "b",
        "K",
        "ß",
        r"\b",
        r"\B",
        "^",
        "$",
        r"\A",
        r"\Z",
        ".",
        r"\w",
        r"\s",
        r"\d",
        "[ab]",
        "[^a]",
        "[a-z]",
        "(?:a|b)",
        "(a|bc)",
        "(?i:K)",
        "(?-i:a)",
        "(?s:.)",
        "ı",
        "\n",
        "(a*)",
        "(|a)",
        "(b+|a?)",
    ]
)
quantifiers = st.sampled_from(["", "", "", "*", "+", "?", "{2}", "{1,3}", "{0}", "*?", "+?"])
patterns = st.recursive(
    st.lists(st.tuples(parts, quantifiers).map("".join), min_size=1, max_size=4).map("".join),
    lambda inner: st.one_of(
        st.tuples(inner, quantifiers).map(lambda both: f"({both[0]}){both[1]}"),
        st.tuples(inner, inner).map("|".join),
    ),
    max_leaves=3,
)
texts = st.text("abABkK cß\n_ſıİ1", max_size=8)


@settings(max_examples=500, deadline=None)
@given(patterns, st.lists(texts, min_size=1, max_size=5))
def test_both_engines_agree_with_re(pattern: str, several: list[str]) -> None:
    try:
        expected = re.compile(pattern, re.IGNORECASE)
    except re.error:
        return
    compiled = Pattern(pattern)
    for text in several:
        found = expected.search(text) is not None
        assert compiled.by_automaton(text) is found, text
        assert compiled(text) is found


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"(a+)+$", "a" * 50_000 + "b"),
        (r"(a|a)*c$", "a" * 50_000 + "b"),
        (r"(.*)*x", "a" * 50_000),
        (r"(\w+\s?)+!", "word " * 10_000),
        (r"\s+$", " " * 50_000 + "x"),
        (r"(x+x+)+y", "x" * 50_000),
        (r"^(([a-z])+.)+[0-9]([a-z])+$", "a" * 50_000),
        (r"(a?){30}a{30}", "a" * 29),
        (r".*.*.*.*=.*", "x" * 50_000),
    ],
)
def test_patterns_that_run_away_elsewhere_do_not_here(pattern: str, text: str) -> None:
    compiled = Pattern(pattern)
    began = process_time()
    assert compiled(text) is False
    assert process_time() - began < 2


def test_backtracking_is_used_only_where_its_steps_are_bounded() -> None:
    for pattern in (r"\b(chief|vp)\b", r"\s*x\s*y", r"(a+)+$", r"^a.*b.*c"):
        parsed, limit = parse_pattern(pattern), Pattern(pattern).backtracks_up_to
        assert backtracking_steps(parsed, limit) <= MAX_STEPS
        assert limit == MAX_TEXT or backtracking_steps(parsed, limit + 1) > MAX_STEPS
    assert Pattern(r"\b(chief|vp|director|head)\b").backtracks_up_to > 1_000
    assert Pattern(r"(a+)+$").backtracks_up_to < 20


def test_the_automaton_forgets_what_it_learned_before_it_grows_too_large() -> None:
    pattern = Pattern(r"(a|b)*c(a|b|c){6}d|" + "|".join(chr(code) for code in range(0x4E00, 0x4E80)))
    letters = "".join(chr(0x3400 + code) for code in range(6_000)) * 5
    assert pattern.by_automaton(letters) is False
    assert pattern.by_automaton(letters + "cabcabcd") is True


@pytest.mark.parametrize("pattern", ["a{500}", "((a{30}){30}){30}", "(?<=a)b", "a" * 501, "(" * 400])
def test_what_cannot_be_bounded_is_refused(pattern: str) -> None:
    with pytest.raises(Unsearchable):
        Pattern(pattern)


def test_a_text_longer_than_any_field_is_unknown() -> None:
    assert Pattern("needle")("x" * (MAX_TEXT - 6) + "needle") is True
    assert Pattern("needle")("x" * MAX_TEXT + "needle") is None


def test_repeating_nothing_costs_nothing() -> None:
    began = process_time()
    assert Pattern("(((){400}){400}){400}a")("a") is True
    assert process_time() - began < 1
