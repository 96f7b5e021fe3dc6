"""`leadloop schema`: JSON Schemas, with which editors complete and check a configuration folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from connector.cli.failures import Problem
from connector.cli.output import counted


def schema(
    ctx: typer.Context,
    directory: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="Where they go; without it schemas/ in the configuration folder."),
    ] = None,
) -> None:
    """Write JSON Schemas for editors. The files of `leadloop init` point at them."""
    from connector.cli.init import SCHEMAS, write_all
    from connector.cli.place import place_of

    folder = directory if directory is not None else place_of(ctx).folder / SCHEMAS
    texts = schema_texts()
    try:
        write_all(folder, texts)
    except OSError as error:
        raise Problem(f"{folder} cannot be written ({error.strerror}). Nothing was written.") from error
    typer.echo(f"Wrote {counted(len(texts), 'schema')} to {folder}:")
    for name in texts:
        typer.echo(f"  {name}")


def schema_texts() -> dict[str, str]:
    """Every schema as the text of its file."""
    import json

    from connector.schemas import schemas

    return {
        name: json.dumps(schema, ensure_ascii=False, indent=2) + "\n" for name, schema in schemas().items()
    }
