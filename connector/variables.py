"""Variables: which of those that begin with LEADLOOP_ are settings, and what somebody meant who misspelt one.

A misspelt variable would be a setting that silently does not hold, so each that is not known is an error.
Names only; what the values must be is checked elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from connector.platforms.settings import PREFIX
from mappings.problems import nearest

SECRETS_DIR = "LEADLOOP_SECRETS_DIR"

NO_SETTINGS = frozenset({"LEADLOOP_CONFIG", SECRETS_DIR})
"""Known, but read before there are settings."""

TESTS = ("LEADLOOP_TEST_", "LEADLOOP_CONTRACT_", "LEADLOOP_SIMULATION")
"""What leadloop's own tests take begins so; it may be set in the shell in which a command is started."""

# Kubernetes and its service links, for services whose names begin with "leadloop"
# (https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables)
_SERVICE_LINK = re.compile(
    r"LEADLOOP_(?:[A-Z0-9]+_)*"
    r"(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)"
)
_SERVICE_PORT = re.compile(r"LEADLOOP_(?:[A-Z0-9]+_)*PORT")
_SERVICE_ADDRESS = re.compile(r"(?:tcp|udp|sctp)://")

_OTHER_NAMES = {
    "SALESFORCE__CLIENT_ID": "SALESFORCE__CONSUMER_KEY",
    "SALESFORCE__CLIENT_SECRET": "SALESFORCE__CONSUMER_SECRET",
}
"""What OAuth calls what Salesforce, and so the setting, calls otherwise."""


def unknown_variables(variables: Mapping[str, str], known: Collection[str], where: str) -> Iterator[str]:
    """A sentence for each variable that begins with LEADLOOP_ and is none of `known`. `where` follows the
    name. Blank ones count as not set."""
    for name in sorted(variables):
        upper = name.upper()
        if not upper.startswith(PREFIX) or upper in known or upper in NO_SETTINGS or upper.startswith(TESTS):
            continue
        if not variables[name].strip() or _is_service_link(upper, variables[name]):
            continue
        yield f"{name}{where} is not a setting: {_hint(upper, known)}"


def _is_service_link(name: str, value: str) -> bool:
    if _SERVICE_LINK.fullmatch(name):
        return True
    return bool(_SERVICE_PORT.fullmatch(name) and _SERVICE_ADDRESS.match(value))


def _hint(name: str, known: Collection[str]) -> str:
    # without what all of them have in common, which would make any two alike
    wanted = name.removeprefix(PREFIX)
    near = _OTHER_NAMES.get(wanted)
    if near is None:
        names = {other.removeprefix(PREFIX) for other in (*known, *NO_SETTINGS)}
        platform = re.match(r"(?:SALESFORCE|HUBSPOT)(?=_|\Z)", wanted)
        if platform:
            names = {other for other in names if other.startswith(f"{platform[0]}__")}
        near = nearest(wanted, names)
    if near is None:
        return "remove it, or look up its name in docs/settings.md."
    return f"did you mean {PREFIX}{near}?"
