"""The recorded year: leadloop's own history of made-up people, the same one for the same seed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from connector.demo.year import record_year
from connector.store import ledger
from connector.store.database import Database
from connector.store.holds import count_open
from connector.store.leads import iterate_lead_ids
from connector.store.ledger import LedgerRow
from tests.cli.shell import Shell


def history(path: Path, seed: int) -> list[LedgerRow]:
    """The ledger of a short year."""
    database = Database.open(f"sqlite:///{path}")
    try:
        database.migrate()
        record_year(database, leads=40, seed=seed, days=60)
        with database.read() as conn:
            found = ledger.of_leads(conn, iterate_lead_ids(conn))
            assert set(count_open(conn)) <= {"field_missing", "reason_missing"}
        return [row for rows in found.values() for row in rows]
    finally:
        database.close()


def test_the_same_seed_gives_the_same_history(tmp_path: Path) -> None:
    first, again, other = (history(tmp_path / f"{n}.db", seed) for n, seed in enumerate((1, 1, 2)))
    assert first == again
    assert first != other
    causes = Counter((row.target, row.cause) for row in first)
    assert causes["mql", "rules"] > 3
    assert causes["distributed", "rules"] == causes["mql", "rules"]
    assert causes["accepted", "sales"] > 0
    assert causes["nurture", "sales"] > 0


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    taken = tmp_path / "year.db"
    taken.write_text("mine", encoding="utf-8")
    answer = Shell(tmp_path, {})("demo", "--year", str(taken))
    assert answer.code == 2
    assert "is there already" in answer.err
    assert taken.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("missing", ["nowhere/year.db"])
def test_a_folder_that_is_not_there_is_told(tmp_path: Path, missing: str) -> None:
    answer = Shell(tmp_path, {})("demo", "--year", str(tmp_path / missing))
    assert answer.code == 2
    assert "does not exist" in answer.err
