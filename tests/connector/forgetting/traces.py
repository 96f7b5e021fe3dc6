"""Traces: forgetting somebody, and what of them is left in the database."""

from __future__ import annotations

from sqlalchemy import select

from connector.intake.forgetting import forget_lead
from connector.observation import RecordKey
from connector.store import holds as hold_store
from connector.store.schema import metadata
from tests.connector.test_life_of_a_lead import ANN
from tests.world import World

PERSONAL = (ANN.encode(), b"Ann", b"Lee", b"+4930123")
PHONE = "+4930123456"


def forget(world: World, lead_id: str) -> tuple[RecordKey, ...]:
    with world.database.begin() as conn:
        return forget_lead(conn, world.leadloop, lead_id, world.clock.now_ms()).still_there


def everything(world: World) -> bytes:
    """Every value of every table."""
    with world.database.read() as conn:
        rows = [row for table in metadata.sorted_tables for row in conn.execute(select(table))]
    return b"\n".join(
        value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row
    )


def installation_holds(world: World) -> list[str]:
    with world.database.read() as conn:
        held = hold_store.open_holds(conn, [hold_store.INSTALLATION])
    return [hold.subject for hold in held.get(hold_store.INSTALLATION, []) if hold.kind == "forgotten"]


def nobody_is_known(world: World) -> bool:
    with world.database.read() as conn:
        return conn.execute(select(metadata.tables["leads"])).first() is None
