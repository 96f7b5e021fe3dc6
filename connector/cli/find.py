"""Find: the one lead that a person means, or the list of those it could be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from connector.cli.failures import FOUND, Problem
from connector.cli.output import Page, iso, print_json

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from connector.store.leads import Lead

LEAD = "e-mail address, lead id, record id, or side:object:id"


def one_lead(conn: Connection, text: str, *, as_json: bool) -> Lead:
    """The lead that `text` names. With several, prints them and ends with 1. Raises Problem for none."""
    from connector.store.leads import find_leads

    found = find_leads(conn, text)
    if not found:
        raise Problem(f"No lead is known by {text!r}: give its {LEAD}.", FOUND)
    if len(found) > 1:
        _list(conn, text, found, as_json=as_json)
        raise typer.Exit(FOUND)
    return found[0]


def _list(conn: Connection, text: str, found: list[Lead], *, as_json: bool) -> None:
    from connector.lead import LeadState
    from connector.store.links import links_of

    links = links_of(conn, [lead.id for lead in found])
    records = {lead.id: [str(link.key) for link in links[lead.id]] for lead in found}
    if as_json:
        matches = [
            {
                "lead": lead.id,
                "stage": lead.stage,
                "created_at": iso(lead.created_ms),
                "records": records[lead.id],
            }
            for lead in found
        ]
        print_json({"matches": matches})
        typer.echo(f"{len(found)} leads are known by {text!r}: name one by its id.", err=True)
        return
    page = Page()
    page.heading(f"{len(found)} leads are known by {text!r}; name one by its id")
    rows = []
    for lead in found:
        values = LeadState.from_json(lead.state).values
        rows.append((lead.id, lead.stage, values.get("email"), values.get("company"), records[lead.id]))
    page.table(rows, ("lead", "stage", "e-mail", "company", "records"))
