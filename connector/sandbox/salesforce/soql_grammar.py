"""SOQL as text: the lark grammar, and how its parse becomes a tree.

What the grammar does not know is refused as MALFORMED_QUERY, as Salesforce refuses what it does not know.
Names are not resolved here. Source: facts/salesforce.md 3.2; AND and OR side by side need parentheses.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, cast

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken, VisitError

from connector.sandbox.salesforce.refusals import Refusal, malformed
from connector.sandbox.salesforce.soql_tree import (
    LITERAL_PERCENT,
    LITERAL_UNDERSCORE,
    Comparison,
    Condition,
    Item,
    Junction,
    Literal,
    Name,
    Ordering,
    Query,
)

LONGEST_QUERY = 100_000

_GRAMMAR = r"""
    start: "SELECT"i items "FROM"i NAME clause*
    items: item ("," item)*
    ?item: PATH alias?         -> column
         | PATH "(" PATH? ")" alias? -> function
    alias: PATH
    ?clause: WHERE condition -> where
           | ORDER "BY"i ordering ("," ordering)* -> order
           | LIMIT NUMBER -> limit
           | OFFSET NUMBER -> offset
    ordering: PATH (ASC | DESC)? nulls?
    nulls: "NULLS"i (FIRST | LAST)
    ?condition: unit | all | any
    all: unit ("AND"i unit)+
    any: unit ("OR"i unit)+
    ?unit: comparison
         | "(" condition ")"
         | "NOT"i unit -> negation
    comparison: PATH OPERATOR value      -> compare
              | PATH "LIKE"i STRING      -> like
              | PATH "IN"i values        -> in_list
              | PATH "NOT"i "IN"i values -> not_in_list
              | PATH "INCLUDES"i values  -> includes
              | PATH "EXCLUDES"i values  -> excludes
    values: "(" value ("," value)* ")"
    ?value: STRING | NUMBER | DATETIME | DATE | DAYS | TRUE | FALSE | NULL | PATH
    OPERATOR: "=" | "!=" | "<>" | "<=" | ">=" | "<" | ">"
    WHERE: "WHERE"i
    ORDER: "ORDER"i
    LIMIT: "LIMIT"i
    OFFSET: "OFFSET"i
    TRUE: "TRUE"i
    FALSE: "FALSE"i
    NULL: "NULL"i
    ASC: "ASC"i
    DESC: "DESC"i
    FIRST: "FIRST"i
    LAST: "LAST"i
    DATETIME.3: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)/i
    DATE.2: /\d{4}-\d\d-\d\d/
    NUMBER: /[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?/
    STRING: /'(?:[^'\\]|\\.)*'/s
    DAYS.2: /(LAST|NEXT)_N_DAYS:\d+/i
    NAME: /[A-Za-z][A-Za-z0-9_]*/i
    PATH: /[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*/i
    %ignore /\s+/
"""

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}


_LIKE_ESCAPES = {"_": LITERAL_UNDERSCORE, "%": LITERAL_PERCENT}


def unquote(text: str, like: bool) -> str:
    """The value of a quoted string. An escaped wildcard of a LIKE pattern becomes one of the two characters
    `LITERAL_…`. Raises Refusal for a backslash before anything else that means nothing."""

    def plain(match: re.Match[str]) -> str:
        found = _ESCAPES.get(match[1]) or (_LIKE_ESCAPES.get(match[1]) if like else None)
        if found is None:
            message = (
                f"Invalid string literal {text}. Illegal character sequence '{match[0]}' in string literal."
            )
            raise malformed(message)
        return found

    return re.sub(r"\\(.)", plain, text[1:-1], flags=re.DOTALL)


_Clause = tuple[Token, Any]
_Parts = tuple[tuple[Item, ...], Name, tuple[_Clause, ...]]


class _Tree(Transformer[Token, Any]):
    @v_args(inline=True)
    def start(self, items: tuple[Item, ...], source: Token, *clauses: _Clause) -> _Parts:
        return items, _name(source), clauses

    def items(self, parts: list[Item]) -> tuple[Item, ...]:
        return tuple(parts)

    def column(self, parts: list[Any]) -> Item:
        return Item(_name(parts[0]), alias=parts[1] if len(parts) > 1 else None)

    def function(self, parts: list[Any]) -> Item:
        argument = next((_name(part) for part in parts[1:] if isinstance(part, Token)), None)
        alias = next((part for part in parts[1:] if not isinstance(part, Token)), None)
        return Item(_name(parts[0]), argument, function=True, alias=alias)

    def alias(self, parts: list[Token]) -> str:
        return str(parts[0])

    def where(self, parts: list[Any]) -> _Clause:
        return parts[0], parts[1]

    def order(self, parts: list[Any]) -> _Clause:
        return parts[0], tuple(parts[1:])

    def limit(self, parts: list[Token]) -> _Clause:
        return parts[0], _whole(parts[1])

    def offset(self, parts: list[Token]) -> _Clause:
        return parts[0], _whole(parts[1])

    def ordering(self, parts: list[Any]) -> Ordering:
        words = [part.type for part in parts[1:] if isinstance(part, Token)]
        nulls = next((part for part in parts[1:] if isinstance(part, bool)), None)
        return Ordering(_name(parts[0]), "DESC" in words, bool(nulls))

    def nulls(self, parts: list[Token]) -> bool:
        return parts[0].type == "LAST"

    def all(self, parts: list[Condition]) -> Junction:
        return Junction("and", tuple(parts))

    def any(self, parts: list[Condition]) -> Junction:
        return Junction("or", tuple(parts))

    def negation(self, parts: list[Condition]) -> Junction:
        return Junction("not", tuple(parts))

    def compare(self, parts: list[Any]) -> Comparison:
        operator = "!=" if parts[1] == "<>" else str(parts[1])
        return Comparison(_name(parts[0]), operator, (_literal(parts[2]),))

    def like(self, parts: list[Any]) -> Comparison:
        return Comparison(_name(parts[0]), "like", (_literal(parts[1], like=True),))

    def in_list(self, parts: list[Any]) -> Comparison:
        return Comparison(_name(parts[0]), "in", parts[1])

    def not_in_list(self, parts: list[Any]) -> Comparison:
        return Comparison(_name(parts[0]), "not in", parts[1])

    def includes(self, parts: list[Any]) -> Comparison:
        return Comparison(_name(parts[0]), "includes", parts[1])

    def excludes(self, parts: list[Any]) -> Comparison:
        return Comparison(_name(parts[0]), "excludes", parts[1])

    def values(self, parts: list[Any]) -> tuple[Literal, ...]:
        return tuple(_literal(part) for part in parts)


_KINDS = {
    "STRING": "string",
    "NUMBER": "number",
    "DATETIME": "datetime",
    "DATE": "date",
    "DAYS": "days",
    "TRUE": "boolean",
    "FALSE": "boolean",
    "NULL": "null",
    "PATH": "word",
    "NAME": "word",
}


def _name(token: Token) -> Name:
    return Name(str(token), token.start_pos or 0)


def _literal(token: Token, like: bool = False) -> Literal:
    text = unquote(str(token), like) if token.type == "STRING" else str(token)
    return Literal(_KINDS[token.type], text, token.start_pos or 0)


def _whole(token: Token) -> int:
    if not str(token).isdigit():
        raise malformed(f"unexpected token: '{token}'")
    return int(token)


@lru_cache(maxsize=2)
def _parser(start: str) -> Lark:
    return Lark(_GRAMMAR, parser="lalr", start=start, maybe_placeholders=False)


def parse_query(text: str) -> Query:
    """Read a SELECT. Raises Refusal (MALFORMED_QUERY)."""
    if len(text) > LONGEST_QUERY:
        raise malformed(f"SOQL statements cannot be longer than {LONGEST_QUERY} characters.")
    items, source, clauses = cast("_Parts", _parsed(text, "start"))
    rest: dict[str, Any] = {}
    order = ["where", "order", "limit", "offset"]
    for token, value in clauses:
        kind = token.lower()
        if kind not in order:
            raise malformed(f"unexpected token: '{token}'", text, token.start_pos)
        del order[: order.index(kind) + 1]
        rest[kind] = value
    return Query(items, source, **rest)


def parse_condition(text: str) -> Condition:
    """Read what may stand after WHERE. Raises Refusal (MALFORMED_QUERY)."""
    return cast("Condition", _parsed(text, "condition"))


def _parsed(text: str, start: str) -> Any:
    try:
        return _Tree().transform(_parser(start).parse(text))
    except UnexpectedToken as error:
        if error.token.type == "$END":
            raise malformed("unexpected token: '<EOF>'", text, len(text)) from None
        raise malformed(f"unexpected token: '{error.token}'", text, error.pos_in_stream or 0) from None
    except UnexpectedCharacters as error:
        at = error.pos_in_stream or 0
        raise malformed(f"unexpected token: '{text[at : at + 1]}'", text, at) from None
    except UnexpectedEOF:
        raise malformed("unexpected token: '<EOF>'", text, len(text)) from None
    except RecursionError:
        message = "The filter conditions are too complicated."
        raise Refusal("QUERY_TOO_COMPLICATED", message) from None
    except VisitError as error:
        if isinstance(error.orig_exc, Refusal):
            raise error.orig_exc from None
        raise
