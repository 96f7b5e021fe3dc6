"""Problems: what is wrong with a document, where, and what would have been right. Plain data; no reading."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

Path = tuple[str | int, ...]
"""The way to a value: keys of mappings and indexes of lists, from the top of the document."""

Place = tuple[int, int]
"""Line and column, both from 1."""


@dataclass(frozen=True, slots=True)
class ConfigError:
    """One thing that is wrong, where it is (line and column from 1), and what would be right. `repeats`, for
    what is wrong where a YAML alias stands: the place in the anchor, and the message that belongs there."""

    file: str
    line: int
    column: int
    message: str
    hint: str = ""
    repeats: tuple[Place, str] | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        hint = f"; {self.hint}" if self.hint else ""
        return f"{self.file}:{self.line}:{self.column}: {self.message}{hint}"


class ConfigErrors(Exception):
    """Everything that is wrong with the documents, in their order, so that it can be mended at once. What is
    wrong in an anchor is not told again for its aliases."""

    def __init__(self, errors: Sequence[ConfigError]) -> None:
        super().__init__(errors)
        told = {(error.file, (error.line, error.column), error.message) for error in errors}
        self.errors = [
            error for error in errors if error.repeats is None or (error.file, *error.repeats) not in told
        ]

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


def nearest(name: str, known: Collection[str]) -> str | None:
    """The known name that somebody who wrote `name` most likely meant, or None."""
    by_lower = {candidate.lower(): candidate for candidate in sorted(known)}
    found = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def did_you_mean(name: str, known: Collection[str]) -> str:
    """The hint behind an unknown name: the nearest known one, or all of them if they are few."""
    near = nearest(name, known)
    if near is not None:
        return f'did you mean "{near}"?'
    return f"known: {', '.join(sorted(set(known)))}" if 0 < len(known) <= 12 else ""
