"""Where the history and the rules come from: either database, and the ways to name other rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.backtest.findings import findings
from connector.backtest.other_rules import RulesFolderError, Wrong, read_rules
from connector.backtest.recorded import Wish, backtest
from connector.demo.year import record_year, year_configuration, year_rules
from connector.store.database import Database

BASE = year_configuration()


def test_a_recorded_history_is_replayed_from_either_database(database_url: str, tmp_path: Path) -> None:
    writing = Database.open(database_url)
    try:
        record_year(writing, leads=40, days=90)
    finally:
        writing.close()
    reading = Database.open(database_url, read_only=True)
    try:
        tried = year_configuration(year_rules("year").replace("score: 50", "score: 30"))
        tally = backtest(reading, BASE, tried, Wish())
    finally:
        reading.close()
    assert tally is not None
    found = findings(tally)
    assert found["leads"] > 30
    assert found["recorded"]["mqls"] > 3
    assert found["recorded"]["found_again"] == found["recorded"]["mqls"]
    assert found["gained"]["mqls"] > found["lost"]["mqls"] == 0


@pytest.mark.parametrize("place", ["better.yaml", "folder", "folder with rules", "configuration"])
def test_rules_are_a_file_a_folder_or_a_configuration(tmp_path: Path, place: str) -> None:
    text = year_rules("year-better")
    path = tmp_path / place
    if place == "better.yaml":
        path.write_text(text, encoding="utf-8")
    else:
        inner = path / "rules" if place == "folder with rules" else path
        inner.mkdir(parents=True)
        (inner / "better.yaml").write_text(text, encoding="utf-8")
    if place == "configuration":
        (path / "leadloop.yaml").write_text("rules: [better.yaml]\n", encoding="utf-8")
    tried = read_rules(path, BASE.documents)
    assert tried.rules.gates == year_configuration(text).rules.gates
    assert tried.mapping.fields == BASE.mapping.fields
    assert "studies or advises" in tried.rules.ranks


def test_files_of_a_folder_add_up(tmp_path: Path) -> None:
    head, tail = year_rules("year").split("\nfast_track:")
    (tmp_path / "a.yaml").write_text(head, encoding="utf-8")
    (tmp_path / "b.yml").write_text(f"fast_track:{tail}", encoding="utf-8")
    assert read_rules(tmp_path, BASE.documents).rules.reasons == BASE.rules.reasons


def test_what_is_wrong_is_told_with_the_text_it_stands_in(tmp_path: Path) -> None:
    (tmp_path / "leadloop.yaml").write_text("rulez: [better.yaml]\n", encoding="utf-8")
    with pytest.raises(Wrong) as main:
        read_rules(tmp_path, BASE.documents)
    assert 'did you mean "rules"' in str(main.value.errors[0])
    assert main.value.texts["leadloop.yaml"].startswith("rulez")
    (tmp_path / "leadloop.yaml").write_text("rules: [gone.yaml]\n", encoding="utf-8")
    with pytest.raises(Wrong) as missing:
        read_rules(tmp_path, BASE.documents)
    assert "gone.yaml" in str(missing.value.errors[0])
    (tmp_path / "latin.yaml").write_bytes(b"# \xe9\n")
    with pytest.raises(RulesFolderError, match="UTF-8"):
        read_rules(tmp_path / "latin.yaml", BASE.documents)
