"""Remembered: what the platforms told when leadloop last connected, kept in the database.

Users and queues, the values that native stage fields offer, the user id of our own writes: all that a
decision needs beside the store, so that `leadloop plan` and `explain` decide as the worker does without
asking a platform anything. Decides nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from connector.owners import Directory
from connector.platforms.protocol import Metadata, Owner
from connector.store.settings_values import get_value, put_value
from mappings.mapping import SideMapping

_KEY = "remembered:"

Options = dict[tuple[str, str], dict[str, tuple[str, ...] | None]]
"""(side, object) to native stage field to the values it offers; None: anything."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is remembered of the sides. `unknown` are the sides never connected to: nobody can be told by
    an id there, and no owner has one. `seen_ms` is when each of the others was last asked."""

    directory: Directory
    options: Options
    own_users: Mapping[str, str]
    unknown: tuple[str, ...]
    seen_ms: Mapping[str, int]


def remember(
    conn: Connection,
    side: SideMapping,
    user_id: str | None,
    owners: Sequence[Owner],
    metadata: Metadata,
    now_ms: int,
) -> None:
    """Keep what a side told while connecting, in place of what it told before."""
    offers = {
        name: {
            stage_field.native: metadata.objects[name][stage_field.native].options
            for stage_field in target.stage_fields
            if stage_field.native in metadata.objects[name]
        }
        for name, target in side.objects.items()
        if name in metadata.objects
    }
    put_value(
        conn,
        _KEY + side.side,
        {
            "user_id": user_id,
            "owners": [[one.native_id, one.kind, one.name, one.email, one.active] for one in owners],
            "options": offers,
            "seen_ms": now_ms,
        },
    )


def recall(conn: Connection, sides: Iterable[str]) -> Remembered:
    """What is remembered of these sides."""
    owners: dict[str, list[Owner]] = {}
    options: Options = {}
    own_users: dict[str, str] = {}
    unknown: list[str] = []
    seen_ms: dict[str, int] = {}
    for side in sides:
        known = get_value(conn, _KEY + side)
        if known is None:
            unknown.append(side)
            continue
        owners[side] = [Owner(*row) for row in known["owners"]]
        seen_ms[side] = known["seen_ms"]
        if known["user_id"]:
            own_users[side] = known["user_id"]
        for name, offers in known["options"].items():
            options[side, name] = {
                native: None if values is None else tuple(values) for native, values in offers.items()
            }
    return Remembered(Directory(owners), options, own_users, tuple(unknown), seen_ms)
