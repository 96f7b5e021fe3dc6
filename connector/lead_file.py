"""Lead file: leads in a CSV or JSON file, one at a time, as the rules take them. Holds one lead in memory.

A value that cannot be read is blank and is told; a file that is not of its form is an error with its line.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

from mappings.csv_columns import CsvColumns
from mappings.problems import did_you_mean
from mappings.stages import Stage
from mappings.values import Unreadable, Value
from rules.cases import read_moment, read_value
from rules.facts import Activity, LeadFacts, Rejection
from rules.scope import STAGE_NAMES, Scope

CHUNK: Final = 65_536
LONGEST_LEAD: Final = 8_000_000
"""Characters of one lead in a JSON file; more is a mistake in the file."""

OTHER_KEYS: Final = (
    "activities",
    "rejections",
    "stage",
    "cycle",
    "created",
    "stage_since",
    "origin",
    "exists_on",
)
"""What a lead in a JSON file may have beside its values."""


class LeadFileError(Exception):
    """The file cannot be used. `str()` is what the user is told, with the place."""


@dataclass(frozen=True, slots=True)
class FileLead:
    """One lead of a file. `line` is where it begins, `unreadable` why a value counts as blank, by name."""

    line: int
    facts: LeadFacts
    unreadable: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LeadFile:
    """How to read a file: `columns` for a CSV file whose headings are not canonical names; None: they are.
    `stage` is where a lead begins that says no other.
    `tell` is told what is not read."""

    path: Path
    scope: Scope
    now_ms: int
    country: str | None = None
    columns: CsvColumns | None = None
    stage: str = Stage.INQUIRY.value
    tell: Callable[[str], None] = print

    def leads(self) -> Iterator[FileLead]:
        """The leads, in order. Raises LeadFileError."""
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                if self.path.suffix.lower() in (".json", ".jsonl", ".ndjson"):
                    yield from self._json(file)
                else:
                    yield from self._csv(file)
        except OSError as error:
            raise LeadFileError(f"{self.path} cannot be read: {error.strerror or error}.") from None
        except UnicodeDecodeError as error:
            raise LeadFileError(f"{self.path} is not UTF-8 (byte {error.start}): save it as UTF-8.") from None
        except csv.Error as error:
            raise LeadFileError(f"{self.path} is no CSV file that can be read: {error}.") from None

    def _csv(self, file: TextIO) -> Iterator[FileLead]:
        reader = csv.DictReader(file, strict=True)
        headings = [heading for heading in reader.fieldnames or () if heading is not None]
        if not headings:
            raise LeadFileError(f"{self.path} is empty: its first line must name the columns.")
        repeated = next((name for name in headings if headings.count(name) > 1), None)
        if repeated is not None:
            raise LeadFileError(f'{self.path}:1: the column "{repeated}" is there twice.')
        self._check_headings(headings)
        for row in reader:
            line = reader.line_num
            if None in row:
                raise LeadFileError(f"{self.path}:{line}: this row has more values than there are columns.")
            if any(value is None for value in row.values()):
                raise LeadFileError(f"{self.path}:{line}: this row has fewer values than there are columns.")
            if self.columns is not None:
                read = self.columns.read(row)
                yield FileLead(line, self._facts(read.values), read.unreadable)
                continue
            values: dict[str, Value] = {}
            unreadable: dict[str, str] = {}
            for name, text in row.items():
                if name in self.scope.fields:
                    self._read(name, text, values, unreadable)
            yield FileLead(line, self._facts(values), unreadable)

    def _check_headings(self, headings: list[str]) -> None:
        if self.columns is not None:
            lacking = [heading for heading in self.columns.headings if heading not in headings]
            if lacking:
                hint = did_you_mean(lacking[0], headings)
                raise LeadFileError(
                    f'{self.path}:1: there is no column "{lacking[0]}"' + (f"; {hint}" if hint else ".")
                )
            return
        strange = [heading for heading in headings if heading not in self.scope.fields]
        if len(strange) == len(headings):
            raise LeadFileError(
                f"{self.path}:1: none of the columns is a field of lead.yaml: rename them, or say with "
                "--mapping which column is which field."
            )
        for heading in strange:
            hint = did_you_mean(heading, self.scope.fields)
            near = f"; {hint}" if hint.startswith("did you") else ""
            self.tell(f'{self.path}:1: the column "{heading}" is no field and is not read{near}')

    def _json(self, file: TextIO) -> Iterator[FileLead]:
        for line, given in json_objects(self.path, file):
            if not isinstance(given, dict):
                raise LeadFileError(f"{self.path}:{line}: a lead must be an object, with its fields by name.")
            yield self._lead(line, given)

    def _lead(self, line: int, given: dict[str, Any]) -> FileLead:
        values: dict[str, Value] = {}
        unreadable: dict[str, str] = {}
        for name, written in given.items():
            if name in OTHER_KEYS:
                continue
            if name not in self.scope.fields:
                hint = did_you_mean(name, (*self.scope.fields, *OTHER_KEYS))
                raise LeadFileError(
                    f'{self.path}:{line}: unknown field "{name}"' + (f"; {hint}" if hint else ".")
                )
            self._read(name, written, values, unreadable)
        try:
            facts = self._facts(values, given)
        except Unreadable as why:
            raise LeadFileError(f"{self.path}:{line}: {why}.") from None
        except KeyError as why:
            raise LeadFileError(f"{self.path}:{line}: {why.args[0]} is missing.") from None
        except (TypeError, ValueError, AttributeError, OverflowError):
            raise LeadFileError(
                f"{self.path}:{line}: {_misshapen(given)} is not of its form: activities and rejections are "
                "lists of objects, cycle is a whole number, a moment a date or such as 3 days ago."
            ) from None
        return FileLead(line, facts, unreadable)

    def _read(self, name: str, written: Any, values: dict[str, Value], unreadable: dict[str, str]) -> None:
        try:
            values[name] = read_value(self.scope.fields[name], written, self.country)
        except (Unreadable, TypeError) as why:
            unreadable[name] = str(why)

    def _facts(self, values: Mapping[str, Value], given: Mapping[str, Any] | None = None) -> LeadFacts:
        """Raises Unreadable, KeyError, TypeError, ValueError for what is not of its form."""
        more = given or {}
        stage = more.get("stage", self.stage)
        if stage not in STAGE_NAMES:
            raise Unreadable(f'unknown stage "{stage}"; {did_you_mean(str(stage), STAGE_NAMES)}'.rstrip("; "))
        activities = tuple(self._activity(item) for item in more.get("activities") or ())
        rejections = tuple(
            Rejection(
                str(item["reason"]), self._at(item.get("at")), int(item.get("cycle", 1)), item.get("score")
            )
            for item in more.get("rejections") or ()
        )
        return LeadFacts(
            values=values,
            stage=Stage(stage),
            cycle=int(more.get("cycle", 1)),
            stage_since_ms=self._at(more.get("stage_since")),
            created_ms=self._at(more.get("created")),
            activities=activities,
            rejections=rejections,
            sides=frozenset(map(str, more.get("exists_on") or ())),
            origin=str(more.get("origin") or ""),
            cycle_since_ms=max((item.at_ms for item in rejections), default=None),
        )

    def _activity(self, item: Mapping[str, Any]) -> Activity:
        kind, known = str(item["kind"]), self.scope.activities
        if known is not None and kind not in known:
            hint = did_you_mean(kind, known)
            raise Unreadable(
                f'no configured source gives the activity "{kind}"' + (f"; {hint}" if hint else "")
            )
        return Activity(kind, self._at(item.get("at")), dict(item.get("attributes") or {}))

    def _at(self, written: Any) -> int:
        if written is None:
            return self.now_ms
        return int(written) if isinstance(written, int | float) else read_moment(str(written), self.now_ms)


def _misshapen(given: Mapping[str, Any]) -> str:
    """The keys beside the values that a lead has, one of which is wrong."""
    return ", ".join(key for key in OTHER_KEYS if key in given)


def json_objects(path: Path, file: TextIO) -> Iterator[tuple[int, Any]]:
    """The values of a JSON list, or one after another, each with its line. Raises LeadFileError."""
    decoder = json.JSONDecoder()
    buffer, line, ended, listed, begun = "", 1, False, False, False

    def drop(count: int) -> None:
        nonlocal buffer, line
        line += buffer.count("\n", 0, count)
        buffer = buffer[count:]

    size = CHUNK
    while True:
        blank = len(buffer) - len(buffer.lstrip(" \t\r\n," if begun else " \t\r\n"))
        drop(blank)
        if not begun and buffer:
            begun, listed = True, buffer[0] == "["
            if listed:
                drop(1)
                continue
        if listed and buffer[:1] == "]":
            return
        if buffer:
            try:
                value, end = decoder.raw_decode(buffer)
            except RecursionError:
                raise LeadFileError(f"{path}:{line}: this is nested too deeply.") from None
            except json.JSONDecodeError as fault:
                if ended or len(buffer) > LONGEST_LEAD:
                    at = line + buffer.count("\n", 0, fault.pos)
                    raise LeadFileError(f"{path}:{at}: this is not valid JSON: {fault.msg}.") from None
            else:
                if end < len(buffer) or ended:
                    yield line, value
                    drop(end)
                    size = CHUNK
                    continue
        elif ended:
            if listed:
                raise LeadFileError(f"{path}:{line}: the list has no end: a ] is missing.")
            return
        more = file.read(size)
        size *= 2
        ended = not more
        buffer += more
