"""JSON stream: the values of a JSON file, one at a time, each with its line. Holds one value in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TextIO

CHUNK: Final = 65_536
LONGEST_VALUE: Final = 8_000_000
"""Characters of one value; more is a mistake in the file."""


class LeadFileError(Exception):
    """The file cannot be used. `str()` is what the user is told, with the place."""


def json_objects(path: Path, file: TextIO) -> Iterator[tuple[int, Any]]:
    """The values of a JSON list, or one after another, each with its line. Raises LeadFileError."""
    decoder = json.JSONDecoder()
    buffer, line, ended, listed, begun, closed = "", 1, False, False, False, False

    def drop(count: int) -> None:
        nonlocal buffer, line
        line += buffer.count("\n", 0, count)
        buffer = buffer[count:]

    size = CHUNK
    while True:
        blank = len(buffer) - len(buffer.lstrip(" \t\r\n," if begun else " \t\r\n"))
        drop(blank)
        if not begun and buffer:
            begun, listed = True, buffer[0] == "["
            if listed:
                drop(1)
                continue
        if closed:
            if buffer:
                raise LeadFileError(f"{path}:{line}: there is more behind the end of the list.")
            if ended:
                return
        elif listed and buffer[:1] == "]":
            closed = True
            drop(1)
            continue
        if buffer and not closed:
            try:
                value, end = decoder.raw_decode(buffer)
            except RecursionError:
                raise LeadFileError(f"{path}:{line}: this is nested too deeply.") from None
            except json.JSONDecodeError as fault:
                if ended or len(buffer) > LONGEST_VALUE:
                    at = line + buffer.count("\n", 0, fault.pos)
                    raise LeadFileError(f"{path}:{at}: this is not valid JSON: {fault.msg}.") from None
            except ValueError:  # the only other one: Python reads no number of so many digits
                raise LeadFileError(f"{path}:{line}: a number in this lead has too many digits.") from None
            else:
                if end < len(buffer) or ended:
                    yield line, value
                    drop(end)
                    size = CHUNK
                    continue
        elif ended and not closed:
            if listed:
                raise LeadFileError(f"{path}:{line}: the list has no end: a ] is missing.")
            return
        more = file.read(size)
        size *= 2
        ended = not more
        buffer += more
