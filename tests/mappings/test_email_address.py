"""E-mail addresses: the fast way says what email-validator says."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mappings import email_address
from mappings.email_address import normal_email
from mappings.values import Unreadable

_PIECE = st.text("abcXYZ019.-_+'!#@ ", min_size=0, max_size=12)


@settings(deadline=None)  # the first unusual address imports email-validator
@given(st.one_of(st.emails(), st.builds("{}@{}.{}".format, _PIECE, _PIECE, _PIECE)))
def test_the_fast_way_says_what_email_validator_says(text: str) -> None:
    try:
        found: str | None = normal_email(text)
    except Unreadable:
        found = None
    slow = email_address._unusual(text.strip().lower())
    assert found == (None if isinstance(slow, Unreadable) else slow)


@settings(deadline=None)  # the first unusual address imports email-validator
@given(st.emails())
def test_case_and_surrounding_space_do_not_matter(address: str) -> None:
    assert normal_email(f"  {address.upper()}\n") == normal_email(address)
