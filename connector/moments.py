"""Moments: canonical and native dates as epoch milliseconds. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from connector.observation import Raw


def moment_ms(value: object) -> int | None:
    """A canonical datetime ('YYYY-MM-DDTHH:MM:SSZ') or date as epoch milliseconds; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1_000)


def native_moment_ms(raw: Raw) -> int | None:
    """A platform's date property: ISO text, or epoch milliseconds as text."""
    if isinstance(raw, str) and raw.isdigit():
        return int(raw)
    return moment_ms(raw)
