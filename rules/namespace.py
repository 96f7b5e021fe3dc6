"""Namespace: the names that generated code knows, and the only place where source becomes a function.

What users wrote is never source: their texts and names are constants here, under names of our own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from rules.functions import RUNTIME
from rules.history import group_by_kind
from rules.values import add, clean_number, divide, fold_texts, multiply, read_moment, strange, subtract
from rules.wake import NOBODY

_BUILTINS: Final = {
    builtin.__name__: builtin for builtin in (Exception, bool, dict, float, int, len, max, str, tuple)
}
"""All that generated code has of Python's built-in names."""


class Namespace:
    """The constants and functions of one piece of generated code."""

    def __init__(self) -> None:
        self._names: dict[str, Any] = {
            **RUNTIME,
            "add": add,
            "clean_number": clean_number,
            "divide": divide,
            "fold_texts": fold_texts,
            "group_by_kind": group_by_kind,
            "multiply": multiply,
            "nobody": NOBODY,
            "read_moment": read_moment,
            "strange": strange,
            "subtract": subtract,
        }
        self._constants: dict[tuple[type, Any], str] = {}

    def constant(self, value: Any) -> str:
        """The name of a constant."""
        key = (type(value), value)
        name = self._constants.get(key)
        if name is None:
            name = self._constants[key] = f"k{len(self._constants)}"
            self._names[name] = value
        return name

    def add(self, **names: Any) -> None:
        """Further functions that the code may call."""
        self._names.update(names)

    def compile(self, name: str, parameters: str, body: Sequence[str]) -> Callable[..., Any]:
        """The function, from the lines of its body (indented relative to the function)."""
        source = f"def {name}({parameters}):\n" + "\n".join(f"    {line}" for line in body) + "\n"
        code = compile(source, f"<rules: {name}>", "exec", dont_inherit=True)
        space: dict[str, Any] = {"__builtins__": _BUILTINS, **self._names}
        exec(code, space)  # noqa: S102  # our own source, made from checked nodes; user text is never in it
        function: Callable[..., Any] = space[name]
        return function
