"""The contract: what every platform adapter does, whatever the platform.

A platform's tests are a subclass that names its worlds. Each test asserts what the platform then shows, or
what the adapter answers; never which method was called.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest

from connector.clock import ManualClock
from connector.platforms.protocol import Platform
from tests.contract.account import AccountContract
from tests.contract.changes import ChangesContract
from tests.contract.everything import EverythingContract
from tests.contract.listing import ListingContract
from tests.contract.reading import ReadingContract
from tests.contract.trouble import TroubleContract
from tests.contract.worlds import ContractMeter, World
from tests.contract.writing import WritingContract


class PlatformContract(
    AccountContract,
    ChangesContract,
    EverythingContract,
    ListingContract,
    ReadingContract,
    WritingContract,
    TroubleContract,
):
    """Subclass it as `Test…`, with the attributes below."""

    platform: str
    sandbox: Callable[[ManualClock], contextlib.AbstractContextManager[str]]
    sandbox_world: Callable[..., World]
    real_world: Callable[..., World]
    replayed_world: Callable[..., World]

    @pytest.fixture
    def meter(self, world: World) -> ContractMeter:
        return ContractMeter(world.clock)

    @pytest.fixture
    def there(self, world: World, meter: ContractMeter) -> Platform:
        """The adapter, connected."""
        return world.connect(meter)
