"""The three-way merge of one field, and first contact."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.mapping import FieldRule
from mappings.merge import Merged, SideView, first_contact, merge_field, same
from mappings.values import Value


def rule(policy: str = "hold", **more: object) -> FieldRule:
    return FieldRule("title", "text", policy, **more)  # type: ignore[arg-type]  # passed through


def at(side: str, value: Value, since: int = 0, until: int = 0) -> SideView:
    """A side that changed between two moments."""
    return SideView(side, value, True, since, until)


def still(side: str, value: Value) -> SideView:
    return SideView(side, value)


def test_nobody_changed() -> None:
    assert merge_field(rule(), "CTO", [still("sf", "CTO"), still("hs", "CTO")]) == Merged("CTO")


def test_a_platforms_own_spelling_is_no_change() -> None:
    assert merge_field(
        rule(), "a long title", [still("sf", "a long"), still("hs", "a long title")]
    ) == Merged("a long title")


def test_one_side_changed_and_wins() -> None:
    assert merge_field(rule(), "CTO", [still("sf", "CTO"), at("hs", "CIO")]) == Merged("CIO", "hs")


def test_both_changed_to_the_same() -> None:
    assert merge_field(rule(), "CTO", [at("sf", "CIO"), at("hs", "CIO")]) == Merged("CIO", "hs")


@pytest.mark.parametrize(
    ("policy", "merged"),
    [
        ({"policy": "sf"}, Merged("A", "sf", None, {"hs": "B"})),
        ({"policy": "hs"}, Merged("B", "hs", None, {"sf": "A"})),
        ({"policy": "newest", "otherwise": "hold"}, Merged("B", "hs", None, {"sf": "A"})),
        (
            {"policy": "hold"},
            Merged("old", None, 'title differs between hs ("B") and sf ("A")', {"sf": "A", "hs": "B"}),
        ),
        (
            {"policy": "hold", "personal": True},
            Merged("old", None, "title differs between hs and sf", {"sf": "A", "hs": "B"}),
        ),
        ({"policy": "not_blank", "otherwise": "sf"}, Merged("A", "sf", None, {"hs": "B"})),
        (
            {"policy": "not_blank"},
            Merged("old", None, 'title differs between hs ("B") and sf ("A")', {"sf": "A", "hs": "B"}),
        ),
    ],
)
def test_both_changed_and_the_policy_decides(policy: dict[str, object], merged: Merged) -> None:
    views = [at("sf", "A", 10, 20), at("hs", "B", 20, 30)]
    assert merge_field(rule(**policy), "old", views) == merged  # type: ignore[arg-type]  # passed through


@pytest.mark.parametrize(
    ("sf", "hs", "winner"),
    [
        ((10, 20), (20, 30), "hs"),  # the one ended when the other began
        ((20, 30), (10, 20), "sf"),
        ((10, 25), (20, 30), None),  # overlapping: nobody can tell
        ((10, 40), (20, 30), None),
        ((29, 30), (10, 30), None),
        ((30, 31), (10, 30), "sf"),  # made a point by field history
    ],
)
def test_newest_wins_only_when_the_order_is_certain(
    sf: tuple[int, int], hs: tuple[int, int], winner: str | None
) -> None:
    merged = merge_field(rule("newest", otherwise="hold"), "old", [at("sf", "A", *sf), at("hs", "B", *hs)])
    assert merged.winner == winner
    assert (merged.held is None) == (winner is not None)
    fallen_back = merge_field(rule("newest", otherwise="sf"), "old", [at("sf", "A", *sf), at("hs", "B", *hs)])
    assert fallen_back.winner == (winner or "sf")


def test_a_blank_does_not_erase_unless_the_field_says_so() -> None:
    views = [still("sf", "CTO"), at("hs", None)]
    assert merge_field(rule(), "CTO", views) == Merged("CTO", None, None, {"hs": None})
    assert merge_field(rule(blank="erase"), "CTO", views) == Merged(None, "hs")


def test_a_blank_that_may_not_erase_does_not_win_a_conflict_either() -> None:
    views = [at("sf", "CIO"), at("hs", None)]
    assert merge_field(rule("hs"), "CTO", views) == Merged("CIO", "sf", None, {"hs": None})
    assert merge_field(rule("hs", blank="erase"), "CTO", views) == Merged(None, "hs", None, {"sf": "CIO"})


def test_a_stored_list_is_the_same_as_a_tuple() -> None:
    assert same(("a", "b"), ["a", "b"])  # type: ignore[arg-type]  # as it comes back from JSON
    assert not same(("a",), "a")
    merged = merge_field(rule(), None, [at("sf", ("a",)), at("hs", ["a"])])  # type: ignore[arg-type]  # from JSON
    assert merged.held is None


OPT_OUT = FieldRule("opted_out", "boolean", "opt_out")


@pytest.mark.parametrize(
    ("agreed", "sf", "hs", "value"),
    [
        (False, False, True, True),
        (None, None, True, True),
        (True, False, True, True),  # one side alone takes no opt-out back
        (True, False, None, True),
        (True, None, None, True),
        (False, None, False, False),
        (None, None, None, None),
        (None, False, None, False),
        (True, False, False, False),  # nobody needs to be changed: every side says so itself
    ],
)
def test_opting_out_on_either_side_wins(agreed: Value, sf: Value, hs: Value, value: Value) -> None:
    views = [SideView("sf", sf, sf != agreed), SideView("hs", hs, hs != agreed)]
    assert merge_field(OPT_OUT, agreed, views).value is value


def test_one_record_alone_never_opts_back_in() -> None:
    assert merge_field(OPT_OUT, True, [at("sf", False)]).value is True


def test_first_contact_fills_blanks_and_reports_the_rest() -> None:
    assert first_contact(rule(), [still("sf", None), still("hs", "CIO")]) == Merged("CIO", "hs")
    assert first_contact(rule(), [still("sf", "CTO"), still("hs", "CIO")]) == Merged(
        "CTO", "sf", None, {"hs": "CIO"}
    )
    assert first_contact(rule(first_contact="hs"), [still("sf", "CTO"), still("hs", "CIO")]) == Merged(
        "CIO", "hs", None, {"sf": "CTO"}
    )
    assert first_contact(rule(first_contact="hs"), [still("sf", "CTO"), still("hs", None)]) == Merged(
        "CTO", "sf"
    )
    assert first_contact(rule(), []) == Merged(None)


def test_first_contact_can_wait_for_a_person() -> None:
    held = first_contact(rule(first_contact="hold"), [still("sf", "CTO"), still("hs", "CIO")])
    assert held.held == 'title differs between hs ("CIO") and sf ("CTO")'
    assert held.value is None
    assert first_contact(rule(first_contact="hold"), [still("sf", "CTO"), still("hs", "CTO")]).held is None


def test_first_contact_honours_an_opt_out_on_any_side() -> None:
    assert first_contact(OPT_OUT, [still("sf", False), still("hs", True)]).value is True


VALUES = st.sampled_from([None, "A", "B", "C"])
VIEWS = st.lists(
    st.builds(
        SideView,
        side=st.sampled_from(["sf", "hs", "third"]),
        value=VALUES,
        changed=st.booleans(),
        unchanged_at_ms=st.integers(0, 5),
        changed_by_ms=st.integers(5, 9),
    ),
    max_size=3,
    unique_by=lambda view: view.side,
)
RULES = st.builds(
    FieldRule,
    name=st.just("title"),
    type=st.just("text"),
    policy=st.sampled_from(["sf", "newest", "not_blank", "hold"]),
    otherwise=st.sampled_from(["hs", "not_blank", "hold"]),
    blank=st.sampled_from(["keep", "erase"]),
)


@given(RULES, VALUES, VIEWS)
def test_the_order_of_the_sides_does_not_matter(
    field: FieldRule, agreed: Value, views: list[SideView]
) -> None:
    merged = {repr(merge_field(field, agreed, order).value) for order in permutations(views)}
    winners = {merge_field(field, agreed, order).winner for order in permutations(views)}
    held = {merge_field(field, agreed, order).held for order in permutations(views)}
    assert (len(merged), len(winners), len(held)) == (1, 1, 1)


@given(
    st.sampled_from(["newest", "not_blank", "hold"]), st.sampled_from(["not_blank", "hold"]), VALUES, VIEWS
)
def test_a_policy_that_names_no_side_treats_them_alike(
    policy: str, otherwise: str, agreed: Value, views: list[SideView]
) -> None:
    names = {"sf": "hs", "hs": "third", "third": "sf"}
    swapped = [SideView(names[v.side], v.value, v.changed, v.unchanged_at_ms, v.changed_by_ms) for v in views]
    field = rule(policy, otherwise=otherwise)
    assert merge_field(field, agreed, views).value == merge_field(field, agreed, swapped).value


@given(RULES, VALUES, VIEWS)
def test_a_merge_invents_nothing(field: FieldRule, agreed: Value, views: list[SideView]) -> None:
    merged = merge_field(field, agreed, views)
    changed = [view.value for view in views if view.changed]
    assert merged.value in [agreed, *changed]
    if merged.held is not None:
        assert merged.value == agreed
        assert merged.winner is None
    if not changed:
        assert merged == Merged(agreed)
    if field.blank == "keep" and agreed is not None:
        assert merged.value is not None


@given(RULES, VALUES, VIEWS)
def test_a_merge_that_was_taken_over_changes_nothing_more(
    field: FieldRule, agreed: Value, views: list[SideView]
) -> None:
    merged = merge_field(field, agreed, views)
    settled = [SideView(view.side, merged.value) for view in views]
    assert merge_field(field, merged.value, settled) == Merged(merged.value)


ANSWERS = st.sampled_from([None, True, False])
OPT_OUTS = st.lists(
    st.builds(SideView, st.sampled_from(["sf", "hs", "third"]), ANSWERS, st.booleans()),
    max_size=3,
    unique_by=lambda view: view.side,
)


@given(ANSWERS, OPT_OUTS)
def test_an_opt_out_is_never_undone_on_a_side_that_says_otherwise(
    agreed: Value, views: list[SideView]
) -> None:
    for merged in (merge_field(OPT_OUT, agreed, views), first_contact(OPT_OUT, views)):
        if any(view.value is True for view in views):
            assert merged.value is True
    everybody_says_in = len(views) > 1 and all(view.value is False for view in views)
    if agreed is True and not everybody_says_in:
        assert merge_field(OPT_OUT, agreed, views).value is True
    orders = {merge_field(OPT_OUT, agreed, order).value for order in permutations(views)}
    assert len(orders) == 1
