"""`leadloop verify`: proof that nothing was missed: all on both platforms is held against the database.

What was missed is put right, and everything that differs is named with its cause.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.failures import FOUND, Problem
from connector.cli.output import Page, counted, iso, print_json
from connector.cli.place import place_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connector.installation import Installation
    from connector.intake.findings import Named
    from connector.intake.sweep import Swept
    from connector.store.database import Database

NAMED_IN_TEXT = 20


def verify(
    ctx: typer.Context,
    side: Annotated[str | None, typer.Option("--side", metavar="SIDE", help="Only this side.")] = None,
    object_name: Annotated[
        str | None,
        typer.Option("--object", metavar="OBJECT", help="Only the records of this object."),
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair/--no-repair", help="Put right what was missed, or only name it.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Prove that nothing was missed. Compares all records and leads of both platforms with the database, puts
    right what differs, and says why. One that was interrupted goes on where it was."""
    from connector.store.configurations import applied_configuration
    from connector.wiring import connect

    place = place_of(ctx)
    settings = place.settings()
    with place.database() as database:
        with database.read() as conn:
            if applied_configuration(conn) is None:
                raise Problem("Nothing has been read here yet: start `leadloop run` once.")
            configuration = place.in_force(conn)
        mapped = {name: tuple(one.objects) for name, one in configuration.mapping.sides.items()}
        _sides(mapped, side, object_name)  # what is typed wrongly is told before anybody is connected to
        connected = connect(configuration, settings, database, place.clock)
        installation = connected.installation
        try:
            feeds = {name: tuple(feed.objects) for name, feed in installation.feeds.items()}
            sides = _sides(feeds, side, object_name)
            swept, left = _sweep(installation, sides, object_name, repair=repair)
        finally:
            for platform in installation.platforms.values():
                platform.close()
        data = as_data(swept, _names(database, installation, swept))
    if as_json:
        print_json(data)
    elif swept:
        _print(data, repair=repair)
    if left:
        raise Problem("\n".join(left), FOUND)
    if data["unexplained"] or data["not_repaired"]:
        raise typer.Exit(FOUND)


def _sides(objects: Mapping[str, Sequence[str]], side: str | None, object_name: str | None) -> list[str]:
    """The sides that are asked for, of those with these objects. Raises Problem for a name that is none."""
    if side is not None and side not in objects:
        raise Problem(f"There is no side {side!r} in the mapping: there are {', '.join(objects)}.")
    sides = [
        name
        for name in (objects if side is None else [side])
        if object_name is None or object_name in objects[name]
    ]
    if not sides:
        known = sorted({name for one in objects if side in (None, one) for name in objects[one]})
        raise Problem(f"No object {object_name!r} is mapped: there are {', '.join(known)}.")
    return sides


def _sweep(
    installation: Installation, sides: Sequence[str], object_name: str | None, *, repair: bool
) -> tuple[list[Swept], list[str]]:
    """Sweep these sides, one after another. Returns what was found, and why others could not be swept to
    their end: one that does not answer hides nothing of the others."""
    from connector.intake.sweep import sweep
    from connector.platforms.errors import PlatformError

    found: list[Swept] = []
    left: list[str] = []
    for name in sides:
        try:
            swept = sweep(installation, name, object_name=object_name, repair=repair, told=_tell)
        except PlatformError as error:
            left.append(f"{name} was not verified to its end: {error}. The same command goes on from there.")
            continue
        if swept is None:
            left.append(f"Another process verifies {name} just now: try again when it is done.")
        else:
            found.append(swept)
    if sys.stderr.isatty():
        typer.echo(err=True)
    return found, left


def _tell(part: str, swept: Swept) -> None:
    """How far it is; to a terminal only."""
    if sys.stderr.isatty():
        done = f"{counted(swept.records, 'record')}, {counted(swept.leads, 'lead')}"
        line = f"{swept.side} {part}: {done}, {swept.findings.amiss:,} amiss"
        typer.echo(f"\r{line:<90}", err=True, nl=False)


def _names(
    database: Database, installation: Installation, swept: Sequence[Swept]
) -> Mapping[str, str | None]:
    """The e-mail address of each lead that is named."""
    from connector.lead import LeadState
    from connector.store.leads import read_leads

    addresses = [name for name, rule in installation.policy.mapping.fields.items() if rule.type == "email"]
    ids = {
        one.lead_id
        for each in swept
        for names in each.findings.named.values()
        for one in names
        if one.lead_id is not None
    }
    with database.read() as conn:
        states = [LeadState.from_json(lead.state) for lead in read_leads(conn, ids)]
    return {
        state.lead_id: next((str(state.values[name]) for name in addresses if state.values.get(name)), None)
        for state in states
    }


def as_data(swept: Sequence[Swept], names: Mapping[str, str | None]) -> dict[str, Any]:
    """What was found, as plain JSON data."""
    return {
        "unexplained": sum(each.findings.unexplained for each in swept),
        "not_repaired": sum(each.findings.left for each in swept),
        "repaired": sum(sum(each.findings.repaired.values()) for each in swept),
        "sides": {each.side: _side_data(each, names) for each in swept},
    }


def _side_data(swept: Swept, names: Mapping[str, str | None]) -> dict[str, Any]:
    from connector.intake.findings import AMISS, STANDING

    findings = swept.findings
    return {
        "started_at": iso(swept.started_ms),
        "ended_at": iso(swept.ended_ms),
        "records": swept.records,
        "leads": swept.leads,
        "causes": [
            {
                "cause": cause,
                "means": means,
                "amiss": cause in AMISS,
                "found": findings.found[cause],
                "repaired": findings.repaired.get(cause, 0),
                "named": [_named_data(one, names) for one in findings.named.get(cause, ())],
            }
            for cause, means in {**AMISS, **STANDING}.items()
            if cause in findings.found
        ],
    }


def _named_data(one: Named, names: Mapping[str, str | None]) -> dict[str, Any]:
    return {
        "lead": one.lead_id,
        "email": names.get(one.lead_id) if one.lead_id is not None else None,
        "record": one.record,
        "fields": list(one.fields),
        "repaired": one.repaired,
    }


def _print(data: Mapping[str, Any], *, repair: bool) -> None:
    page = Page()
    for side, known in data["sides"].items():
        page.heading(f"{side}: {counted(known['records'], 'record')}, {counted(known['leads'], 'lead')}")
        wrong = [row for row in known["causes"] if row["amiss"]]
        if not wrong:
            page.line("Nothing was missed.")
        page.table(
            [
                (row["cause"], f"{row['found']:,}", f"{row['repaired']:,}", row["means"])
                for row in known["causes"]
            ],
            ("cause", "found", "repaired", "means"),
        )
        for row in known["causes"]:
            shown = row["named"][:NAMED_IN_TEXT]
            more = row["found"] - len(shown)
            page.line(f"{row['cause']}:")
            page.table([_told(one) for one in shown], indent=4)
            if more > 0:
                page.line(f"and {more:,} more; --json names up to 200 of a cause", indent=4)
    page.heading(_verdict(data, repair=repair))


def _told(one: Mapping[str, Any]) -> tuple[str, str]:
    lead = one["email"] or one["lead"] or "no lead"
    fields = f" ({', '.join(one['fields'])})" if one["fields"] else ""
    return lead, f"{one['record'] or 'no record there'}{fields}"


def _verdict(data: Mapping[str, Any], *, repair: bool) -> str:
    if data["unexplained"]:
        return f"{counted(data['unexplained'], 'difference')} cannot be explained: see `leadloop explain`."
    if data["not_repaired"]:
        number = counted(data["not_repaired"], "thing")
        return f"{number} to put right" + (", which failed." if repair else ": say it again with --repair.")
    if data["repaired"]:
        number = counted(data["repaired"], "thing")
        return f"{number} put right; the next pass of `leadloop run` does the rest. None is unexplained."
    return "Nothing was missed, and nothing is unexplained."
