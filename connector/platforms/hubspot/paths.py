"""Paths: HubSpot's API versions. The only place that knows how a v3 path is spelled in a dated version.

The client knows v1 and v3 paths alone, which are unsupported from September 2027 on; the same resources live
at dated paths with the same bodies (HubSpot's OpenAPI specs, compared). Pure.
"""

from __future__ import annotations

import re

ACCOUNT = "/account-info/v3/details"

# (v3 path, dated path); {v} is the version. Account info has no 2026-09 edition in the published specs.
_DATED = (
    (re.compile(r"/crm/v3/objects/(.+)"), "/crm/objects/{v}/\\1"),
    (re.compile(r"/crm/v3/properties/(.+)"), "/crm/properties/{v}/\\1"),
    (re.compile(r"/crm/v3/pipelines/(.+)"), "/crm/pipelines/{v}/\\1"),
    (re.compile(r"/crm/v3/owners"), "/crm/owners/{v}"),
    (re.compile(r"/crm/v4/associations/(\w+/\w+/batch/read)"), "/crm/associations/{v}/\\1"),
    (re.compile(r"/oauth/v1/token"), "/oauth/{v}/token"),
    (re.compile(r"/account-info/v3/(.+)"), "/account-info/2026-03/\\1"),
)


def in_version(path: str, version: str) -> str:
    """`path` as the client spells it, in `version` (`v3` or a date).

    The client asks for `/crm/v3/owners/`; the slash at the end is not in the spec and is taken off.
    Raises ValueError for a path that has no dated form: nothing is sent to a path nobody checked."""
    path = path.rstrip("/")
    for pattern, dated in _DATED:
        match = pattern.fullmatch(path)
        if match is not None:
            return path if version == "v3" else match.expand(dated.replace("{v}", version))
    raise ValueError(f"no path of HubSpot's API that leadloop uses: {path}")
