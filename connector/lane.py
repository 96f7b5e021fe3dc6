"""Lane: which traffic goes first when the quota is short. Plain data."""

from __future__ import annotations

from enum import IntEnum


class Lane(IntEnum):
    """Lower is more urgent: hand-offs (becomes MQL, is routed, rejected), other updates, backfill."""

    HANDOFF = 0
    UPDATE = 1
    BACKFILL = 2
