"""`leadloop backtest`: what other rules would have made of leads whose end is known. Writes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.failures import WRONG, Problem
from connector.cli.output import print_json
from connector.cli.place import Place, place_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connector.configuration import Configuration


def backtest(
    ctx: typer.Context,
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="[SOURCE]",
            help="A leadloop database, or a file of leads with outcomes (CSV, JSON). Without it: the "
            "database of the settings.",
        ),
    ] = None,
    rules: Annotated[
        Path | None,
        typer.Option(
            "--rules",
            metavar="DIR",
            help="The rules to try: a folder or a file. Default: the --config folder.",
        ),
    ] = None,
    outcome: Annotated[
        str | None,
        typer.Option(
            "--outcome", metavar="WHAT", help="Which leads are good: a stage, a column, a condition."
        ),
    ] = None,
    bar: Annotated[
        list[str] | None,
        typer.Option("--bar", metavar="FIELD", help="A field that no rule may look at; can be repeated."),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DATE", help="Count MQLs from this day on.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="Count MQLs before this day.")
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option("--mapping", metavar="FILE", help="Which column of a CSV file is which field."),
    ] = None,
    stage: Annotated[
        str | None,
        typer.Option("--stage", metavar="STAGE", help="The stage in which the leads of a file begin."),
    ] = None,
    rows: Annotated[
        str | None,
        typer.Option("--rows", metavar="FROM-TO", help="Only these leads of a file, counted from 1."),
    ] = None,
    leads: Annotated[bool, typer.Option("--leads", help="List the leads that change, one by one.")] = False,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write that list into a new CSV file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Replay history, or a file of leads, under other rules. The leads of a file come with their outcomes.
    Writes nothing."""
    from connector.cli.try_ import database_url

    place = place_of(ctx)
    if csv is not None and csv.exists():
        raise Problem(f"--csv: {csv} is there already: name a file that is not.")
    listed = leads or csv is not None
    url = None if source is None else database_url(source)
    barred = tuple(bar or ())
    if source is not None and url is None:
        from connector.cli.backtest_file import measure_file, print_measured

        _refuse(
            {"--since": since, "--until": until}, "is for recorded history. Of a file, --rows takes a part."
        )
        found = measure_file(place, Path(source), rules, outcome, barred, mapping, stage, rows, listed=listed)
        show = print_measured
    else:
        from connector.cli.backtest_history import print_history, replay_history

        _refuse({"--mapping": mapping, "--stage": stage, "--rows": rows}, "is for files of leads.")
        found = replay_history(place, url, rules, outcome, barred, since, until, listed=listed)
        show = print_history
    one_by_one, columns = found.pop("listed", []), found.pop("columns", ())
    if csv is not None:
        _write_csv(csv, columns, one_by_one)
    if as_json:
        print_json(found | ({"listed": one_by_one} if leads else {}))
    else:
        show(found, one_by_one if leads else [])


def _refuse(options: Mapping[str, object], why: str) -> None:
    for name, value in options.items():
        if value is not None:
            raise Problem(f"{name} {why}")


def read_tried(place: Place, rules: Path | None, base: Configuration) -> Configuration:
    """The rules to try, over the documents of `base`. What is wrong with them is printed as `leadloop check`
    prints it, and ends the command with 2."""
    from connector.backtest.other_rules import RulesFolderError, Wrong, read_rules
    from connector.cli.check import tell_errors
    from connector.cli.output import counted

    if rules is None:
        return place.configuration()
    try:
        return read_rules(rules, base.documents)
    except RulesFolderError as error:
        raise Problem(f"--rules: {error}") from None
    except Wrong as wrong:
        tell_errors(wrong.errors, wrong.texts)
        typer.echo(f"{counted(len(wrong.errors), 'error')}: these rules cannot be tried.", err=True)
        raise typer.Exit(WRONG) from None


def _write_csv(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """The list as CSV; lists in a cell are parted by semicolons. What a spreadsheet would take for a formula
    gets an apostrophe before it."""
    import csv

    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows([_cell(row[column]) for column in columns] for row in rows)
    except OSError as error:
        raise Problem(f"--csv: {path} cannot be written: {error.strerror or error}.") from None


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = "; ".join(map(str, value)) if isinstance(value, list | tuple) else value
    return f"'{text}" if isinstance(text, str) and text.startswith(("=", "+", "-", "@")) else text
