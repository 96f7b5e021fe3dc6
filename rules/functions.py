"""The functions of the expression language: one table. A new function is one entry here.

Each entry holds the types, one line of documentation, an example with its result (the test suite runs it
over the example lead of tests/rules), and the code that the generator writes for a call, in terms of the
arguments and of the names that generated code knows (`RUNTIME`, and `facts`, `by_kind`, `now`). The page
docs/rules-language.md is made from it.
"""

from __future__ import annotations

from typing import Final

from rules.business_days import (
    business_days_equalling,
    business_days_exceeding,
    business_days_passed,
    business_days_reaching,
)
from rules.history import (
    count,
    first_activity,
    last_activity,
    last_rejection,
    last_rejection_reason,
    rejected,
    rejections,
    touches,
)
from rules.mail import domain, is_free_mail
from rules.signature import Function, Parameter
from rules.value_types import Type
from rules.values import contains_any, round_number
from rules.wake import (
    days_equalling,
    days_exceeding,
    days_passed,
    days_reaching,
    weekday,
    within_days,
    within_next_days,
)

_TIME: Final = (Type.DATE, Type.MOMENT)
_ANY: Final = tuple(Type)

_TEXT = Parameter("text", (Type.TEXT,), folded=True)
_DAYS = Parameter("days", (Type.NUMBER,), optional=True)
_KIND = Parameter("activity", (Type.TEXT,), names="activity")
_SOME_KIND = Parameter("activity", (Type.TEXT,), names="activity", optional=True)
_DATE = Parameter("date", _TIME)
_NUMBER = Parameter("number", (Type.NUMBER,))
_OTHER = Parameter("other", (Type.NUMBER,))
_LIST = Parameter("list", (Type.TEXTS,), folded=True)
_VALUES = Parameter("values", (Type.TEXT,), listed=True)
_REASON = Parameter("reason", (Type.TEXT,), names="reason", optional=True)

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
            "contains_any",
            (_TEXT, _VALUES),
            Type.BOOLEAN,
            "Whether the text contains at least one of the parts, in any case.",
            ('contains_any(job_title, ["sales", "marketing"])', True),
            "contains_any({0}, {1})",
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
            lowest=1,
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
            (_LIST, _VALUES),
            Type.BOOLEAN,
            "Whether a list field has at least one of the values, in any case.",
            ('any_of(interests, ["crm", "Pricing"])', True),
            "(not {1}.isdisjoint({0}))",
        ),
        Function(
            "all_of",
            (_LIST, _VALUES),
            Type.BOOLEAN,
            "Whether a list field has every one of the values, in any case.",
            ('all_of(interests, ["crm", "pricing"])', False),
            "{1}.issubset({0})",
        ),
        Function(
            "min",
            (_NUMBER, _OTHER),
            Type.NUMBER,
            "The smaller of two numbers.",
            ("min(employees, 100) == 100", True),
            "min({0}, {1})",
        ),
        Function(
            "max",
            (_NUMBER, _OTHER),
            Type.NUMBER,
            "The larger of two numbers.",
            ("max(employees, 100) == 250", True),
            "max({0}, {1})",
        ),
        Function(
            "abs",
            (_NUMBER,),
            Type.NUMBER,
            "The number without its sign.",
            ("abs(employees - 300) == 50", True),
            "abs({0})",
            lowest=0,
        ),
        Function(
            "round",
            (_NUMBER,),
            Type.NUMBER,
            "The nearest whole number; halves are rounded away from zero.",
            ("round(revenue / 1000) == 1500", True),
            "round_number({0})",
        ),
        Function(
            "days_since",
            (_DATE,),
            Type.NUMBER,
            "Whole days (of 24 hours, UTC) since the date; negative for the future.",
            ("days_since(trial_ends) >= 3", False),
            "{0}",
            pure=False,
            days="since",
        ),
        Function(
            "within_days",
            (_DATE, Parameter("days", (Type.NUMBER,))),
            Type.BOOLEAN,
            "Whether the date lies in the last so many days; not in the future.",
            ("within_days(created, 30)", True),
            "within_days({0}, {1}, now, {wake})",
            pure=False,
        ),
        Function(
            "days_until",
            (_DATE,),
            Type.NUMBER,
            "Days (of 24 hours, UTC) until the date, a day that has begun counting as one; 0 on the day of a "
            "date without time, negative once it is past.",
            ("days_until(trial_ends) == 9", True),
            "{0}",
            pure=False,
            days="until",
        ),
        Function(
            "within_next_days",
            (_DATE, Parameter("days", (Type.NUMBER,))),
            Type.BOOLEAN,
            "Whether the date lies in the next so many days; not in the past.",
            ("within_next_days(trial_ends, 7)", False),
            "within_next_days({0}, {1}, now, {wake})",
            pure=False,
        ),
        Function(
            "weekday",
            (_DATE,),
            Type.NUMBER,
            "The day of the week in UTC: 1 for Monday to 7 for Sunday.",
            ("weekday(created) == 5", True),
            "weekday({0})",
            lowest=1,
            highest=7,
        ),
        Function(
            "business_days_since",
            (_DATE,),
            Type.NUMBER,
            "How many Mondays to Fridays (UTC) have begun since the day of the date: from Friday to Monday "
            "it is 1. Holidays count as business days. Negative for the future.",
            ("business_days_since(created) == 8", True),
            "{0}",
            pure=False,
            days="business",
        ),
        Function(
            "days_in_stage",
            (),
            Type.NUMBER,
            "Whole days since the lead came into its stage.",
            ("days_in_stage() == 4", True),
            "facts.stage_since_ms",
            pure=False,
            days="since",
        ),
        Function(
            "business_days_in_stage",
            (),
            Type.NUMBER,
            "How many Mondays to Fridays (UTC) have begun since the lead came into its stage.",
            ("business_days_in_stage() >= 2", True),
            "facts.stage_since_ms",
            pure=False,
            days="business",
        ),
        Function(
            "count",
            (_KIND, _DAYS),
            Type.NUMBER,
            "How many activities of this kind the lead has, of the last `days` days if given.",
            ('count("form_submission", days=30) >= 1', True),
            "count({0}, {1}, by_kind, now, {wake})",
            pure=False,
            lowest=0,
        ),
        Function(
            "touches",
            (_DAYS,),
            Type.NUMBER,
            "How many activities of any kind the lead has, of the last `days` days if given.",
            ("touches() == 3", True),
            "touches({0}, facts, now, {wake})",
            pure=False,
            lowest=0,
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
            (_REASON,),
            Type.BOOLEAN,
            "Whether sales ever rejected the lead, for this reason if given.",
            ('rejected("timing")', True),
            "rejected({0}, facts)",
            pure=False,
        ),
        Function(
            "rejections",
            (_REASON, _DAYS),
            Type.NUMBER,
            "How often sales rejected the lead, for this reason and in the last `days` days if given.",
            ("rejections(days=90) == 1", True),
            "rejections({0}, {1}, facts, now, {wake})",
            pure=False,
            lowest=0,
        ),
        Function(
            "last_rejection",
            (_REASON,),
            Type.MOMENT,
            "When sales last rejected the lead, for this reason if given; unknown without any.",
            ('days_since(last_rejection("timing")) == 60', True),
            "last_rejection({0}, facts)",
            total=False,
            pure=False,
        ),
        Function(
            "last_rejection_reason",
            (),
            Type.TEXT,
            "Why sales last rejected the lead; unknown if it never did.",
            ('last_rejection_reason() == "timing"', True),
            "last_rejection_reason(facts)",
            total=False,
            pure=False,
            gives="reason",
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
    "abs": abs,
    "business_days_equalling": business_days_equalling,
    "business_days_exceeding": business_days_exceeding,
    "business_days_passed": business_days_passed,
    "business_days_reaching": business_days_reaching,
    "contains_any": contains_any,
    "count": count,
    "days_equalling": days_equalling,
    "days_exceeding": days_exceeding,
    "days_passed": days_passed,
    "days_reaching": days_reaching,
    "domain": domain,
    "first_activity": first_activity,
    "is_free_mail": is_free_mail,
    "last_activity": last_activity,
    "last_rejection": last_rejection,
    "last_rejection_reason": last_rejection_reason,
    "max": max,
    "min": min,
    "rejected": rejected,
    "rejections": rejections,
    "round_number": round_number,
    "touches": touches,
    "weekday": weekday,
    "within_days": within_days,
    "within_next_days": within_next_days,
}
"""What generated code may call, by name."""
