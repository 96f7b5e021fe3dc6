"""What an expression may name: lead fields, bare names, activities with their attributes, reasons, sides.

Built once per document from the mapping's fields and the configured sources of activities, and narrowed for
each place in the document. Plain data with look-ups.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from mappings.stages import Stage
from rules.value_types import TYPE_OF_FIELD, Type

SPECIAL_NAMES: Final[dict[str, Type]] = {
    "stage": Type.TEXT,
    "cycle": Type.NUMBER,
    "origin": Type.TEXT,
    "outcome": Type.TEXT,
    "closed_reason": Type.TEXT,
    "deal_amount": Type.NUMBER,
}
OPTIONAL_NAMES: Final = frozenset({"grade", "outcome", "closed_reason", "deal_amount"})
"""Bare names that are blank for some leads: below the last grade, or before the first opportunity closed."""
OUTCOMES: Final = ("won", "lost")

SCORE_NAMES: Final[dict[str, Type]] = {
    "fit": Type.NUMBER,
    "engagement": Type.NUMBER,
    "score": Type.NUMBER,
    "grade": Type.TEXT,
}
"""Known only once the lead has been scored: in gates, disqualify, routes and tracks."""

STAGE_NAMES: Final = tuple(stage.value for stage in Stage)

Activities = Mapping[str, Mapping[str, str] | None]
"""Kind to its attributes, each with the name of its type; None where the attributes are not declared."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The names that can be used in one place. None for `reasons`, `sides`, `grades`: not known, so
    not checked."""

    fields: Mapping[str, str]
    activities: Activities | None = None
    choices: Mapping[str, Collection[str]] = field(default_factory=dict)
    reasons: Collection[str] | None = None
    sides: Collection[str] | None = None
    grades: list[str] | None = None
    scores: bool = False
    on: str | None = None

    def within(self, *, scores: bool = False, on: str | None = None) -> Scope:
        """The same names in a place where scores are known, or inside a rule on an activity."""
        return replace(self, scores=scores, on=on)

    def field_type(self, name: str) -> Type | None:
        """The type of a lead field, or None if there is no such field."""
        declared = self.fields.get(name)
        return None if declared is None else TYPE_OF_FIELD.get(declared, Type.TEXT)

    def special_type(self, name: str) -> Type | None:
        """The type of a bare name that is known here, or None."""
        if name in SPECIAL_NAMES:
            return SPECIAL_NAMES[name]
        return SCORE_NAMES.get(name) if self.scores else None

    def attribute_type(self, name: str) -> Type | None:
        """The type of `activity.<name>` in this place, or None if the activity has no such attribute."""
        if name == "at":
            return Type.MOMENT
        attributes = None if self.activities is None or self.on is None else self.activities.get(self.on)
        if attributes is None:
            return Type.TEXT
        declared = attributes.get(name)
        return None if declared is None else TYPE_OF_FIELD.get(declared, Type.TEXT)

    def attribute_names(self) -> list[str]:
        """The declared attributes of the activity of this place."""
        attributes = None if self.activities is None or self.on is None else self.activities.get(self.on)
        return ["at", *(attributes or ())]

    def names(self) -> list[str]:
        """Every bare name that can be used here."""
        return [*self.fields, *SPECIAL_NAMES, *(SCORE_NAMES if self.scores else ())]


def declare_activities(
    activities: Collection[str] | Mapping[str, Collection[str]] | None,
) -> Activities | None:
    """The activities in the form of `Scope`, from whichever form the caller has.

    Kinds alone leave their attributes undeclared (any may be used, as text); kinds with attribute names make
    these text; kinds with a mapping of attribute to type name are taken as they are.
    """
    if activities is None:
        return None
    if not isinstance(activities, Mapping):
        return dict.fromkeys(activities)
    return {
        kind: dict(attributes) if isinstance(attributes, Mapping) else dict.fromkeys(attributes, "text")
        for kind, attributes in activities.items()
    }
