"""`leadloop quarantine`: the values that a platform refused, by field, and trying them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.failures import Problem
from connector.cli.find import LEAD, one_lead
from connector.cli.output import Page, counted, iso, moment, print_json
from connector.cli.place import Place, place_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from connector.observation import RecordKey
    from connector.store.quarantine import Refusal

SHOWN = 200
"""How many are listed in text; --json lists all."""

EVERYTHING = 10_000_000
"""More than can be: the store's listing wants a limit."""

app = typer.Typer(invoke_without_command=True, help="List refused values, or try them again.")


@app.callback()
def quarantine(
    ctx: typer.Context,
    side: Annotated[str | None, typer.Option("--side", metavar="SIDE", help="Only this side.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the values that a platform refused, or try them again."""
    if ctx.invoked_subcommand is not None:
        return
    from connector.store import quarantine as store

    place = place_of(ctx)
    with place.database(read_only=True) as database, database.read() as conn:
        rows = store.quarantined(conn, side=side, limit=EVERYTHING)
        if not rows:
            _must_be_a_side(place, conn, side)
        leads = leads_behind(conn, [row.key for row in rows])
    if as_json:
        print_json({"quarantine": [refusal_data(row, leads.get(row.key)) for row in rows]})
        return
    page = Page()
    if not rows:
        page.line("Nothing is quarantined." if side is None else f"Nothing of {side} is quarantined.", 0)
        return
    page.heading(f"{counted(len(rows), 'refused value')} (moments are UTC)")
    alike: dict[tuple[RecordKey, str], list[Refusal]] = {}
    for row in rows[:SHOWN]:
        alike.setdefault((row.key, row.reason), []).append(row)
    for (key, reason), refused in alike.items():
        data = refusal_data(refused[0], leads.get(key))
        fields = ", ".join(_field(row.field) for row in refused)
        page.line(
            f"{key.side} {key.object} {data['record'] or '(new record)'}  lead {data['lead'] or '—'}  "
            f"since {moment(refused[0].since_ms)}, tried {counted(refused[0].attempts, 'time')}"
        )
        page.line(f"{fields}: {reason}", indent=4)
    if len(rows) > SHOWN:
        page.line(f"and {len(rows) - SHOWN:,} more (all of them with --json)")


@app.command()
def retry(
    ctx: typer.Context,
    lead: Annotated[str | None, typer.Argument(metavar="LEAD", help=f"One lead: {LEAD}.")] = None,
    side: Annotated[str | None, typer.Option("--side", metavar="SIDE", help="All of a side.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that is quarantined.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Send refused values again. Those of one lead, of a side, or all, with the next pass."""
    from connector.store import quarantine as store
    from connector.store.leads import mark_dirty

    if sum((lead is not None, side is not None, everything)) != 1:
        raise Problem("Say what to try again: one LEAD, --side SIDE, or --all.")
    place = place_of(ctx)
    with place.database() as database:
        with database.read() as conn:
            if lead is not None:
                found = one_lead(conn, lead, as_json=as_json)
                rows = _of_lead(conn, found.id)
            else:
                rows = store.quarantined(conn, side=side, limit=EVERYTHING)
                if not rows:
                    _must_be_a_side(place, conn, side)
            leads = leads_behind(conn, [row.key for row in rows])
        with database.begin() as conn:
            cleared = store.clear(conn, [row.key for row in rows], side=side) if rows else 0
            mark_dirty(conn, sorted(set(leads.values())), place.clock.now_ms())
    if as_json:
        print_json({"fields": cleared, "leads": sorted(set(leads.values()))})
    elif cleared:
        what = f"{counted(cleared, 'value')} of {counted(len(set(leads.values())), 'lead')}"
        typer.echo(f"{what} will be sent again with the next pass.")
    else:
        typer.echo("Nothing is quarantined there.")


def _must_be_a_side(place: Place, conn: Connection, side: str | None) -> None:
    """Raises Problem for a side that the mapping does not have."""
    sides = place.in_force(conn).mapping.sides
    if side is not None and side not in sides:
        raise Problem(f"There is no side {side!r} in the mapping: there are {', '.join(sides)}.")


def leads_behind(conn: Connection, keys: Iterable[RecordKey]) -> dict[RecordKey, str]:
    """Record to its lead. The refusal of a create stands under the lead's own id."""
    from connector.refusals import NEW_RECORD
    from connector.store.links import linked

    wanted = list(keys)
    found = {key: link.lead_id for key, link in linked(conn, wanted).items()}
    for key in wanted:
        if key.record_id.startswith(NEW_RECORD):
            found[key] = key.record_id.removeprefix(NEW_RECORD)
    return found


def refusal_data(row: Refusal, lead_id: str | None) -> dict[str, Any]:
    """A refused value as plain JSON data; `record` is None where a create was refused, `field` is * for the
    whole record."""
    from connector.refusals import NEW_RECORD

    return {
        "lead": lead_id,
        "side": row.side,
        "object": row.object,
        "record": None if row.record_id.startswith(NEW_RECORD) else row.record_id,
        "field": row.field,
        "code": row.code,
        "reason": row.reason,
        "since": iso(row.since_ms),
        "attempts": row.attempts,
    }


def _of_lead(conn: Connection, lead_id: str) -> list[Refusal]:
    from connector.refusals import NEW_RECORD
    from connector.store import quarantine as store
    from connector.store.links import links_of

    found = store.of_records(conn, [link.key for link in links_of(conn, [lead_id])[lead_id]])
    created = [
        row for row in store.quarantined(conn, limit=EVERYTHING) if row.record_id == NEW_RECORD + lead_id
    ]
    return [*(row for rows in found.values() for row in rows), *created]


def _field(name: str) -> str:
    return "the whole record" if name == "*" else name
