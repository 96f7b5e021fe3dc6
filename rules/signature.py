"""What a function of the expression language is: its parameters, its result, what it may depend on.

Plain data; the functions themselves are the table in `rules/functions.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Literal

from rules.value_types import Type


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: what it accepts, and whether its text is compared without regard to case.

    `names` says that the argument is a name written in the rules that is checked against those that exist:
    an activity, a rejection reason, a side; or a pattern, which is compiled.
    """

    name: str
    accepts: tuple[Type, ...]
    folded: bool = False
    optional: bool = False
    listed: bool = False
    names: Literal["activity", "reason", "side", "pattern"] | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """One function. `code` is a template over its arguments, which are never unknown there if `strict`;
    `{wake}` stands for what is told when the result next changes.

    `days` marks a number of whole days that changes by itself: since a moment, until one, or business days
    since one; `code` is then that moment. `total`: the result is never unknown when the arguments are known.
    `pure`: it depends on nothing but its arguments. `lowest`, `highest`: what the number can be. `gives`: the
    text is one of the names that the rules declare.
    """

    name: str
    parameters: tuple[Parameter, ...]
    result: Type
    doc: str
    example: tuple[str, bool | None]
    code: str
    strict: bool = True
    total: bool = True
    pure: bool = True
    days: Literal["since", "until", "business"] | None = None
    lowest: int | None = None
    highest: int | None = None
    gives: Literal["reason"] | None = None

    @property
    def type_range(self) -> tuple[float, float] | None:
        """The lowest and the highest number that the result can be; None for any."""
        if self.lowest is None and self.highest is None:
            return None
        return (-inf if self.lowest is None else self.lowest, inf if self.highest is None else self.highest)

    @property
    def signature(self) -> str:
        """How it is called: `count(activity, days=…)`."""
        return f"{self.name}({', '.join(f'{p.name}=…' if p.optional else p.name for p in self.parameters)})"
