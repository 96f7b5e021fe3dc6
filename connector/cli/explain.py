"""`leadloop explain`: everything that leadloop knows about one lead, and why it stands where it does.

Shows what is stored and decided; the score is computed anew, by the rules in force. Asks no platform.
"""

from __future__ import annotations

from typing import Annotated

import typer

from connector.cli.find import LEAD, one_lead
from connector.cli.output import print_json
from connector.cli.place import place_of


def explain(
    ctx: typer.Context,
    lead: Annotated[str, typer.Argument(metavar="LEAD", help=f"The lead: {LEAD}.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show all about a lead, with reasons. Its records, history, values, score, pending writes, holds and
    refusals."""
    from connector.cli.explanation import explanation
    from connector.cli.explanation_page import print_explanation
    from connector.cli.offline import go_offline, preview
    from mappings.vocabulary import labelled

    place = place_of(ctx)
    now_ms = place.clock.now_ms()
    with place.database(read_only=True) as database, database.read() as conn:
        found = one_lead(conn, lead, as_json=as_json)
        configuration = place.in_force(conn)
        offline = go_offline(conn, database, configuration, place.clock)
        (seen,) = preview(conn, offline, [found], now_ms)
        data = explanation(conn, offline, seen, now_ms)
    if as_json:
        print_json(data)
    else:
        print_explanation(labelled(data, configuration.vocabulary))
