"""`leadloop holds`: what leadloop does not decide by itself, with what a person can do about it; and the
release of leads that rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.failures import FOUND, Problem
from connector.cli.find import LEAD, one_lead
from connector.cli.output import Page, counted, iso, moment, print_json
from connector.cli.place import place_of

if TYPE_CHECKING:
    from connector.store.holds import Hold

app = typer.Typer(invoke_without_command=True, help="List what waits for a person.")


@app.callback()
def holds(
    ctx: typer.Context,
    kind: Annotated[str | None, typer.Option("--kind", metavar="KIND", help="Only this kind.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List what waits for a person. Each with what to do about it."""
    if ctx.invoked_subcommand is not None:
        return
    from connector.store.holds import SHARED_KINDS, count_open, open_holds

    place = place_of(ctx)
    with place.database(read_only=True) as database, database.read() as conn:
        found = [
            hold for held in open_holds(conn).values() for hold in held if kind is None or hold.kind == kind
        ]
        kinds = count_open(conn)
    found.sort(key=lambda hold: (hold.opened_ms, hold.id))
    if as_json:
        print_json({"kinds": kinds, "holds": [hold_data(hold) for hold in found]})
        return
    page = Page()
    if not found:
        page.line("Nothing is held." if kind is None else f"Nothing of the kind {kind} is held.", indent=0)
        if kind is not None and kinds:
            page.line(f"Kinds that are: {', '.join(sorted(kinds))}", indent=0)
        return
    number = len({(hold.kind, hold.subject) if hold.kind in SHARED_KINDS else hold.id for hold in found})
    page.heading(f"{counted(number, 'hold')} (moments are UTC)")
    alike: dict[tuple[str, ...], list[Hold]] = {}
    for hold in found:
        whose = hold.subject if hold.kind in SHARED_KINDS else f"{hold.lead_id} {hold.opened_ms}"
        alike.setdefault((hold.kind, whose, hold.message, hold.remedy), []).append(hold)
    for same in alike.values():
        first = same[0]
        leads = ", ".join(dict.fromkeys(hold.lead_id or "the installation" for hold in same))
        page.line(f"{first.kind}  {leads}  since {moment(first.opened_ms)}")
        page.line(f"{first.message} {first.remedy}", indent=4)
        page.line(f"about {', '.join(dict.fromkeys(hold.subject for hold in same))}", indent=4)


@app.command()
def release(
    ctx: typer.Context,
    leads: Annotated[list[str], typer.Argument(metavar="LEAD", help=f"A lead that rests: {LEAD}.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Judge leads that rest like any other. They rest because they are from before leadloop. All that are
    named are released, or none."""
    from connector.resting import release as wake

    place = place_of(ctx)
    with place.database() as database, database.begin() as conn:
        named = {one_lead(conn, text, as_json=as_json).id: text for text in leads}
        released = wake(conn, named, place.clock.now_ms())
        if awake := [text for lead_id, text in named.items() if lead_id not in released]:
            raise Problem(f"Not resting: {', '.join(awake)}. No lead was released.", FOUND)
    if as_json:
        print_json({"leads": released})
    else:
        typer.echo(f"{counted(len(released), 'lead')} will be judged like any other with the next pass.")


def hold_data(hold: Hold) -> dict[str, Any]:
    """A hold as plain JSON data; `lead` is None for one that concerns the whole installation."""
    return {
        "lead": hold.lead_id or None,
        "kind": hold.kind,
        "subject": hold.subject,
        "message": hold.message,
        "remedy": hold.remedy,
        "details": hold.details,
        "opened_at": iso(hold.opened_ms),
    }
