"""The shape of `routes` in a rules document: who gets a lead. Pydantic models only."""

from __future__ import annotations

from pydantic import field_validator, model_validator

from mappings.validation import Strict
from rules.score_document import Condition, Name


class Route(Strict):
    """Who gets a lead: a named owner, or the next of a pool. An owner is an address or queue:<Name>."""

    route: Name
    when: Condition | None = None
    owner: str | None = None
    pool: list[str] | None = None

    @field_validator("owner")
    @classmethod
    def _an_owner(cls, owner: str | None) -> str | None:
        return owner if owner is None else _owner(owner)

    @field_validator("pool")
    @classmethod
    def _members(cls, pool: list[str] | None) -> list[str] | None:
        if pool is None:
            return None
        if not pool:
            raise ValueError("the pool is empty")
        members = [_owner(member) for member in pool]
        repeated = next((member for member in members if members.count(member) > 1), None)
        if repeated is not None:
            raise ValueError(f'"{repeated}" is in the pool twice')
        return members

    @model_validator(mode="after")
    def _one_of_both(self) -> Route:
        if (self.owner is None) == (self.pool is None):
            raise ValueError("a route needs either owner: or pool:")
        return self


def _owner(owner: str) -> str:
    queue, colon, name = owner.partition(":")
    if colon and queue == "queue" and name.strip():
        return owner
    local, at, host = owner.partition("@")
    if not (at and local and "." in host and " " not in owner and "@" not in host):
        raise ValueError(f'"{owner}" is no owner; write an e-mail address or queue:<Name>')
    return owner.lower()
