"""CSV columns: how the rows of an export are read as canonical values. Pure: rows come in as dicts."""

from __future__ import annotations

from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from mappings.compile_pair import PairCompiler
from mappings.document import PairDocument, Scalar
from mappings.mapping import Mapping
from mappings.object_mapping import Pair, Translated
from mappings.plain_text import normal_text
from mappings.problems import ConfigError, ConfigErrors, did_you_mean
from mappings.source import Source, parse
from mappings.validation import Strict, validate
from mappings.values import Unreadable, Value


def _unfold(value: Any) -> Any:
    """`city: City` is short for `city: {column: City}`."""
    return {"column": value} if isinstance(value, str) else value


class ColumnDocument(Strict):
    """The column that a canonical field is read from."""

    column: str
    table: dict[str, Scalar] | None = None
    unmapped: Literal["pass", "refuse"] = "pass"
    blanks: list[str] = Field(default_factory=list)


class CsvDocument(Strict):
    """One CSV file's columns."""

    columns: dict[
        str, Annotated[ColumnDocument, BeforeValidator(_unfold, json_schema_input_type=str | ColumnDocument)]
    ]
    blanks: list[str] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CsvColumns:
    """Reads rows. `pairs` have the columns' headings as their native names."""

    pairs: tuple[Pair, ...]
    blanks: ReadOnly[str, frozenset[str]]
    default_country: str | None

    @property
    def headings(self) -> tuple[str, ...]:
        """The columns that are read."""
        return tuple(pair.native for pair in self.pairs)

    def read(self, row: ReadOnly[str, str | None]) -> Translated:
        """The canonical values of a row. A column that the row lacks is absent; blank is None."""
        values: dict[str, Value] = {}
        unreadable: dict[str, str] = {}
        country = self.default_country
        for pair in self.pairs:
            if pair.native not in row:
                continue
            text = normal_text(row[pair.native])
            try:
                value = (
                    None if text in self.blanks[pair.canonical] else pair.read(text, _NO_DIRECTORY, country)
                )
            except Unreadable as why:
                unreadable[pair.canonical] = str(why)
                continue
            values[pair.canonical] = value
            if pair.type == "country" and value is not None:
                country = str(value)
        return Translated(values, unreadable)


class _ReadsAddresses:
    """Owners in a CSV are e-mail addresses or 'queue:<Name>' already."""

    def email_of(self, side: str, native_id: str) -> str | None:  # noqa: ARG002  # the protocol's signature
        return native_id

    def native_of(self, side: str, owner: str) -> str | None:  # noqa: ARG002  # the protocol's signature
        return owner

    def knows_owners_of(self, side: str) -> bool:  # noqa: ARG002  # the protocol's signature
        return False


_NO_DIRECTORY = _ReadsAddresses()


def load_columns(source: Source, mapping: Mapping) -> CsvColumns:
    """Compile a document of columns against the lead's fields. Raises ConfigErrors with all that is wrong."""
    document = parse(source)
    model = validate(CsvDocument, document)
    errors: list[ConfigError] = []
    compiler = PairCompiler(document, "csv", mapping.default_country, errors)
    pairs: list[Pair] = []
    for name, column in model.columns.items():
        path = ("columns", name)
        rule = mapping.fields.get(name)
        if rule is None:
            hint = did_you_mean(name, mapping.fields)
            errors.append(document.error(path, f'unknown field "{name}"', hint, key=True))
            continue
        pair = PairDocument(
            field=column.column, direction="read", table=column.table, unmapped=column.unmapped
        )
        pairs.append(compiler.compiled(path, name, pair, rule.type, values=rule.values))
    if errors:
        raise ConfigErrors(errors)
    # a country is read before the phone numbers and states that are read in it
    pairs.sort(key=lambda pair: pair.type != "country")
    blanks = {name: frozenset((*model.blanks, *column.blanks)) for name, column in model.columns.items()}
    return CsvColumns(tuple(pairs), blanks, mapping.default_country)
