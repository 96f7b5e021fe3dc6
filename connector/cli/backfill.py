"""`leadloop backfill`: read the people who were there before leadloop, and let two data sets meet."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.backfill_told import Told, tell
from connector.cli.failures import FOUND, Problem
from connector.cli.output import SECOND_MS
from connector.cli.place import Place, missing_file, place_of
from connector.cli.serving import check_credentials, stopped_by_signals

if TYPE_CHECKING:
    from connector.cli.backfill_progress import Bar, Lines
    from connector.configuration import Configuration
    from connector.installation import Installation
    from connector.intake.backfill import Standing
    from connector.store.database import Database
    from connector.wiring import Connected


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was typed."""

    since_ms: int | None
    objects: tuple[str, ...]
    create: bool
    dry_run: bool
    anew: bool


def backfill(
    ctx: typer.Context,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="DAY", help="Only what was changed on this day or later, as 2027-01-01 (UTC)."
        ),
    ] = None,
    objects: Annotated[
        list[str] | None,
        typer.Option(
            "--object", metavar="NAME", help="Only this object, as Lead or hubspot:contacts. May be repeated."
        ),
    ] = None,
    create: Annotated[
        bool,
        typer.Option(
            "--create", help="Afterwards let leads be created where they are missing, as the mapping says."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read, tell what would follow, and change nothing anywhere.")
    ] = False,
    anew: Annotated[
        bool, typer.Option("--anew", help="Forget how far an earlier backfill has read, and begin again.")
    ] = False,
    csv: Annotated[
        Path | None,
        typer.Option(
            "--csv", metavar="FILE", dir_okay=False, help="Write the ambiguous records to this file."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Read the people who were there before leadloop. Of both platforms; goes on where it was stopped, and
    creates nothing without --create. Begin with --dry-run."""
    place = place_of(ctx)
    if csv is not None and not os.access(csv if csv.exists() else csv.parent, os.W_OK):
        # told now, and not after hours of reading
        raise Problem(f"--csv {csv} cannot be written: look whether its folder is there, and who may write.")
    asked = _Asked(
        None if since is None else _moment_ms(since, place.clock.now_ms()),
        tuple(objects or ()),
        create,
        dry_run,
        anew,
    )
    stopping = threading.Event()
    with stopped_by_signals(stopping.set):
        told = _rehearse(place, asked, stopping) if dry_run else _backfill(place, asked, stopping)
    tell(told, csv, as_json=as_json)
    if told.stopped is not None:
        raise Problem(told.stopped, FOUND)


def _backfill(place: Place, asked: _Asked, stopping: threading.Event) -> Told:
    from connector.cli.logs import warn_on_stderr
    from connector.store.configurations import applied_configuration
    from connector.wiring import choose_configuration, connect, open_database

    wanted, settings = place.configuration(), place.settings()
    check_credentials(wanted, settings)
    warn_on_stderr()
    if missing_file(settings.database_url) is not None:
        _check_objects(wanted, asked.objects)  # before there is a database, which goes live by connecting
    database = open_database(settings)
    try:
        with database.read() as conn:
            begun = applied_configuration(conn) is not None
        if begun:
            wanted, _ = choose_configuration(database, wanted, place.clock.now_ms())
        _check_objects(wanted, asked.objects)
        connected = connect(wanted, settings, database, place.clock)
        if not begun:  # put in force only once it has connected
            choose_configuration(database, wanted, place.clock.now_ms())
        with _closed(connected):
            return _work(place, connected, asked, stopping)
    finally:
        database.close()


def _rehearse(place: Place, asked: _Asked, stopping: threading.Event) -> Told:
    """The same on a copy of the database, which is thrown away."""
    from connector.intake.rehearsal import scratch_copy
    from connector.wiring import connect

    wanted, settings = place.configuration(), place.settings()
    check_credentials(wanted, settings)
    with _as_it_is(place) as source, scratch_copy(source) as scratch:
        with scratch.read() as conn:
            configuration = place.in_force(conn)
        _check_objects(configuration, asked.objects)
        connected = connect(configuration, settings, scratch, place.clock)
        with _closed(connected):
            return _work(place, connected, asked, stopping)


@contextmanager
def _as_it_is(place: Place) -> Iterator[Database | None]:
    """The database, which refuses to be changed; None where there is none yet."""
    from connector.store.database import Database

    url = place.settings().database_url
    if missing_file(url) is not None:
        yield None
        return
    database = Database.open(url, read_only=True)
    try:
        empty = database.revision() is None
    finally:
        database.close()
    if empty:
        yield None
        return
    with place.database(read_only=True) as known:
        yield known


@contextmanager
def _closed(connected: Connected) -> Iterator[None]:
    try:
        yield
    finally:
        for platform in connected.installation.platforms.values():
            platform.close()


def _work(place: Place, connected: Connected, asked: _Asked, stopping: threading.Event) -> Told:
    from connector.cli.backfill_progress import progress
    from connector.intake import backfill as reading
    from connector.intake.rehearsal import doubts, look_ahead
    from connector.platforms.errors import Refused, RetryLater
    from connector.store import leads as lead_store
    from connector.store.links import count_by_sides

    installation, clock = connected.installation, place.clock
    began_ms = clock.now_ms()
    chosen = _chosen(installation, asked.objects)
    if asked.create:
        _refuse_to_create_blindly(installation, chosen, asked)
    with installation.database.read() as conn:
        before = sum(lead_store.count_by_stage(conn).values())
        together_before = count_by_sides(conn)
    standings = reading.begin(installation, chosen, asked.since_ms, anew=asked.anew or asked.dry_run)
    read_before = frozenset(each.name for each in standings if each.done)
    stopped: str | None = None
    outlook, marked = None, None
    done: list[Standing] = list(standings)
    try:
        done = standings = reading.count_totals(installation, standings)
        with progress(clock, standings) as shown:
            done = list(standings)
            refused: list[str] = []
            for at, standing in enumerate(standings):
                try:
                    done[at] = reading.read(installation, standing, _noting(done, at, shown), stopping)
                except Refused as error:  # one object that cannot be read does not keep the others away
                    refused.append(f"{standing.name} was refused: {error}")
            with installation.database.read() as conn:
                known = sum(lead_store.count_by_stage(conn).values())
            if refused:
                stopped = f"{' '.join(refused)} {_goes_on(asked)}"
            elif asked.dry_run:
                outlook = look_ahead(
                    installation, lambda looked: shown.leads(looked, known, "decided"), stopping
                )
            elif asked.create:
                marked = reading.may_create(
                    installation, lambda looked, _: shown.leads(looked, known, "may be created"), stopping
                )
            if stopping.is_set():
                stopped = f"Stopped. {_goes_on(asked)}"
    except (RetryLater, reading.Overtaken) as error:
        reason = error.reason if isinstance(error, RetryLater) else str(error)
        stopped = f"{reason[:1].upper()}{reason[1:]}. {_goes_on(asked)}"
    with installation.database.read() as conn:
        return Told(
            dry_run=asked.dry_run,
            since_ms=asked.since_ms,
            standings=tuple(done),
            read_before=read_before,
            leads_before=before,
            leads_after=sum(lead_store.count_by_stage(conn).values()),
            together_before=together_before,
            together_after=count_by_sides(conn),
            doubts=doubts(conn),
            outlook=outlook,
            marked=marked,
            calls={side: budget.total() for side, budget in connected.budgets.items()},
            spent_ms=clock.now_ms() - began_ms,
            stopped=stopped,
        )


def _noting(done: list[Standing], at: int, shown: Bar | Lines) -> Callable[[Standing, float], None]:
    def page(standing: Standing, wait_seconds: float) -> None:
        done[at] = standing
        shown.page(standing, wait_seconds)

    return page


def _goes_on(asked: _Asked) -> str:
    if asked.dry_run:
        return "Nothing was changed; a dry run begins anew."
    return "What was read is stored: the same command goes on from there."


def _check_objects(configuration: Configuration, names: Sequence[str]) -> None:
    """What is typed wrongly is told before anybody is connected to. Raises Problem."""
    _named([(side, name) for side, one in configuration.mapping.sides.items() for name in one.objects], names)


def _chosen(installation: Installation, names: Sequence[str]) -> list[tuple[str, str]]:
    """The objects that were named, in the order of reading; all without names. Raises Problem."""
    from connector.intake.backfill import objects_of

    known = objects_of(installation)
    return _named(known, names) if names else known


def _named(known: Sequence[tuple[str, str]], names: Sequence[str]) -> list[tuple[str, str]]:
    """Those of the known objects that were named, as `Lead` or `salesforce:Lead`. Raises Problem."""
    from mappings.problems import did_you_mean

    spelled = {f"{side}:{name}": (side, name) for side, name in known}
    wanted: set[tuple[str, str]] = set()
    for asked in names:
        found = {place for text, place in spelled.items() if asked in (text, place[1])}
        if not found:
            hint = did_you_mean(asked, [*spelled, *(name for _, name in known)])
            raise Problem(f'No object "{asked}" is read here; {hint}')
        wanted |= found
    return [place for place in known if place in wanted]


def _refuse_to_create_blindly(
    installation: Installation, chosen: Sequence[tuple[str, str]], asked: _Asked
) -> None:
    """People that have not been read could be created a second time. Raises Problem."""
    from connector.intake.backfill import unread_people

    mapping = installation.policy.mapping
    with installation.database.read() as conn:
        unread = unread_people(conn, mapping, mapping.sides)
    will_be = set() if asked.since_ms is not None else {f"{side}:{name}" for side, name in chosen}
    left = [name for name in unread if name not in will_be]
    if left:
        raise Problem(
            f"--create needs every person to be known, and {', '.join(left)} would not have been read "
            "wholly: leave out --since and --object."
        )


def _moment_ms(text: str, now_ms: int) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Problem(f'--since "{text}" is no day: write it as 2027-01-01 or 2027-01-01T08:00.') from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since_ms = int(moment.timestamp() * SECOND_MS)
    if since_ms > now_ms:
        raise Problem(f"--since {text} lies in the future: nothing has been changed since then.")
    return since_ms
