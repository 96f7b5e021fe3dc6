"""`leadloop activities`: take in what people did outside the two platforms, from a file."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from connector.cli.failures import Problem
from connector.cli.output import counted, plain, print_json
from connector.cli.place import place_of

SHOWN = 20
"""Bad rows that are told one by one; all of them with --json."""


def activities(
    ctx: typer.Context,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A .csv or .jsonl file; - for standard input (JSON lines).")
    ],
    source: Annotated[
        str | None,
        typer.Option("--source", metavar="NAME", help="Which of the sources in leadloop.yaml it comes from."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Take in what people did outside both platforms. Each activity counts once, by its key."""
    from connector.activity_file import read_csv, read_json_lines
    from connector.intake.custom_source import take_in
    from mappings.problems import did_you_mean

    if file != "-" and not file.lower().endswith((".csv", ".jsonl")):
        raise Problem(f'"{file}" is neither .csv nor .jsonl.')
    place = place_of(ctx)
    now_ms = place.clock.now_ms()
    with place.database() as database:
        with database.read() as conn:
            configuration = place.in_force(conn)
        known = configuration.sources
        if not known:
            raise Problem(
                "The configuration in force has no sources: name them in leadloop.yaml, and apply it."
            )
        if source is None and len(known) > 1:
            raise Problem(f"Say which source it is, with --source: {', '.join(known)}.")
        name = source or next(iter(known))
        if name not in known:
            raise Problem(f'There is no source "{name}"; {did_you_mean(name, known)}')
        read = read_csv if file.lower().endswith(".csv") else read_json_lines
        try:
            with ExitStack() as stack:
                lines = (
                    sys.stdin
                    if file == "-"
                    else stack.enter_context(Path(file).open(encoding="utf-8-sig", newline=""))
                )
                rows = read(lines, known[name], now_ms)
                taken = take_in(database, configuration.mapping, name, rows, now_ms)
        except OSError as error:
            raise Problem(f'"{file}" cannot be read: {error.strerror or error}.') from error
        except UnicodeDecodeError as error:
            raise Problem(f'"{file}" is not UTF-8: save it as UTF-8, and start again.') from error
    if as_json:
        print_json(
            {
                "source": name,
                "new": taken.new,
                "known": taken.known,
                "waiting": taken.waiting,
                "forgotten": taken.forgotten,
                "bad": [{"line": bad.line, "why": bad.why} for bad in taken.bad],
            }
        )
    else:
        typer.echo(f"{counted(taken.new, 'new activity', 'new activities')}, {taken.known} known before.")
        if taken.waiting:
            lines_told = ", ".join(str(line) for line in taken.waiting[:SHOWN])
            more = " …" if len(taken.waiting) > SHOWN else ""
            typer.echo(
                f"{len(taken.waiting)} of people who are not known yet are kept: line {lines_told}{more}"
            )
        if taken.forgotten:
            typer.echo(f"{len(taken.forgotten)} of people who were forgotten are not kept.")
        for bad in taken.bad[:SHOWN]:
            typer.echo(plain(f"line {bad.line}: {bad.why}"), err=True)
        if len(taken.bad) > SHOWN:
            typer.echo(f"and {len(taken.bad) - SHOWN} more (all of them with --json)", err=True)
    if taken.bad:
        raise typer.Exit(1)
