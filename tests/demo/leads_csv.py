"""Made-up CSV files with the columns of the example, for tests that need rows nobody has ever seen."""

from __future__ import annotations

import csv
from pathlib import Path

from connector.demo.leads_file import NUMBER, TAG, WON
from connector.demo.stage_set import example_configuration, example_documents
from mappings.csv_columns import CsvColumns, load_columns
from mappings.source import Source

REAL = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "leads" / "x-education.csv"


def columns() -> CsvColumns:
    """The columns of the example."""
    documents = example_documents("x-education")
    return load_columns(Source("csv.yaml", documents["csv.yaml"]), example_configuration(documents).mapping)


def headings() -> list[str]:
    """Every heading that a file must have."""
    return [NUMBER, TAG, WON, *columns().headings]


def write_csv(path: Path, *rows: dict[str, str]) -> Path:
    """A file with these rows; columns that a row does not name are blank in it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, headings(), restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path
