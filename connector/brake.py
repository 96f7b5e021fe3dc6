"""Brake: stops one kind of change when there is suddenly too much of it, and nothing else.

The counts live in the database, so that all workers share them; what is too much is decided here, purely.
Nobody connects software to a production CRM that can flood it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from connector.clock import HOUR_MS
from connector.plan import WantedHold

KINDS = ("regressions", "mql", "handoff", "owner_changes", "creates", "blanks")
"""What is counted: moves back by rules, MQLs, hand-offs, owner changes, new records, values blanked."""


def brake_hold(kind: str, what: str) -> WantedHold:
    """The hold on a lead for which the brake has stopped `what`, a change of this kind."""
    return WantedHold(
        kind="brake",
        subject=kind,
        message=f"The brake stopped {what}: too many at once.",
        remedy=f"Look at `leadloop brake`, then `leadloop brake release {kind}`.",
    )


@dataclass(frozen=True, slots=True)
class BrakeLimit:
    """At most this share of all leads in a window, but never stopped below `at_least`."""

    share: float
    at_least: int

    def allowed(self, leads: int) -> int:
        """How many changes of the kind a window may have, with so many leads in all."""
        return max(self.at_least, int(self.share * leads))


_DEFAULTS = {
    "regressions": BrakeLimit(0.05, 50),
    "mql": BrakeLimit(0.10, 200),
    "handoff": BrakeLimit(0.10, 200),
    "owner_changes": BrakeLimit(0.10, 200),
    "creates": BrakeLimit(0.10, 500),
    "blanks": BrakeLimit(0.05, 100),
}


@dataclass(frozen=True, slots=True)
class BrakeLimits:
    """The limits by kind, over windows of `window_ms`."""

    limits: Mapping[str, BrakeLimit] = field(default_factory=lambda: dict(_DEFAULTS))
    window_ms: int = HOUR_MS

    def window_start_ms(self, now_ms: int) -> int:
        """The beginning of the window that `now_ms` falls in."""
        return now_ms - now_ms % self.window_ms

    def exceeded(
        self, counted: Mapping[str, int], wanted: Iterable[str], leads: int, rates: Mapping[str, int | None]
    ) -> dict[str, str]:
        """The kinds that would go past their limit if all that is wanted were done, each with a sentence.

        `counted` is what this window has had, `rates` holds released kinds: their hourly rate, or None for
        no limit."""
        stopped: dict[str, str] = {}
        for kind, number in Counter(wanted).items():
            limit = self.limits.get(kind)
            if limit is None:
                continue
            allowed = limit.allowed(leads)
            if kind in rates:
                rate = rates[kind]
                if rate is None:
                    continue
                allowed = rate * self.window_ms // HOUR_MS
            done = counted.get(kind, 0)
            if done + number > allowed:
                stopped[kind] = (
                    f"{done + number} {kind} within {self.window_ms // 60_000} minutes; "
                    f"{allowed} are allowed with {leads} leads"
                )
        return stopped
