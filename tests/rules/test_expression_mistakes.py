"""Every kind of mistake in an expression: the exact message, the exact place, and a way out."""

from __future__ import annotations

import pytest

from mappings.problems import ConfigErrors
from rules.expressions import compile_condition
from tests.rules.example_lead import ACTIVITIES, FIELDS, SIDES

DEEP = "(" * 60 + "opted_out" + ")" * 60

MISTAKES = [
    # names
    ("employes > 3", '1:1: unknown field "employes"; did you mean "employees"?'),
    ('containz(company, "x")', '1:1: unknown function "containz"; did you mean "contains"?'),
    ('opted_out and stage == "mqll"', '1:24: unknown stage "mqll"; did you mean "mql"?'),
    ('origin == "hubspott"', '1:11: unknown side "hubspott"; did you mean "hubspot"?'),
    ('industry == "Sofware"', '1:13: unknown industry "Sofware"; did you mean "Software"?'),
    ('industry in ["Health", "Sofware"]', '1:24: unknown industry "Sofware"; did you mean "Software"?'),
    (
        'count("form_submision") > 1',
        '1:7: unknown activity "form_submision"; did you mean "form_submission"?',
    ),
    ('rejected("timming")', '1:10: unknown reason "timming"; did you mean "timing"?'),
    ('last_rejection_reason() == "timming"', '1:28: unknown reason "timming"; did you mean "timing"?'),
    ('exists_on("sf")', '1:11: unknown side "sf"; known: hubspot, salesforce'),
    ("score > 3", '1:1: "score" is not known here; it can be used in gates, disqualify, routes and tracks'),
    ('activity.url == "x"', "1:1: activity.url is only known in a rule with on:"),
    ('activity == "x"', "1:1: activity stands alone; write activity.<attribute>"),
    ("contains", "1:1: contains is a function; write contains(text, part)"),
    # types
    (
        "company",
        "1:1: a condition must be true or false; company is a text; "
        "not is_blank(company) asks whether it has a value",
    ),
    ("employees + 1", "1:1: a condition must be true or false; employees + 1 is a number"),
    (
        'employees == "200"',
        '1:1: cannot compare number employees with text "200"; write the number without quotes',
    ),
    ("company == 200", "1:1: cannot compare text company with number 200; write the text in quotes"),
    (
        'interests == "CRM"',
        '1:1: cannot compare list of texts interests with text "CRM"; write "CRM" in interests',
    ),
    ('company > "A"', '1:1: text company cannot be compared with ">"; use == or !='),
    ('company + "A" == company', '1:1: "+" needs numbers; company is a text'),
    ('contains(employees, "1")', "1:10: contains needs text as its text; employees is a number"),
    ("length(employees) > 1", "1:8: length needs text or list of texts as its value; employees is a number"),
    (
        "within_days(company, 3)",
        "1:13: within_days needs date or date and time as its date; company is a text",
    ),
    ('company in "abc"', '1:12: "in" needs a list; "abc" is a text; write contains(text, part)'),
    ("employees in interests", "1:1: interests holds texts; employees is a number"),
    ('employees in [1, "2"]', '1:18: text "2" can never be in it; employees is a number'),
    ("company in [employees]", "1:13: a list holds only written values; employees is none"),
    ('interests in ["CRM"]', "1:14: interests is a list itself; write any_of(interests, […])"),
    ('any_of(interests, "CRM")', '1:19: any_of needs a written list, like ["a", "b"]'),
    ("(employees > 3) == true", "1:2: a value is needed here, not a condition: employees > 3"),
    # dates and countries
    (
        'created > "yesterday"',
        '1:11: "yesterday" is not a date; write "2026-03-31" or "2026-03-31T09:00:00Z"',
    ),
    (
        'created > "2026-02-30"',
        '1:11: "2026-02-30" is not a date; write "2026-03-31" or "2026-03-31T09:00:00Z"',
    ),
    (
        'created == "2026-02-03"',
        '1:1: a date and time is never equal to a whole day; use ">=" and "<", or within_days(…)',
    ),
    (
        'country == "Germany"',
        '1:12: country holds two-letter country codes, never "Germany"; write "DE" for Germany',
    ),
    # what says nothing
    ("1 < 2", "1:1: 1 < 2 is the same for every lead; leave it out"),
    ("opted_out or true", "1:14: true is the same for every lead; leave it out"),
    ('contains("ab", "a")', '1:1: contains("ab", "a") is the same for every lead; leave it out'),
    ("employees == employees", "1:1: employees == employees compares a value with itself"),
    ("employees in []", "1:14: the list is empty, so nothing is in it"),
    ("is_blank(stage)", "1:1: stage is never blank"),
    ('matches(company, ".*")', '1:18: ".*" matches every text'),
    ('count("page_view") >= 0', '1:1: every lead for which it is known meets count("page_view") >= 0'),
    ("touches() < 0", "1:1: no lead can meet touches() < 0"),
    ("length(company) == 0", "1:1: no lead can meet length(company) == 0"),
    ("weekday(created) in [8, 9]", "1:1: no lead can meet weekday(created) in [8, 9]"),
    ("employees > 5 and employees <= 5", "1:1: no lead can meet employees > 5 and employees <= 5"),
    ("5 < employees < 2", "1:1: no lead can meet 5 < employees < 2"),
    (
        "opted_out or (employees >= 5 and 5 >= employees and employees != 5)",
        "1:15: no lead can meet employees >= 5 and 5 >= employees and employees != 5",
    ),
    (
        'country == "DE" and country in ["FR", "US"]',
        '1:1: no lead can meet country == "DE" and country in ["FR", "US"]',
    ),
    (
        'country != "DE" or country != "FR"',
        '1:1: every lead for which it is known meets country != "DE" or country != "FR"',
    ),
    (
        "not (employees < 9 or employees >= 3)",
        "1:6: every lead for which it is known meets employees < 9 or employees >= 3",
    ),
    (
        'industry in ["Software", "Health"]',
        '1:1: every lead for which it is known meets industry in ["Software", "Health"]',
    ),
    (
        'industry not in ["Software", "health"]',
        '1:1: no lead can meet industry not in ["Software", "health"]',
    ),
    (
        'created >= "2026-02-01" and created < "2026-01-01"',
        '1:1: no lead can meet created >= "2026-02-01" and created < "2026-01-01"',
    ),
    ("opted_out and not opted_out", "1:1: no lead can meet opted_out and not opted_out"),
    (
        "opted_out == true or opted_out == false",
        "1:1: every lead for which it is known meets opted_out == true or opted_out == false",
    ),
    ("within_days(created, 0)", "1:22: within_days needs more than 0 days"),
    ('count("page_view", days=-7) > 1', "1:25: count needs more than 0 days"),
    # calls
    ("length() > 1", "1:1: wrong arguments for length; write length(value)"),
    ('count("page_view", 3, 4) > 1', "1:1: wrong arguments for count; write count(activity, days=…)"),
    ('count("page_view", weeks=3) > 1', "1:1: wrong arguments for count; write count(activity, days=…)"),
    (
        'count("page_view", activity="page_view") > 1',
        "1:1: wrong arguments for count; write count(activity, days=…)",
    ),
    ("count(company) > 1", "1:7: count needs its activity written out in quotes"),
    # patterns
    ('matches(company, "(a")', "1:18: not a valid pattern: missing ), unterminated subpattern at position 0"),
    (
        'matches(company, "(?=a)b")',
        "1:18: look-around, back-references and possessive groups cannot be used: their time has no bound",
    ),
    (
        r'matches(company, r"(a)\1")',
        "1:18: look-around, back-references and possessive groups cannot be used: their time has no bound",
    ),
    (
        'matches(company, "a{1,9999}")',
        "1:18: the pattern is too large: with its repeats it has more than 400 parts",
    ),
    ('matches(company, "(?m)^a")', "1:18: of the pattern flags only i, s and x can be used"),
    (
        r'matches(company, "\bvp\b")',
        r'1:18: the text "\bvp\b" holds a control character; write it as r"\bvp\b"',
    ),
    # Python that is not in the language
    ("company.upper() == 1", "1:1: this cannot be used in a condition: company.upper()"),
    ("company.__class__ == 1", "1:1: a dot cannot be used in a condition: company.__class__"),
    ("().__class__ == 1", "1:1: a dot cannot be used in a condition: ().__class__"),
    (
        "opted_out if employees else 1",
        "1:1: if … else cannot be used in a condition: opted_out if employees else 1",
    ),
    ("lambda: 1", "1:1: lambda cannot be used in a condition: lambda: 1"),
    ("[x for x in company]", "1:1: a comprehension cannot be used in a condition: [x for x in company]"),
    ("company[0] == 1", "1:1: square brackets behind a value cannot be used in a condition: company[0]"),
    ('f"{company}" == 1', '1:1: an f-text cannot be used in a condition: f"{company}"'),
    ("(x := 1) == 1", "1:2: := cannot be used in a condition: x := 1"),
    ("employees ** 2 > 1", "1:1: this operator cannot be used in a condition: employees ** 2"),
    ("~employees > 1", "1:1: this operator cannot be used in a condition: ~employees"),
    ("employees == 1e999", "1:14: 1e999 cannot be used in a condition"),
    ("employees == 10000000000000000", "1:14: 10000000000000000 cannot be used in a condition"),
    ("employees == b'1'", "1:14: b'1' cannot be used in a condition"),
    ("company is None", '1:1: "is" cannot be used in a condition; write "==" or is_blank(…)'),
    ("company == None", "1:12: None cannot be used in a condition; write is_blank(…)"),
    ("company == null", "1:12: null cannot be used in a condition; write is_blank(…)"),
    ("[1, 2]", "1:1: a list can only stand behind in, or as an argument; write x in [1, 2]"),
    # what cannot be read
    ("", "1:1: the expression is empty"),
    ("employees = 3", '1:11: cannot read this expression, near = 3; write "==" to compare'),
    (
        "opted_out && employees > 3",
        '1:12: cannot read this expression, near & employees; write "and" for "&&"',
    ),
    (
        "opted_out AND employees > 3",
        '1:11: cannot read this expression, near AND employee; write "and" in small letters',
    ),
    ("!opted_out", '1:1: cannot read this expression, near !opted_out; write "not" for "!"'),
    ("country == “DE”", "1:12: cannot read this expression, near “DE”; write straight quotes"),
    ("employees ≥ 200", '1:11: cannot read this expression, near ≥ 200; write ">=" for "≥"'),
    (
        "employees\u00a0>= 200",
        "1:10: cannot read this expression, near >= 200; there is a no-break space; write an ordinary one",
    ),
    (
        "employees >= 0200",
        "1:14: cannot read this expression, near 0200; write the number without leading zeros",
    ),
    ("opted_out == TRUE", '1:14: TRUE cannot be used in a condition; write "true"'),
    ("country == DE", '1:12: unknown field "DE"; a text is written in quotes: "DE"'),
    (
        'company == "a',
        "1:12: cannot read this expression: what opens here is not closed; close it; "
        'if YAML cut the rest off at " #" or, within { }, at a comma, quote the whole condition',
    ),
    (
        "(opted_out",
        "1:1: cannot read this expression: what opens here is not closed; close it; "
        'if YAML cut the rest off at " #" or, within { }, at a comma, quote the whole condition',
    ),
    ("employees >", "1:12: cannot read this expression, near its end"),
    (
        "employees > 3 # many",
        "1:15: a comment cannot stand inside an expression; put it on a line of its own",
    ),
    (DEEP, "1:51: nested too deeply: 25 levels are allowed"),
    ("not " * 30 + "opted_out", "1:1: nested too deeply: 25 levels are allowed"),
    ("-" * 1500 + "1 > employees", "1:1: nested too deeply: 25 levels are allowed"),
    ("a" * 2001, "1:1: the expression has 2001 characters; 2000 are allowed"),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES, ids=[text[:30] for text, _ in MISTAKES])
def test_the_message(text: str, message: str) -> None:
    choices = {"industry": ["Software", "Health"]}
    with pytest.raises(ConfigErrors) as raised:
        compile_condition(
            text,
            FIELDS,
            activities=ACTIVITIES,
            sides=SIDES,
            choices=choices,
            reasons=["timing", "no_budget"],
            file="x.yaml",
        )
    assert str(raised.value) == f"x.yaml:{message}"


SENSIBLE = [
    "employees > 5 or employees < 3",
    "employees == 1 or employees == 2",
    "3 <= employees <= 3",
    "employees != 3 and employees != 4",
    'country != "DE" and country != "FR"',
    'industry in ["Software"] or is_blank(industry)',
    "weekday(created) in [6, 7]",
    'created >= "2026-01-01" and created < "2026-02-01"',
    "employees > 3 and revenue <= 3",
    "not (employees > 3 and opted_out) or employees > 5",
    "(opted_out or employees > 3) and (not opted_out or employees <= 3)",
]


@pytest.mark.parametrize("text", SENSIBLE)
def test_what_some_leads_meet_and_others_do_not_is_no_mistake(text: str) -> None:
    compile_condition(text, FIELDS, choices={"industry": ["Software", "Health"]})


NEVER = [
    ('company == ""', '1:12: company is never ""; write is_blank(…)'),
    ('company != " "', '1:12: company is never " "; write is_blank(…)'),
    ('company in ["Acme", ""]', '1:21: company is never ""; write is_blank(…)'),
    ('contains(job_title, "")', '1:21: every text has ""; leave it out'),
    ('ends_with(job_title, ending="")', '1:29: every text has ""; leave it out'),
    ('contains_any(job_title, ["vp", ""])', '1:32: contains_any cannot look for ""; leave it out'),
    (
        'starts_with(country, "Ger")',
        '1:22: country holds two-letter country codes, never "Ger"; write "DE" for Germany',
    ),
    ("is_blank(employees) and employees > 3", "1:1: no lead can meet is_blank(employees) and employees > 3"),
    (
        'opted_out or is_blank(email) and domain(email) == "acme.example"',
        '1:14: no lead can meet is_blank(email) and domain(email) == "acme.example"',
    ),
    ("1 < employees < 5 < 2", "1:1: a part of 1 < employees < 5 < 2 is the same for every lead"),
]


@pytest.mark.parametrize(("text", "message"), NEVER)
def test_what_no_value_can_be_is_told(text: str, message: str) -> None:
    with pytest.raises(ConfigErrors) as raised:
        compile_condition(text, FIELDS)
    assert str(raised.value) == f"condition:{message}"


@pytest.mark.parametrize(
    "text",
    [
        "is_blank(employees) or employees > 3",
        "is_blank(employees) and not is_blank(revenue) and revenue > 3",
        "is_blank(employees) and (employees > 3 or opted_out)",
        "job_title == \"two 'words' and 'more'\"",
        'company == "👩\u200d💻 Studio"',
        "is_blank(last_activity()) or days_since(last_activity()) > 90",
    ],
)
def test_what_some_value_can_be_is_no_mistake(text: str) -> None:
    compile_condition(text, FIELDS)


def test_a_comma_that_is_missing_between_two_texts_is_told() -> None:
    with pytest.raises(ConfigErrors) as raised:
        compile_condition('job_title in ["CEO" "CFO"]', FIELDS)
    assert str(raised.value) == (
        'condition:1:15: two texts stand side by side: "CEO" "CFO"; write a comma between them, or one text'
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "emplo\u200byees > 3",
            "1:6: here is a character that cannot be seen, U+200B (zero width space); delete it",
        ),
        (
            'company == "Ac\u202eme"',
            "1:12: this text holds a character that cannot be seen, U+202E (right-to-left override); "
            "delete it",
        ),
    ],
)
def test_a_character_that_cannot_be_seen_is_named(text: str, message: str) -> None:
    with pytest.raises(ConfigErrors) as raised:
        compile_condition(text, FIELDS)
    assert str(raised.value) == f"condition:{message}"


def test_a_class_of_other_engines_is_no_pattern_and_warns_nobody(recwarn: pytest.WarningsRecorder) -> None:
    with pytest.raises(ConfigErrors) as raised:
        compile_condition('matches(job_title, "[[:alpha:]]+ manager")', FIELDS)
    assert str(raised.value) == (
        "condition:1:20: not a valid pattern: possible nested set at position 1; write \\[ for a bracket"
    )
    assert not recwarn.list


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rejected(timing)", "1:10: rejected needs its reason written out in quotes"),
        (
            "employees > 1,000",
            '1:1: a comma joins no conditions; write "and" or "or"; a number has no commas: 1000',
        ),
        (
            "employees between 3 and 5",
            "1:11: cannot read this expression, near between 3 an; write 3 <= x <= 5",
        ),
        (
            'job_title contains "vp"',
            '1:11: cannot read this expression, near contains "vp; write contains(text, part)',
        ),
        (
            'country IN ["DE"]',
            '1:9: cannot read this expression, near IN ["DE"]; write "in" in small letters',
        ),
        (
            "matches(job_title, r'\bvp\b')",  # as YAML reads it in double quotes
            r"1:20: the text r'\x08vp\x08' holds a control character; in double quotes YAML makes it of \b "
            "or the like; put the condition in single quotes",
        ),
    ],
)
def test_what_people_write_at_first_is_answered_with_the_way_to_write_it(text: str, message: str) -> None:
    with pytest.raises(ConfigErrors) as raised:
        compile_condition(text, FIELDS)
    assert str(raised.value) == f"condition:{message}"


def test_a_message_repeats_no_long_condition() -> None:
    with pytest.raises(ConfigErrors) as raised:
        compile_condition(" and ".join(["opted_out"] * 80) + " and not opted_out", FIELDS)
    assert str(raised.value) == ("condition:1:1: no lead can meet " + ("opted_out and " * 6)[:79] + "…")


def test_all_mistakes_of_an_expression_are_told_at_once() -> None:
    text = 'employes > 3 and (not_a_field or contains(companie, headline)) and country == "Germany"'
    with pytest.raises(ConfigErrors) as raised:
        compile_condition(text, FIELDS, line=4, column=10)
    assert [(error.line, error.column, error.message) for error in raised.value.errors] == [
        (4, 10, 'unknown field "employes"'),
        (4, 28, 'unknown field "not_a_field"'),
        (4, 52, 'unknown field "companie"'),
        (4, 62, 'unknown field "headline"'),
        (4, 88, 'country holds two-letter country codes, never "Germany"'),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "not " * 499 + "a",
        "(" * 1999,
        "[" * 1999,
        "a." * 999,
        "a" + "+a" * 999,
        "a\x00b",
        "\ud800",
        "a if " * 300,
        "lambda:" * 200,
        "{" * 900,
        "'" * 1999,
        '"""' + "a" * 90,
        "\\" * 50,
        "a\\\n",
        "\x0c a",
        "0" * 1999,
        "9" * 1999,
    ],
    ids=range(17),
)
def test_nothing_overflows_the_parser(text: str) -> None:
    with pytest.raises(ConfigErrors):
        compile_condition(text, FIELDS)
