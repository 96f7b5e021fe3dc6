"""The shape of `routes`, `pools` and `territories` in a rules document: who gets a lead. Models only."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from mappings.validation import Strict
from rules.hours_document import Away, TimeZone
from rules.pools import OutsideHours
from rules.score_document import Condition, Name

TARGETS: Final = ("owner", "pool", "to", "territory")
"""The keys of a route that say who gets the lead."""

_SHAPE_OF_OWNER: Final = r"^queue:\s*\S|^[^@ ]+@[^@ ]*\.[^@ ]*$"


def _owner(owner: str) -> str:
    queue, colon, name = owner.partition(":")
    if colon and queue == "queue" and name.strip():
        return owner
    local, at, host = owner.partition("@")
    if not (at and local and "." in host and " " not in owner and "@" not in host):
        raise ValueError(f'"{owner}" is no owner; write an e-mail address or queue:<Name>')
    return owner.lower()


def _unfold_member(given: Any) -> Any:
    """`anna@x` is short for `{owner: anna@x}`."""
    return {"owner": given} if isinstance(given, str) else given


def _unfold_pool(given: Any) -> Any:
    """The name of a pool, or a list of members."""
    if isinstance(given, str):
        return {"name": given}
    if isinstance(given, list):
        return {"members": given}
    raise ValueError("a pool is a name under pools:, or a list of owners")


OwnerName = Annotated[str, AfterValidator(_owner), Field(json_schema_extra={"pattern": _SHAPE_OF_OWNER})]


class Member(Strict):
    """Somebody in a pool, and when that one takes leads. `hours` are read in `time_zone` where it is
    given."""

    owner: OwnerName
    weight: Annotated[int, Field(ge=1, le=100)] = 1
    at_most_per_day: Annotated[int, Field(ge=1, le=10_000)] | None = None
    hours: Name | None = None
    time_zone: TimeZone | None = None
    away: list[Away] = Field(default_factory=list)


Members = Annotated[
    list[Annotated[Member, BeforeValidator(_unfold_member, json_schema_input_type=OwnerName | Member)]],
    Field(json_schema_extra={"minItems": 1}),
]


def _check_members(members: list[Member]) -> list[Member]:
    if not members:
        raise ValueError("the pool is empty")
    owners = [member.owner for member in members]
    repeated = next((owner for owner in owners if owners.count(owner) > 1), None)
    if repeated is not None:
        raise ValueError(f'"{repeated}" is in the pool twice')
    return members


class Pool(Strict):
    """Owners who take turns. `hours` and `time_zone` are those of members who name none of their own."""

    members: Annotated[Members, AfterValidator(_check_members)]
    hours: Name | None = None
    time_zone: TimeZone | None = None
    outside_hours: OutsideHours = "in_turn"


class PoolChoice(Strict):
    """The pool of a route: by its name, or its members written out."""

    name: Name | None = None
    members: Annotated[Members, AfterValidator(_check_members)] | None = None


PoolOrMembers = Annotated[PoolChoice, BeforeValidator(_unfold_pool, json_schema_input_type=Name | Members)]


class TerritoryRow(Strict):
    """Where leads go that show these values; the names of the columns are further keys."""

    model_config = ConfigDict(extra="allow")

    owner: OwnerName | None = None
    pool: PoolOrMembers | None = None

    @model_validator(mode="after")
    def _one(self) -> TerritoryRow:
        if (self.owner is None) == (self.pool is None):
            raise ValueError("a row needs either owner: or pool:")
        return self


class Territory(Strict):
    """A table of who gets which leads, by the lead fields in `by`. The first row that matches counts."""

    by: Annotated[list[Name], Field(min_length=1)]
    rows: Annotated[list[TerritoryRow], Field(min_length=1)]

    @field_validator("by")
    @classmethod
    def _columns(cls, by: list[str]) -> list[str]:
        for name in by:
            if name in ("owner", "pool"):
                raise ValueError(f'"{name}" cannot be a column; it says who gets the lead')
        repeated = next((name for name in by if by.count(name) > 1), None)
        if repeated is not None:
            raise ValueError(f'"{repeated}" is here twice')
        return by


class Route(Strict):
    """Who gets a lead: a named owner (an address or queue:<Name>), the next of a pool, the owner that the
    lead itself names, or whom a territory table says."""

    route: Name
    when: Condition | None = None
    owner: OwnerName | None = None
    pool: PoolOrMembers | None = None
    to: Name | None = None
    territory: Name | None = None
    may_return: bool = False

    @model_validator(mode="after")
    def _one(self) -> Route:
        if sum(getattr(self, key) is not None for key in TARGETS) != 1:
            raise ValueError("a route needs one of owner:, pool:, to: and territory:")
        return self
