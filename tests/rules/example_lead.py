"""The example lead of the function table, and the fields and activities that the tests' rules can name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mappings.source import Source
from mappings.stages import Stage
from rules.evaluate import Rules
from rules.facts import Activity, LeadFacts, Rejection
from rules.load import load_rules

DAY_MS = 86_400_000
NOW_MS = 1_775_044_800_000  # 2026-04-01T12:00:00Z

FIELDS = {
    "email": "email",
    "phone": "phone",
    "job_title": "text",
    "company": "text",
    "country": "country",
    "industry": "picklist",
    "employees": "number",
    "revenue": "money",
    "opted_out": "boolean",
    "interests": "multi_select",
    "created": "datetime",
    "trial_ends": "date",
}
ACTIVITIES: dict[str, dict[str, str]] = {
    "form_submission": {"detail": "text"},
    "page_view": {"url": "text", "seconds": "number"},
    "email_open": {},
}
SIDES = ("salesforce", "hubspot")


def lead(now_ms: int = NOW_MS, values: Mapping[str, Any] | None = None, **changes: Any) -> LeadFacts:
    """The example lead; `values` change single values, `changes` other facts."""
    facts: dict[str, Any] = {
        "values": {
            "email": "ana@acme.example",
            "phone": None,
            "job_title": "VP Sales",
            "company": "Acme",
            "country": "DE",
            "industry": "Software",
            "employees": 250,
            "revenue": 1_500_000.5,
            "opted_out": False,
            "interests": ("CRM", "reports"),
            "created": "2026-03-20T08:00:00Z",
            "trial_ends": "2026-04-10",
            **(values or {}),
        },
        "stage": Stage.NURTURE,
        "cycle": 1,
        "stage_since_ms": now_ms - 4 * DAY_MS - 1,
        "created_ms": now_ms - 100 * DAY_MS,
        "activities": (
            Activity("form_submission", now_ms - 70 * DAY_MS, {"detail": "Newsletter"}),
            Activity("form_submission", now_ms - 20 * DAY_MS, {"detail": "Demo request"}),
            Activity("page_view", now_ms - 3 * DAY_MS, {"url": "/Pricing", "seconds": 40}),
        ),
        "rejections": (Rejection("timing", now_ms - 60 * DAY_MS, 1),),
        "sides": frozenset({"hubspot"}),
        "origin": "hubspot",
        **changes,
    }
    return LeadFacts(**facts)


def blank_lead(now_ms: int = NOW_MS, **changes: Any) -> LeadFacts:
    """A lead of which nothing is known but that it exists."""
    facts: dict[str, Any] = {
        "values": {},
        "stage": Stage.NURTURE,
        "cycle": 1,
        "stage_since_ms": now_ms,
        "created_ms": now_ms,
        **changes,
    }
    return LeadFacts(**facts)


def views(*days_ago: float) -> LeadFacts:
    """A lead of which nothing is known but that it saw pages so many days ago."""
    return blank_lead(
        activities=[Activity("page_view", NOW_MS - int(days * DAY_MS), {"url": "/"}) for days in days_ago]
    )


def rules_of(text: str, *more: str, sides: Sequence[str] | None = SIDES) -> Rules:
    """Load rules documents called rules.yaml, more1.yaml, …"""
    names = ["rules.yaml", *(f"more{number}.yaml" for number in range(1, len(more) + 1))]
    sources = [Source(name, document) for name, document in zip(names, (text, *more), strict=True)]
    return load_rules(sources, FIELDS, ACTIVITIES, sides=sides)
