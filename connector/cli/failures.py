"""Failures: which errors are the user's to mend, what they are told, and the exit code.

Exit codes: 0 done, 1 found a problem it was asked to look for (or could not be done now), 2 wrong usage or
configuration. An error that is not listed here is a bug, and keeps its traceback. Errors are recognised by
name, so that asking for help does not import the store and the platforms.
"""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

WRONG = 2
FOUND = 1

EXIT_CODES = {
    "mappings.problems.ConfigErrors": WRONG,
    "connector.platforms.settings.SettingsError": WRONG,
    "connector.store.errors.StoreError": WRONG,
    "connector.platforms.errors.WrongAccount": WRONG,
    "connector.platforms.errors.Refused": WRONG,
    "connector.platforms.errors.RetryLater": FOUND,
    "connector.worker.passes.NeverQuiet": FOUND,
    "connector.sandbox.seed.SeedError": WRONG,
    "connector.sandbox.state_file.StateFileError": WRONG,
    "connector.sandbox.server.PortTakenError": WRONG,
}
"""Errors whose text is a sentence for the user, and the exit code of each. Subclasses count as well."""


class Problem(Exception):
    """A command cannot go on. `str()` is what the user is told: what is wrong, where, and the remedy."""

    def __init__(self, message: str, code: int = WRONG) -> None:
        super().__init__(message)
        self.code = code


class Commands(TyperGroup):
    """The commands, with every listed error as one message on stderr and its exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command. `ctx` is the context of whichever click this typer brings."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            code = exit_code(error)
            if code is None:
                raise
            typer.echo(told(error), err=True)
            raise typer.Exit(code) from None


def exit_code(error: Exception) -> int | None:
    """The exit code of an error that is listed; None for any other."""
    if isinstance(error, Problem):
        return error.code
    for kind in type(error).__mro__:
        code = EXIT_CODES.get(f"{kind.__module__}.{kind.__qualname__}")
        if code is not None:
            return code
    return None


def told(error: Exception) -> str:
    """What the user is told of it."""
    if type(error).__name__ == "ConfigErrors":
        return f"{error}\nThe configuration cannot be used; `leadloop check` looks at it again."
    text = str(error)
    return text[:1].upper() + text[1:] if text.startswith(_SENTENCES) else text


_SENTENCES = ("the ", "no ", "port ", "another ")
"""How texts begin that are sentences, and not the name of a file or a field."""
