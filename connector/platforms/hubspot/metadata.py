"""Metadata: what the properties and owners endpoints say, as FieldInfo and Owner. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from connector.platforms.protocol import FieldInfo, Owner

_BOOLEANS = ("true", "false")
_STAGES: Final = {
    **dict.fromkeys(("deals", "deal", "0-3"), "dealstage"),
    **dict.fromkeys(("leads", "lead", "0-136"), "hs_pipeline_stage"),
}


def stage_property(object_name: str) -> str | None:
    """The property that says in which stage of its pipeline a record is; its values are ids."""
    return _STAGES.get(object_name)


def stages_of(
    object_name: str, described: Mapping[str, FieldInfo], pipelines: Mapping[str, Any]
) -> dict[str, FieldInfo]:
    """The stage property with the stages of all pipelines as its options; nothing where they are not told."""
    name = _STAGES.get(object_name, "")
    ids = tuple(
        str(stage["id"])
        for pipeline in pipelines.get("results") or ()
        for stage in pipeline.get("stages") or ()
        if not stage.get("archived")
    )
    return {name: replace(described[name], options=ids)} if name in described and ids else {}


def fields_of(properties: Iterable[Mapping[str, Any]]) -> dict[str, FieldInfo]:
    """The properties of one object type."""
    return {item["name"]: _field(item) for item in properties if not item.get("archived")}


def _field(item: Mapping[str, Any]) -> FieldInfo:
    fixed = bool(item.get("calculated")) or bool(
        (item.get("modificationMetadata") or {}).get("readOnlyValue")
    )
    kind = item.get("type") or ""
    options = None
    if kind == "bool":
        options = _BOOLEANS
    elif kind == "enumeration" and not item.get("externalOptions"):
        options = tuple(option["value"] for option in item.get("options") or ())
    return FieldInfo(
        name=item["name"],
        type=kind,
        createable=not fixed,
        updateable=not fixed,
        # HubSpot states no lengths; values that are not an option are refused (INVALID_OPTION)
        options=options,
        restricted=kind == "enumeration" and not item.get("externalOptions"),
        unique=bool(item.get("hasUniqueValue")),
    )


def owners_of(rows: Iterable[Mapping[str, Any]]) -> list[Owner]:
    """Owners; `hubspot_owner_id` holds the owner's id, not the user's."""
    return [
        Owner(
            str(row["id"]),
            "queue" if row.get("type") == "QUEUE" else "person",
            " ".join(filter(None, (row.get("firstName"), row.get("lastName")))),
            row.get("email") or None,
            not row.get("archived"),
        )
        for row in rows
    ]
