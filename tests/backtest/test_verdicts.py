"""Whether a pursuit that really happened was a good one, by what is asked for."""

from __future__ import annotations

import pytest

from connector.backtest.verdicts import AIMS, is_good
from connector.store.ledger import LedgerRow
from tests.backtest.lives import history_of, row

HANDED = (row(12, "nurture", "mql"), row(12, "mql", "distributed"))
TAKEN = (*HANDED, row(15, "distributed", "accepted", "sales"))
DEAL = (*TAKEN, row(30, "accepted", "opportunity", "fact", skipped=("qualified",)))
LOST = (*DEAL, row(60, "opportunity", "closed", "fact", outcome="lost", reason="price"))


@pytest.mark.parametrize(
    ("rows", "good"),
    [  # accepted, qualified, opportunity, won
        (HANDED, (None, None, None, None)),
        (TAKEN, (True, None, None, None)),
        (DEAL, (True, True, True, None)),
        (LOST, (True, True, True, False)),
        ((*DEAL, row(60, "opportunity", "closed", "fact", outcome="won")), (True, True, True, True)),
        ((*LOST, row(70, "closed", "opportunity", "fact")), (True, True, True, None)),
        ((*HANDED, row(15, "distributed", "nurture", "sales", reason="timing", cycle=2)), (False,) * 4),
        ((*HANDED, row(15, "distributed", "disqualified", "sales", reason="not_a_fit")), (False,) * 4),
        ((*TAKEN, row(20, "accepted", "nurture", "sales", reason="no_need", cycle=2)), (False,) * 4),
        ((*HANDED, row(15, "distributed", "nurture", "clock", reason="late", cycle=2)), (None,) * 4),
        ((*HANDED, row(15, "distributed", "disqualified", "marketing", reason="a test")), (None,) * 4),
        ((*LOST, row(90, "closed", "nurture", "clock", reason="again", cycle=2)), (True, True, True, False)),
    ],
)
def test_sales_decides_and_what_is_open_is_not_known(
    rows: tuple[LedgerRow, ...], good: tuple[bool | None, ...]
) -> None:
    pursuit = history_of(*rows).pursuits[0]
    assert tuple(is_good(pursuit, aim) for aim in AIMS) == good
