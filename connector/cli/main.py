"""The `leadloop` command: global options, and which module holds which command.

Each command lives in a module of its own and imports what it needs when it is called, so that `leadloop
--help` answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from connector.cli import (
    activities,
    apply,
    backfill,
    backtest,
    brake,
    check,
    demo,
    explain,
    forget,
    holds,
    init,
    plan,
    quarantine,
    report,
    resync,
    run,
    sandbox,
    schema,
    status,
    streams,
    try_,
    verify,
    webhooks,
    worker,
)
from connector.cli.failures import Commands
from connector.cli.place import Place

app = typer.Typer(
    name="leadloop",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # rich takes longer to load than everything else that help needs
    pretty_exceptions_enable=False,  # its tracebacks would print the values of leads
)


def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    typer.echo(installed("leadloop"))


def tell_version(asked: bool) -> None:
    if asked:
        version()
        raise typer.Exit


@app.callback()
def choose_place(
    ctx: typer.Context,
    config: Annotated[
        Path,
        typer.Option(
            "--config",
            metavar="DIR",
            envvar="LEADLOOP_CONFIG",
            exists=True,
            file_okay=False,
            help="Folder with leadloop.yaml. Without that file in it, the shipped presets are used.",
        ),
    ] = Path(),
    version: Annotated[  # noqa: ARG001  # `tell_version` has done all there is to do
        bool,
        typer.Option("--version", callback=tell_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Keeps leads in step between a CRM and a marketing-automation platform."""
    if ctx.obj is None:
        ctx.obj = Place(config)


app.command()(run.run)
worker.register(app)
app.command()(webhooks.webhooks)
app.command()(streams.streams)
app.command()(backfill.backfill)
app.command()(status.status)
app.command()(plan.plan)
app.command()(explain.explain)
app.command()(report.report)
app.command()(activities.activities)
app.add_typer(holds.app, name="holds")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(brake.app, name="brake")
app.command()(check.check)
app.command()(apply.apply)
app.command()(resync.resync)
app.command()(verify.verify)
app.command()(forget.forget)
app.command()(init.init)
app.command()(schema.schema)
app.command("try")(try_.try_)
app.command()(backtest.backtest)
app.command()(sandbox.sandbox)
demo.register(app)
app.command()(version)


def main() -> None:
    """Run the command that was typed."""
    app()
