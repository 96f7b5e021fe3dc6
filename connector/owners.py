"""Owners: who can own a lead on each side, matched between the platforms by e-mail. Plain look-ups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.platforms.protocol import Owner
from mappings.stages import QUEUE_PREFIX


class Directory:
    """The users and queues of every side. Inactive users can be read (a record may still carry one) but are
    never written."""

    def __init__(self, owners: Mapping[str, Sequence[Owner]]) -> None:
        self._names: dict[tuple[str, str], str] = {}
        self._natives: dict[tuple[str, str], str] = {}
        self._sides: set[str] = set()
        for side, listed in owners.items():
            for owner in listed:
                name = _name(owner)
                if name is None:
                    continue
                self._names[side, owner.native_id] = name
                if owner.active:
                    self._natives.setdefault((side, name), owner.native_id)
                    self._sides.add(side)

    def email_of(self, side: str, native_id: str) -> str | None:
        """The owner behind a native id: an e-mail address, or 'queue:Name'; None when nobody has it."""
        return self._names.get((side, native_id))

    def native_of(self, side: str, owner: str) -> str | None:
        """The native id of an active owner on that side; None when there is none."""
        return self._natives.get((side, owner))

    def knows_owners_of(self, side: str) -> bool:
        """Whether anybody active is known there; if not, who is missing cannot be told."""
        return side in self._sides


def _name(owner: Owner) -> str | None:
    if owner.kind == "queue":
        return f"{QUEUE_PREFIX}{owner.name}"
    return owner.email.strip().lower() if owner.email else None
