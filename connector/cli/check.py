"""`leadloop check`: compile the configuration folder, run its cases, look at the settings, and tell what is
wrong."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.excerpt import excerpt
from connector.cli.failures import FOUND, exit_code, told
from connector.cli.output import WIDTH, counted, plain, print_json
from connector.cli.place import Place, place_of

if TYPE_CHECKING:
    from connector.access import Access
    from connector.configuration import Configuration
    from connector.object_check import Finding
    from connector.platforms.protocol import Owner
    from connector.settings import Settings
    from mappings.document import SideDocument
    from mappings.mapping import SideMapping
    from mappings.problems import ConfigError
    from rules.cases import CaseReport


def check(
    ctx: typer.Context,
    live: Annotated[
        bool, typer.Option("--live", help="Also ask both platforms whether they have what is mapped.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check the configuration folder, its cases and the settings. Ends with 1 if anything is wrong."""
    place = place_of(ctx)
    found = look(place, live=live)
    if as_json:
        print_json({key: value for key, value in found.items() if key not in ("texts", "code")})
    else:
        _print(found)
    if not found["ok"]:
        raise typer.Exit(found["code"] or FOUND)


def look(place: Place, *, live: bool = False) -> dict[str, Any]:
    """What is wrong, or what there is. With `live` the platforms are asked, once the folder itself is right.
    `code` is the exit code of what kept a platform from answering, 0 if nothing did."""
    from connector.configuration import MAIN_FILE, compile_documents, read_documents, read_main, shown_name
    from connector.settings import unknown_objects, written_settings
    from mappings.problems import ConfigErrors

    errors: list[ConfigError] = []
    texts: dict[str, str] = {}
    configuration: Configuration | None = None
    try:
        main = read_main(place.folder)
        texts[MAIN_FILE] = main.source.text
        try:
            written_settings(main)
        except ConfigErrors as problems:
            errors += problems.errors
        documents, unread = read_documents(place.folder)
        texts |= {shown_name(name): text for name, text in documents.items()}
        errors += unread
        if not unread:
            configuration = compile_documents(documents)
    except ConfigErrors as problems:
        errors += problems.errors
    if configuration is not None:
        errors += _nobody_gets_an_mql(configuration)
        errors += unknown_objects(main, configuration.mapping)
    wrong_settings = _wrong_settings(place, configuration, live=live) if not errors else []
    report = _cases(configuration) if configuration is not None else None
    warnings: list[ConfigError] = []
    if report is not None:
        errors += report.errors
    unanswered: list[Unanswered] = []
    if live and configuration is not None and not errors and not wrong_settings:
        findings, unanswered = ask_platforms(place, configuration)
        for finding in findings:
            (warnings if finding.warning else errors).append(finding.error)
    failures = [] if report is None else report.failures
    found: dict[str, Any] = {
        "ok": not errors and not failures and not unanswered and not wrong_settings,
        "place": place.name,
        "errors": [_as_data(error) for error in errors],
        "settings": wrong_settings,
        "warnings": [_as_data(error) for error in warnings],
        "cases": {
            "count": 0 if report is None else report.count,
            "failed": [
                {
                    **_as_data(failure.error),
                    "case": failure.case,
                    "expected": failure.expected,
                    "found": failure.found,
                    "fired": list(failure.fired),
                }
                for failure in failures
            ],
        },
        "asked_platforms": live and configuration is not None and not wrong_settings,
        "unanswered": [{"side": one.side, "message": one.message} for one in unanswered],
        "texts": texts,
        "code": max((one.code for one in unanswered), default=0),
    }
    if configuration is not None:
        found["version"] = configuration.version
        found["sides"] = len(configuration.mapping.sides)
        found["fields"] = len(configuration.mapping.fields)
        found["reasons"] = len(configuration.rules.reasons)
    return found


def _wrong_settings(place: Place, configuration: Configuration | None, *, live: bool) -> list[str]:
    """A sentence for each setting that is wrong or lacks another one. Credentials are asked for by `live`
    alone: who writes the rules need not have them."""
    from connector.settings import SettingsError, check_objects
    from connector.webhooks.tls import Tls

    try:
        settings = place.settings()
        if configuration is not None:
            check_objects(settings, configuration.mapping)
        if settings.webhooks.port is not None:
            Tls.of(settings.webhooks)
        if live and configuration is not None:
            _check_streams(place, configuration, settings)
    except SettingsError as error:
        return str(error).splitlines()
    return []


def _check_streams(place: Place, configuration: Configuration, settings: Settings) -> None:
    """Those that are switched on can be followed, as far as settings tell. Raises SettingsError."""
    from connector.platforms.protocol import FreeMeter
    from connector.worker.stream_threads import open_stream

    for name, side in configuration.mapping.sides.items():
        natives = {each: tuple(pair.native for pair in one.pairs) for each, one in side.objects.items()}
        opened = open_stream(name, side.platform, natives, "", settings, FreeMeter(), place.clock)
        if not isinstance(opened, str):
            opened.stream.close()


def _nobody_gets_an_mql(configuration: Configuration) -> list[ConfigError]:
    """Rules without any route can be tried and scored by; at work, every MQL would wait for an owner."""
    from mappings.problems import ConfigError

    if configuration.rules.routes:
        return []
    first = next(iter(configuration.documents_in("rules")))
    hint = 'write routes: [{route: everyone, owner: "queue:Inbound Leads"}]'
    return [ConfigError(first.name, 1, 1, "no route gives an MQL to anybody", hint)]


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A side that could not be asked: why, for the user, and the exit code of it."""

    side: str
    message: str
    code: int


def ask_platforms(place: Place, configuration: Configuration) -> tuple[list[Finding], list[Unanswered]]:
    """What the platforms have not, or take otherwise, and those that could not be asked: what is wrong with
    one is no reason to keep silent about the other. One login, one description and the users for each.

    Raises ConfigErrors, SettingsError for settings that cannot be read."""
    from connector.metadata_check import check_metadata
    from connector.object_check import Finding
    from connector.owner_check import missing_owners
    from connector.owners import Directory
    from mappings.document import SideDocument
    from mappings.source import parse, validate

    settings = place.settings()
    findings: list[Finding] = []
    owners: dict[str, list[Owner]] = {}
    unanswered: list[Unanswered] = []
    for source in configuration.documents_in("mappings"):
        document = parse(source)
        if "side" not in document.data:
            continue
        side = validate(SideDocument, document)
        try:
            mapping = configuration.mapping.sides[side.side]
            access, owners[side.side] = _access(place, settings, side, mapping)
        except Exception as error:
            code = exit_code(error)
            if code is None:
                raise
            said = told(error)
            named = side.platform in said.lower()
            unanswered.append(Unanswered(side.side, said if named else f"{side.side}: {said}", code))
            continue
        findings += check_metadata(
            document,
            side,
            access.metadata,
            configuration.mapping.fields,
            configuration.rules,
            access.reasons,
        )
    directory = Directory(owners)
    missing = missing_owners(configuration.rules.named_owners, configuration.mapping, directory)
    # leads are held where a route names the owner; a pool does without
    findings += [Finding(one.error, warning=one.named.in_pool) for one in missing]
    return findings, unanswered


def _access(
    place: Place, settings: Settings, document: SideDocument, side: SideMapping
) -> tuple[Access, list[Owner]]:
    """What a platform lets leadloop see of the mapped objects, and who can own records there. Raises
    SettingsError, WrongAccount, RetryLater, and Refused where nothing may be seen."""
    from connector.access import access_to
    from connector.platforms.protocol import FreeMeter
    from connector.wiring import open_platform

    platform = open_platform(document.side, document.platform, settings, FreeMeter(), place.clock)
    try:
        platform.prove_identity()
        owners = list(platform.owners())
        access = access_to(platform, side)
        if access.unanswered is not None:
            raise access.unanswered
        return access, owners
    finally:
        platform.close()


def _cases(configuration: Configuration) -> CaseReport:
    from rules.cases import run_cases

    return run_cases(
        configuration.documents_in("rules"),
        configuration.rules,
        configuration.scope,
        configuration.mapping.default_country,
    )


def tell_errors(errors: Iterable[ConfigError], texts: Mapping[str, str]) -> None:
    """Print mistakes in documents, each with its place, the line, and a caret below it."""
    _tell([_as_data(error) for error in errors], texts, "error", typer.colors.RED)


def _as_data(error: ConfigError) -> dict[str, Any]:
    return {
        "file": error.file,
        "line": error.line,
        "column": error.column,
        "message": error.message,
        "hint": error.hint,
    }


def _print(found: Mapping[str, Any]) -> None:
    texts, failed = found["texts"], found["cases"]["failed"]
    _tell(found["errors"], texts, "error", typer.colors.RED)
    _tell(failed, texts, "", typer.colors.RED)
    _tell(found["warnings"], texts, "warning", typer.colors.YELLOW)
    if found["errors"]:
        usable = "version" in found
        typer.echo(
            counted(len(found["errors"]), "error")
            + ("." if usable else ": this configuration cannot be used."),
            err=True,
        )
    if failed:
        cases = counted(found["cases"]["count"], "case")
        typer.echo(f"{len({item['case'] for item in failed})} of {cases} failed.", err=True)
    for sentence in found["settings"]:
        typer.echo(plain(sentence), err=True)
    for item in found["unanswered"]:
        typer.echo(plain(item["message"]), err=True)
    if not found["ok"]:
        return
    words = [
        counted(found["sides"], "side"),
        counted(found["fields"], "field"),
        counted(found["reasons"], "rejection reason"),
    ]
    if found["cases"]["count"]:
        words.append(f"{counted(found['cases']['count'], 'case')} passed")
    typer.echo(f"{found['place']} is in order (version {found['version']}): {', '.join(words)}.")
    if found["asked_platforms"]:
        warned = len(found["warnings"])
        typer.echo(
            "Both platforms have what is mapped"
            + (f", with {counted(warned, 'warning')}: leadloop works without." if warned else ".")
        )


def _tell(items: Iterable[Mapping[str, Any]], texts: Mapping[str, str], what: str, color: str) -> None:
    """Each problem with its place, the line, and a caret below it."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH
    listed = list(items)
    for number, item in enumerate(listed):
        hint = f"; {item['hint']}" if item["hint"] else ""
        place = f"{item['file']}:{item['line']}:{item['column']}:"
        marked = f" {typer.style('warning', fg=color)}:" if what == "warning" else ""
        typer.echo(f"{typer.style(place, bold=True)}{marked} {plain(item['message'] + hint)}")
        lines = excerpt(texts.get(item["file"], ""), item["line"], item["column"], width)
        if lines is not None:
            typer.echo(lines[0])
            bar, _, caret = lines[1].rpartition("|")
            typer.echo(f"{bar}|{typer.style(caret, fg=color)}")
        more = number + 1 < len(listed) and listed[number + 1].get("case") == item.get("case")
        if item.get("fired") and not more:
            typer.echo(f"      = fired: {plain(', '.join(item['fired']))}")
