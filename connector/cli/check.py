"""`leadloop check`: compile the configuration folder, and tell everything that is wrong with it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from connector.cli.failures import FOUND
from connector.cli.output import counted, print_json
from connector.cli.place import Place, place_of


def check(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check the configuration folder. Ends with 1 if anything is wrong with it."""
    place = place_of(ctx)
    found = look(place)
    if as_json:
        print_json(found)
    elif found["ok"]:
        typer.echo(
            f"{found['place']} is in order (version {found['version']}): "
            f"{counted(found['sides'], 'side')}, {counted(found['fields'], 'field')}, "
            f"{counted(found['reasons'], 'rejection reason')}."
        )
    else:
        for error in found["errors"]:
            typer.echo(_line(error))
        typer.echo(f"{counted(len(found['errors']), 'error')}: this configuration cannot be used.", err=True)
    if not found["ok"]:
        raise typer.Exit(FOUND)


def look(place: Place) -> dict[str, Any]:
    """What is wrong, or what there is."""
    from connector.configuration import MAIN_FILE, read_main
    from connector.settings import written_settings
    from mappings.problems import ConfigErrors

    written = (place.folder / MAIN_FILE).exists()
    where = str(place.folder.resolve()) if written else "the shipped configuration"
    try:
        configuration = place.configuration()
        written_settings(read_main(place.folder))
    except ConfigErrors as problems:
        errors = [
            {
                "file": error.file,
                "line": error.line,
                "column": error.column,
                "message": error.message,
                "hint": error.hint,
            }
            for error in problems.errors
        ]
        return {"ok": False, "place": where, "errors": errors}
    return {
        "ok": True,
        "place": where,
        "version": configuration.version,
        "sides": len(configuration.mapping.sides),
        "fields": len(configuration.mapping.fields),
        "reasons": len(configuration.rules.reasons),
        "errors": [],
    }


def _line(error: dict[str, Any]) -> str:
    hint = f"; {error['hint']}" if error["hint"] else ""
    return f"{error['file']}:{error['line']}:{error['column']}: {error['message']}{hint}"
