"""Worlds: what people and accidents do on a platform while the contract is tested.

A sandbox world speaks to the sandbox's control endpoints over HTTP, so that a cassette holds that too. A real
world can only do what the platform's API can; the rest skips.
"""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import pytest
import requests

from connector.clock import ManualClock
from connector.lane import Lane
from connector.observation import Raw
from connector.platforms.protocol import FreeMeter, Platform, RecordWrite, WriteResult, Written

Values = Mapping[str, Raw]


class ContractMeter(FreeMeter):
    """Counts calls; lets a little time pass before each search, so that nobody's limit is met."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self._clock = clock

    def admit(self, lane: Lane, kind: Literal["read", "search", "write", "metadata"]) -> None:
        super().admit(lane, kind)
        if kind == "search":
            self._clock.advance(0.25)

    @property
    def total(self) -> int:
        return sum(self.calls.values())


@dataclass(frozen=True)
class Names:
    """The native names that the contract uses, and what a new person needs."""

    person: str
    other: str
    first: str
    last: str
    email: str
    phone: str
    key: str
    number: str
    unknown_id: str
    required: Mapping[str, str] = field(default_factory=dict)


class World(ABC):
    """One org or portal, as the people in it see it."""

    names: Names
    account_id: str
    wrong_account: ClassVar[Mapping[str, str]]
    refused_batch: ClassVar[Any]

    def __init__(self, url: str, clock: ManualClock, run: str, renewable: bool = False) -> None:
        self.url = url
        self.clock = clock
        self.run = run
        self.renewable = renewable
        # a minute back: a real platform's clock is not ours
        self.began_ms = clock.now_ms() - 60_000
        self.open: list[Platform] = []

    @abstractmethod
    def environment(self, login: bool = False) -> dict[str, str]:
        """Settings to connect with; `login`: with credentials that can be renewed."""

    @abstractmethod
    def connect(self, meter: FreeMeter, **changed: str) -> Platform:
        """A platform with these settings; `changed` by the names of the environment variables."""

    def email(self, name: str) -> str:
        return f"{name}-{self.run}@contract.example"

    def person(self, name: str, **values: Raw) -> dict[str, Raw]:
        """The fields of a new person with an address of its own."""
        names = self.names
        return {
            names.first: "Nomen",
            names.last: "Nescio",
            names.email: self.email(name),
            **names.required,
            **values,
        }

    def settle(self, seconds: float = 60) -> None:
        """Let everything that was done become visible."""
        self.clock.advance(seconds)

    # what people do

    @abstractmethod
    def create(self, *people: Values) -> list[str]: ...

    @abstractmethod
    def edit(self, record_id: str, **values: Raw) -> None: ...

    @abstractmethod
    def remove(self, record_id: str) -> None: ...

    @abstractmethod
    def merge(self, survivor: str, loser: str) -> str: ...

    @abstractmethod
    def add_owner(self, name: str, email: str) -> str: ...

    # what goes wrong

    @abstractmethod
    def faults(self, **faults: Any) -> None:
        """Make something go wrong, in the words of the sandbox's `faults` endpoint."""

    @abstractmethod
    def small_pages(self) -> int:
        """Make pages small where that can be; returns the number of records in one."""

    @abstractmethod
    def small_lists(self) -> int:
        """The same for pages of everything."""

    @abstractmethod
    def requests_got(self) -> int:
        """How many requests the platform has got."""


class SandboxWorld(World):
    """A sandbox's world, over its control endpoints."""

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(method, f"{self.url}/_sandbox/{path}", json=body, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def faults(self, **faults: Any) -> None:
        self.control("POST", "faults", faults)

    def requests_got(self) -> int:
        return int(self.control("GET", "requests")["count"])


class RealWorld(World):
    """What the contract may do in a real account: only what it made itself, through the adapter."""

    account_id = ""

    def __init__(self, url: str, clock: ManualClock, run: str, renewable: bool = False) -> None:
        super().__init__(url, clock, run, renewable)
        self.made: dict[str, None] = {}
        self._own: Platform | None = None

    @property
    def platform(self) -> Platform:
        if self._own is None:
            self._own = self.connect(FreeMeter())
        return self._own

    def noting(self, platform: Platform) -> Platform:
        """The platform, which from now on tells this world of every record that it makes."""
        write = platform.write

        def write_and_note(writes: Sequence[RecordWrite], lane: Lane = Lane.UPDATE) -> Sequence[WriteResult]:
            results = write(writes, lane)
            for result in results:
                if isinstance(result.outcome, Written) and result.outcome.created:
                    self.made[result.outcome.record_id] = None
            return results

        platform.write = write_and_note  # type: ignore[method-assign]  # whoever writes, it is removed
        return platform

    def settle(self, seconds: float = 60) -> None:
        super().settle(seconds)
        # a real search index takes moments, with no documented bound
        time.sleep(float(os.environ.get("LEADLOOP_CONTRACT_SETTLE_SECONDS", "20")))

    def _write(self, writes: Sequence[RecordWrite]) -> list[str]:
        outcomes = [result.outcome for result in self.platform.write(writes)]
        assert all(isinstance(outcome, Written) for outcome in outcomes), outcomes
        return [outcome.record_id for outcome in outcomes if isinstance(outcome, Written)]

    def create(self, *people: Values) -> list[str]:
        return self._write(
            [RecordWrite(str(at), self.names.person, None, values) for at, values in enumerate(people)]
        )

    def edit(self, record_id: str, **values: Raw) -> None:
        self._write([RecordWrite("edit", self.names.person, record_id, values)])

    def merge(self, survivor: str, loser: str) -> str:
        pytest.skip("the contract merges nothing in a real account")

    def add_owner(self, name: str, email: str) -> str:
        pytest.skip("the contract adds no users to a real account")

    def faults(self, **faults: Any) -> None:
        pytest.skip("a real account cannot be made to fail")

    def small_pages(self) -> int:
        pytest.skip("the contract makes no hundreds of records in a real account")

    def small_lists(self) -> int:
        pytest.skip("the contract makes no hundreds of records in a real account")

    def requests_got(self) -> int:
        pytest.skip("a real account does not count for us")

    def clean(self) -> None:
        """Remove what was made."""
        for record_id in self.made:
            self.remove(record_id)
        if self._own is not None:
            self._own.close()
