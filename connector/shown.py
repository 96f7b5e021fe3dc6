"""Shown: what the CRM shows of a hand-off, and how far the CRM was looked at. Pure; no I/O.

A deadline is for somebody who can see the lead. What was planned, refused, or is still waiting to be sent is
not there yet.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from connector.lead import LeadState
from connector.observation import RecordKey
from connector.outputs import handoff_natives, output_values
from connector.record_view import RecordView
from connector.refusals import WHOLE_RECORD, Refusal
from mappings.mapping import Mapping as LeadMapping
from mappings.values import NoSpelling, OwnerDirectory

_HAND_OFF = ("stage", "owner")
"""The leadloop fields that tell a salesperson of a hand-off."""


@dataclass(frozen=True, slots=True)
class CrmShows:
    """The CRM's part of what is known of a lead. `refused`: the CRM stands by its refusal of a hand-off.
    `looked_ms`: everything that happened to the lead's record up to then has been seen; None: that is not
    told, and taken for granted."""

    mapping: LeadMapping
    directory: OwnerDirectory
    views: tuple[RecordView, ...] = ()
    refused: bool = False
    looked_ms: int | None = None

    def since_ms(self, state: LeadState) -> int | None:
        """Since when the CRM shows that the lead is handed over as it is: stage and owner. 0: for longer than
        leadloop remembers. None: it does not."""
        if not any(side.kind == "crm" for side in self.mapping.sides.values()):
            return 0
        outputs = output_values(state)
        for view in self.views:
            answered: list[int] = []
            for name in _HAND_OFF:
                pair = view.mapping.output(name)
                if pair is None or pair.native not in view.fields:
                    continue
                try:
                    wanted = pair.write(outputs[name], self.directory)
                except NoSpelling:
                    break
                shown = view.fields[pair.native]
                if shown != wanted and view.baseline.spelled.get(pair.native) != (wanted, shown):
                    break
                sends = view.baseline.history.get(pair.native, ())
                answered.append(sends[-1][0] if sends else 0)
            else:
                return max(answered, default=0)
        return None


def crm_shows(
    views: Sequence[RecordView],
    refusals: Mapping[RecordKey, Mapping[str, Refusal]],
    mapping: LeadMapping,
    directory: OwnerDirectory,
    looked_ms: Mapping[tuple[str, str], int],
) -> CrmShows:
    """What the CRM's records show. `looked_ms`: by side and object, up to when it was looked at."""
    crm = [side.side for side in mapping.sides.values() if side.kind == "crm"]
    mine = tuple(view for view in views if view.side in crm)
    places = [(view.side, view.mapping.object) for view in mine]
    looked = [looked_ms[place] for place in places if place in looked_ms]
    return CrmShows(
        mapping=mapping,
        directory=directory,
        views=mine,
        refused=any(
            _refuses(refused, handoff_natives(mapping.sides[key.side].objects[key.object]))
            for key, refused in refusals.items()
            if key.side in crm and key.object in mapping.sides[key.side].objects
        ),
        looked_ms=min(looked, default=None),
    )


def _refuses(refused: Collection[str], handoff: Collection[str]) -> bool:
    return any(native == WHOLE_RECORD or native in handoff for native in refused)
