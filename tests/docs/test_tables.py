"""The tables that are made from the code are current, and all of them stand in some page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import PAGES, name_of, text_of
from tests.docs.tables import MARK, TABLES, current

REMEDY = "write the tables anew with: python -m tests.docs.tables"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_tables_of_a_page_are_current(page: Path) -> None:
    text = text_of(page)

    assert current(text) == text, REMEDY


def test_every_table_stands_in_a_page() -> None:
    used = {found[2] for page in PAGES for found in MARK.finditer(text_of(page))}

    assert used == set(TABLES)


def test_every_mark_is_closed() -> None:
    for page in PAGES:
        text = text_of(page)
        assert text.count("<!-- table:") == len(MARK.findall(text)), name_of(page)
