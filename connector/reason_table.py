"""Reason table: rejection reasons that a mapping names and the rules do not know. Pure; reads no files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from connector.claims import REASON_NEEDED
from mappings.problems import ConfigError, Path, did_you_mean
from mappings.source import Source, parse
from rules.evaluate import Rules
from rules.rejection import known_reason


def unknown_reasons(mappings: Sequence[Source], rules: Rules) -> list[ConfigError]:
    """Every entry of a table of rejection reasons that no reason of the rules is: what sales says there would
    count as the default. The documents are valid otherwise."""
    errors: list[ConfigError] = []
    for source in mappings:
        document = parse(source)
        for path, table in _tables(document.data):
            for native, meant in table.items():
                if meant != REASON_NEEDED and known_reason(str(meant), rules.reasons) is None:
                    message = f'no rule says what follows the rejection reason "{meant}"'
                    hint = did_you_mean(str(meant), rules.reasons)
                    errors.append(document.error((*path, native), message, hint))
    return errors


def _tables(data: Any) -> Iterator[tuple[Path, dict[Any, Any]]]:
    """The tables of the reasons in which sales speaks, with their places."""
    objects = data.get("objects") if isinstance(data, dict) else None
    for name, mapped in objects.items() if isinstance(objects, dict) else ():
        verdict = mapped.get("verdict") if isinstance(mapped, dict) else None
        reason = verdict.get("reason") if isinstance(verdict, dict) else None
        table = reason.get("table") if isinstance(reason, dict) else None
        if isinstance(table, dict):
            yield ("objects", name, "verdict", "reason", "table"), table
