"""Pipelines and their stages, and those that a new portal has (hubspot.md sections 10 and 11). Data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a pipeline. `probability` as HubSpot writes it, "1.0" when won."""

    stage_id: str
    label: str
    probability: str
    is_closed: bool


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One pipeline of an object, with its stages in order."""

    pipeline_id: str
    label: str
    stages: tuple[Stage, ...]


PIPELINES: Mapping[str, tuple[Pipeline, ...]] = {
    "deals": (
        Pipeline(
            "default",
            "Sales Pipeline",
            (
                Stage("appointmentscheduled", "Appointment Scheduled", "0.2", False),
                Stage("qualifiedtobuy", "Qualified To Buy", "0.4", False),
                Stage("presentationscheduled", "Presentation Scheduled", "0.6", False),
                Stage("decisionmakerboughtin", "Decision Maker Bought-In", "0.8", False),
                Stage("contractsent", "Contract Sent", "0.9", False),
                Stage("closedwon", "Closed Won", "1.0", True),
                Stage("closedlost", "Closed Lost", "0.0", True),
            ),
        ),
    ),
    "leads": (
        Pipeline(
            "lead-pipeline-id",
            "Lead pipeline",
            (
                Stage("new-stage-id", "New", "0.0", False),
                Stage("attempting-stage-id", "Attempting", "0.0", False),
                Stage("connected-stage-id", "Connected", "0.0", False),
                Stage("qualified-stage-id", "Qualified", "0.0", True),
                Stage("unqualified-stage-id", "Disqualified", "0.0", True),
            ),
        ),
    ),
}
