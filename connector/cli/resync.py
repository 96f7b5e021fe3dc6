"""`leadloop resync`: have leads looked at again, though nothing says that they changed."""

from __future__ import annotations

from typing import Annotated

import typer

from connector.cli.failures import Problem
from connector.cli.find import LEAD, one_lead
from connector.cli.output import counted, print_json
from connector.cli.place import place_of


def resync(
    ctx: typer.Context,
    lead: Annotated[str | None, typer.Argument(metavar="LEAD", help=f"One lead: {LEAD}.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All leads.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Have one lead, or all, looked at again. The next pass does it."""
    from connector.store.leads import mark_all_dirty, mark_dirty

    if (lead is None) == (not everything):
        raise Problem("Say what to look at again: one LEAD, or --all.")
    place = place_of(ctx)
    now_ms = place.clock.now_ms()
    with place.database() as database:
        if lead is None:
            with database.begin() as conn:
                number = mark_all_dirty(conn, now_ms)
        else:
            with database.read() as conn:
                found = one_lead(conn, lead, as_json=as_json)
            with database.begin() as conn:
                mark_dirty(conn, [found.id], now_ms)
            number = 1
    if as_json:
        print_json({"leads": number})
    else:
        typer.echo(f"{counted(number, 'lead')} will be looked at again with the next pass.")
