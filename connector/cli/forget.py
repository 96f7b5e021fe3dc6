"""`leadloop forget`: erase a person from this database for good, or let one who came back be known again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.failures import FOUND, Problem
from connector.cli.find import LEAD, one_lead
from connector.cli.output import Page, counted, print_json
from connector.cli.place import place_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from connector.installation import Installation
    from connector.intake.leadless import Leadless
    from connector.store.leads import Lead


@dataclass(frozen=True, slots=True)
class _Person:
    """Whom the command is about, a lead or somebody who is none, and what is stored of them."""

    lead: Lead | None
    leadless: Leadless | None
    records: Sequence[str]
    activities: int

    def told(self) -> list[str]:
        """What would be erased."""
        if self.lead is not None:
            who = f"Lead {self.lead.id}, in the stage {self.lead.stage}."
        else:
            who = "This person is no lead: no record of theirs takes part."
        lines = [who]
        if self.records:
            lines.append(f"What {counted(len(self.records), 'record')} showed: {', '.join(self.records)}")
        if self.activities:
            lines.append(counted(self.activities, "activity", "activities"))
        return lines


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

    That is a lead, or somebody who is none: whom a filter leaves out, or of whom only activities are stored.
    Nothing is deleted on a platform: the records that are left there are named, and held until they are gone.
    """
    from connector.cli.offline import go_offline
    from connector.intake.forgetting import forget_lead, forget_leadless, lock_forgetting, remember
    from connector.store.write_ahead_log import empty_if_asked

    place = place_of(ctx)
    now_ms = place.clock.now_ms()
    with place.database() as database:
        with database.read() as conn:
            installation = go_offline(conn, database, place.in_force(conn), place.clock).installation
        if undo:
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
            found = _one_person(conn, installation, person, as_json=as_json)
        if not (yes or as_json):
            typer.echo("\n".join(found.told()))
            typer.confirm("Erase this person here for good? Nothing of it can be brought back.", abort=True)
        with database.begin() as conn:
            lock_forgetting(conn)
            again = _one_person(conn, installation, person, as_json=as_json)
            if (again.lead and again.lead.id) != (found.lead and found.lead.id):
                raise Problem(f"{person!r} leads to somebody else since a moment ago: say it again.", FOUND)
            if again.lead is not None:
                forgotten = forget_lead(conn, installation, again.lead.id, now_ms)
            elif again.leadless is not None:
                forgotten = forget_leadless(conn, again.leadless, now_ms)
        empty_if_asked(database)
    left = [str(record) for record in forgotten.still_there]
    if as_json:
        print_json(
            {
                "lead": forgotten.lead_id,
                "records": [str(record) for record in forgotten.records],
                "activities": again.activities,
                "still_there": left,
            }
        )
        return
    if forgotten.lead_id is not None:
        typer.echo(f"Lead {forgotten.lead_id} is forgotten.")
    else:
        typer.echo(f"{person} is forgotten, who was no lead.")
    if left:
        are = "is" if len(left) == 1 else "are"
        typer.echo(f"{counted(len(left), 'record')} of this person {are} still there: {', '.join(left)}")
        typer.echo("Erase them on their platforms; `leadloop holds` lists them until they are gone.")


def _one_person(conn: Connection, installation: Installation, text: str, *, as_json: bool) -> _Person:
    """The one person that `text` names. With several, prints them and ends with 1. Raises Problem for
    none."""
    from connector.intake.leadless import find_leadless
    from connector.store.activities import activities_of
    from connector.store.leads import find_leads
    from connector.store.links import links_of

    if find_leads(conn, text):
        lead = one_lead(conn, text, as_json=as_json)
        records = [str(link.key) for link in links_of(conn, [lead.id])[lead.id]]
        return _Person(lead, None, records, len(activities_of(conn, [lead.id])[lead.id]))
    found = find_leadless(conn, installation, text)
    if not found:
        raise Problem(f"Nobody is known by {text!r}: give the person's {LEAD}.", FOUND)
    if len(found) > 1:
        _list(text, found, as_json=as_json)
        raise typer.Exit(FOUND)
    return _Person(None, found[0], [str(record) for record in found[0].records], found[0].activities)


def _list(text: str, found: Sequence[Leadless], *, as_json: bool) -> None:
    people = [[str(record) for record in one.records] for one in found]
    if as_json:
        print_json({"matches": [{"lead": None, "records": records} for records in people]})
        typer.echo(f"{len(found)} people are known by {text!r}: name one by a record.", err=True)
        return
    page = Page()
    page.heading(f"{len(found)} people who are no leads are known by {text!r}; name one by a record")
    page.table([(records,) for records in people], ("records",))
