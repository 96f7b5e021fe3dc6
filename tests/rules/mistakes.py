"""What is wrong with a rules document, as users are told it."""

from __future__ import annotations

from textwrap import dedent

import pytest

from mappings.problems import ConfigErrors
from tests.rules.example_lead import rules_of

GATE = "gates: {mql: {}}\n"
"""The least that a rules document needs; one line."""


def mistakes(text: str, *more: str) -> list[str]:
    """The messages about these documents, which are called rules.yaml, more1.yaml, …"""
    with pytest.raises(ConfigErrors) as raised:
        rules_of(dedent(text), *more)
    return str(raised.value).splitlines()
