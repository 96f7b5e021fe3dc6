"""Trouble: what goes wrong with platforms and with leadloop itself, at random."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from connector.installation import Installation
from connector.lane import Lane
from connector.platforms.protocol import RecordWrite, WriteResult
from connector.sandbox.faults import Rewrite
from tests.world import World

_WRITES = {"salesforce": ("PATCH", "sobjects"), "hubspot": ("batch/update", "batch/create")}
_REWRITES = {
    "salesforce": [
        Rewrite("Lead", "Title", "truncate", 6),
        Rewrite("Lead", "LastName", "lower"),
        Rewrite("Contact", "Title", "trim"),
        Rewrite("Lead", "Status", "set", "Open - Not Contacted"),
        Rewrite("Lead", "Leadloop_Score_Reasons__c", "upper"),
    ],
    "hubspot": [
        Rewrite("contacts", "jobtitle", "lower"),
        Rewrite("contacts", "company", "truncate", 4),
        Rewrite("contacts", "annualrevenue", "round", 0),
        Rewrite("contacts", "lifecyclestage", "set", "lead"),
        Rewrite("contacts", "hs_lead_status", "set", "NEW"),
    ],
}
_BAD = {
    "salesforce": [("Lead", "LastName", "Kim"), ("Lead", "Title", "Clerk"), ("Contact", "LastName", "Roe")],
    "hubspot": [("contacts", "lastname", "Kim"), ("contacts", "jobtitle", "Clerk")],
}
_CODES = {"salesforce": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "hubspot": "VALIDATION_ERROR"}
_KINDS = ["fail", "fail write", "lose", "bad", "lag", "rewrite", "hide", "heal"]
_HIDDEN = {"salesforce": ("Lead", "Title"), "hubspot": ("contacts", "jobtitle")}


class Killed(BaseException):
    """The process was killed; nothing in it may catch this."""


class Trouble:
    """All the trouble, with one source of chance. `made` tells what went wrong, in order."""

    def __init__(self, world: World, chance: Random) -> None:
        self.world = world
        self.chance = chance
        self.made: list[str] = []
        self.kinds = chance.sample(_KINDS, chance.randint(2, len(_KINDS)))

    def strike(self) -> None:
        """One thing goes wrong."""
        side = self.chance.choice(["salesforce", "hubspot"])
        faults = self.world.salesforce.faults if side == "salesforce" else self.world.hubspot.faults
        kind = self.chance.choice(self.kinds)
        match = self.chance.choice(_WRITES[side])
        told: Any = match
        if kind == "fail":
            told = status = self.chance.choice([429, 500, 503, 401])
            faults.fail_next(self.chance.randint(1, 4), status)
        elif kind == "fail write":
            faults.fail_next(self.chance.randint(1, 3), self.chance.choice([429, 500, 503]), match=match)
        elif kind == "lose":
            faults.lose_answer(self.chance.randint(1, 2), match=match, work=self.chance.random() < 0.7)
        elif kind == "bad":
            told = bad = self.chance.choice(_BAD[side])
            faults.bad_record(*bad, _CODES[side])
        elif kind == "lag":
            told = faults.visibility_lag_seconds = self.chance.choice([5.0, 45.0, 200.0])
        elif kind == "rewrite":
            told = rewrite = self.chance.choice(_REWRITES[side])
            faults.rewrite_on_save.append(rewrite)
        elif kind == "hide":
            told = _HIDDEN[side]
            faults.hidden_fields.add(_HIDDEN[side])
            self.world.reconnect()  # what is hidden is found out when leadloop starts
        else:
            faults.clear()
        self.made.append(f"{side} {kind}: {told}")

    def doom(self, installation: Installation) -> None:
        """Let the process die in one of its next steps: before or after a write, or between two."""
        side = self.chance.choice(sorted(installation.platforms))
        platform: Any = installation.platforms[side]
        write: Callable[..., Sequence[WriteResult]] = platform.write
        after = self.chance.random() < 0.6
        self.made.append(f"killed {'after' if after else 'before'} a write to {side}")

        def dying(writes: Sequence[RecordWrite], lane: Lane = Lane.UPDATE) -> Sequence[WriteResult]:
            if after:
                write(writes, lane)
            raise Killed

        platform.write = dying

    def clear(self) -> None:
        """The admins have mended everything."""
        for faults in (self.world.salesforce.faults, self.world.hubspot.faults):
            faults.clear()
