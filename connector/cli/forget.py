"""`leadloop forget`: erase a person from this database for good, or let one who came back be known again."""

from __future__ import annotations

from typing import Annotated

import typer

from connector.cli.failures import FOUND, Problem
from connector.cli.find import LEAD, one_lead
from connector.cli.output import counted, print_json
from connector.cli.place import place_of


def forget(
    ctx: typer.Context,
    person: Annotated[str, typer.Argument(metavar="PERSON", help=f"The person's {LEAD}.")],
    undo: Annotated[
        bool,
        typer.Option(
            "--undo", help="Let a forgotten person be known again: an e-mail address, or 'SIDE OBJECT ID'."
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Erase a person here, and never take them in again.

    Nothing is deleted on a platform: the records that are left there are named, and held until they are gone.
    """
    from connector.cli.offline import go_offline
    from connector.intake.forgetting import forget_lead, remember
    from connector.store.write_ahead_log import empty_if_asked

    place = place_of(ctx)
    now_ms = place.clock.now_ms()
    with place.database() as database:
        if undo:
            with database.read() as conn:
                installation = go_offline(conn, database, place.in_force(conn), place.clock).installation
            with database.begin() as conn:
                released = remember(conn, installation, person, now_ms)
            if not released:
                raise Problem(f"Nobody who was forgotten is known by {person!r}.", FOUND)
            if as_json:
                print_json({"released": released})
            else:
                typer.echo(f"{person} may be known again: the next change of a record takes it in.")
            return
        with database.read() as conn:
            lead_id = one_lead(conn, person, as_json=as_json).id
        if not (yes or as_json):
            typer.confirm("Erase this person here for good? Nothing of it can be brought back.", abort=True)
        with database.begin() as conn:
            forgotten = forget_lead(conn, lead_id, now_ms)
        empty_if_asked(database)
    left = [str(record) for record in forgotten.still_there]
    if as_json:
        print_json({"lead": forgotten.lead_id, "still_there": left})
        return
    typer.echo(f"Lead {forgotten.lead_id} is forgotten.")
    if left:
        are = "is" if len(left) == 1 else "are"
        typer.echo(f"{counted(len(left), 'record')} of this person {are} still there: {', '.join(left)}")
        typer.echo("Erase them on their platforms; `leadloop holds` lists them until they are gone.")
