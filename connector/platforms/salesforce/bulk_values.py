"""BulkValues: the cells of a Bulk API result as the values that REST gives for the same record. Pure.

CSV knows text alone, and spells date-times with `Z` where REST has `+0000` (recorded rows), so each column is
read by the type that describe gives it. A record must be the same observation whichever way it was read.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from typing import Any

from connector.platforms.protocol import FieldInfo

Cell = Callable[[str], Any]


def _moment(text: str) -> str:
    return f"{text[:-1]}+0000" if text.endswith("Z") else text


_READERS: Mapping[str, Cell] = {
    "boolean": lambda text: text == "true",
    "int": int,
    "long": int,
    "double": float,
    "currency": float,
    "percent": float,
    "datetime": _moment,
}


def rows_of(content: bytes, fields: Mapping[str, FieldInfo]) -> list[dict[str, Any]]:
    """The rows of one page as REST nests them; blank cells are None, and line breaks within quoted cells are
    kept. Raises ValueError for a page that is not whole, or a cell that is not of its column's type."""
    lines = csv.reader(io.TextIOWrapper(io.BytesIO(content), "utf-8", newline=""), strict=True)
    try:
        header = next(lines, [])
        typed = [
            (name, reader)
            for name in header
            if name in fields and (reader := _READERS.get(fields[name].type)) is not None
        ]
        crossing = [name for name in header if "." in name]
        rows = []
        for cells in lines:
            row: dict[str, Any] = {name: cell or None for name, cell in zip(header, cells, strict=True)}
            for name, reader in typed:
                cell = row[name]
                if cell is not None:
                    row[name] = reader(cell)
            for name in crossing:
                relation, _, column = name.partition(".")
                row.setdefault(relation, {})[column] = row.pop(name)
            rows.append(row)
    except csv.Error as error:
        raise ValueError(f"no CSV: {error}") from error
    return rows
