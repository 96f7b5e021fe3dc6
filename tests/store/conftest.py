"""Fixtures for the store's tests: leads to hang things on, and transactions that leave nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from sqlalchemy import Connection

from connector.store.database import Database
from connector.store.leads import Lead, insert_leads


def a_lead(lead_id: str, **given: object) -> Lead:
    """A clean lead in the first stage, with what is given."""
    values: dict[str, object] = {
        "version": 1,
        "generation": 0,
        "stage": "inquiry",
        "cycle": 1,
        "due_at_ms": None,
        "dirty_since_ms": None,
        "state": b"{}",
        "created_ms": 1_000,
        **given,
    }
    return Lead(id=lead_id, **values)  # type: ignore[arg-type]  # the test gives values of the right types


@pytest.fixture
def with_leads(database: Database) -> Callable[..., None]:
    """Insert clean leads with these ids."""

    def insert(*ids: str, **given: object) -> None:
        with database.begin() as conn:
            insert_leads(conn, [a_lead(lead_id, **given) for lead_id in ids])

    return insert


class _Undo(Exception):
    """Ends a transaction without keeping it."""


@pytest.fixture
def rolled_back(database: Database) -> Callable[[], AbstractContextManager[Connection]]:
    """A transaction that is undone at its end: every example of a property test starts empty."""

    @contextmanager
    def transaction() -> Iterator[Connection]:
        try:
            with database.begin() as conn:
                yield conn
                raise _Undo
        except _Undo:
            return

    return transaction
