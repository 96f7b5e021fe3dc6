"""Patterns of `matches()`: regular expressions whose time is bounded, whatever the text.

Python's own engine is fast but backtracks. For each pattern the number of steps that it can need is bounded
from its structure; texts short enough to stay below `MAX_STEPS` are searched by it, longer ones by the
automaton, which reads each character once. Both give the same answer. Never raises at run time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from rules.automaton import Automaton, Unsearchable, backtracking_steps, parse_pattern

MAX_PATTERN: Final = 500
"""Characters that a pattern may have."""
MAX_TEXT: Final = 131_072
"""Characters that a text may have (the longest text field of Salesforce); longer ones are unknown."""
MAX_STEPS: Final = 200_000.0
"""Steps that the backtracking engine may take for one text: about a millisecond."""

__all__ = ["MAX_PATTERN", "MAX_TEXT", "Pattern", "Unsearchable", "compiled_pattern"]


class Pattern:
    """A compiled, case-insensitive pattern; calling it tells whether a text contains it."""

    __slots__ = ("_automaton", "_search", "backtracks_up_to", "text")

    def __init__(self, text: str) -> None:
        """Raises Unsearchable with a reason that can be shown to the author of the pattern."""
        if len(text) > MAX_PATTERN:
            raise Unsearchable(f"the pattern has {len(text)} characters; {MAX_PATTERN} are allowed")
        parsed = parse_pattern(text)
        self.text = text
        try:
            self._automaton = Automaton(parsed)
        except RecursionError:
            raise Unsearchable("the pattern is nested too deeply") from None
        self._search: Callable[[str], Any] = re.compile(text, re.IGNORECASE).search
        self.backtracks_up_to = _longest(parsed)

    def __call__(self, text: str) -> bool | None:
        """Whether the text contains the pattern; None for a text that is too long to tell."""
        if len(text) <= self.backtracks_up_to:
            return self._search(text) is not None
        return self._automaton.search(text) if len(text) <= MAX_TEXT else None

    def by_automaton(self, text: str) -> bool:
        """The same answer, always by the automaton."""
        return self._automaton.search(text)

    @property
    def matches_empty(self) -> bool:
        """Whether every text matches, however short: such a pattern says nothing."""
        return self._search("") is not None and self._search("\x00") is not None


@lru_cache(maxsize=1024)
def compiled_pattern(text: str) -> Pattern:
    """The pattern, compiled once however often it is used. Raises Unsearchable."""
    return Pattern(text)


def _longest(parsed: Any) -> int:
    """The longest text that the backtracking engine searches in MAX_STEPS."""
    low, high = 0, MAX_TEXT
    while low < high:
        middle = (low + high + 1) // 2
        if backtracking_steps(parsed, middle) <= MAX_STEPS:
            low = middle
        else:
            high = middle - 1
    return low
