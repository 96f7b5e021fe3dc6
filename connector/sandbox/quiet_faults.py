"""The quiet faults: values that a platform changes on save, and records that it refuses. Descriptions only;
`Faults` holds them and the worlds apply them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Literal, get_args

How = Literal["truncate", "trim", "lower", "upper", "round", "replace", "set"]


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A platform's quiet change of a value on save. `object` and `field` are native names.

    `argument`: truncate: the length; round: decimal places; replace: [regular expression, replacement];
    set: the value to store whatever was sent (a flow); trim, lower and upper need none."""

    object: str
    field: str
    how: How
    argument: Any = None

    def __post_init__(self) -> None:
        """Raises ValueError for what `apply` could not carry out."""
        if self.how not in get_args(How):
            raise ValueError(f"unknown rewrite {self.how!r}; there are: {', '.join(get_args(How))}")
        wanted = _ARGUMENTS.get(self.how)
        if wanted is not None and not wanted[1](self.argument):
            raise ValueError(f"the argument of {self.how} is {wanted[0]}, not {self.argument!r}")

    def apply(self, value: Any) -> Any:
        """What is stored when `value` is sent. Blank stays blank, except for `set`."""
        if self.how == "set":
            return self.argument
        if value is None or value == "":
            return value
        if self.how == "round":
            return _rounded(value, int(self.argument or 0))
        if not isinstance(value, str):
            return value
        if self.how == "truncate":
            return value[: int(self.argument)]
        if self.how == "trim":
            return value.strip()
        if self.how == "replace":
            pattern, replacement = self.argument
            return re.sub(pattern, replacement, value)
        return value.lower() if self.how == "lower" else value.upper()


def _is_replacement(argument: Any) -> bool:
    if not isinstance(argument, list | tuple) or not all(isinstance(each, str) for each in argument):
        return False
    try:
        return len(argument) == 2 and bool(re.compile(argument[0]))
    except re.error:
        return False


_ARGUMENTS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "truncate": ("a length", lambda given: isinstance(given, int) and given >= 0),
    "round": ("a number of decimal places", lambda given: given is None or isinstance(given, int)),
    "replace": ("a regular expression and its replacement", _is_replacement),
}


def _rounded(value: Any, places: int) -> Any:
    try:
        number = Decimal(str(value)).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    except InvalidOperation:
        return value
    if isinstance(value, str):
        return str(number)
    return int(number) if places <= 0 else float(number)


@dataclass(frozen=True, slots=True)
class BadRecord:
    """Any record of `object` whose `match_field` equals `match_value` is refused with `code` on save."""

    object: str
    match_field: str
    match_value: Any
    code: str
    message: str = ""
