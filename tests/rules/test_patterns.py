"""Patterns mean what Python's `re` means by them, and no text makes them slow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from re import _constants  # type: ignore[attr-defined]  # typeshed does not list it
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rules.automaton import MAX_NODES, Automaton, backtracking_steps, parse_pattern
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


KILLERS = [
    (r"(a+)+$", "a", "b"),
    (r"(a|a)*c$", "a", "b"),
    (r"(.*)*x", "a", ""),
    (r"(\w+\s?)+!", "word ", ""),
    (r"\s+$", " ", "x"),
    (r"(x+x+)+y", "x", ""),
    (r"^(([a-z])+.)+[0-9]([a-z])+$", "a", ""),
    (r"(a?){30}a{30}", "b", ""),
    (r".*.*.*.*=.*", "x", ""),
    (r"(a|aa|aaa)+[^a]$", "a", ""),
]


class Steps:
    """Counts what the automaton does: places looked at, and characters read for the first time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.places = self.learned = 0
        closure, step = Automaton._closure, Automaton._step

        def counted_closure(automaton: Automaton, *given: Any) -> set[int]:
            seen = closure(automaton, *given)
            self.places += len(seen)
            return seen

        def counted_step(automaton: Automaton, *given: Any) -> Any:
            self.learned += 1
            return step(automaton, *given)

        monkeypatch.setattr(Automaton, "_closure", counted_closure)
        monkeypatch.setattr(Automaton, "_step", counted_step)


@pytest.mark.parametrize(("pattern", "part", "end"), KILLERS, ids=[pattern for pattern, _, _ in KILLERS])
def test_patterns_that_run_away_elsewhere_do_not_here(
    pattern: str, part: str, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One step for each character at most, and no step looks at more places than the pattern has; with a text
    ten times as long hardly anything is left to learn."""
    steps, compiled, learned = Steps(monkeypatch), Pattern(pattern), []
    for times in (500, 5_000, 50_000):
        text = (part * times)[: MAX_TEXT - 1] + end
        before = steps.learned
        assert compiled.by_automaton(text) is compiled(text) is False
        learned.append(steps.learned - before)
        assert steps.learned - before <= 2 * len(text)
    assert learned[2] <= learned[1] <= learned[0]
    assert steps.places <= (sum(learned) + 6) * MAX_NODES


def backtracked(items: Any, text: str) -> int:
    """The steps of a search that backtracks without any cleverness, each way tried at each start."""
    steps = 0

    def read(operation: Any, argument: Any) -> list[Any]:
        return list(argument) if operation is _constants.IN else [(operation, argument)]

    def ways(rest: tuple[Any, ...], at: int) -> Iterator[int]:
        nonlocal steps
        steps += 1
        if not rest:
            yield at
            return
        (operation, argument), more = rest[0], rest[1:]
        if operation is _constants.SUBPATTERN:
            for end in ways(tuple(argument[3]), at):
                yield from ways(more, end)
        elif operation is _constants.BRANCH:
            for branch in argument[1]:
                for end in ways(tuple(branch), at):
                    yield from ways(more, end)
        elif operation is _constants.MAX_REPEAT:
            least, most, body = argument
            yield from repeated(tuple(body), int(least), int(most), at, more, 0)
        elif at < len(text) and (_constants.LITERAL, ord(text[at])) in read(operation, argument):
            yield from ways(more, at + 1)

    def repeated(body: Any, least: int, most: int, at: int, more: Any, done: int) -> Iterator[int]:
        if done < most:
            for end in ways(body, at):
                if end > at or done < least:
                    yield from repeated(body, least, most, end, more, done + 1)
        if done >= least:
            yield from ways(more, at)

    for start in range(len(text) + 1):
        if next(ways(tuple(items), start), None) is not None:
            break
    return steps


plain = st.recursive(
    st.sampled_from(["a", "b", "aa", "ab"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}"])).map(lambda p: f"({p[0]}){p[1]}"),
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda p: f"({p[0]}|{p[1]})"),
    ),
    max_leaves=4,
)


@settings(max_examples=300, deadline=None)
@given(plain, st.text("ab", max_size=7))
def test_the_bound_of_steps_is_one(pattern: str, text: str) -> None:
    """Held against a search that tries every way; it counts up to six steps where the bound has one."""
    parsed = parse_pattern(pattern)
    bound = backtracking_steps(parsed, len(text))
    assume(bound < 100_000)
    assert backtracked(parsed, text) <= 6 * bound


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


def test_repeating_nothing_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Steps(monkeypatch)
    pattern = Pattern("(((){400}){400}){400}a")
    assert pattern("a") is pattern.by_automaton("a") is True
    assert steps.places < 10
