"""The normal form of every type: what is read as what, what is refused, and that a normal form is one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings import normalise as normalise_module
from mappings.normalise import NORMALISERS, normalise
from mappings.round_trip import SAMPLES, idempotence_fault
from mappings.values import FIELD_TYPES, Unreadable

EMOJI = "👩‍💻"
ARABIC = "محمد ابن موسى"


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        # text: only what surrounds it and control characters go
        ("text", "  Ann  ", "Ann"),
        ("text", "\u00a0\u200bAnn\ufeff\t", "Ann"),
        ("text", "   ", None),
        ("text", "", None),
        ("text", "a\x00b\x07c", "abc"),
        ("text", "a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("text", "Zoe\u0308", "Zoë"),
        ("text", EMOJI, EMOJI),
        ("text", ARABIC, ARABIC),
        ("text", "\u200fשלום", "\u200fשלום"),
        ("text", "<b>R&amp;D</b>", "<b>R&amp;D</b>"),
        ("text", "bad \ud800 half", "bad  half"),
        ("text", 12, "12"),
        ("text", 12.0, "12"),
        ("text", True, "true"),
        ("picklist", " Web ", "Web"),
        # numbers
        ("number", "3000", 3000),
        ("number", "5000.00", 5000),
        ("number", " 12.5 ", 12.5),
        ("number", "1,234,567.5", 1234567.5),
        ("number", "1e3", 1000),
        ("number", "-0", 0),
        ("number", 18.0, 18),
        ("number", "", None),
        ("number", 9007199254740993, 9007199254740993),
        ("money", "$1,200.50", 1200.5),
        ("money", "1.200,50 €", 1200.5),
        ("money", "EUR 12,50", 12.5),
        ("money", "CHF 1'200", 1200),
        ("money", "-$5", -5),
        ("money", "1,200", 1200),
        ("money", 900750000, 900750000),
        # booleans
        ("boolean", "true", True),
        ("boolean", "Yes", True),
        ("boolean", "0", False),
        ("boolean", 1, True),
        ("boolean", "N", False),
        ("boolean", False, False),
        ("boolean", "", None),
        # dates, as each platform spells them
        ("datetime", "2023-05-03T10:34:07.000+0000", "2023-05-03T10:34:07Z"),
        ("datetime", "2021-11-02T00:20:05.000Z", "2021-11-02T00:20:05Z"),
        ("datetime", "2026-02-25T16:23:49.023Z", "2026-02-25T16:23:49Z"),
        ("datetime", "1773300826615", "2026-03-12T07:33:46Z"),
        ("datetime", 1773300826615, "2026-03-12T07:33:46Z"),
        ("datetime", "2026-01-01T05:30:00+05:30", "2026-01-01T00:00:00Z"),
        ("datetime", "2026-01-01T00:00:00", "2026-01-01T00:00:00Z"),
        ("datetime", "2026-01-01", "2026-01-01T00:00:00Z"),
        ("datetime", "2026-01-01 10:00:00", "2026-01-01T10:00:00Z"),
        ("datetime", "-1500", "1969-12-31T23:59:58Z"),
        ("date", "2026-01-31", "2026-01-31"),
        ("date", "1752559200000", "2025-07-15"),
        ("date", "2023-05-03T23:34:07.000+0000", "2023-05-03"),
        ("date", "20260131", "2026-01-31"),
        ("date", "0", "1970-01-01"),
        ("date", "", None),
        # lists
        ("multi_select", "b;a; b ;", ("a", "b")),
        ("multi_select", ["b", "a"], ("a", "b")),
        ("multi_select", ";", None),
        # addresses of all kinds
        ("email", " Ann.O'Neill+X@Example.COM ", "ann.o'neill+x@example.com"),
        ("email", "jürgen@müller.de", "jürgen@müller.de"),
        ("email", "a@xn--mller-kva.de", "a@müller.de"),
        ("email", "dev@site.test", "dev@site.test"),
        ("email", "\u200bann@acme.example\u00a0", "ann@acme.example"),
        ("url", "www.Acme.com", "https://www.acme.com"),
        ("url", "HTTP://Acme.com/", "http://acme.com"),
        ("url", "acme.com:8080/Path?q=A", "https://acme.com:8080/Path?q=A"),
        ("owner", "Ann@Acme.example", "ann@acme.example"),
        ("owner", "queue: Inbound EMEA ", "queue:Inbound EMEA"),
    ],
)  # fmt: skip
def test_values_in_normal_form(kind: Any, raw: Any, value: Any) -> None:
    read = normalise(kind, raw)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("kind", "raw", "why"),
    [
        ("number", "twelve", '"twelve" is no number'),
        ("number", "1,2,3", '"1,2,3" is no number'),
        ("number", "nan", '"nan" is no number'),
        ("number", float("inf"), "inf is no number"),
        ("number", "1e999", "inf is no number"),
        ("number", True, "true is no number"),
        ("number", "1_000", '"1_000" is no number'),
        ("money", "lots", '"lots" is no amount of money'),
        ("money", "1 200 kr", '"1 200 kr" is no amount of money'),
        ("money", "1,20,3", '"1,20,3" is no amount of money'),
        ("boolean", "perhaps", '"perhaps" is neither yes nor no'),
        ("boolean", 2, '"2" is neither yes nor no'),
        ("date", "31/12/2026", '"31/12/2026" is no date (dates are written 2026-12-31)'),
        ("date", "2026-02-30", '"2026-02-30" is no date (dates are written 2026-12-31)'),
        ("datetime", "2026-02-30T00:00:00Z", '"2026-02-30T00:00:00Z" is no date with time'),
        ("datetime", "0001-01-01T00:00:00+05:00",
         '"0001-01-01T00:00:00+05:00" is no date (dates are written 2026-12-31)'),
        ("datetime", "soon", '"soon" is no date (dates are written 2026-12-31)'),
        ("datetime", True, "true is no date"),
        ("datetime", 10**30, f"{10**30} is no date"),
        ("email", "ann", "it is no e-mail address: An email address must have an @-sign"),
        ("email", "ann@localhost", "it is no e-mail address: The part after the @-sign is a special-use "
         "or reserved name that cannot be used with email"),
        ("email", "ann@intranet", "it is no e-mail address: the part after the @-sign has no period"),
        ("email", "a@b.com; c@d.com",
         "it is no e-mail address: The part after the @-sign contains invalid characters: ';', '@', SPACE"),
        ("email", 5, "5 is no e-mail address"),
        ("country", "Atlantis", '"Atlantis" is no country'),
        ("url", "javascript:alert(1)",
         '"javascript:alert(1)" is no web address: it must begin with http:// or https://'),
        ("url", "not a site", '"not a site" is no web address'),
        ("url", "https://user@evil.example", '"https://user@evil.example" is no web address'),
        ("url", "http://[::1", '"http://[::1" is no web address'),
        ("owner", "queue:", "this queue has no name"),
        ("owner", "Ann", "it is no e-mail address: An email address must have an @-sign"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_a_reason(kind: Any, raw: Any, why: str) -> None:
    for _ in range(2):  # the second time from a cache
        with pytest.raises(Unreadable) as refused:
            normalise(kind, raw)
        assert str(refused.value) == why


@pytest.mark.parametrize("kind", FIELD_TYPES)
def test_blank_is_blank_in_every_type(kind: Any) -> None:
    assert normalise(kind, None) is None
    assert normalise(kind, "") is None
    assert normalise(kind, "  \t ") is None


ANYTHING = st.one_of(
    st.text(),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.from_regex(r"[-+]?[0-9,. ]{1,20}", fullmatch=True),
    st.from_regex(r"\+?[0-9 ()-]{5,18}", fullmatch=True),
    st.datetimes().map(str),
    st.emails(),
    st.sampled_from(
        ["California", "ca", "n.y.", "Baden-Württemberg", "U.S.", "www.x.example/ ", "a;b", "1.200,50 €"]
    ),
)
COUNTRIES = st.sampled_from([None, "US", "DE", "GB", "IN", "AR", "BR", "IT"])


@pytest.mark.parametrize("kind", FIELD_TYPES)
@settings(deadline=None)  # the first value loads the tables of countries and numbers
@given(raw=ANYTHING, country=COUNTRIES)
def test_a_normal_form_is_its_own_normal_form(kind: Any, raw: Any, country: str | None) -> None:
    normal = NORMALISERS[kind]
    try:
        once = normal(raw, country)
    except Unreadable:
        return
    twice = normal(once, country)
    assert twice == once
    assert type(twice) is type(once)


@pytest.mark.parametrize("kind", FIELD_TYPES)
def test_the_samples_are_in_normal_form(kind: Any) -> None:
    assert idempotence_fault(kind) is None
    assert [normalise(kind, sample, "US") for sample in SAMPLES[kind]] == list(SAMPLES[kind])


@given(st.text())
def test_text_keeps_every_visible_character(text: str) -> None:
    read = normalise("text", text) or ""
    assert isinstance(read, str)
    visible = [char for char in text if char.isalnum() and char.isascii()]
    assert [char for char in read if char.isalnum() and char.isascii()] == visible


def test_state_is_a_code_only_where_people_write_codes() -> None:
    assert normalise("state", "California", "US") == "CA"
    assert normalise("state", "n.y.", "US") == "NY"
    assert normalise("state", "québec", "CA") == "QC"
    assert normalise("state", "Bayern", "DE") == "Bayern"
    assert normalise("state", "California") == "California"
    assert normalise("state", "Somewhere", "US") == "Somewhere"


_HOSTS = st.from_regex(r"[a-zA-Z0-9.-]{0,12}", fullmatch=True)
_ADDRESSES = st.builds(
    lambda scheme, host, rest: scheme + host + rest,
    st.sampled_from(["https://", "http://", "HTTPS://", "http:/", ""]),
    st.one_of(_HOSTS, _HOSTS.map(lambda host: f"{host}.example")),
    st.text(alphabet="/ab.~_-?#=%:@ ü", max_size=8),
)


@given(_ADDRESSES)
def test_a_plain_web_address_is_read_as_the_url_library_reads_it(text: str) -> None:
    plain = normalise_module._plain_url(text)
    if plain is not None:
        assert plain == normalise_module._parsed_url(text)


def test_most_web_addresses_are_plain() -> None:
    assert (
        normalise_module._plain_url("https://www.acme.com/en/about-us") == "https://www.acme.com/en/about-us"
    )
    assert normalise_module._plain_url("http://acme.com/") == "http://acme.com"
    assert normalise_module._plain_url("http://Acme.com") is None
