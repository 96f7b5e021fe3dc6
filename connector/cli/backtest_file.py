"""The backtest on a file of leads with outcomes: asks for it, and prints precision and recall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from connector.cli.backtest import read_tried
from connector.cli.backtest_history import check_barred, share_words
from connector.cli.failures import Problem
from connector.cli.output import Page, counted, plain
from connector.cli.place import Place
from connector.cli.try_ import TOLD, check_stage, lead_name, read_columns

if TYPE_CHECKING:
    from connector.backtest.outcome import Outcome
    from connector.configuration import Configuration
    from connector.lead_file import LeadFile

LEVELS_SHOWN = 14
"""Of more thresholds those at tens are shown; --json has all."""


def measure_file(
    place: Place,
    path: Path,
    rules: Path | None,
    outcome: str | None,
    barred: Sequence[str],
    mapping: Path | None,
    stage: str | None,
    rows: str | None,
    *,
    listed: bool,
) -> dict[str, Any]:
    """The figures. Raises Problem, ConfigErrors."""
    from connector.backtest.fields_read import fields_read
    from connector.backtest.measured import COLUMNS, Measured, one_by_one
    from connector.json_stream import LeadFileError
    from connector.lead_file import LeadFile

    if not path.exists():
        raise Problem(f"There is no file or database {path}.")
    if outcome is None:
        raise Problem("--outcome is missing: which column of the file says which leads were good?")
    first, last = _rows(rows)
    base = place.configuration()
    tried = read_tried(place, rules, base)
    check_barred(barred, tried)
    stage = "inquiry" if stage is None else stage
    check_stage(stage)
    now_ms = place.clock.now_ms()
    columns = None if mapping is None else read_columns(mapping, tried)
    file = LeadFile(path, tried.scope, now_ms, tried.mapping.default_country, columns, stage, _tell)
    try:
        meant = _outcome(outcome, file, tried)
        file = LeadFile(
            path, tried.scope, now_ms, tried.mapping.default_country, columns, stage, _tell,
            beside=[] if meant.column is None else [meant.column],
        )  # fmt: skip
        measured = Measured(tried.rules, {*barred, *meant.fields}, listed)
        _measure(file, measured, meant, tried, first, last)
    except LeadFileError as error:
        raise Problem(plain(str(error))) from None
    _check_outcomes(measured, outcome)
    read = fields_read(tried.documents_in("rules"), tried.scope)
    found = {
        "file": str(path),
        "rules": place.name if rules is None else str(rules),
        "rows": rows,
        "outcome": outcome,
        "barred": sorted(barred),
        "barred_as_outcome": sorted(meant.fields - set(barred)),
        "always_blank": sorted(read - measured.seen - set(barred) - meant.fields),
        **measured.to_json(),
    }
    return found | ({"listed": one_by_one(measured.listing), "columns": COLUMNS} if listed else {})


def _measure(
    file: LeadFile, measured: Any, outcome: Outcome, tried: Configuration, first: int, last: int | None
) -> None:
    from connector.backtest.outcome import OutcomeError

    unread = 0
    for number, lead in enumerate(file.leads(), start=1):
        if number < first:
            continue
        if last is not None and number > last:
            break
        for name, why in lead.unreadable.items():
            unread += 1
            if unread <= TOLD:
                _tell(f"{file.path}:{lead.line}: {name}: {why}; taken as blank")
        try:
            good = outcome.of(lead.written, lead.facts, file.now_ms)
        except OutcomeError as error:
            raise Problem(f"{file.path}:{lead.line}: {plain(str(error))}") from None
        measured.add(lead.facts, file.now_ms, lead.line, lead_name(tried, lead.facts.values), good)
    if unread > TOLD:
        _tell(f"{counted(unread - TOLD, 'more value')} could not be read.")


def _outcome(text: str, file: LeadFile, configuration: Configuration) -> Outcome:
    from connector.backtest.outcome import OutcomeError, read_outcome

    names = file.names()
    if file.columns is not None:
        field_of = {pair.canonical: pair.native for pair in file.columns.pairs}
    else:
        field_of = {name: name for name in names if name in configuration.scope.fields}
    try:
        return read_outcome(text, names, field_of, configuration.scope)
    except OutcomeError as error:
        raise Problem(f"--outcome: {plain(str(error))}") from None


def _check_outcomes(measured: Any, outcome: str) -> None:
    leads, good = measured.every.leads, measured.every.good
    if not leads:
        without = f" ({counted(measured.unknown, 'lead')} without an outcome)" if measured.unknown else ""
        raise Problem(f"There is no lead with an outcome{without}: look at --outcome, --rows and the file.")
    if good in (0, leads):
        which = "good" if good else "not good"
        raise Problem(
            f'All {counted(leads, "lead")} are {which} by --outcome "{outcome}": nothing can be told apart.'
        )


def _rows(text: str | None) -> tuple[int, int | None]:
    """The first and the last lead, counted from 1."""
    if text is None:
        return 1, None
    first, dash, last = text.partition("-")
    if not (first.isdecimal() and dash and (not last or last.isdecimal())) or int(first) < 1:
        raise Problem(f'--rows: "{text}" is no part of a file; write 1-500, or 501- for all that follow.')
    if last and int(last) < int(first):
        raise Problem(f'--rows: "{text}" ends before it begins.')
    return int(first), int(last) if last else None


def _tell(text: str) -> None:
    typer.echo(plain(text), err=True)


def print_measured(found: Mapping[str, Any], listed: Sequence[Mapping[str, Any]]) -> None:
    """Print the figures, and the MQLs where they are wanted."""
    page = Page()
    part = f", leads {found['rows']}" if found["rows"] else ""
    page.heading(f"What {found['rules']} makes of {found['file']}{part}")
    leads, good, mqls = found["leads"], found["good"], found["mqls"]
    barred = [*found["barred"], *(f"{name} (it tells the outcome)" for name in found["barred_as_outcome"])]
    page.table(
        [
            ("leads", f"{leads:,}, of which {good:,} are good: {share_words(found['base_rate'])}"),
            ("MQLs", f"{mqls:,}, of which {found['right']:,} are good"),
            ("precision", f"{share_words(found['precision'])} of the MQLs are good"),
            ("recall", f"{share_words(found['recall'])} of the good leads are MQLs"),
            ("lift", "—" if found["lift"] is None else f"{found['lift']:.1f} times as good as all leads"),
            *([("barred", ", ".join(barred))] if barred else []),
        ]
    )
    page.heading("By rule")
    page.table([_row(one["rule"], one) for one in found["by_rule"]], _headers("rule", "fired"))
    if found["thresholds"]:
        page.heading("Other thresholds, for the score alone, with the fast tracks")
        levels = found["thresholds"]
        shown = levels if len(levels) <= LEVELS_SHOWN else [one for one in levels if one["score"] % 10 == 0]
        page.table([_row(one["score"], one) for one in shown], _headers("score", "MQLs"))
    notes = _notes(found)
    if notes:
        page.heading("Notes")
        for note in notes:
            page.line(note)
    if listed:
        page.heading("MQLs")
        page.table(
            [
                (one["line"], one["lead"], one["score"], one["good"], ", ".join(one["rules"]))
                for one in listed
            ],
            ("line", "lead", "score", "good", "rules that fired"),
        )


def _row(name: object, one: Mapping[str, Any]) -> tuple[str, ...]:
    lift = "—" if one["lift"] is None else f"{one['lift']:.1f}"
    precision, recall = share_words(one["precision"]), share_words(one["recall"])
    return str(name), f"{one['mqls']:,}", f"{one['right']:,}", precision, recall, lift


def _headers(name: str, count: str) -> tuple[str, ...]:
    return name, count, "good", "precision", "recall", "lift"


def _notes(found: Mapping[str, Any]) -> list[str]:
    notes = []
    if found["always_blank"]:
        names = ", ".join(found["always_blank"])
        notes.append(f"The rules look at fields of which no lead here has a value: {names}.")
    if found["without_outcome"]:
        notes.append(f"{counted(found['without_outcome'], 'lead')} without an outcome are left out.")
    if not found["mqls"]:
        notes.append("No lead is an MQL. A lead needs an address or a phone to come so far: --stage nurture?")
    notes += [f"{error} ({counted(number, 'time')})" for error, number in list(found["errors"].items())[:5]]
    return notes
