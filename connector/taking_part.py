"""Taking part: which records leadloop works with, by the filter of their object. Pure; no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.observation import Observation, RecordKey
from mappings.mapping import Mapping as LeadMapping
from mappings.stages import Stage
from mappings.values import OwnerDirectory
from rules.expressions import Condition
from rules.facts import LeadFacts

Filters = Mapping[tuple[str, str], Condition]
"""Side and object to the condition that a record must meet to take part."""


def takes_part(item: Observation, filters: Filters, mapping: LeadMapping, directory: OwnerDirectory) -> bool:
    """Whether a record meets the filter of its object, by what it shows itself. What the filter cannot tell,
    because a field is blank, is no yes."""
    condition = filters.get((item.side, item.object))
    if condition is None:
        return True
    values = mapping.sides[item.side].objects[item.object].read(item.fields, directory).values
    facts = LeadFacts(values=values, stage=Stage.INQUIRY, cycle=1, stage_since_ms=0, created_ms=0)
    return condition(facts, 0) is True


def outside(
    observations: Sequence[Observation], filters: Filters, mapping: LeadMapping, directory: OwnerDirectory
) -> frozenset[RecordKey]:
    """The records of one lead that do not take part."""
    if not filters:
        return frozenset()
    return frozenset(item.key for item in observations if not takes_part(item, filters, mapping, directory))


def closed_sides(
    outside: frozenset[RecordKey], observations: Sequence[Observation], mapping: LeadMapping
) -> frozenset[str]:
    """The sides on which none of the person's records takes part, though there is one: nothing is said there
    and nothing is heard."""
    people = {
        item.key
        for item in observations
        if (side := mapping.sides.get(item.side)) is not None
        and (target := side.objects.get(item.object)) is not None
        and target.role == "person"
        and item.alive
    }
    return frozenset(key.side for key in people & outside) - {key.side for key in people - outside}
