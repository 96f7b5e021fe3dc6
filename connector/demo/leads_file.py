"""LeadsFile: the people in a CSV file of real leads, with what is made up for them.

The file has no names and no addresses, so every row gets its own. Columns that were filled in knowing the
outcome (`Tags`, `Converted`) stay beside the values of the lead: they play the salesperson and the customer,
and no rule can read them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from mappings.csv_columns import CsvColumns
from mappings.values import Value

NUMBER, TAG, WON = "Lead Number", "Tags", "Converted"


class LeadsFileError(Exception):
    """The file cannot be used. `str()` is a sentence that names the place."""


@dataclass(slots=True)
class Person:
    """One row of the file, and the records that it has become. `line` counts rows of the file from 2, the
    first one below the headings."""

    line: int
    number: str
    email: str
    values: Mapping[str, Value]
    tag: str
    won: bool
    contact_id: str | None = None
    lead_id: str | None = None


def read_people(path: Path, columns: CsvColumns) -> list[Person]:
    """The people of a file, in its order. Raises LeadsFileError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            people = list(_people(path, file, columns))
    except UnicodeDecodeError as error:
        raise LeadsFileError(f"{path} is not UTF-8 (byte {error.start}): save it as UTF-8.") from None
    except OSError as error:
        raise LeadsFileError(f"{path} cannot be read: {error.strerror or error}.") from None
    except csv.Error as error:
        raise LeadsFileError(f"{path} is no CSV file that can be read: {error}.") from None
    if not people:
        raise LeadsFileError(f"{path} holds no leads: there is no row below its headings.")
    return people


def _people(path: Path, file: TextIO, columns: CsvColumns) -> Iterator[Person]:
    reader = csv.DictReader(file)
    headings = reader.fieldnames or ()
    if not headings:
        raise LeadsFileError(f"{path} is empty.")
    missing = [name for name in (NUMBER, TAG, WON, *columns.headings) if name not in headings]
    if missing:
        raise LeadsFileError(
            f"{path} lacks {'the column' if len(missing) == 1 else 'the columns'} {', '.join(missing)}: "
            "its headings must be those of the example in mappings/examples/x-education."
        )
    taken: set[str] = set()
    for line, row in enumerate(reader, start=2):
        number = (row[NUMBER] or "").strip()
        if not (number.isascii() and number.isalnum()) or number.lower() in taken:
            number = f"row{line}"
        taken.add(number.lower())
        email = f"applicant.{number.lower()}@students.example"
        yield Person(
            line=line,
            number=number,
            email=email,
            values={**columns.read(row).values, "email": email, "last_name": f"Applicant {number}"},
            tag=(row[TAG] or "").strip(),
            won=(row[WON] or "").strip() == "1",
        )
