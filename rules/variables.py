"""Variables: how generated code takes in the values that conditions name, each once, checked and folded.

For every lead field and activity attribute there are up to three variables: the value as it is, the text
without regard to case, the date as a moment. A value of the wrong kind becomes unknown and is reported
(`rules/values.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rules.value_types import TIMES, Type

Letters = tuple[str, str, str]
"""What the names of variables begin with: as it is, without case, as a moment."""

LEAD: Letters = ("v", "l", "m")
ACTIVITY: Letters = ("w", "x", "n")


class Variables:
    """The variables for the fields of a lead, or for the attributes of one activity."""

    def __init__(self, letters: Letters, get: str, prefix: str, constant: Callable[[Any], str]) -> None:
        """`get` is the code that a value is looked up with, `prefix` what stands before a name in reports,
        `constant` gives the name of a constant in the generated code."""
        self._raw, self._text, self._moment = letters
        self._get = get
        self._prefix = prefix
        self._constant = constant
        self._known: dict[str, tuple[int, Type]] = {}
        self._folded: set[int] = set()

    def __bool__(self) -> bool:
        return bool(self._known)

    def as_it_is(self, name: str, kind: Type) -> str:
        """The variable that holds the value as it is."""
        return f"{self._raw}{self._index(name, kind)}"

    def as_they_are(self) -> str:
        """Code of a dictionary of all values, by their names."""
        values = (f"{self._constant(name)}: {self._raw}{index}" for name, (index, _) in self._known.items())
        return "{" + ", ".join(values) + "}"

    def compared(self, name: str, kind: Type, *, folded: bool) -> str:
        """The variable that holds what conditions compare: a moment, a text without case, or the value."""
        index = self._index(name, kind)
        if kind in TIMES:
            return f"{self._moment}{index}"
        if folded and kind in (Type.TEXT, Type.TEXTS):
            self._folded.add(index)
            return f"{self._text}{index}"
        return f"{self._raw}{index}"

    def begin(self) -> list[str]:
        """The statements that fill the variables asked for so far."""
        return [line for name, (index, kind) in self._known.items() for line in self._fill(name, index, kind)]

    def _index(self, name: str, kind: Type) -> int:
        return self._known.setdefault(name, (len(self._known), kind))[0]

    def _fill(self, name: str, index: int, kind: Type) -> list[str]:
        raw, text = f"{self._raw}{index}", f"{self._text}{index}"
        got, said = f"{self._get}({self._constant(name)})", self._constant(self._prefix + name)
        strange = f"strange({said}, {raw}, {self._constant(kind.value)}, errors)"
        match kind:
            case Type.TEXT:
                lines = [
                    f"{raw} = {got} or None",
                    f"if {raw} is not None and {raw}.__class__ is not str: {raw} = {strange}",
                ]
                if index in self._folded:
                    lines.append(f"{text} = None if {raw} is None else {raw}.casefold()")
                return lines
            case Type.BOOLEAN:
                return [
                    f"{raw} = {got}",
                    f"if {raw} is not None and {raw}.__class__ is not bool: {raw} = {strange}",
                ]
            case Type.NUMBER:
                return [
                    f"{raw} = {got}",
                    f"if {raw} is not None and {raw}.__class__ is not int: "
                    f"{raw} = clean_number({said}, {raw}, errors)",
                ]
            case Type.TEXTS:
                return [
                    f"{raw} = {got} or None",
                    f"{text} = None if {raw} is None else fold_texts({said}, {raw}, errors)",
                    f"if {text} is None: {raw} = None",
                ]
            case _:
                return [
                    f"{raw} = {got}",
                    f"{self._moment}{index} = None if {raw} is None else read_moment({said}, {raw}, errors)",
                ]
