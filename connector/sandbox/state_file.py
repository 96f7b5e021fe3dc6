"""The sandbox's state file: both worlds as JSON, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

_FORMAT = 1


class StateFileError(Exception):
    """A state file that cannot be read or written. `str()` is a sentence for a person."""


class StateFile:
    """One file. Remembers what it last wrote, so that an unchanged state is not written again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._last = b""

    def read(self) -> Mapping[str, Any] | None:
        """The saved state, None when there is no file yet. Raises StateFileError."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StateFileError(f"{self.path} cannot be read: {error.strerror}") from error
        try:
            state = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise StateFileError(f"{self.path} is not a sandbox state: {error}") from error
        if not isinstance(state, dict) or state.get("format") != _FORMAT:
            raise StateFileError(f"{self.path} is not a sandbox state of format {_FORMAT}")
        return state

    def prove_writable(self) -> None:
        """Raises StateFileError when it could not be written later; leaves nothing behind."""
        draft = self._draft()
        try:
            os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
            draft.unlink()
        except OSError as error:
            raise self._unwritable(error) from error

    def _draft(self) -> Path:
        return self.path.with_name(f".{self.path.name}.{os.getpid()}")

    def _unwritable(self, error: OSError) -> StateFileError:
        return StateFileError(
            f"{self.path} cannot be written ({error.strerror}): name another --state file, or make its folder"
        )

    def write(self, state: Mapping[str, Any]) -> bool:
        """Replace the file in one step, readable by its owner only. Returns whether there was anything new.
        Raises StateFileError."""
        content = orjson.dumps({"format": _FORMAT, **state}, option=orjson.OPT_NON_STR_KEYS)
        if content == self._last:
            return False
        draft = self._draft()
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
        except OSError as error:
            raise self._unwritable(error) from error
        self._last = content
        return True
