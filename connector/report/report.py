"""Report: everything that `leadloop report` shows, as plain JSON data. Reads the store; decides nothing.

The shape is documented in docs/report.md and only ever grows; `shape` is raised when a name changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection

from connector.clock import DAY_MS, SECOND_MS
from connector.configuration import Configuration
from connector.lead import LeadState
from connector.report import figures, history, named
from connector.report.confidence import TOO_FEW
from connector.report.context import DIMENSIONS
from connector.report.figures import Slice
from connector.report.findings import findings
from connector.report.period import Period
from connector.report.spans import ERROR
from connector.store import leads as lead_store
from connector.store import reported_leads, rollups
from connector.store.links import links_of

SHAPE: Final = 1
_MQL: Final = "mql"
_VISITS: Final = ("inquiry", "distributed", "opportunity")
_BREAKDOWN: Final = {
    "entered": _VISITS,
    "again": _VISITS,
    "left": ("distributed",),
    "mql": (),
    "response": (),
    "rejected": (),
}
"""The figures of a breakdown, and their stages."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: the period, the value of a dimension that it is about (None: all), the dimensions to
    break it down by, and whether leads may be called by their e-mail address."""

    period: Period
    only: tuple[str, str] | None = None
    by: Sequence[str] = DIMENSIONS
    names: bool = True


def report(conn: Connection, configuration: Configuration, wanted: Wanted, now_ms: int) -> dict[str, Any]:
    """The report on what is stored now. Moments are ISO 8601, UTC; lengths of time are milliseconds."""
    period, only = wanted.period, wanted.only
    now, before = _slice(conn, period, only), _slice(conn, period.before, only)
    fields, default_reason = configuration.report, configuration.rules.default_reason
    untouched = named.untouched(_states(conn, waiting=True), fields, only, now_ms)
    disagreements = named.disagreements(
        _states(conn, waiting=False),
        reported_leads.refused_values(conn),
        configuration.mapping,
        fields,
        only,
    )
    _name(conn, [*untouched["leads"], *disagreements["list"]], mails=wanted.names)
    for row in (*untouched["leads"], *untouched["owners"]):
        since_ms = row.pop("since_ms", None) or row.pop("oldest_ms")
        row |= {"since": _iso(since_ms), "days": (now_ms - since_ms) // DAY_MS}
    data: dict[str, Any] = {
        "shape": SHAPE,
        "made_at": _iso(now_ms),
        "configuration": configuration.version,
        "period": _days(period),
        "compared_with": _days(period.before),
        "only": None if only is None else {"dimension": only[0], "value": only[1]},
        "fields": {**fields._asdict(), "owner": "owner"},
        "too_few": TOO_FEW,
        "times_are_within": round(ERROR, 3),
        "mqls": {"now": figures.mqls(now), "before": figures.mqls(before)},
        "quality": {"unit": period.unit, "parts": _quality(conn, period, only)},
        "funnel": figures.funnel(now, before),
        "velocity": figures.velocity(now, before),
        "response": {"now": figures.response(now), "before": figures.response(before)},
        "deadlines": _deadlines(conn, period, only),
        "rejections": figures.rejections(now, before, default_reason),
        "rules": _rules(conn, period, only, now),
        "touches_before_mql": figures.touches(now),
        "by": {
            name: figures.breakdown(
                figures.slices(rollups.by_value(conn, name, *period, _BREAKDOWN)),
                figures.slices(rollups.by_value(conn, name, *period.before, {"mql": ()})),
            )
            for name in wanted.by
            if only is None
        },
        "untouched": untouched,
        "disagreements": disagreements,
    }
    return {**data, "summary": findings(data, default_reason)}


def _slice(conn: Connection, period: Period, only: tuple[str, str] | None) -> Slice:
    dimension, value = only or ("all", "")
    return figures.slices(rollups.totals(conn, dimension, *period, value)).get(value, Slice())


def _quality(conn: Connection, period: Period, only: tuple[str, str] | None) -> list[dict[str, Any]]:
    parts = list(period.parts())
    numbers: list[Counter[str]] = [Counter() for _ in parts]
    dimension, value = only or ("all", "")
    place = 0
    for day, how, number in rollups.by_day(conn, dimension, *period, value, _MQL):
        while day > parts[place].last:
            place += 1
        numbers[place][how] += number
    told = [(part.since.isoformat(), part.until.isoformat(), period.cuts(part)) for part in parts]
    return figures.quality(told, numbers)


def _rules(
    conn: Connection, period: Period, only: tuple[str, str] | None, base: Slice
) -> list[dict[str, Any]]:
    if only is None:
        return figures.rules(rollups.totals(conn, "rule", *period), base)
    return figures.rules(history.rules_of(conn, *period, only), base)


def _deadlines(conn: Connection, period: Period, only: tuple[str, str] | None) -> dict[str, Any] | None:
    """What happened to deadlines, by deadline and by owner; None where the report is about something else
    than an owner, since deadlines are recorded by owner only."""
    if only is not None and only[0] != "owner":
        return None
    rows = reported_leads.deadline_counts(
        conn, period.first * DAY_MS, (period.last + 1) * DAY_MS, None if only is None else only[1]
    )
    found: dict[str, dict[str, Counter[str]]] = {"deadlines": {}, "owners": {}}
    for deadline, owner, what, number in rows:
        found["deadlines"].setdefault(deadline, Counter())[what] += number
        found["owners"].setdefault(owner or "(none)", Counter())[what] += number
    kinds = ("started", "reminded", "met", "breached", "ended")
    return {
        kind: [
            {kind.removesuffix("s"): name, **{what: numbers[what] for what in kinds}}
            for name, numbers in sorted(counted.items(), key=lambda one: (-one[1]["breached"], one[0]))
        ]
        for kind, counted in found.items()
    }


def _states(conn: Connection, *, waiting: bool) -> Iterator[LeadState]:
    blobs = (
        reported_leads.states_in(conn, named.WAITING_STAGES)
        if waiting
        else reported_leads.states_that_name(conn, named.DIFFERING)
    )
    return map(LeadState.from_json, blobs)


def _name(conn: Connection, rows: Sequence[dict[str, Any]], *, mails: bool) -> None:
    """Say who each listed lead is: its e-mail address, and its records on the platforms."""
    ids = list(dict.fromkeys(row["lead"] for row in rows))
    states = {lead.id: LeadState.from_json(lead.state) for lead in lead_store.read_leads(conn, ids)}
    links = links_of(conn, ids)
    for row in rows:
        state = states.get(row["lead"])
        address = state.values.get("email") if state is not None and mails else None
        records = [str(link.key) for link in links.get(row["lead"], ()) if link.role == "primary"]
        row["records"] = records
        row["name"] = address if isinstance(address, str) else (records or [row["lead"]])[0]


def _days(period: Period) -> dict[str, Any]:
    return {"since": period.since.isoformat(), "until": period.until.isoformat(), "days": period.days}


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // SECOND_MS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
