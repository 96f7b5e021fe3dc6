"""Schema shapes: what the models of rules documents ask of keys together, for editors to mark as well.

Pydantic puts types and keys into a schema, and leaves out what a validator checks. What can be said without
reading expressions is said here, by model.
"""

from __future__ import annotations

from typing import Any, Final

from rules.route_document import TARGETS

Schema = dict[str, Any]

_FADES: Final = ("half_life_days", "linear_days", "expires_days")


def narrow(definitions: dict[str, Schema]) -> None:
    """Add to each model's schema what its validators ask for."""
    for name, shape in _SHAPES.items():
        if name in definitions:
            definitions[name]["allOf"] = shape
    for name, keys in _FILLED.items():
        for key in keys if name in definitions else ():
            _narrow_lists(definitions[name]["properties"][key], keys[key])


def _narrow_lists(part: Schema, least: int) -> None:
    for choice in (part, *part.get("anyOf", ())):
        if choice.get("type") == "array":
            choice["minItems"] = least


def _given(key: str) -> Schema:
    """The key is there, and not null."""
    return {"required": [key], "properties": {key: {"not": {"type": "null"}}}}


def _any(*keys: str) -> Schema:
    return {"anyOf": [_given(key) for key in keys]}


def _one(*keys: str) -> Schema:
    return {"oneOf": [_given(key) for key in keys]}


def _not_both(one: Schema, other: Schema) -> Schema:
    return {"not": {"allOf": [one, other]}}


def _needs(key: str, other: str) -> Schema:
    return {"anyOf": [{"not": _given(key)}, _given(other)]}


def _has(key: str, value: str) -> Schema:
    return {"required": [key], "properties": {key: {"const": value}}}


_ONCE: Final[Schema] = {"required": ["once"], "properties": {"once": {"const": True}}}
_SHAPES: Final[dict[str, list[Schema]]] = {
    "EngagementRule": [
        _any("on", "when"),
        *(_needs(key, "on") for key in (*_FADES, "per_day", "at_most")),
        *(
            _not_both(_given(one), _given(other))
            for place, one in enumerate(_FADES)
            for other in _FADES[place + 1 :]
        ),
        *(_not_both(_ONCE, _given(key)) for key in ("per_day", "at_most")),
    ],
    "FastTrack": [_any("on", "when")],
    "Group": [_any("at_most", "at_least")],
    "Grades": [_one("fit", "engagement", "score")],
    "Choice": [_any("fit", "engagement", "score", "when")],
    "Route": [_one(*TARGETS)],
    "TerritoryRow": [_one("owner", "pool")],
    "Hours": [_one("open", "from"), *(_needs(one, other) for one, other in (("from", "to"), ("to", "from")))],
    "Deadline": [
        # each of the two only with the other
        {"oneOf": [_has("on_breach", "escalate"), {"not": _given("to")}]},
        {"oneOf": [_has("on_breach", "nurture"), {"not": _given("reason")}]},
        {"anyOf": [{"not": _has("on_breach", "reroute")}, _has("stage", "distributed")]},
        {"anyOf": [{"not": _given("hours")}, {"properties": {"within": {"pattern": " business "}}}]},
        {"anyOf": [{"properties": {"within": {"not": {"pattern": " business "}}}}, _given("hours")]},
    ],
    "Bounds": [
        _any("exactly", "at_least", "at_most"),
        *(_not_both(_given("exactly"), _given(key)) for key in ("at_least", "at_most")),
    ],
    "Expectation": [
        {"minProperties": 1},
        {"properties": {key: {"not": {"type": "null"}} for key in ("stage", "score", "fit", "engagement")}},
    ],
}
_FILLED: Final[dict[str, dict[str, int]]] = {
    "Gate": {"any": 2},
    "Nurture": {"touches": 1},
    "Expectation": {"fired": 1, "not_fired": 1, "missing": 1},
}
"""Lists that hold at least so many items."""
