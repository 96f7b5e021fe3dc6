"""Compile one pair: a canonical field, its native one, and how each is spelled in the other."""

from __future__ import annotations

from typing import Final

from mappings.document import PairDocument
from mappings.normalise import normalise
from mappings.object_mapping import Pair
from mappings.problems import ConfigError, Path, did_you_mean
from mappings.round_trip import round_trip_fault
from mappings.source import Document
from mappings.spelling import WRITE_AS, Spelling, reader_for, writer_for
from mappings.values import FieldType, Unreadable, Value

_TABLES: Final = ("text", "picklist", "multi_select", "boolean", "number", "country", "state")
"""Types whose native values can be listed."""

_CUTTABLE: Final = ("text",)
"""Types that mean nearly the same when their end is missing."""


class PairCompiler:
    """Compiles the pairs of one document's side."""

    def __init__(
        self, document: Document, side: str, default_country: str | None, errors: list[ConfigError]
    ) -> None:
        self.document, self.side, self.default_country, self.errors = document, side, default_country, errors

    def compiled(
        self,
        path: Path,
        canonical: str,
        pair: PairDocument,
        kind: FieldType,
        *,
        values: tuple[str, ...] | None = None,
        read_only: bool = False,
    ) -> Pair:
        """The pair at `path`. `values`: all that the canonical field may hold."""
        before = len(self.errors)
        write_as = self._write_as(path, pair, kind)
        table = self._table(path, pair, kind, values)
        self._check_length(path, pair, kind)
        spelling = Spelling(
            side=self.side,
            native=pair.field,
            type=kind,
            write_as=write_as,
            table=table,
            unmapped=pair.unmapped,
            values=values,
            max_length=pair.max_length,
            too_long=pair.too_long,
            default_country=self.default_country,
        )
        compiled = Pair(
            canonical=canonical,
            native=pair.field,
            type=kind,
            reads=pair.direction != "write",
            writes=pair.direction != "read" and not read_only,
            max_length=pair.max_length,
            reader=reader_for(spelling),
            writer=writer_for(spelling),
        )
        if len(self.errors) == before:
            fault = round_trip_fault(compiled, tuple(table.values()), values)
            if fault is not None:
                self._error(path, fault, 'use "direction: write", or spell it so that it can be read back')
        return compiled

    def _error(self, path: Path, message: str, hint: str = "", *, key: bool = False) -> None:
        self.errors.append(self.document.error(path, message, hint, key=key))

    def _write_as(self, path: Path, pair: PairDocument, kind: FieldType) -> str:
        ways = WRITE_AS[kind]
        if pair.write_as is None:
            return next(iter(ways))
        if pair.write_as not in ways:
            hint = did_you_mean(pair.write_as, ways)
            self._error((*path, "write_as"), f'type {kind} cannot be written as "{pair.write_as}"', hint)
            return next(iter(ways))
        return pair.write_as

    def _table(
        self, path: Path, pair: PairDocument, kind: FieldType, values: tuple[str, ...] | None
    ) -> dict[str, Value]:
        """Native to canonical, canonical values in normal form."""
        if pair.table is None:
            if pair.unmapped == "refuse":
                self._error((*path, "unmapped"), '"unmapped: refuse" without a "table" refuses everything')
            return {}
        if kind not in _TABLES:
            self._error(
                (*path, "table"),
                f"type {kind} has no table",
                f"tables are for {', '.join(_TABLES)}",
                key=True,
            )
            return {}
        table: dict[str, Value] = {}
        for native, meant in pair.table.items():
            place = (*path, "table", native)
            try:
                value = normalise("picklist" if kind == "multi_select" else kind, meant, self.default_country)
            except Unreadable as why:
                self._error(place, str(why))
                continue
            if value is None:
                self._error(place, f'"{native}" means nothing', "leave it out of the table")
            elif values is not None and value not in values:
                self._error(
                    place,
                    f'"{value}" is not one of the values of this field',
                    did_you_mean(str(value), values),
                )
            else:
                table[native] = value
        return table

    def _check_length(self, path: Path, pair: PairDocument, kind: FieldType) -> None:
        if pair.too_long == "truncate" and pair.max_length is None:
            self._error((*path, "too_long"), '"too_long: truncate" needs "max_length"')
        elif pair.too_long == "truncate" and kind not in _CUTTABLE:
            self._error(
                (*path, "too_long"),
                f"type {kind} cannot be cut short: it would mean something else",
                'use "too_long: refuse"',
            )
