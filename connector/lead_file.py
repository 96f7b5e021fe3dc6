"""Lead file: leads in a CSV or JSON file, one at a time, as the rules take them. Holds one lead in memory.

A value that cannot be read is blank and is told; a file that is not of its form is an error with its line.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final, TextIO

from connector.json_stream import LeadFileError, json_objects
from mappings.csv_columns import CsvColumns
from mappings.problems import did_you_mean
from mappings.stages import Stage
from mappings.values import Unreadable, Value
from rules.case_reading import read_moment, read_value
from rules.facts import Activity, LeadFacts, Rejection
from rules.scope import STAGE_NAMES, Scope

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

LEADS_FOR_NAMES: Final = 100
"""So many leads of a JSON file are looked at for the names of its keys."""


@dataclass(frozen=True, slots=True)
class FileLead:
    """One lead of a file. `line` is where it begins, `unreadable` why a value counts as blank, by name, and
    `written` what stands in the file, by column or key."""

    line: int
    facts: LeadFacts
    unreadable: Mapping[str, str]
    written: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LeadFile:
    """How to read a file: `columns` for a CSV file whose headings are not canonical names; None: they are.
    `stage` is where a lead begins that says no other. `beside` are columns and keys that are no fields and
    are wanted all the same. `tell` is told what is not read."""

    path: Path
    scope: Scope
    now_ms: int
    country: str | None = None
    columns: CsvColumns | None = None
    stage: str = Stage.INQUIRY.value
    tell: Callable[[str], None] = print
    beside: Collection[str] = ()

    def names(self) -> list[str]:
        """The headings of a CSV file, or the keys of the first leads of a JSON file. Raises LeadFileError."""
        with self._opened() as file:
            if self._is_json:
                first = islice(json_objects(self.path, file), LEADS_FOR_NAMES)
                return list(dict.fromkeys(key for _, lead in first if isinstance(lead, dict) for key in lead))
            try:
                return list(csv.DictReader(file, strict=True).fieldnames or ())
            except csv.Error as error:
                raise LeadFileError(
                    f"{self.path}:1: this is no CSV file that can be read: {error}."
                ) from None

    def leads(self) -> Iterator[FileLead]:
        """The leads, in order. Raises LeadFileError."""
        with self._opened() as file:
            yield from self._json(file) if self._is_json else self._csv(file)

    @property
    def _is_json(self) -> bool:
        return is_json(self.path)

    @contextmanager
    def _opened(self) -> Iterator[TextIO]:
        """The file; what goes wrong while it is read is a LeadFileError."""
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                yield file
        except OSError as error:
            raise LeadFileError(f"{self.path} cannot be read: {error.strerror or error}.") from None
        except UnicodeDecodeError as error:
            raise LeadFileError(f"{self.path} is not UTF-8 (byte {error.start}): save it as UTF-8.") from None

    def _csv(self, file: TextIO) -> Iterator[FileLead]:
        reader = csv.DictReader(file, strict=True)
        try:
            yield from self._rows(reader)
        except csv.Error as error:
            place = f"{self.path}:{reader.line_num + 1}"  # where the row begins
            raise LeadFileError(f"{place}: this is no CSV file that can be read: {error}.") from None

    def _rows(self, reader: csv.DictReader[str]) -> Iterator[FileLead]:
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
                yield FileLead(line, self._facts(read.values), read.unreadable, row)
                continue
            values: dict[str, Value] = {}
            unreadable: dict[str, str] = {}
            for name, text in row.items():
                if name in self.scope.fields:
                    self._read(name, text, values, unreadable)
            yield FileLead(line, self._facts(values), unreadable, row)

    def _check_headings(self, headings: list[str]) -> None:
        if self.columns is not None:
            lacking = [heading for heading in self.columns.headings if heading not in headings]
            if lacking:
                hint = did_you_mean(lacking[0], headings)
                raise LeadFileError(
                    f'{self.path}:1: there is no column "{lacking[0]}"' + (f"; {hint}" if hint else ".")
                )
            return
        strange = [name for name in headings if name not in self.scope.fields and name not in self.beside]
        if not any(heading in self.scope.fields for heading in headings):
            raise LeadFileError(
                f"{self.path}:1: none of the columns is a field of lead.yaml: {self._remedy(headings)}."
            )
        for heading in strange:
            hint = did_you_mean(heading, self.scope.fields)
            near = f"; {hint}" if hint.startswith("did you") else ""
            self.tell(f'{self.path}:1: the column "{heading}" is no field and is not read{near}')

    def _remedy(self, headings: list[str]) -> str:
        """What to do about a file with columns that are all unknown."""
        if headings[0].lstrip()[:1] in ("{", "["):
            return "if the file is JSON, let its name end in .json"
        for mark, what in ((";", "semicolons"), ("\t", "tabs")):
            if len(headings) == 1 and mark in headings[0]:
                return f"they are parted by {what}; save it with commas"
        near = [name for name in self.scope.fields if name == headings[0].strip().lower().replace(" ", "_")]
        return (
            f'rename them ("{headings[0]}" to {near[0]}), or say with --mapping which column is which field'
            if near
            else "rename them, or say with --mapping which column is which field"
        )

    def _json(self, file: TextIO) -> Iterator[FileLead]:
        for line, given in json_objects(self.path, file):
            if not isinstance(given, dict):
                raise LeadFileError(f"{self.path}:{line}: a lead must be an object, with its fields by name.")
            yield self._lead(line, given)

    def _lead(self, line: int, given: dict[str, Any]) -> FileLead:
        values: dict[str, Value] = {}
        unreadable: dict[str, str] = {}
        for name, written in given.items():
            if name in OTHER_KEYS or (name in self.beside and name not in self.scope.fields):
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
                "lists of objects, a moment a date or such as 3 days ago."
            ) from None
        return FileLead(line, facts, unreadable, given)

    def _read(self, name: str, written: Any, values: dict[str, Value], unreadable: dict[str, str]) -> None:
        try:
            if isinstance(written, dict):
                raise Unreadable("an object is no value")
            value = read_value(self.scope.fields[name], written, self.country)
            choices = self.scope.choices.get(name)
            for item in value if isinstance(value, tuple) else (value,):
                if choices is not None and item is not None and item not in choices:
                    raise Unreadable(f'"{item}" is not one of the values of this field')
            values[name] = value
        except (Unreadable, TypeError) as why:
            unreadable[name] = str(why)

    def _facts(self, values: Mapping[str, Value], given: Mapping[str, Any] | None = None) -> LeadFacts:
        """Raises Unreadable, KeyError, TypeError, ValueError for what is not of its form."""
        more = given or {}
        stage = self._known("stage", str(more.get("stage", self.stage)), STAGE_NAMES)
        activities = tuple(self._activity(item) for item in more.get("activities") or ())
        rejections = tuple(self._rejection(item) for item in more.get("rejections") or ())
        sides, origin = more.get("exists_on") or [], more.get("origin") or ""
        if not isinstance(sides, list):
            raise Unreadable("exists_on is a list of sides")
        for side in filter(None, (*sides, origin)):
            self._known("side", str(side), self.scope.sides)
        return LeadFacts(
            values=values,
            stage=Stage(stage),
            cycle=_cycle(more),
            stage_since_ms=self._at(more.get("stage_since")),
            created_ms=self._at(more.get("created")),
            activities=activities,
            rejections=rejections,
            sides=frozenset(map(str, sides)),
            origin=str(origin),
            cycle_since_ms=max((item.at_ms for item in rejections), default=None),
        )

    def _activity(self, item: Mapping[str, Any]) -> Activity:
        _only(item, "an activity", ("kind", "at", "attributes"))
        kind, known = str(item["kind"]), self.scope.activities
        if known is not None and kind not in known:
            hint = did_you_mean(kind, known)
            raise Unreadable(
                f'no configured source gives the activity "{kind}"' + (f"; {hint}" if hint else "")
            )
        given = dict(item.get("attributes") or {})
        types = None if known is None else known[kind]
        if types is not None:
            _only(given, f'the activity "{kind}"', tuple(types))
            given = {name: self._attribute(name, types[name], value) for name, value in given.items()}
        return Activity(kind, self._at(item.get("at")), given)

    def _attribute(self, name: str, kind: str, written: Any) -> Value:
        try:
            if isinstance(written, dict):
                raise Unreadable("an object is no value")
            return read_value(kind, written, self.country)
        except Unreadable as why:
            raise Unreadable(f'the attribute "{name}": {why}') from None

    def _rejection(self, item: Mapping[str, Any]) -> Rejection:
        _only(item, "a rejection", ("reason", "at", "cycle", "score"))
        reason = self._known("reason", str(item["reason"]), self.scope.reasons)
        score = item.get("score")
        if score is not None and not (isinstance(score, int) and not isinstance(score, bool)):
            raise Unreadable("the score of a rejection is a whole number")
        return Rejection(reason, self._at(item.get("at")), _cycle(item), score)

    def _known(self, what: str, name: str, known: Collection[str] | None) -> str:
        if known is not None and name not in known:
            hint = did_you_mean(name, known)
            raise Unreadable(f'unknown {what} "{name}"' + (f"; {hint}" if hint else ""))
        return name

    def _at(self, written: Any) -> int:
        if written is None:
            return self.now_ms
        return int(written) if isinstance(written, int | float) else read_moment(str(written), self.now_ms)


def is_json(path: Path) -> bool:
    """Whether a file is read as JSON, by its name."""
    return path.suffix.lower() in (".json", ".jsonl", ".ndjson")


def _only(given: Mapping[str, Any], what: str, known: tuple[str, ...]) -> None:
    """Raises Unreadable for a key that is not known, TypeError for what has no keys."""
    if not isinstance(given, Mapping):
        raise TypeError(what)
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known)
            raise Unreadable(f'{what} has no "{name}"' + (f"; {hint}" if hint else ""))


def _cycle(given: Mapping[str, Any]) -> int:
    """The cycle that is said, or the first. Raises Unreadable."""
    cycle = given.get("cycle", 1)
    if not isinstance(cycle, int) or isinstance(cycle, bool) or cycle < 1:
        raise Unreadable("cycle is a whole number from 1 on")
    return cycle


def _misshapen(given: Mapping[str, Any]) -> str:
    """The keys beside the values that a lead has, one of which is wrong."""
    return ", ".join(key for key in OTHER_KEYS if key in given)
