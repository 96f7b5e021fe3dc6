"""`leadloop status`: how things stand, in one look: leads, backlog, writes, holds, calls, cursors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.output import LANES, Page, counted, iso, print_json, span
from connector.cli.place import place_of
from connector.cli.status_calls import (
    backfill_rows,
    call_rows,
    calls_as_data,
    pause_as_data,
    pause_rows,
    plain_moment,
    waiting_row,
)
from connector.clock import DAY_MS

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from connector.configuration import Configuration


def status(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show how things stand. Leads by stage, backlog, writes, holds, refusals, calls and cursors."""
    place = place_of(ctx)
    now_ms = place.clock.now_ms()
    with place.database(read_only=True) as database, database.read() as conn:
        configuration = place.in_force(conn)
        data = as_data(conn, configuration, now_ms)
    if as_json:
        print_json(data)
    else:
        from mappings.vocabulary import labelled

        _print(labelled(data, configuration.vocabulary))


def as_data(conn: Connection, configuration: Configuration, now_ms: int) -> dict[str, Any]:
    """How things stand, as plain JSON data."""
    from connector.learning import refused_objects
    from connector.owner_check import missing_owners
    from connector.remembered import recall
    from connector.spending import spending_of, unfinished_backfills
    from connector.store import (
        brakes,
        configurations,
        cursors,
        deadline_events,
        holds,
        inbox,
        leads,
        outbox,
        quarantine,
    )
    from connector.store.settings_values import get_value
    from connector.wiring import LIVE_SINCE
    from mappings.stages import Stage

    applied = configurations.applied_configuration(conn)
    stages = leads.count_by_stage(conn)
    backlog = leads.backlog(conn, now_ms)
    refused = quarantine.count(conn)
    stopped = [
        kind
        for kind, brake in brakes.brakes_of(conn, configuration.version).items()
        if brake.released_ms is None
    ]
    queues: dict[str, dict[str, int]] = {side: {} for side in configuration.mapping.sides}
    for queue, number in outbox.counts(conn).items():
        side = queues.setdefault(queue.side, {})
        name = "in_flight" if queue.state == "in_flight" else LANES.get(queue.lane, str(queue.lane))
        side[name] = side.get(name, 0) + number
    told = inbox.count_hints(conn)
    sides = {}
    for side_name in configuration.mapping.sides:
        looked = cursors.updated_ms(conn, side_name)
        reached = cursors.cursors_of(conn, side_name)
        spending = spending_of(conn, side_name, now_ms)
        sides[side_name] = {
            "account": get_value(conn, f"account:{side_name}"),
            "calls": calls_as_data(spending, now_ms),
            "paused": pause_as_data(spending, now_ms),
            "pending_writes": queues[side_name],
            "told_of": {
                "waiting": told[side_name].hints if side_name in told else 0,
                "oldest_seconds": (
                    max(0, now_ms - told[side_name].oldest_ms) // 1_000 if side_name in told else None
                ),
            },
            "backfill": [
                {name: each[name] for name in ("object", "records", "total")}
                for each in unfinished_backfills(conn, side_name)
            ],
            "quarantined": refused.get(side_name, 0),
            "not_read": refused_objects(conn, side_name),
            "verified": verified(conn, side_name),
            "stream": stream(conn, side_name, now_ms),
            "cursors": {
                name: {
                    "reached": iso(cursor.stamp_ms),
                    "age_seconds": max(0, now_ms - cursor.stamp_ms) // 1_000,
                    "moved_at": iso(looked.get(name)),
                }
                for name, cursor in reached.items()
                if name in configuration.mapping.sides[side_name].objects
            },
        }
    return {
        "configuration": configuration.version,
        "applied_at": iso(applied.applied_ms) if applied is not None else None,
        "live_since": iso(get_value(conn, LIVE_SINCE)),
        "leads": sum(stages.values()),
        "stages": {stage.value: stages.get(stage.value, 0) for stage in Stage},
        "backlog": {
            "dirty": backlog.dirty,
            "due": backlog.due,
            "being_decided": backlog.leased,
            "oldest_since": iso(backlog.oldest_dirty_ms),
            "oldest_seconds": (
                max(0, now_ms - backlog.oldest_dirty_ms) // 1_000
                if backlog.oldest_dirty_ms is not None
                else None
            ),
        },
        "holds": holds.count_open(conn),
        "deadlines_in_24_hours": deadline_events.count(conn, now_ms - DAY_MS),
        "brake_stopped": stopped,
        "missing_owners": [
            {"owner": one.named.owner, "side": one.side, "where": one.named.where, "message": one.message}
            for one in missing_owners(
                configuration.rules.named_owners,
                configuration.mapping,
                recall(conn, configuration.mapping.sides).directory,
            )
        ],
        "sides": sides,
    }


def stream(conn: Connection, side: str, now_ms: int) -> dict[str, Any] | None:
    """How far a side's stream of events is stored, and whether it is followed; None if it never was."""
    from connector.intake.streams import lease_of
    from connector.store.leases import lease_held
    from connector.store.streams import stream_places

    place = stream_places(conn).get(side)
    if place is None:
        return None
    reached_ms = place.reached_ms or place.seen_ms or None
    return {
        "followed": lease_held(conn, lease_of(side), now_ms),
        "reached": iso(reached_ms),
        "age_seconds": None if reached_ms is None else max(0, now_ms - reached_ms) // 1_000,
        "lost_at": iso(place.lost_ms),
        "lost_because": place.lost,
        "warned_at": iso(place.warned_ms),
        "warning": place.warning,
    }


def verified(conn: Connection, side: str) -> dict[str, Any] | None:
    """When a side was last proven to have nothing missed, and what was found."""
    from connector.intake.sweep import last_sweep

    swept = last_sweep(conn, side)
    if swept is None:
        return None
    findings = swept.findings
    return {
        "at": iso(swept.ended_ms),
        "records": swept.records,
        "leads": swept.leads,
        "repaired": sum(findings.repaired.values()),
        "unexplained": findings.unexplained,
    }


def _print(data: dict[str, Any]) -> None:
    page = Page()
    page.heading(f"{counted(data['leads'], 'lead')} (moments are UTC)")
    page.table([(stage, number) for stage, number in data["stages"].items() if number])
    backlog = data["backlog"]
    page.heading("Work")
    waiting = counted(backlog["dirty"], "lead")
    if backlog["oldest_seconds"] is not None:
        waiting += f", the longest for {span(backlog['oldest_seconds'] * 1_000)}"
    held = ", ".join(f"{kind} {number}" for kind, number in sorted(data["holds"].items()))
    page.table(
        [
            ("to be looked at", waiting),
            ("due by time", counted(backlog["due"], "lead")),
            ("held", held or "nothing"),
            ("deadlines in 24 hours", _deadlines(data["deadlines_in_24_hours"])),
            ("brake", f"has stopped {', '.join(data['brake_stopped'])}" if data["brake_stopped"] else "runs"),
            ("configuration", data["configuration"] + _since(", applied", data["applied_at"])),
        ]
    )
    if data["missing_owners"]:
        page.heading("Owners in the rules who cannot get leads")
        page.table([(missing["where"], missing["message"]) for missing in data["missing_owners"]])
    for side, known in data["sides"].items():
        page.heading(side)
        pending = ", ".join(f"{name} {number}" for name, number in sorted(known["pending_writes"].items()))
        rows: list[tuple[str, object]] = [
            ("account", known["account"] or "not connected yet"),
            *pause_rows(known["paused"]),
            *call_rows(known["calls"]),
            ("pending writes", pending or "none"),
            ("told of, to be read", waiting_row(known["told_of"])),
            ("refused values", known["quarantined"]),
            ("verified", _verified(known["verified"])),
        ]
        if known["stream"] is not None:
            rows += _stream(known["stream"])
        rows += backfill_rows(known["backfill"])
        rows += [(f"not read ({name})", reason) for name, reason in known["not_read"].items()]
        for name, cursor in known["cursors"].items():
            age = span(cursor["age_seconds"] * 1_000)
            rows.append((f"read up to ({name})", f"{plain_moment(cursor['reached'])}, {age} ago"))
        page.table(rows)


def _stream(place: dict[str, Any]) -> list[tuple[str, object]]:
    followed = "followed" if place["followed"] else "not followed"
    told = f"{followed}, and has told nothing yet"
    if place["reached"]:
        age = span(place["age_seconds"] * 1_000)
        told = f"{followed}, up to {plain_moment(place['reached'])}, {age} ago"
    rows: list[tuple[str, object]] = [("stream", told)]
    if place["warning"]:
        rows.append(("stream warns", f"{plain_moment(place['warned_at'])}: {place['warning']}"))
    if place["lost_at"]:
        rows.append(("stream lost its place", f"{plain_moment(place['lost_at'])}: {place['lost_because']}"))
    return rows


def _deadlines(numbers: dict[str, int]) -> str:
    told = [f"{numbers[what]} {what}" for what in ("started", "met", "breached") if numbers.get(what)]
    return ", ".join(told) or "none"


def _verified(last: dict[str, Any] | None) -> str:
    if last is None:
        return "not yet"
    return f"{plain_moment(last['at'])}: {last['repaired']:,} put right, {last['unexplained']:,} unexplained"


def _since(words: str, at: str | None) -> str:
    return f"{words} {plain_moment(at)}" if at else ", not applied yet"
