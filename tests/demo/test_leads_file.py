"""Files that cannot be used end with 2, one sentence and no figures; odd rows of a good one are people."""

from __future__ import annotations

from pathlib import Path

from connector.demo.leads_file import read_people
from tests.cli.shell import Shell
from tests.demo.leads_csv import columns, headings, write_csv


def fails(shell: Shell, path: Path) -> str:
    answer = shell("demo", "--leads", str(path), "--json")
    assert answer.code == 2
    assert answer.out == ""
    assert len(answer.err.splitlines()) == 1
    assert str(path) in answer.err
    return answer.err


def test_a_missing_file(shell: Shell, tmp_path: Path) -> None:
    assert "No such file" in fails(shell, tmp_path / "none.csv")


def test_a_folder(shell: Shell, tmp_path: Path) -> None:
    assert "cannot be read" in fails(shell, tmp_path)


def test_an_empty_file(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.write_bytes(b"")
    assert "is empty" in fails(shell, path)


def test_headings_without_a_row(shell: Shell, tmp_path: Path) -> None:
    assert "no row below its headings" in fails(shell, write_csv(tmp_path / "none.csv"))


def test_other_columns_are_named(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("Lead Number,Tags,Name\n1,Busy,Ann\n", encoding="utf-8")
    told = fails(shell, path)
    assert "the columns Converted" in told
    assert "Lead Origin" in told


def test_one_missing_column_is_named_alone(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text(",".join(name for name in headings() if name != "City") + "\n", encoding="utf-8")
    assert "lacks the column City:" in fails(shell, path)


def test_a_file_that_is_not_utf_8(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes((",".join(headings()) + "\n").encode() + "é".encode("latin-1"))
    assert "is not UTF-8" in fails(shell, path)


def test_bytes_that_are_no_csv(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    path.write_text(",".join(headings()) + "\n" + "x" * 200_000, encoding="utf-8")
    assert "no CSV file that can be read" in fails(shell, path)


def test_every_row_is_a_person_with_an_address_of_its_own(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "odd.csv",
        {"Lead Number": "7", "Converted": "1", "Tags": " Busy "},
        {"Lead Number": "7"},
        {"Lead Number": ""},
        {"Lead Number": "ä 8@x"},
        {"Lead Number": "A9"},
        {"Lead Number": "a9"},
    )
    people = read_people(path, columns())
    assert [person.number for person in people] == ["7", "row3", "row4", "row5", "A9", "row7"]
    assert len({person.email for person in people}) == 6
    assert (people[0].won, people[0].tag, people[0].line) == (True, "Busy", 2)


def test_a_byte_order_mark_and_short_rows_are_read(tmp_path: Path) -> None:
    path = tmp_path / "bom.csv"
    path.write_bytes(("\ufeff" + ",".join(headings()) + "\n1\n").encode())
    assert [person.values["city"] for person in read_people(path, columns())] == [None]
