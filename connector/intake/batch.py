"""Batch: what linking one page of records has decided so far, before anything of it is stored. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field

from connector.intake.ambiguity import Ambiguity
from connector.lead import LeadState
from connector.observation import RecordKey
from connector.store import leads as lead_store
from connector.store.links import Link

_NO_ID = "*lead*"


@dataclass(slots=True)
class Batch:
    """What linking one page has decided so far. `rivals` are leads that show a key which another one has;
    `renamed` those that gave a key up, or took another lead in. `outsiders` are records that take no part, by
    name; `came_in` those that have a lead now."""

    now_ms: int
    dirty: set[str] = field(default_factory=set)
    links: list[Link] = field(default_factory=list)
    new_leads: list[lead_store.Lead] = field(default_factory=list)
    keys: list[tuple[str, str, str]] = field(default_factory=list)
    by_key: dict[tuple[str, str], str] = field(default_factory=dict)
    by_record: dict[RecordKey, str] = field(default_factory=dict)
    rivals: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    ambiguous: dict[RecordKey, Ambiguity] = field(default_factory=dict)
    renamed: set[str] = field(default_factory=set)
    one_person: list[tuple[str, str]] = field(default_factory=list)
    outsiders: dict[tuple[str, str], list[RecordKey]] = field(default_factory=dict)
    came_in: set[RecordKey] = field(default_factory=set)
    first_states: dict[str, bytes] = field(default_factory=dict)

    def first_state(self, origin: str, lead_id: str) -> bytes:
        """The state of a lead that begins now; all that begin on one side differ in their ids alone."""
        state = self.first_states.get(origin)
        if state is None:
            state = LeadState(lead_id=_NO_ID, origin=origin, created_ms=self.now_ms).to_json()
            self.first_states[origin] = state
        return state.replace(_NO_ID.encode(), lead_id.encode(), 1)
