"""Access: what a platform lets leadloop see of the mapped objects of its side. Reads metadata, no records.

An admin need not have granted everything that the mapping names, and may take some of it away while leadloop
runs. Leads do without the objects that are about no person, and that is told; without people there is nothing
to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from connector.lane import Lane
from connector.metadata_check import names_to_describe
from connector.platforms.errors import Refused, RetryLater
from connector.platforms.protocol import FieldInfo, Metadata, Platform
from mappings.mapping import SideMapping


@dataclass(frozen=True, slots=True)
class Access:
    """`metadata`: of the objects that may be read. `refused`: those that may not. `counted`: how many records
    there are (may be approximate), as far as that was answered; `unanswered`: why it was not."""

    metadata: Metadata
    refused: Mapping[str, Refused] = field(default_factory=dict)
    counted: Mapping[str, int] = field(default_factory=dict)
    unanswered: RetryLater | None = None

    @property
    def reasons(self) -> dict[str, str]:
        """Object to why it may not be read."""
        return {name: why.reason for name, why in self.refused.items()}

    def needs_people(self, side: SideMapping) -> None:
        """Raises Refused where people may not be read, or are not there."""
        people = [target.object for target in side.person_objects]
        for name in people:
            if name in self.refused:
                raise self.refused[name]
        if people and self.metadata.objects.keys().isdisjoint(people):
            raise Refused(
                f"{side.side} shows leadloop none of {', '.join(people)}: let the integration user read them"
            )


def access_to(platform: Platform, side: SideMapping, lane: Lane = Lane.UPDATE) -> Access:
    """What the side's platform says of the mapped objects. Raises RetryLater."""
    found, refused = _described(platform, side, lane)
    names = [name for name in side.objects if name in found]
    # What may be described may still not be read: that is another permission where objects are asked for one
    # by one. Who bundles them says it in the description.
    counted: dict[str, int] = {}
    unanswered: RetryLater | None = None
    for group in [names] if platform.batching.watch > 1 else [[name] for name in names]:
        try:
            counted |= platform.count(group, lane)
        except Refused as why:
            refused |= {name: why for name in group if len(group) == 1}
        except RetryLater as later:
            unanswered = later  # it may be read, as far as anybody knows: its polls tell
    seen = {name: fields for name, fields in found.items() if name not in refused}
    return Access(Metadata(seen), refused, counted, unanswered)


def _described(
    platform: Platform, side: SideMapping, lane: Lane
) -> tuple[Mapping[str, Mapping[str, FieldInfo]], dict[str, Refused]]:
    names = names_to_describe(side)
    try:
        return platform.describe(names, lane).objects, {}
    except Refused:
        found: dict[str, Mapping[str, FieldInfo]] = {}
        refused: dict[str, Refused] = {}
        for name in side.objects:
            try:
                own = [each for each in names if each.partition(".")[0] == name]
                found |= platform.describe(own, lane).objects
            except Refused as why:
                refused[name] = why
        return found, refused
