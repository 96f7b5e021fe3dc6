"""Steps that the contract's tests share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connector.observation import Observation, Raw
from connector.platforms.protocol import BulkPage, Platform, RecordWrite, Watch, WriteResult, Written
from tests.contract.worlds import World


def seen_changes(there: Platform, world: World, since_ms: int) -> Iterator[Observation]:
    """All changed people since a moment, by the fields that the contract uses."""
    names = world.names
    for page in there.changes([Watch(names.person, (names.first, names.email, names.phone), since_ms)]):
        yield from page.observations


def create(world: World, name: str, token: str = "new", /, **values: Raw) -> RecordWrite:
    """A create of a new person with an address of its own, under the unique key."""
    return RecordWrite(token, world.names.person, None, world.person(name, **values), world.names.key)


def update(world: World, record_id: str, token: str = "edit", /, **values: Raw) -> RecordWrite:
    """An update of one person."""
    return RecordWrite(token, world.names.person, record_id, values)


def written(results: Any) -> list[Written]:
    """The outcomes, all of which must be successes."""
    outcomes = []
    for result in results:
        assert isinstance(result, WriteResult)
        assert isinstance(result.outcome, Written), result
        outcomes.append(result.outcome)
    return outcomes


def bulk_pages(
    there: Platform, world: World, resume: str = "", since_ms: int | None = None, expected: int | None = None
) -> Iterator[BulkPage]:
    """The pages of all people, waiting where the platform says so; every object ends with one last page."""
    names = world.names
    fields = (names.first, names.email, names.phone)
    last = False
    for page in there.everything(names.person, fields, since_ms, resume, expected=expected):
        assert not last
        last = page.last
        yield page
        world.clock.advance(page.wait_seconds)
    assert last


def all_of(
    there: Platform, world: World, resume: str = "", since_ms: int | None = None, expected: int | None = None
) -> list[Observation]:
    """All people, from a page on."""
    pages = bulk_pages(there, world, resume, since_ms, expected)
    return [each for page in pages for each in page.observations]
