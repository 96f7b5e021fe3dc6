"""`leadloop report`: what became of the leads, for marketing and sales: funnel, answers, rules, leaks.

Reads the counters that are kept with the ledger; asks no platform. On a database from before there were
counters, they are made once.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.failures import Problem
from connector.cli.output import counted, print_json
from connector.cli.place import Place, place_of
from connector.clock import DAY_MS

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from connector.report.period import Period
    from connector.store.database import Database

BY = "source, campaign, segment or owner"


def report(
    ctx: typer.Context,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DAY", help="The first day, as 2027-01-01.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DAY", help="The last day; today without it.")
    ] = None,
    last: Annotated[
        str | None,
        typer.Option(
            "--last", metavar="SPAN", help="So long up to the last day: 90d (the default), 13w, 6m."
        ),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", metavar="DIMENSION", help=f"Break down by this alone: {BY}. May be repeated."),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option("--only", metavar="DIMENSION=VALUE", help="Report on these leads alone: source=Web."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write one page for a browser or paper.")
    ] = None,
    without_names: Annotated[
        bool, typer.Option("--without-names", help="Call leads by their record, not their e-mail address.")
    ] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Count the whole ledger anew first. Workers wait meanwhile.")
    ] = False,
) -> None:
    """Report what became of the leads. Funnel, acceptance by sales, rules, rejections, response, leaks."""
    from connector.report.history import is_counted
    from connector.report.report import Wanted
    from connector.report.report import report as report_data

    place = place_of(ctx)
    now_ms = place.clock.now_ms()
    period, dimensions, asked = _period(since, until, last, now_ms), _dimensions(by), _only(only)
    with place.database(read_only=True) as database:
        ready = is_counted(database) and not rebuild
    if not ready:
        with place.database() as database:
            _prepare(place, database, rebuild=rebuild)
    with place.database(read_only=True) as database, database.read() as conn:
        configuration = place.in_force(conn)
        wanted = Wanted(period, _known(conn, asked), dimensions, names=not without_names)
        data = report_data(conn, configuration, wanted, now_ms)
    if html is not None:
        from connector.report.page import page

        _write(html, page(data, configuration.vocabulary))
        if not as_json:
            days = data["period"]
            typer.echo(f"{html} is written: the report from {days['since']} to {days['until']}.")
    if as_json:
        print_json(data)
    elif html is None:
        from connector.cli.report_page import print_report

        print_report(data, configuration.vocabulary)


def _period(since: str | None, until: str | None, last: str | None, now_ms: int) -> Period:
    from connector.report.period import BadPeriod, period_of

    try:
        return period_of(since, until, last, now_ms // DAY_MS)
    except BadPeriod as error:
        raise Problem(str(error)) from None


def _dimension(name: str, option: str) -> str:
    from connector.report.context import DIMENSIONS
    from mappings.problems import did_you_mean

    if name not in DIMENSIONS:
        hint = did_you_mean(name, DIMENSIONS) or f"known: {BY}"
        raise Problem(f"{option}: there is no dimension {name!r}; {hint}")
    return name


def _dimensions(by: list[str] | None) -> tuple[str, ...]:
    from connector.report.context import DIMENSIONS

    if by is None:
        return DIMENSIONS
    return tuple(dict.fromkeys(_dimension(name.strip().lower(), "--by") for name in by))


def _only(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    name, equals, value = text.partition("=")
    if not equals or not value.strip():
        raise Problem(f"--only: {text!r} is no dimension with its value: write it as source=Web.")
    return _dimension(name.strip().lower(), "--only"), value.strip()


def _known(conn: Connection, only: tuple[str, str] | None) -> tuple[str, str] | None:
    """The value as it is written in the counters. Raises Problem with the nearest one where it is unknown."""
    from connector.store.rollups import values_of
    from mappings.problems import did_you_mean

    if only is None:
        return None
    dimension, value = only
    known = values_of(conn, dimension)
    same = [one for one in known if one.lower() == value.lower()]
    if value not in known and not same:
        hint = did_you_mean(value, known)
        raise Problem(
            f"--only: no lead has moved with the {dimension} {value!r}" + (f"; {hint}" if hint else ".")
        )
    return dimension, value if value in known else same[0]


def _prepare(place: Place, database: Database, *, rebuild: bool) -> None:
    """Have the ledger counted: once on a database from before there were counters, and when asked to."""
    from connector.report import history

    with database.read() as conn:
        configuration = place.in_force(conn)

    def told() -> None:
        typer.echo(
            "Counting the ledger. This is done once, and takes a minute for a million moves.", err=True
        )

    if rebuild:
        with database.begin() as conn:
            moves = history.rebuild(conn, configuration.report)
        typer.echo(f"{counted(moves, 'move')} counted anew.", err=True)
    else:
        history.ensure_counted(database, configuration.report, told)


def _write(file: Path, text: str) -> None:
    """Write the page beside the file and move it into place, so that a failure leaves the old one. Raises
    Problem."""
    if file.is_dir():
        raise Problem(f"--html: {file} is a folder: name a file in it.")
    draft = file.with_name(f".{file.name}.new")
    try:
        try:
            draft.write_text(text, encoding="utf-8")
            draft.replace(file)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise Problem(f"--html: {file} cannot be written: {error.strerror or error}.") from error
