"""Calls in `leadloop status`: what a side has spent today, what it will, and whether it pauses; and what has
begun there and not ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.cli.output import LANES, iso, span

if TYPE_CHECKING:
    from connector.spending import Spending

_LANES = {"handoff": "hand-offs", "update": "updates", "backfill": "backfill", "look": "looks"}


def calls_as_data(spending: Spending | None, now_ms: int) -> dict[str, Any] | None:
    """A side's calls as plain JSON data; None before it was first called."""
    if spending is None:
        return None
    account = spending.account
    return {
        "day": "rolling" if spending.ends_ms is None else "account",
        "time_zone": spending.time_zone,
        "since": iso(spending.began_ms),
        "until": iso(spending.ends_ms),
        "used": spending.total,
        "by_lane": {LANES.get(lane, str(lane)): number for lane, number in spending.used.items()},
        "limit": spending.limit,
        "quota_percent": spending.quota_percent,
        "ceiling": spending.ceiling,
        "reserve": spending.reserve,
        "looks_to_come": spending.looks_to_come,
        "forecast": spending.forecast.calls,
        "ceiling_reached_at": iso(spending.forecast.reached_ms),
        "whole_account": (
            {
                "used": account.used,
                "limit": account.limit,
                "told_at": iso(account.told_ms),
                "age_seconds": max(0, now_ms - account.told_ms) // 1_000,
            }
            if account is not None
            else None
        ),
    }


def pause_as_data(spending: Spending | None, now_ms: int) -> dict[str, Any] | None:
    """Why a side is left alone, since when, until when, and when it is asked whether that is over."""
    pause = spending.pause if spending is not None else None
    if pause is None:
        return None
    return {
        "reason": pause.reason,
        "since": iso(pause.since_ms),
        "until": iso(pause.until_ms),
        "asks_again_at": iso(pause.next_probe_ms(now_ms)),
    }


def call_rows(calls: dict[str, Any] | None) -> list[tuple[str, object]]:
    """A side's calls as rows of a table."""
    if calls is None:
        return [("calls", "none yet")]
    rolling = calls["day"] == "rolling"
    share = f"our share of {calls['ceiling']:,} ({calls['quota_percent']} %)"
    ends = "within 24 hours" if rolling else f"by midnight ({calls['time_zone']})"
    rows: list[tuple[str, object]] = [
        ("calls in 24 hours" if rolling else "calls since midnight", f"{calls['used']:,} of {share}"),
        ("… by lane", _by_lane(calls["by_lane"])),
        ("… kept for hand-offs", f"{calls['reserve']:,}"),
        ("… kept for looks", f"{calls['looks_to_come']:,}"),
        ("… whole account", _whole(calls)),
        ("… forecast", f"{calls['forecast']:,} {ends}"),
    ]
    if calls["forecast"] > calls["ceiling"]:
        # reached at some moment that was looked at, or the forecast would not be above it
        rows.append(
            ("… TOO MANY", f"ours are used up about {plain_moment(calls['ceiling_reached_at'])[:16]}")
        )
    return rows


def pause_rows(paused: dict[str, Any] | None) -> list[tuple[str, object]]:
    """Why a side is left alone, as rows of a table; none while it is not."""
    if paused is None:
        return []
    until = f"until {plain_moment(paused['until'])}" if paused["until"] else "until it answers again"
    rows: list[tuple[str, object]] = [
        ("PAUSED", paused["reason"]),
        ("… since", f"{plain_moment(paused['since'])}, {until}"),
    ]
    if paused["asks_again_at"]:
        rows.append(("… asks again at", plain_moment(paused["asks_again_at"])))
    return rows


def _by_lane(by_lane: dict[str, int]) -> str:
    return ", ".join(f"{_LANES.get(lane, lane)} {number:,}" for lane, number in by_lane.items()) or "none"


def _whole(calls: dict[str, Any]) -> str:
    whole = calls["whole_account"]
    if whole is None:
        return f"{calls['limit']:,}; what is used was not told"
    percent = 100 * whole["used"] // max(1, whole["limit"])
    age = span(whole["age_seconds"] * 1_000)
    return f"{whole['used']:,} of {whole['limit']:,} ({percent} %), {age} ago"


def plain_moment(at: str | None) -> str:
    """A moment of the JSON for people."""
    return at.replace("T", " ").removesuffix("Z") if at else "—"


def waiting_row(inbox: dict[str, Any]) -> str:
    """What a side told of by webhook or stream, and nobody has read yet."""
    if not inbox["waiting"]:
        return "nothing"
    records = "record" if inbox["waiting"] == 1 else "records"
    return f"{inbox['waiting']:,} {records}, the longest for {span(inbox['oldest_seconds'] * 1_000)}"


def backfill_rows(unfinished: list[dict[str, Any]]) -> list[tuple[str, object]]:
    """What a backfill has begun and not finished; the same command goes on from there."""
    rows: list[tuple[str, object]] = []
    for each in unfinished:
        about = f" of about {each['total']:,}" if each["total"] else ""
        rows.append((f"backfill ({each['object']})", f"{each['records']:,}{about} read so far"))
    return rows
