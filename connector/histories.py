"""Histories: what the platforms have kept of fields that were changed on several sides.

Asked only for fields of which the merge could not tell whose change came last, in one batch for many leads,
over connections of the settling thread's own. What does not come (an outage, a spent budget, a field without
a history) is nothing told: then the policy's `else` decides, as it would have without asking.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from connector.clock import MINUTE_MS
from connector.installation import Installation
from connector.lane import Lane
from connector.observation import PastValue, RecordKey
from connector.platforms.errors import PlatformError, RetryLater

ASK_FOR_MS = MINUTE_MS
"""How long a batch of leads may wait for histories: well within their lease."""

Told = dict[tuple[RecordKey, str], Sequence[PastValue]]


def read_histories(installation: Installation, undated: Iterable[tuple[RecordKey, str]]) -> Told:
    """What is told of each of these records and native fields; () where nothing is."""
    told: Told = dict.fromkeys(undated, ())
    until_ms = installation.clock.now_ms() + ASK_FOR_MS
    silent: set[str] = set()
    for (side, name), wanted in _by_object(told).items():
        if side in silent or side not in installation.aside or installation.clock.now_ms() >= until_ms:
            continue
        ids = list(dict.fromkeys(key.record_id for key, _ in wanted))
        fields = sorted({native for _, native in wanted})
        try:
            found = installation.aside[side].history(name, ids, fields, Lane.UPDATE)
        except PlatformError as error:
            installation.on_event(
                "history_not_read", {"side": side, "records": len(ids), "reason": str(error)}
            )
            if isinstance(error, RetryLater):
                silent.add(side)
            continue
        told.update(((key, native), found.get((key.record_id, native), ())) for key, native in wanted)
    return told


def _by_object(
    undated: Mapping[tuple[RecordKey, str], object],
) -> dict[tuple[str, str], list[tuple[RecordKey, str]]]:
    found: dict[tuple[str, str], list[tuple[RecordKey, str]]] = {}
    for key, native in undated:
        found.setdefault((key.side, key.object), []).append((key, native))
    return found
