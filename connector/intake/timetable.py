"""Timetable: when each object of a side is looked at next.

Objects have intervals of their own. They are counted from one moment for all of a side's objects, the last
look at the slowest of them, so that objects that are due together share a look, and a look that comes late
moves none of them apart. What was looked at when is in the database: any number of wake-ups, in whichever
process, and a restart, make no look more. Does not look itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from connector.clock import MINUTE_MS, SECOND_MS
from connector.store.catch_ups import catch_ups_of
from connector.store.settings_values import get_value, put_value, values_under
from mappings.mapping import SideMapping
from mappings.object_mapping import Role

DECIDING: Final[frozenset[Role]] = frozenset({"person", "opportunity", "opportunity_contact"})
"""Roles whose records say what stage a lead is in: their objects are looked at every `poll_seconds`."""

OTHERS_SECONDS: Final = 300.0
"""The interval of the other objects, unless that of the deciding ones is longer."""

AFTER_REFUSED_MS: Final = 5 * MINUTE_MS
"""How long an object is left alone that the platform has refused; the longest for any fault of its own."""

SHORT_OVERLAP_SECONDS: Final = 30
"""How far every look goes back over what was read, for what is stored a moment after it was stamped."""

_NEXT = "next_poll_ms:"
_PLANNED = "planned_poll_ms:"
_LOOKED = "looked_ms:"
_SECONDS = "poll_seconds:"


@dataclass(frozen=True, slots=True)
class Looked:
    """The last look at an object: when it began, by our clock; 0: there was none. `not_before_ms`: the
    platform has not shown it, and is left alone with it until then."""

    at_ms: int = 0
    not_before_ms: int = 0


def seconds_of(
    side: SideMapping, poll_seconds: float, poll_seconds_of: Mapping[str, float]
) -> dict[str, float]:
    """How often each object of a side is looked at. `poll_seconds`: the deciding ones; `poll_seconds_of`: by
    name, whatever the object is for."""
    others = max(poll_seconds, OTHERS_SECONDS)
    return {
        name: poll_seconds_of.get(name, poll_seconds if target.role in DECIDING else others)
        for name, target in side.objects.items()
    }


def next_looks_ms(seconds: Mapping[str, float], looked: Mapping[str, Looked], now_ms: int) -> dict[str, int]:
    """The moment of the next look at each object; one that is not ahead has come. Pure."""
    known = [name for name in seconds if name in looked and looked[name].at_ms]
    anchor_ms = looked[max(known, key=lambda name: seconds[name])].at_ms if known else 0
    found: dict[str, int] = {}
    for name, interval in seconds.items():
        last, every_ms = looked.get(name, Looked()), max(1, int(interval * SECOND_MS))
        due_ms = 0
        if last.at_ms and last.at_ms <= now_ms:  # a later one: our clock has been put back since
            due_ms = anchor_ms + ((last.at_ms - anchor_ms) // every_ms + 1) * every_ms
        refused = now_ms < last.not_before_ms <= now_ms + AFTER_REFUSED_MS
        found[name] = max(due_ms, last.not_before_ms if refused else 0)
    return found


def due_objects(conn: Connection, side: str, seconds: Mapping[str, float], now_ms: int) -> list[str]:
    """The objects of a side whose time has come, and those that have something to make up for."""
    looked = looked_of(conn, side)
    # one that the platform has refused is left alone, whatever there is to make up for
    behind = {name for name in catch_ups_of(conn, side) if looked.get(name, Looked()).not_before_ms <= now_ms}
    moments = next_looks_ms(seconds, looked, now_ms)
    return [name for name, at_ms in moments.items() if at_ms <= now_ms or name in behind]


def plan_next(
    conn: Connection, side: str, seconds: Mapping[str, float], now_ms: int, patience_seconds: float = 0.0
) -> int:
    """Set when the side is looked at next: with the first of its objects, and not before the platform's
    patience is over. Returns the moment."""
    moments = next_looks_ms(seconds, looked_of(conn, side), now_ms).values()
    # one that is due still was left by a look that was broken off: only a platform's patience holds it up
    next_ms = max(
        min(moments, default=now_ms + int(OTHERS_SECONDS * SECOND_MS)),
        now_ms + int(patience_seconds * SECOND_MS),
    )
    put_value(conn, _NEXT + side, next_ms)
    put_value(conn, _PLANNED + side, now_ms)
    return next_ms


def follow_seconds(conn: Connection, side: str, seconds: Mapping[str, float], now_ms: int) -> None:
    """Where the intervals are others than the last time, plan the next look by them."""
    if get_value(conn, _SECONDS + side) != dict(seconds):
        put_value(conn, _SECONDS + side, dict(seconds))
        # one that is due is left to whoever may be looking just now
        if next_poll_ms(conn, side) > now_ms:
            plan_next(conn, side, seconds, now_ms)


def next_poll_ms(conn: Connection, side: str, now_ms: int | None = None) -> int:
    """When the side is to be looked at next; 0 when nobody has looked yet. With `now_ms`, 0 too where our
    clock has been put back since that was planned: nobody would look until it has caught up."""
    if now_ms is not None and int(get_value(conn, _PLANNED + side, 0)) > now_ms + MINUTE_MS:
        return 0
    return int(get_value(conn, _NEXT + side, 0))


def hasten(conn: Connection, side: str) -> None:
    """The next look at the side is now."""
    put_value(conn, _NEXT + side, 0)


def looked_of(conn: Connection, side: str) -> dict[str, Looked]:
    """Object to the last look at it; objects that nobody has looked at are left out."""
    prefix = f"{_LOOKED}{side}:"
    return {key.removeprefix(prefix): Looked(*value) for key, value in values_under(conn, prefix).items()}


def put_looked(conn: Connection, side: str, name: str, looked: Looked) -> None:
    """Remember the last look at an object."""
    put_value(conn, f"{_LOOKED}{side}:{name}", [looked.at_ms, looked.not_before_ms])


def leave_alone(
    conn: Connection, side: str, names: Iterable[str], now_ms: int, after_ms: int | None = None
) -> None:
    """The platform has not shown these objects: they are left alone for `after_ms`, and the others are not.
    None: it has refused them."""
    looked = looked_of(conn, side)
    not_before_ms = now_ms + min(AFTER_REFUSED_MS if after_ms is None else after_ms, AFTER_REFUSED_MS)
    for name in names:
        put_looked(conn, side, name, Looked(looked.get(name, Looked()).at_ms, not_before_ms))
