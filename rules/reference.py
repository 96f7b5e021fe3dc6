"""Reference: the page docs/rules-language.md, made from the tables of the language, never typed.

`python -m rules.reference` prints it. Pure.
"""

# ruff: noqa: E501  # the lines of the page are as long as those of the other pages
from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from mappings.places import CODED_STATES
from rules.functions import FUNCTIONS
from rules.parse import MAX_DEPTH, MAX_LENGTH
from rules.patterns import MAX_PATTERN, MAX_TEXT
from rules.scope import SCORE_NAMES, SPECIAL_NAMES
from rules.signature import Function, Parameter
from rules.value_types import TYPE_OF_FIELD, Type

NAMES: Final = {
    "stage": "the lead's stage, like `mql`",
    "cycle": "which pursuit of the lead this is, from 1",
    "origin": "the side where the lead was first seen",
    "outcome": "`won` or `lost`: how its last opportunity closed; blank before that",
    "closed_reason": "why its last opportunity was lost, as the CRM says; blank where it does not",
    "deal_amount": "the amount of its newest opportunity, as the CRM says",
    "fit": "points for who the lead is",
    "engagement": "points for what it does",
    "score": "both together",
    "grade": "the letter for the points, as `grades` says; blank below the last",
}
"""What each bare name is; a name that is missing here fails the making of the page."""

_TITLES: Final = {
    Type.TEXT: '`"DE"`; compared without regard to case',
    Type.NUMBER: "`250`, `-1.5`",
    Type.BOOLEAN: "`true`, `false`",
    Type.DATE: '`"2026-03-31"`: its first moment in UTC',
    Type.MOMENT: '`"2026-03-31T09:00:00Z"`, in UTC',
    Type.TEXTS: '`["CRM", "reports"]`; asked with `in`, `any_of`, `all_of`',
}
_OPERATORS: Final = (
    ("`==` `!=`", "two values of one type", "texts without regard to case"),
    ("`<` `<=` `>` `>=`", "numbers, dates", "can be chained: `20 <= employees < 200`"),
    ("`in` `not in`", "a value and a written list, or a text and a list field", '`country in ["US", "CA"]`'),
    ("`+` `-` `*` `/`", "numbers", "unknown where there is no finite result, as after dividing by 0"),
    ("`and` `or` `not`", "conditions", "the table below"),
)
_TRUTH: Final = ("true", "false", "unknown")


def _coded() -> str:
    """The countries whose states are codes, in words."""
    *others, last = sorted(CODED_STATES)
    return f"{', '.join(others)} or {last}"


def language_page() -> str:
    """The whole page."""
    return f"""# The language of conditions

<!-- Made by: python -m rules.reference > docs/rules-language.md -->

Every `when:` of a rules document is a condition: a comparison, a function that is true or false, or several of them
joined. Conditions are checked when the configuration is loaded: unknown names, values of the wrong type, values that a
field cannot have, conditions that no lead or every lead meets. Every mistake is told with file, line and column.

```yaml
when: employees >= 200 and country in ["US", "CA"] and not is_free_mail(email)
```

An expression has at most {MAX_LENGTH:,} characters and {MAX_DEPTH} levels. It stands on one line or on several; a comment
cannot stand inside it.

## Types

{_table(("type", "written", "fields in lead.yaml"), map(_type, Type))}
A country is its code of two letters: `"DE"`. A state is its code where {_coded()} is the country (`"CA"`), and the
name that was entered everywhere else (`"Bayern"`).

A date without time is its first moment in UTC. There is no time zone to configure: days begin at 0:00 UTC. Business
days are Mondays to Fridays. There is no calendar of holidays, so a holiday on a weekday counts as a business day.

## Operators

{_table(("operators", "between", "note"), _OPERATORS)}
## What is unknown

A blank value is unknown, as is a value that is not of the type that its field declares. Whatever is computed from
something unknown is unknown too, and so are comparisons with it. A rule fires only on true. `is_blank(x)` is never
unknown.

{_table(("a", "b", "a and b", "a or b", "not a"), _truth_table())}
So `employees >= 200` and `not employees >= 200` are both unknown for a lead without employees, and a rule with either
does not fire.

## Names

All fields of `lead.yaml`, and:

{_table(("name", "type", "what it is", "where"), _names())}
In a rule with `on:`, `activity.at` is when the activity happened, and `activity.<attribute>` what its source tells of
it. An attribute that no configured source gives is a mistake.

## Functions

`…` stands for an argument that can be left out, and is given by its name: `count("form_submission", days=30)`. An
activity, a reason and a side are written in quotes, and must exist. `days` are more than 0.

{_table(("function", "takes", "gives", "what it says", "example", "which is"), map(_function, FUNCTIONS.values()))}
The examples are about a lead on 1 April 2026 at noon, entered on 20 March, VP Sales of Acme in Germany with 250
employees, in nurture for four days, rejected once 60 days ago for its timing, interested in CRM and reports, whose trial
ends on 10 April. The test suite runs them.

leadloop looks at a lead again when the result of such a function next changes by itself, and not before.

## Patterns

`matches` takes regular expressions as Python has them, without look-around, back-references and possessive groups, so
that the time of a search grows with the length of the text and no faster. A pattern has at most {MAX_PATTERN} characters.
A text longer than {MAX_TEXT:,} characters is unknown. Write patterns as `r"…"`, so that `\\b` means a word's edge.
"""


def _type(kind: Type) -> Sequence[str]:
    declared = ", ".join(f"`{name}`" for name, its in TYPE_OF_FIELD.items() if its is kind)
    return kind.value, _TITLES[kind], declared


def _truth_table() -> Iterable[Sequence[str]]:
    for a in _TRUTH:
        for b in _TRUTH:
            both = "false" if "false" in (a, b) else "unknown" if "unknown" in (a, b) else "true"
            either = "true" if "true" in (a, b) else "unknown" if "unknown" in (a, b) else "false"
            yield a, b, both, either, {"true": "false", "false": "true"}.get(a, a)


def _names() -> Iterable[Sequence[str]]:
    for name, kind in {**SPECIAL_NAMES, **SCORE_NAMES}.items():
        where = "everywhere" if name in SPECIAL_NAMES else "gates, `disqualify`, routes, tracks"
        yield f"`{name}`", kind.value, NAMES[name], where


def _function(function: Function) -> Sequence[str]:
    takes = ["a written list" if each.listed else _taken(each) for each in function.parameters]
    text, result = function.example
    shown = {True: "true", False: "false", None: "unknown"}[result]
    return (
        f"`{function.signature}`",
        "; ".join(takes),
        function.result.value,
        function.doc,
        f"`{text}`",
        shown,
    )


def _taken(parameter: Parameter) -> str:
    anything = set(parameter.accepts) == set(Type)
    return f"{parameter.name}: {'anything' if anything else ' or '.join(parameter.accepts)}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(
        f"|{'|'.join(f' {cell} ' if cell else ' ' for cell in (_cell(text) for text in line))}|\n"
        for line in lines
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(language_page(), end="")  # noqa: T201  # the page is what the command gives
