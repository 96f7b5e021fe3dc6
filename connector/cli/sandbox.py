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
    salesforce_stream_port: Annotated[
        int | None,
        typer.Option(
            "--salesforce-stream-port",
            metavar="P",
            min=0,
            max=65_535,
            help="Port of the Pub/Sub API with change events; 0 takes a free one. Without it there is none.",
        ),
    ] = None,
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
    from importlib.util import find_spec

    from connector.cli.failures import Problem
    from connector.sandbox.host import run_sandbox

    if salesforce_stream_port is not None and None in (find_spec("grpc"), find_spec("fastavro")):
        raise Problem(
            "--salesforce-stream-port needs more packages: pip install 'leadloop[salesforce-streams]'."
        )
    run_sandbox(
        salesforce_port=salesforce_port,
        hubspot_port=hubspot_port,
        seed=seed,
        state=state,
        leadloop_fields=leadloop_fields,
        stream_port=salesforce_stream_port,
        announce=typer.echo,
    )
