"""Findings: what a sweep has found, by cause, and what became of it. Plain data.

Names leads and records by their ids alone: what is kept of a finding in the database quotes nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from connector.observation import RecordKey

NAMED_AT_MOST = 200
"""Findings of one cause that are named; all are counted."""

AMISS: Mapping[str, str] = {
    "missed": "changed on the platform without being seen",
    "vanished": "deleted on the platform without being seen",
    "restored": "brought back on the platform without being seen",
    "altered": "the database says otherwise than the platform, at the same version",
    "unlinked": "a record that belongs to no lead",
    "linked_twice": "linked to a lead that is not its own, or to one that has another there",
    "no_record": "a link to a record that never was",
    "unplanned": "not in step, and nothing was going to be sent",
    "unexplained": "differs for no known reason",
}
"""What must not be, with the words for it. All but `unexplained` are repaired."""

STANDING: Mapping[str, str] = {
    "pending": "is under way: seen with the next look, decided or sent soon",
    "filtered": "the mapping's `filter:` leaves it out, or its `create:` does not ask for it",
    "older": "from before leadloop looked, and not backfilled",
    "forgotten": "the person was forgotten, and the record is still there",
    "deleted": "the record there was deleted, which is not undone",
    "held": "waits for a person: see `leadloop holds`",
    "quarantined": "refused by the platform: see `leadloop quarantine`",
    "resting": "from before leadloop; nothing is created until somebody does something",
    "first_contact": "differed when both were first met, and is left alone",
    "own_spelling": "the platform's own spelling of what was sent",
    "unspelled": "has no spelling there",
    "unreadable": "a side shows what means nothing here",
    "blank": "blank, which erases nothing and opts nobody in",
    "read_only": "is only read there",
}
"""What is known and needs no repair."""


class Named(NamedTuple):
    """Whom a finding is about. `fields` are native names; `repaired`: whether it was put right."""

    cause: str
    lead_id: str | None
    record: str | None
    fields: tuple[str, ...] = ()
    repaired: bool = False


def about(
    cause: str,
    *,
    lead_id: str | None = None,
    record: RecordKey | None = None,
    fields: Iterable[str] = (),
    repaired: bool = False,
) -> Named:
    """One finding."""
    return Named(cause, lead_id, None if record is None else str(record), tuple(fields), repaired)


@dataclass(slots=True)
class Findings:
    """How many there were of each cause, how many of those were repaired, and the first of them by name."""

    found: dict[str, int] = field(default_factory=dict)
    repaired: dict[str, int] = field(default_factory=dict)
    named: dict[str, list[Named]] = field(default_factory=dict)

    def add(self, new: Iterable[Named]) -> None:
        """Count, and name while there is room."""
        for one in new:
            self.found[one.cause] = self.found.get(one.cause, 0) + 1
            if one.repaired:
                self.repaired[one.cause] = self.repaired.get(one.cause, 0) + 1
            names = self.named.setdefault(one.cause, [])
            if len(names) < NAMED_AT_MOST:
                names.append(one)

    @property
    def amiss(self) -> int:
        """How many things were not as they must be, repaired or not."""
        return sum(number for cause, number in self.found.items() if cause in AMISS)

    @property
    def unexplained(self) -> int:
        """How many differ for no known reason."""
        return self.found.get("unexplained", 0)

    @property
    def left(self) -> int:
        """How many of those that must not be were not repaired."""
        return self.amiss - sum(self.repaired.values())

    def to_json(self) -> dict[str, Any]:
        """As it is kept in the database."""
        named = {cause: [list(one[1:]) for one in names] for cause, names in self.named.items()}
        return {"found": self.found, "repaired": self.repaired, "named": named}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Findings:
        """What `to_json` gave."""
        named = {
            cause: [Named(cause, one[0], one[1], tuple(one[2]), one[3]) for one in names]
            for cause, names in data["named"].items()
        }
        return cls(dict(data["found"]), dict(data["repaired"]), named)
