"""A picklist table: what each native value of a field means. Exact spelling first, then whatever the case."""

from __future__ import annotations

from typing import Final, cast

from mappings.values import NoSpelling, Raw, Unreadable, Value

_NOTHING: Final = object()


class PicklistTable:
    """Native to canonical and back. Several native values may mean the same; the first one is written.

    With `refuse`, what is not in the table has no meaning and no spelling; without, it passes as it is."""

    def __init__(self, native: str, means: dict[str, Value], *, refuse: bool) -> None:
        self._native = native
        self._means = dict(means)
        self._any_case = {name.lower(): value for name, value in reversed(means.items())}
        self._spelled = {value: name for name, value in reversed(means.items())}
        self._refuse = refuse

    def read(self, text: str) -> Value:
        """What a native value means; itself if the table does not say. Raises Unreadable."""
        found: object = self._means.get(text, _NOTHING)
        if found is _NOTHING:
            found = self._any_case.get(text.lower(), _NOTHING)
        if found is not _NOTHING:
            return cast(Value, found)
        if self._refuse:
            raise Unreadable(f'"{text[:60]}" is not in the table of {self._native}')
        return text

    def write(self, value: Value) -> Raw:
        """The native value for a canonical one; itself if the table does not say. Raises NoSpelling, also
        when it would be read back as something else."""
        if value in self._spelled:
            return self._spelled[value]
        if self._refuse or isinstance(value, list | tuple) or str(value).lower() in self._any_case:
            raise NoSpelling(f'the table of {self._native} has nothing that means "{value}"')
        return value
