"""`leadloop demo`: leads live their lives in a Salesforce and a HubSpot on this machine, leadloop in between.

Needs no credentials and no configuration, and leaves nothing behind.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.failures import FOUND, WRONG, Problem
from connector.cli.place import Place, place_of

if TYPE_CHECKING:
    from types import FrameType

SPEED = 300.0
"""Seconds of the story in a real one while people act; the days between two acts are leapt over."""

MONDAY_MS = 1_799_020_800_000  # 2027-01-04T00:00:00Z
OVERTURE_MS = 8 * 3_600_000
"""leadloop is started at eight in the morning."""

INTERRUPTED = 130
"""The exit code of what a Ctrl-C ended, as shells have it."""


def demo(
    ctx: typer.Context,
    leads: Annotated[
        Path | None,
        typer.Option(
            "--leads",
            metavar="FILE",
            help="Let the leads of a CSV file live instead of the cast; its columns are those of "
            "mappings/examples/x-education/csv.yaml.",
        ),
    ] = None,
    year: Annotated[
        Path | None,
        typer.Option(
            "--year",
            metavar="FILE",
            help="Write the history of a made-up year into a new SQLite file instead, to try reports on.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON, and no show.")] = False,
) -> None:
    """Watch leads live in a Salesforce and a HubSpot on this machine. Ends with 0 if both agree with leadloop
    on every lead, else with 1."""
    from connector.cli.logs import log_to_stderr

    log_to_stderr("error")
    if year is not None:
        if leads is not None:
            raise Problem("--leads and --year are two demos: take one of them.")
        with _interruptible():
            _print_figures(_record(year), as_json=as_json)
        return
    with _interruptible():
        place = place_of(ctx)
        figures = _perform(place, as_json=as_json) if leads is None else _live(leads)
        if as_json or leads is not None:
            _print_figures(figures, as_json=as_json)
    if not _good(figures):
        raise typer.Exit(FOUND)


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(demo)


def _perform(place: Place, *, as_json: bool) -> Mapping[str, Any]:
    """The cast, on a terminal with a live table; stages have the labels of the folder's vocabulary."""
    from rich.console import Console

    from connector.clock import SystemClock
    from connector.configuration import MAIN_FILE
    from connector.demo.cast import CAST, SALES, SCRIPT
    from connector.demo.people import People
    from connector.demo.play import Play, StoryStopped
    from connector.demo.screen import Lines, Nobody, Screen, summary
    from connector.demo.stage_set import cast_configuration, set_stage
    from connector.demo.story_clock import StoryClock
    from mappings.vocabulary import CANONICAL

    console = Console(highlight=False, markup=False, emoji=False)
    configuration = cast_configuration()
    has_words = (place.folder / MAIN_FILE).is_file()
    vocabulary = place.configuration().vocabulary if has_words else CANONICAL
    clock = StoryClock(MONDAY_MS + OVERTURE_MS, SPEED)
    with set_stage(clock, configuration, SALES) as (sandbox, connected):
        people = People(sandbox, clock, CAST)
        show = Nobody() if as_json else Screen(console, vocabulary) if console.is_terminal else Lines(console)
        try:
            with show:
                play = Play(sandbox, connected, clock, people, show, SystemClock(), MONDAY_MS, vocabulary)
                figures = play.perform(SCRIPT)
        except StoryStopped as error:
            raise Problem(str(error), FOUND) from error
    if not as_json:
        console.print(summary(figures, vocabulary))
    return figures


def _live(path: Path) -> Mapping[str, Any]:
    """The leads of a file; progress goes to stderr, and only to a terminal."""
    from connector.clock import ManualClock, SystemClock
    from connector.demo.leads_file import LeadsFileError, read_people
    from connector.demo.real_leads import START_MS, RealLeads
    from connector.demo.salesperson import SALESPEOPLE
    from connector.demo.stage_set import example_configuration, example_documents, set_stage
    from mappings.csv_columns import load_columns
    from mappings.source import Source

    def tell(text: str) -> None:
        if sys.stderr.isatty():
            typer.echo(text, err=True)

    documents = example_documents("x-education")
    configuration = example_configuration(documents)
    columns = load_columns(Source("csv.yaml", documents["csv.yaml"]), configuration.mapping)
    try:
        people = read_people(path, columns)
        clock = ManualClock(START_MS)
        with set_stage(clock, configuration, SALESPEOPLE) as (sandbox, connected):
            return RealLeads(sandbox, connected, clock, people, SystemClock(), tell).play()
    except LeadsFileError as error:
        raise Problem(str(error), WRONG) from error


def _record(path: Path) -> Mapping[str, Any]:
    """A year of history in a new database; what is in it."""
    from connector.demo import figures
    from connector.demo.year import record_year
    from connector.store.database import Database

    if path.exists():
        raise Problem(f"{path} is there already: name a file that is not.", WRONG)
    database = Database.open(f"sqlite:///{path.absolute()}")
    try:
        database.migrate()
        year = record_year(database)
        stages = figures.stages_of(year.installation)
        return {
            "database": str(path),
            "leads": sum(stages.values()),
            "stages": stages,
            "rejections": figures.rejections_of(year.installation),
            "days": year.days,
        }
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        database.close()


def _good(figures: Mapping[str, Any]) -> bool:
    """Whether both platforms agree with leadloop on every lead, and there was nothing left to do."""
    agreed = all(found["agree"] == found["of"] for found in figures["agreement"].values())
    return agreed and "unfinished" not in figures and not figures.get("second_pass_writes")


def _print_figures(figures: Mapping[str, Any], *, as_json: bool) -> None:
    from connector.cli.output import Page, print_json

    if as_json:
        print_json(figures)
        return
    page = Page()
    page.table([(name.replace("_", " "), _written(value)) for name, value in figures.items()], indent=0)


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_written(item)}" for name, item in value.items())
    return f"{value:,}" if isinstance(value, int) else str(value)


@contextmanager
def _interruptible() -> Iterator[None]:
    """The first SIGINT or SIGTERM ends the demo in order, with its servers and its folder; those that follow
    while it is being cleared away change nothing."""
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {each: signal.getsignal(each) for each in signals}

    def end(signal_number: int, frame: FrameType | None) -> None:
        del signal_number, frame
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    for each in signals:
        signal.signal(each, end)
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("Stopped; nothing is left behind.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
