"""What can go wrong with the store. `str()` of each is one sentence that names the remedy."""

from __future__ import annotations

from collections.abc import Sequence


class StoreError(Exception):
    """The database cannot be used as asked: unreachable, not a database, written by a newer leadloop."""


class StoreBusy(StoreError):
    """Another writer was in the way for too long. Nothing was written; the same can be tried again."""


class LeaseLost(StoreError):
    """Somebody else has, or has changed, these leads since they were claimed. Nothing may be saved."""

    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__(f"the lease on {len(ids)} leads was lost: {', '.join(ids[:5])}")
        self.ids = tuple(ids)
