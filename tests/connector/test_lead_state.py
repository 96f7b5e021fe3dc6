"""What is remembered of a lead: stored states of before are read, and two leads become one."""

from __future__ import annotations

from dataclasses import replace

from connector.lead import LeadState
from connector.unite import unite
from mappings.stages import Stage

STORED = (
    b'{"lead_id":"L1","origin":"hubspot","created_ms":5,"stage":"nurture","cycle":2,"started":true,'
    b'"values":{"email":"a@b.example"},"published":{"fit":3,"engagement":4,"score":7,"reasons":"a","at_ms":9}}'
)


def test_a_state_that_was_stored_before_gates_were_remembered_is_read_and_written_back_as_it_was() -> None:
    state = LeadState.from_json(STORED)
    assert (state.stage, state.cycle, state.published.score) == (Stage.NURTURE, 2, 7)
    assert state.gates_passed is None, "unknown is not the same as none"
    assert LeadState.from_json(state.to_json()) == state
    assert b"gates_passed" not in state.to_json()


def test_the_gates_that_a_lead_has_passed_are_kept() -> None:
    state = LeadState.from_json(STORED)
    for passed in ((), ("qualification", "mql")):
        kept = replace(state, gates_passed=passed)
        assert LeadState.from_json(kept.to_json()) == kept


def test_where_two_leads_become_one_only_gates_of_its_cycle_count_as_passed() -> None:
    state = LeadState.from_json(STORED)
    pursued = replace(state, lead_id="L2", stage=Stage.MQL, gates_passed=("mql",), cycle=1)
    assert unite(state, pursued).gates_passed is None
    assert unite(state, replace(pursued, cycle=2)).gates_passed == ("mql",)
