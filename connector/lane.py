"""Lane: which traffic goes first when the quota is short. Plain data."""

from __future__ import annotations

from enum import IntEnum


class Lane(IntEnum):
    """Lower is more urgent: hand-offs (becomes MQL, is routed, rejected), other updates, backfill. Looking
    for changes has no rank among those: it goes on beside all of them."""

    HANDOFF = 0
    UPDATE = 1
    BACKFILL = 2
    LOOK = 3
