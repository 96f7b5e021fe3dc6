"""The function table: every entry is documented, and its example gives what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.expressions import compile_condition
from rules.functions import FUNCTIONS, Function
from rules.mail import FREE_MAIL_DOMAINS, domain, is_free_mail
from rules.reference import language_page
from rules.scope import SCORE_NAMES, SPECIAL_NAMES
from tests.rules.example_lead import ACTIVITIES, FIELDS, NOW_MS, SIDES, lead

by_name = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=list(FUNCTIONS))


@by_name
def test_the_example_gives_what_the_table_says(function: Function) -> None:
    text, expected = function.example
    condition = compile_condition(text, FIELDS, activities=ACTIVITIES, sides=SIDES)
    assert function.name in text
    assert condition(lead(), NOW_MS) is expected


@by_name
def test_every_function_says_what_it_does(function: Function) -> None:
    assert function.doc.endswith((".", "…"))
    assert function.signature.startswith(f"{function.name}(")


def test_the_preset_names_every_function() -> None:
    from importlib import resources

    text = resources.files("rules").joinpath("presets", "default.yaml").read_text(encoding="utf-8")
    header = text[: text.index("score:")]
    assert [name for name in FUNCTIONS if f"{name}(" not in header] == []


def test_the_page_about_the_language_is_current() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "rules-language.md"
    remedy = "write it anew with: python -m rules.reference > docs/rules-language.md"
    assert page.read_text(encoding="utf-8") == language_page(), remedy


def test_the_page_tells_every_name_and_what_unknown_does() -> None:
    text = language_page()
    assert [name for name in FUNCTIONS if f"| `{name}(" not in text] == []
    assert [name for name in (*SPECIAL_NAMES, *SCORE_NAMES) if f"| `{name}` |" not in text] == []
    for a, b, both, either in (
        ("true", "unknown", "unknown", "true"),
        ("false", "unknown", "false", "unknown"),
        ("unknown", "unknown", "unknown", "unknown"),
    ):
        assert f"| {a} | {b} | {both} | {either} |" in text


@pytest.mark.parametrize(
    ("address", "host", "free"),
    [
        ("ana@acme.example", "acme.example", False),
        ("Ana@GMAIL.com", "gmail.com", True),
        ('"odd@local"@web.de', "web.de", True),
        ("no address", None, None),
        ("@acme.example", None, None),
        ("ana@", None, None),
    ],
)
def test_domains_of_addresses(address: str, host: str | None, free: bool | None) -> None:
    assert domain(address) == host
    assert is_free_mail(address) is free


def test_free_mail_domains_are_spelled_as_domains_are_compared() -> None:
    assert [host for host in FREE_MAIL_DOMAINS if host != host.lower().strip() or "." not in host] == []
