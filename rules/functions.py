"""The functions of the expression language: one table. A new function is one entry here.

Each entry holds the types, one line of documentation, an example with its result (the test suite runs it
over the example lead of tests/rules), and the code that the generator writes for a call, in terms of the
arguments and of the names that generated code knows (`RUNTIME`, and `facts`, `by_kind`, `now`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from rules.history import count, first_activity, last_activity, rejected, touches
from rules.mail import domain, is_free_mail
from rules.value_types import Type
from rules.wake import days_equalling, days_exceeding, days_passed, days_reaching, within_days

_TIME: Final = (Type.DATE, Type.MOMENT)
_ANY: Final = tuple(Type)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: what it accepts, and whether its text is compared without regard to case.

    `names` says that the argument is a name written in the rules that is checked against those that exist:
    an activity, a rejection reason, a side; or a pattern, which is compiled.
    """

    name: str
    accepts: tuple[Type, ...]
    folded: bool = False
    optional: bool = False
    listed: bool = False
    names: Literal["activity", "reason", "side", "pattern"] | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """One function. `code` is a template over its arguments, which are never unknown there if `strict`;
    `{wake}` stands for what is told when the result next changes.

    `days_from` marks a number of whole days that passes by itself: `code` is then the moment from which the
    days count. `total`: the result is never unknown when the arguments are known. `pure`: it depends on
    nothing but its arguments.
    """

    name: str
    parameters: tuple[Parameter, ...]
    result: Type
    doc: str
    example: tuple[str, bool | None]
    code: str
    strict: bool = True
    total: bool = True
    pure: bool = True
    days_from: bool = False

    @property
    def signature(self) -> str:
        """How it is called: `count(activity, days=…)`."""
        return f"{self.name}({', '.join(f'{p.name}=…' if p.optional else p.name for p in self.parameters)})"


_TEXT = Parameter("text", (Type.TEXT,), folded=True)
_DAYS = Parameter("days", (Type.NUMBER,), optional=True)
_KIND = Parameter("activity", (Type.TEXT,), names="activity")
_SOME_KIND = Parameter("activity", (Type.TEXT,), names="activity", optional=True)

FUNCTIONS: Final[dict[str, Function]] = {
    function.name: function
    for function in (
        Function(
            "is_blank",
            (Parameter("value", _ANY),),
            Type.BOOLEAN,
            "Whether the value is missing. Never unknown.",
            ("is_blank(phone)", True),
            "({0} is None)",
            strict=False,
        ),
        Function(
            "contains",
            (_TEXT, Parameter("part", (Type.TEXT,), folded=True)),
            Type.BOOLEAN,
            "Whether the text contains the part, in any case.",
            ('contains(job_title, "SALES")', True),
            "({1} in {0})",
        ),
        Function(
            "starts_with",
            (_TEXT, Parameter("beginning", (Type.TEXT,), folded=True)),
            Type.BOOLEAN,
            "Whether the text starts so, in any case.",
            ('starts_with(job_title, "vp")', True),
            "{0}.startswith({1})",
        ),
        Function(
            "ends_with",
            (_TEXT, Parameter("ending", (Type.TEXT,), folded=True)),
            Type.BOOLEAN,
            "Whether the text ends so, in any case.",
            ('ends_with(job_title, "marketing")', False),
            "{0}.endswith({1})",
        ),
        Function(
            "matches",
            (Parameter("text", (Type.TEXT,)), Parameter("pattern", (Type.TEXT,), names="pattern")),
            Type.BOOLEAN,
            "Whether the regular expression is found in the text, in any case; look-around and "
            'back-references are refused. Write it as r"…".',
            (r'matches(job_title, r"\b(chief|vp|director)\b")', True),
            "{1}({0})",
            total=False,
        ),
        Function(
            "length",
            (Parameter("value", (Type.TEXT, Type.TEXTS)),),
            Type.NUMBER,
            "Characters of a text, or entries of a list.",
            ("length(interests) == 2", True),
            "len({0})",
        ),
        Function(
            "lower",
            (Parameter("text", (Type.TEXT,)),),
            Type.TEXT,
            "The text in lower case.",
            ('lower(job_title) == "vp sales"', True),
            "{0}.lower()",
        ),
        Function(
            "domain",
            (Parameter("email", (Type.TEXT,)),),
            Type.TEXT,
            "The part of an e-mail address after the @; unknown where there is none.",
            ('domain(email) == "acme.example"', True),
            "domain({0})",
            total=False,
        ),
        Function(
            "is_free_mail",
            (Parameter("email", (Type.TEXT,)),),
            Type.BOOLEAN,
            "Whether the address is of a free or throw-away mail provider.",
            ("is_free_mail(email)", False),
            "is_free_mail({0})",
            total=False,
        ),
        Function(
            "any_of",
            (Parameter("list", (Type.TEXTS,), folded=True), Parameter("values", (Type.TEXT,), listed=True)),
            Type.BOOLEAN,
            "Whether a list field has at least one of the values, in any case.",
            ('any_of(interests, ["crm", "Pricing"])', True),
            "(not {1}.isdisjoint({0}))",
        ),
        Function(
            "days_since",
            (Parameter("date", _TIME),),
            Type.NUMBER,
            "Whole days (of 24 hours, UTC) since the date; negative for the future.",
            ("days_since(trial_ends) >= 3", False),
            "{0}",
            pure=False,
            days_from=True,
        ),
        Function(
            "within_days",
            (Parameter("date", _TIME), Parameter("days", (Type.NUMBER,))),
            Type.BOOLEAN,
            "Whether the date lies in the last so many days; not in the future.",
            ("within_days(created, 30)", True),
            "within_days({0}, {1}, now, {wake})",
            pure=False,
        ),
        Function(
            "days_in_stage",
            (),
            Type.NUMBER,
            "Whole days since the lead came into its stage.",
            ("days_in_stage() == 4", True),
            "facts.stage_since_ms",
            pure=False,
            days_from=True,
        ),
        Function(
            "count",
            (_KIND, _DAYS),
            Type.NUMBER,
            "How many activities of this kind the lead has, of the last `days` days if given.",
            ('count("form_submission", days=30) >= 1', True),
            "count({0}, {1}, by_kind, now, {wake})",
            pure=False,
        ),
        Function(
            "touches",
            (_DAYS,),
            Type.NUMBER,
            "How many activities of any kind the lead has, of the last `days` days if given.",
            ("touches() == 3", True),
            "touches({0}, facts, now, {wake})",
            pure=False,
        ),
        Function(
            "first_activity",
            (_SOME_KIND,),
            Type.MOMENT,
            "When the first activity (of this kind, if given) was; unknown without any.",
            ("days_since(first_activity()) > 60", True),
            "first_activity({0}, facts, by_kind, now, {wake})",
            total=False,
            pure=False,
        ),
        Function(
            "last_activity",
            (_SOME_KIND,),
            Type.MOMENT,
            "When the last activity (of this kind, if given) was; unknown without any.",
            ('within_days(last_activity("page_view"), 7)', True),
            "last_activity({0}, facts, by_kind, now, {wake})",
            total=False,
            pure=False,
        ),
        Function(
            "rejected",
            (Parameter("reason", (Type.TEXT,), names="reason", optional=True),),
            Type.BOOLEAN,
            "Whether sales ever rejected the lead, for this reason if given.",
            ('rejected("timing")', True),
            "rejected({0}, facts)",
            pure=False,
        ),
        Function(
            "exists_on",
            (Parameter("side", (Type.TEXT,), names="side"),),
            Type.BOOLEAN,
            "Whether the lead has a record on that side.",
            ('exists_on("salesforce")', False),
            "({0} in facts.sides)",
            pure=False,
        ),
    )
}

RUNTIME: Final[dict[str, object]] = {
    "count": count,
    "days_equalling": days_equalling,
    "days_exceeding": days_exceeding,
    "days_passed": days_passed,
    "days_reaching": days_reaching,
    "domain": domain,
    "first_activity": first_activity,
    "is_free_mail": is_free_mail,
    "last_activity": last_activity,
    "rejected": rejected,
    "touches": touches,
    "within_days": within_days,
}
"""What generated code may call, by name."""
