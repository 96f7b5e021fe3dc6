"""`leadloop try`: what the folder's rules say of leads in a file or a database. Writes nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.failures import Problem
from connector.cli.output import Page, console, counted, plain, print_json
from connector.cli.place import Place, place_of

if TYPE_CHECKING:
    from connector.configuration import Configuration
    from mappings.vocabulary import Vocabulary
    from rules.cases import Reached

BATCH = 200
"""Leads that are printed together."""

TOLD = 20
"""Unreadable values that are told one by one."""

SQLITE_MAGIC = b"SQLite format 3\x00"


def try_(
    ctx: typer.Context,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="Leads: CSV, JSON (a list, or one a line), or a leadloop database."
        ),
    ],
    mapping: Annotated[
        Path | None,
        typer.Option("--mapping", metavar="FILE", help="Which column of a CSV file is which field."),
    ] = None,
    stage: Annotated[
        str | None,
        typer.Option("--stage", metavar="STAGE", help="The stage in which the leads of a file begin."),
    ] = None,
    summary: Annotated[bool, typer.Option("--summary", help="Print counts only.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one lead a line.")] = False,
) -> None:
    """Evaluate leads by the folder's rules. Writes nothing, and asks no platform."""
    from connector.lead_file import is_json
    from mappings.stages import Stage

    place = place_of(ctx)
    configuration = place.configuration()
    if stage is not None:
        check_stage(stage)
    url = database_url(file)
    if url is not None and mapping is not None:
        raise Problem("--mapping is for CSV files: a database has canonical values already.")
    if mapping is not None and is_json(Path(file)):
        raise Problem("--mapping is for CSV files: in JSON the fields have leadloop's names.")
    if url is not None and stage is not None:
        raise Problem("--stage is for files: the leads of a database are judged from the stage they are in.")
    if url is not None:
        from connector.cli.try_database import changes, print_changes

        print_changes(
            changes(place, url, configuration),
            configuration.vocabulary,
            summary=summary,
            as_json=as_json,
        )
        return
    verdicts = _verdicts(place, configuration, Path(file), mapping, stage or Stage.INQUIRY.value)
    if summary:
        data = _summary(verdicts)
        print_json(data) if as_json else _print_summary(data, configuration.vocabulary)
    elif as_json:
        for verdict in verdicts:
            typer.echo(json.dumps(verdict, ensure_ascii=False))
    else:
        _print(verdicts, configuration.vocabulary)


def check_stage(stage: str) -> None:
    from mappings.problems import did_you_mean
    from mappings.stages import Stage

    known = [known.value for known in Stage]
    if stage not in known:
        raise Problem(f'--stage: there is no stage "{stage}"; {did_you_mean(stage, known)}')


def database_url(file: str) -> str | None:
    """The URL of a database, if FILE is one."""
    if "://" in file:
        return file
    try:
        with Path(file).open("rb") as opened:
            return f"sqlite:///{Path(file).absolute()}" if opened.read(16) == SQLITE_MAGIC else None
    except OSError:
        return None  # reading it says what is wrong


def _verdicts(
    place: Place, configuration: Configuration, path: Path, mapping: Path | None, stage: str
) -> Iterator[dict[str, Any]]:
    """One JSON object for each lead of a file. What cannot be read is told on stderr."""
    from connector.json_stream import LeadFileError
    from connector.lead_file import LeadFile
    from rules.cases import go_as_far

    now_ms = place.clock.now_ms()
    unread = 0

    def tell(text: str) -> None:
        typer.echo(plain(text), err=True)

    file = LeadFile(
        path,
        configuration.scope,
        now_ms,
        configuration.mapping.default_country,
        None if mapping is None else read_columns(mapping, configuration),
        stage,
        tell,
    )
    try:
        for lead in file.leads():
            for name, why in lead.unreadable.items():
                unread += 1
                if unread <= TOLD:
                    tell(f"{path}:{lead.line}: {name}: {why}; taken as blank")
            reached = go_as_far(configuration.rules, lead.facts, now_ms)
            yield {"line": lead.line, "lead": lead_name(configuration, lead.facts.values)} | as_data(reached)
    except LeadFileError as error:
        raise Problem(plain(str(error))) from None
    if unread > TOLD:
        tell(f"{counted(unread - TOLD, 'more value')} could not be read.")


def read_columns(path: Path, configuration: Configuration) -> Any:
    from mappings.csv_columns import load_columns
    from mappings.source import Source

    file = path / "csv.yaml" if path.is_dir() else path
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Problem(f"--mapping: {file} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise Problem(f"--mapping: {file} is not UTF-8.") from None
    return load_columns(Source(str(file), text), configuration.mapping)


def lead_name(configuration: Configuration, values: Any) -> str | None:
    """What a lead is called: its identity, else its name."""
    identities = [name for name, rule in configuration.mapping.fields.items() if rule.identity]
    for name in (*identities, "last_name", "company", "phone"):
        if values.get(name):
            return str(values[name])
    return None


def as_data(reached: Reached) -> dict[str, Any]:
    """A verdict as plain JSON data."""
    from rules.moves import lacking

    verdict, assigned = reached.verdict, reached.assigned
    return {
        "stage": reached.stage.value,
        "fit": verdict.fit,
        "engagement": verdict.engagement,
        "score": verdict.score,
        "grade": verdict.grade,
        "fast_track": reached.fast_track,
        "disqualified": reached.disqualified,
        "route": None if assigned is None or assigned.route is None else assigned.route.name,
        "track": verdict.track,
        "fired": [rule.to_json() for rule in verdict.fired],
        "missing_for_mql": list(lacking(reached.stage, verdict)),
        "errors": list(verdict.errors),
    }


def _why(data: dict[str, Any]) -> str:
    """In a few words, why it is where it is."""
    if data["disqualified"]:
        return f"disqualified: {data['disqualified']}"
    if data["fast_track"]:
        return f"fast track: {data['fast_track']}"
    if data["route"]:
        return f"to {data['route']}"
    return f"lacks {', '.join(data['missing_for_mql'])}" if data["missing_for_mql"] else ""


def _print(verdicts: Iterable[dict[str, Any]], vocabulary: Vocabulary) -> None:
    """Tables of one layout, a batch at a time, so that a file of any length can be shown."""
    rows = iter(verdicts)
    first = True
    counts: Counter[str] = Counter()
    while batch := list(islice(rows, BATCH)):
        counts.update(item["stage"] for item in batch)
        print_rows(
            [
                (
                    item["lead"] or f"line {item['line']}",
                    vocabulary.shown(item["stage"]),
                    str(item["fit"]),
                    str(item["engagement"]),
                    str(item["score"]) + (f" {item['grade']}" if item["grade"] else ""),
                    _why(item),
                )
                for item in batch
            ],
            ("lead", "stage", "fit", "eng", "score", "why"),
            first=first,
        )
        first = False
    stages = ", ".join(f"{vocabulary.shown(stage)} {number}" for stage, number in counts.most_common())
    typer.echo(f"{counted(sum(counts.values()), 'lead')}" + (f": {stages}." if stages else "."))


def print_rows(rows: list[tuple[str, ...]], headers: tuple[str, ...], *, first: bool) -> None:
    """One batch of a table; its columns are as wide in every batch. Numbers stand to the right."""
    from rich.table import Table
    from rich.text import Text

    screen = console()
    widths = {"fit": 4, "eng": 4, "score": 6, "scores": 11, "stage": 13}
    left = max(screen.width - 2 * (len(headers) - 1) - sum(widths.get(name, 0) for name in headers), 30)
    wide = {"lead": left // 2, headers[-1]: left - left // 2}
    table = Table(box=None, show_header=first, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    for name in headers:
        width = wide.get(name) or widths.get(name)
        table.add_column(
            name,
            width=width,
            overflow="fold",
            justify="right" if name in ("fit", "eng", "score", "scores") else "left",
        )
    for row in rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    with screen.capture() as captured:
        screen.print(table)
    for line in captured.get().splitlines():
        typer.echo(line.rstrip())


def _summary(verdicts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    stages: Counter[str] = Counter()
    keys = ("route", "disqualified", "fast_track", "grade")
    others: dict[str, Counter[str]] = {key: Counter() for key in keys}
    fired: Counter[str] = Counter()
    for item in verdicts:
        stages[item["stage"]] += 1
        fired.update({rule["rule"] for rule in item["fired"]})
        for key, counter in others.items():
            if item[key]:
                counter[item[key]] += 1
    return {
        "leads": sum(stages.values()),
        "stages": dict(stages.most_common()),
        **{key: dict(counter.most_common()) for key, counter in others.items()},
        "fired": dict(fired.most_common()),
    }


def _print_summary(data: dict[str, Any], vocabulary: Vocabulary) -> None:
    page = Page()
    total = data["leads"]
    page.heading(counted(total, "lead"))
    page.table([(vocabulary.shown(stage), *_part(number, total)) for stage, number in data["stages"].items()])
    for key, title in (
        ("grade", "Grades"),
        ("route", "Ready for sales, by route"),
        ("fast_track", "Fast tracks"),
        ("disqualified", "Disqualified, by reason"),
        ("fired", "Rules that fired"),
    ):
        if data[key]:
            page.heading(title)
            page.table([(name, *_part(number, total)) for name, number in data[key].items()])


def _part(number: int, total: int) -> tuple[str, str]:
    return f"{number:,}", f"{100 * number / total:.0f} %"
