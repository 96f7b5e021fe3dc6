"""Lives: histories of one lead, written down as rows of the ledger, and small rules to replay them under."""

from __future__ import annotations

from typing import Any

from connector.backtest.history import History, read_history
from connector.backtest.known import Known
from connector.backtest.replay import Life, replay
from connector.store.ledger import LedgerRow
from mappings.source import Source
from rules.evaluate import Rules
from rules.facts import Activity
from rules.load import load_rules

DAY_MS = 86_400_000
START_MS = 1_767_571_200_000
FIELDS = {
    "email": "email",
    "last_name": "text",
    "job_title": "text",
    "owner": "owner",
    "first_order": "datetime",
}
RULES = """
score:
  fit:
    - {rule: decides, when: 'contains(job_title, "vp")', points: 20}
  engagement:
    - {rule: form, on: form_submission, points: 20, half_life_days: 30}
gates:
  qualification: {when: not is_blank(email)}
  nurture: {}
  mql: {score: 50}
disqualify:
  - {rule: rival, when: 'job_title == "rival"', reason: competitor}
routes:
  - {route: all, owner: "queue:Inbound"}
rejection:
  default_reason: unspecified
  reasons:
    timing: {then: nurture, cooling_off_days: 60}
    competitor: {then: disqualify}
    wrong_territory: {then: reroute}
"""


def rules_of(text: str = RULES, **replaced: str) -> Rules:
    """The rules above, with pieces of their text replaced (`gate="mql: {score: 20}"`)."""
    pieces = {"gate": "mql: {score: 50}", "points": "form_submission, points: 20"}
    for name, new in replaced.items():
        assert pieces[name] in text
        text = text.replace(pieces[name], new)
    return load_rules([Source("rules.yaml", text)], FIELDS, {"form_submission": {"detail": "text"}})


def form(day: float, detail: str = "Newsletter") -> Activity:
    """A form filled in on a day of the story."""
    return Activity("form_submission", at(day), {"detail": detail})


def at(day: float) -> int:
    """A day of the story as a moment."""
    return int(START_MS + day * DAY_MS)


def row(day: float, origin: str | None, target: str, cause: str = "rules", **more: Any) -> LedgerRow:
    """A move on a day of the story, recorded at once."""
    facts: dict[str, Any] = {
        "lead_id": "L1",
        "cycle": 1,
        "origin": origin,
        "target": target,
        "skipped": (),
        "happened_ms": at(day),
        "recorded_ms": at(day),
        "cause": cause,
        "actor": None,
        "rules": [],
        "reason": None,
        "outcome": None,
        "configuration": "c",
        **more,
    }
    return LedgerRow(**facts)


BEGINS = (
    row(0, None, "inquiry", "created"),
    row(0, "inquiry", "qualification"),
    row(0, "qualification", "nurture"),
)


def history_of(*rows: LedgerRow, activities: list[Activity] | None = None, **more: Any) -> History:
    """The history of a VP with these rows after the beginning."""
    facts: dict[str, Any] = {
        "values": {"email": "ann@acme.example", "last_name": "Lee", "job_title": "VP Sales"},
        "created_ms": START_MS,
        "origin": "hubspot",
        "sides": frozenset({"hubspot"}),
        "resting": False,
        "live_since_ms": START_MS,
        **more,
    }
    found = read_history("L1", facts.pop("values"), activities or [], [*BEGINS, *rows], **facts)
    assert found is not None
    return found


def live(history: History, rules: Rules, days: float = 365, known: Known | None = None) -> Life:
    """The replayed life."""
    return replay(history, rules, (known or Known()).of(history), at(days))


def handed_days(history: History, rules: Rules, **more: Any) -> dict[int, float]:
    """The day on which each pursuit is handed over."""
    return {
        number: round((one.at_ms - START_MS) / DAY_MS, 2)
        for number, one in live(history, rules, **more).handed.items()
    }
