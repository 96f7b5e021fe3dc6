"""`leadloop worker` and `leadloop clock`: leadloop on several machines, over Redis and one database."""

from __future__ import annotations

from typing import Annotated

import typer

from connector.cli.failures import FOUND
from connector.cli.place import place_of


def worker(
    ctx: typer.Context,
    threads: Annotated[
        int, typer.Option("--threads", min=1, max=32, help="Messages that are worked on at the same time.")
    ] = 3,
    check: Annotated[
        bool, typer.Option("--check", help="Start nothing; exit with 1 when no side is being looked at.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --check: print JSON.")] = False,
) -> None:
    """Work on what the clock wakes for, until SIGTERM. Any number of these may run."""
    place = place_of(ctx)
    if check:
        _check(ctx, as_json)
        return
    from connector.worker.processes import opened_worker, run_until_signalled

    with opened_worker(place.configuration(), place.settings(), place.clock, threads) as process:
        run_until_signalled(process.run, process.stop)


def clock(ctx: typer.Context) -> None:
    """Wake the workers for what is due, until SIGTERM. Several may run: one of them leads."""
    import uuid

    from connector.worker.processes import opened_clock, run_until_signalled

    place = place_of(ctx)
    with opened_clock(place.configuration(), place.settings(), place.clock, uuid.uuid4().hex) as scheduler:
        run_until_signalled(scheduler.run, scheduler.stop)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(worker)
    app.command()(clock)


def _check(ctx: typer.Context, as_json: bool) -> None:
    from connector.cli.output import print_json
    from connector.worker.broker import close_broker, prove_broker, redis_broker
    from connector.worker.health import overdue_sides

    place = place_of(ctx)
    broker = redis_broker(place.settings())
    try:
        prove_broker(broker)
    finally:
        close_broker(broker)
    with place.database() as database:
        with database.read() as conn:
            sides = place.in_force(conn).mapping.sides
        problems = overdue_sides(database, sides, place.clock.now_ms())
    if as_json:
        print_json({"healthy": not problems, "problems": problems})
    else:
        typer.echo("\n".join(problems) or "Every side is being looked at.")
    if problems:
        raise typer.Exit(FOUND)
