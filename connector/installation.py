"""Installation: one configured leadloop at work, as the functions of intake, settling and delivery need it.

Built by `connector.wiring`, which is the only place that reads settings and connects to anything.
"""

from __future__ import annotations

import os
import random
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

from connector.brake import BrakeLimits
from connector.clock import Clock
from connector.connections import Connections
from connector.intake.timetable import SHORT_OVERLAP_SECONDS
from connector.lead_input import Policy
from connector.platforms.protocol import Owner, Platform
from connector.remembered import Options
from connector.report.context import DEFAULT_FIELDS, ReportFields
from connector.store.database import Database
from mappings.mapping import Mapping as LeadMapping


@dataclass(frozen=True, slots=True)
class Feed:
    """How one side is looked at: which objects with which native fields, how often each, and how far back;
    and how often deletions are looked for that `changes` does not show (0: never)."""

    objects: Mapping[str, tuple[str, ...]]
    seconds: Mapping[str, float]
    overlap_seconds: int
    short_overlap_seconds: int = SHORT_OVERLAP_SECONDS
    archived_seconds: float = 0.0

    @property
    def poll_seconds(self) -> dict[str, float]:
        """How often each of the objects is looked at that there are."""
        return {name: self.seconds[name] for name in self.objects}


_LEAD_ID = re.compile("L[0-9a-f]{24}")


def new_lead_id(now_ms: int) -> str:
    """A new lead id: opaque, unique, and safe in every platform's text field.

    Ids of one moment begin alike, so that leads that came together lie together in every index: with ids that
    are random throughout, storing 50,000 new leads takes half as long again on SQLite."""
    return f"L{now_ms:011x}{os.urandom(7).hex()[1:]}"


def is_lead_id(text: str) -> bool:
    """Whether a text has the form of an id that some leadloop has given."""
    return _LEAD_ID.fullmatch(text) is not None


@dataclass(slots=True)
class Installation:
    """Everything that a pass over the leads needs. `policy` is replaced when `owners`, the users and
    queues of each side, change; `lock` is held meanwhile.
    `complete` names the sides of which every person is known here (they were empty when leadloop was
    connected, or a backfill has read them), so that a create needs no look-up first.
    `aside` are connections for what is asked while leads are decided, in a thread that no side has to itself.
    `written`: the mapping as it is written, where that of the policy is what the platforms offer of it;
    `options`: what they offer. `verify_every_ms`: how long after the beginning of a sweep the next one
    begins; 0: never."""

    database: Database
    clock: Clock
    policy: Policy
    platforms: Mapping[str, Platform]
    feeds: Mapping[str, Feed]
    configuration: str
    aside: Connections = field(default_factory=lambda: Connections({}))
    brake: BrakeLimits = field(default_factory=BrakeLimits)
    owners: dict[str, Sequence[Owner]] = field(default_factory=dict)
    complete: set[str] = field(default_factory=set)
    written: LeadMapping | None = None
    options: Options = field(default_factory=dict)
    read_before_handoff: bool = False
    verify_every_ms: int = 0
    report_fields: ReportFields = DEFAULT_FIELDS
    new_lead_id: Callable[[int], str] = new_lead_id
    new_token: Callable[[], str] = lambda: uuid.uuid4().hex
    jitter: Callable[[], float] = random.random
    lock: Lock = field(default_factory=Lock)
    on_event: Callable[[str, Mapping[str, object]], None] = lambda _name, _facts: None

    @property
    def mapping(self) -> LeadMapping:
        """The mapping as it is written."""
        return self.policy.mapping if self.written is None else self.written
