"""`leadloop brake`: the kinds of change that were stopped because there were too many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.failures import FOUND, Problem
from connector.cli.output import Page, counted, iso, moment, print_json
from connector.cli.place import place_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from connector.store.brakes import Brake

app = typer.Typer(invoke_without_command=True, help="Show what the brake has stopped, or let it go on.")


@app.callback()
def brake(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what the brake has stopped, or let it go on."""
    if ctx.invoked_subcommand is not None:
        return
    from connector.store import brakes

    place = place_of(ctx)
    now_ms = place.clock.now_ms()
    with place.database(read_only=True) as database, database.read() as conn:
        configuration = place.in_force(conn)
        known = brakes.brakes_of(conn, configuration.version)
        window_ms = configuration.brake.window_start_ms(now_ms)
        counts = brakes.counted(conn, configuration.version, window_ms)
        leads = _number_of_leads(conn)
        held = held_leads(conn)
    limits = {
        kind: _limit(known.get(kind), limit.allowed(leads), configuration.brake.window_ms)
        for kind, limit in configuration.brake.limits.items()
    }
    if as_json:
        print_json(
            {
                "configuration": configuration.version,
                "window_minutes": configuration.brake.window_ms // 60_000,
                "kinds": {
                    kind: {
                        "state": _state(known.get(kind)),
                        "this_window": counts.get(kind, 0),
                        "allowed": allowed,
                        "held_leads": len(held.get(kind, ())),
                        **_brake_data(known.get(kind)),
                    }
                    for kind, allowed in limits.items()
                },
            }
        )
        return
    page = Page()
    minutes = configuration.brake.window_ms // 60_000
    page.heading(f"Changes in this window of {minutes} minutes, with {counted(leads, 'lead')}")
    page.table(
        [
            (
                kind,
                _state(known.get(kind)),
                counts.get(kind, 0),
                "no limit" if allowed is None else allowed,
                len(held.get(kind, ())),
            )
            for kind, allowed in limits.items()
        ],
        ("kind", "state", "done", "allowed", "leads held"),
    )
    for kind, stopped in known.items():
        if stopped.released_ms is None:
            page.heading(f"{kind} has been stopped since {moment(stopped.tripped_ms)} UTC")
            page.line(stopped.message)
            page.line(f"Let it go on: leadloop brake release {kind}")


@app.command()
def release(
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="The kind of change that was stopped.")],
    per_hour: Annotated[
        int | None,
        typer.Option("--per-hour", metavar="N", min=1, help="At most so many an hour; else no limit."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Let a stopped kind of change go on, at once or at a rate."""
    from connector.brake import KINDS
    from connector.store import brakes
    from connector.store.leads import mark_all_dirty, mark_dirty
    from mappings.problems import did_you_mean

    if kind not in KINDS:
        raise Problem(f"{kind!r} is no kind of change; {did_you_mean(kind, KINDS)}")
    place = place_of(ctx)
    now_ms = place.clock.now_ms()
    with place.database() as database:
        with database.read() as conn:
            version = place.in_force(conn).version
        with database.begin() as conn:
            released = brakes.release(conn, version, kind, now_ms, per_hour)
            if not released:
                raise Problem(f"{kind} is not stopped: there is nothing to release.", FOUND)
            held = held_leads(conn).get(kind, [])
            if kind == "blanks":
                # a value that was not blanked leaves no hold behind: every lead is looked at again
                looked_at = mark_all_dirty(conn, now_ms)
            else:
                mark_dirty(conn, held, now_ms)
                looked_at = len(held)
    if as_json:
        print_json({"released": kind, "per_hour": per_hour, "leads": looked_at})
        return
    rate = "without a limit" if per_hour is None else f"at {per_hour} an hour"
    typer.echo(f"{kind} goes on {rate}; {counted(looked_at, 'lead')} will be looked at again.")


def held_leads(conn: Connection) -> dict[str, list[str]]:
    """Kind of change to the leads that the brake holds."""
    from connector.store.holds import open_holds

    found: dict[str, list[str]] = {}
    for lead_id, holds in open_holds(conn).items():
        for hold in holds:
            if hold.kind == "brake":
                found.setdefault(hold.subject, []).append(lead_id)
    return found


def _number_of_leads(conn: Connection) -> int:
    from connector.store.leads import count_by_stage

    return sum(count_by_stage(conn).values())


def _limit(brake: Brake | None, usual: int, window_ms: int) -> int | None:
    """What a window may have of a kind: the usual, or what it was released at (None: no limit)."""
    if brake is None or brake.released_ms is None:
        return usual
    return None if brake.per_hour is None else brake.per_hour * window_ms // 3_600_000


def _state(brake: Brake | None) -> str:
    if brake is None:
        return "runs"
    if brake.released_ms is None:
        return "stopped"
    return "released" if brake.per_hour is None else f"released at {brake.per_hour} an hour"


def _brake_data(brake: Brake | None) -> Mapping[str, Any]:
    if brake is None:
        return {}
    return {
        "message": brake.message,
        "stopped_at": iso(brake.tripped_ms),
        "released_at": iso(brake.released_ms),
        "per_hour": brake.per_hour,
    }
