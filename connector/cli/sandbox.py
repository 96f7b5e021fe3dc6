"""`leadloop sandbox`: a Salesforce and a HubSpot on loopback ports, until it is stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def sandbox(
    salesforce_port: Annotated[
        int,
        typer.Option("--salesforce-port", metavar="P", min=0, max=65_535, help="Port; 0 takes a free one."),
    ] = 0,
    hubspot_port: Annotated[
        int, typer.Option("--hubspot-port", metavar="Q", min=0, max=65_535, help="Port; 0 takes a free one.")
    ] = 0,
    seed: Annotated[
        Path | None, typer.Option("--seed", metavar="FILE", help="YAML or JSON with records to start with.")
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option("--state", metavar="FILE", help="Where both platforms are kept across restarts."),
    ] = None,
    leadloop_fields: Annotated[
        bool,
        typer.Option(
            "--leadloop-fields/--no-leadloop-fields", help="Begin with the leadloop fields, or without."
        ),
    ] = True,
) -> None:
    """Run a Salesforce and a HubSpot on loopback. Any client can be pointed at them."""
    from connector.sandbox.host import run_sandbox

    run_sandbox(
        salesforce_port=salesforce_port,
        hubspot_port=hubspot_port,
        seed=seed,
        state=state,
        leadloop_fields=leadloop_fields,
        announce=typer.echo,
    )
