"""What the rules are told about a lead: its values, where it stands, what it did. Plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from mappings.stages import Stage
from mappings.values import Value


class Activity(NamedTuple):
    """Something that a lead did: `kind` (form_submission, page_view …), when, and what is known of it."""

    kind: str
    at_ms: int
    attributes: Mapping[str, Value] = {}


@dataclass(frozen=True, slots=True)
class Rejection:
    """Sales handed the lead back: the reason, when, in which cycle, and the score it had then, if known."""

    reason: str
    at_ms: int
    cycle: int
    score: int | None = None


@dataclass(frozen=True, slots=True)
class LeadFacts:
    """Everything that decides about one lead. Moments are epoch milliseconds, UTC.

    `values` are canonical values; None is blank, as is a field that is absent.
    `sides` names the sides where the lead exists, `origin` the one where it was first seen. `cycle_since_ms`
    is when the current cycle began (None: unknown); what happened before it earns no second fast track.
    `published_score` is the score that the platforms show (None: none yet); it decides when a score that
    decays is worth looking at again.
    """

    values: Mapping[str, Value]
    stage: Stage
    cycle: int
    stage_since_ms: int
    created_ms: int
    activities: Sequence[Activity] = ()
    rejections: Sequence[Rejection] = ()
    sides: frozenset[str] = field(default_factory=frozenset)
    origin: str = ""
    cycle_since_ms: int | None = None
    published_score: int | None = None
