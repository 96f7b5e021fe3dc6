"""Known: which of a lead's values rules are told at a moment of the past. Pure.

There is no history of values: they are as they are now. What can be known to be later than the moment is kept
back; what cannot is told as it is, and whoever suspects a field bars it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from connector.backtest.history import History
from mappings.values import Value


@dataclass(frozen=True, slots=True)
class Known:
    """`barred` fields are blank always; `moments` (fields of the type datetime) while they lie ahead;
    `owners` until the lead was first handed over, since leadloop fills them in then."""

    barred: Collection[str] = ()
    moments: Collection[str] = ()
    owners: Collection[str] = ()

    def of(self, history: History) -> KnownValues:
        """The values of one lead, to be asked for by moment."""
        return KnownValues(self, history)


class KnownValues:
    """One lead's values by moment. `turns_ms` are the moments at which they change."""

    def __init__(self, known: Known, history: History) -> None:
        values = history.values
        if any(name in values for name in known.barred):
            values = {name: value for name, value in values.items() if name not in known.barred}
        self._values = values
        self._from_ms: dict[str, int] = {}
        for name in known.moments:
            when_ms = moment_ms(values.get(name))
            if when_ms is not None:
                self._from_ms[name] = when_ms
        if history.handed_ms is not None:
            self._from_ms.update((name, history.handed_ms) for name in known.owners if name in values)
        self.turns_ms = frozenset(self._from_ms.values())
        self._last_ms = max(self.turns_ms, default=0)

    def at(self, now_ms: int) -> Mapping[str, Value]:
        """What was known then."""
        if now_ms >= self._last_ms:
            return self._values
        hidden = {name for name, from_ms in self._from_ms.items() if from_ms > now_ms}
        return {name: value for name, value in self._values.items() if name not in hidden}


def moment_ms(value: Value) -> int | None:
    """Epoch milliseconds of a canonical datetime; None for whatever is none."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000)
