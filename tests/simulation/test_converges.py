"""Reconcile converges, whatever platforms do to what they are sent, and loses nobody's word.

Property tests of the pure reconcile over model platforms that truncate, trim, change case, round, or rewrite
by a flow on save, each field in its own way.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from connector.observation import Raw
from mappings.merge import same
from mappings.values import NoSpelling, Unreadable
from tests.simulation.documents import configuration
from tests.simulation.model import OBJECT, REWRITES, Model

CONFIG = configuration()
MAPPING = CONFIG.mapping
ROUNDS = 3
"""A move, the second step of a write that must clear first, and the published score."""

EXAMPLES = settings(
    max_examples=100 * int(os.environ.get("LEADLOOP_SIMULATIONS", "1")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
"""More with an environment variable: LEADLOOP_SIMULATIONS=100 for an hour of looking for trouble."""

_TEXT = st.sampled_from(
    ["Ann", "ann ", " ANN", "Ann Lee", "the boss", "BOSS of all", "Zoë 🚀", "x" * 30, "O'Neil", "0", "Rival"]
)
_NUMBER = st.sampled_from([0, 1, 50, 1000, 1.5, 2.25, 99.99, -3])
_BY_TYPE: Mapping[str, st.SearchStrategy[Any]] = {
    "email": st.sampled_from(
        ["ann@acme.example", "Ann@Acme.example", "a.lee@home.example", "not an address"]
    ),
    "text": _TEXT,
    "number": _NUMBER,
    "money": _NUMBER,
    "phone": st.sampled_from(["+1 850 644 4200", "(850) 644-4200", "+49 30 901820", "call me"]),
    "country": st.sampled_from(["US", "United States", "Germany", "de", "Atlantis"]),
    "boolean": st.booleans(),
}
_STAGES: Mapping[tuple[str, str], list[Raw]] = {
    ("left", "Status"): ["Open", "Working", "Closed", "Converted", "Strange"],
    ("left", "Verdict"): ["accepted", "rejected", "perhaps", None],
    ("left", "Reason"): ["timing", "wrong_territory", "competitor", "whatever", None],
    ("right", "status"): ["NEW", "OPEN", "BUSY", "BAD", "OTHER", None],
    ("right", "lifecycle"): ["lead", "marketing", "sales", "opportunity", "customer", "own", None],
    ("right", "forms"): [1, 2, 3, None],
    ("left", "LL_Stage"): ["closed", None],
    ("right", "ll_score"): [7, None],
}


def _values(side: str, native: str, canonical: str) -> st.SearchStrategy[Raw]:
    if canonical == "owner":
        natives = [f"{side}-{number}" for number in range(3)] + (
            ["left-queue", "left-only", "left-gone"] if side == "left" else []
        )
        return st.sampled_from([*natives, None])
    found: st.SearchStrategy[Raw] = st.none() | _BY_TYPE[MAPPING.fields[canonical].type]
    return found


def _edits(side: str, *, stages: bool = True) -> st.SearchStrategy[dict[str, Raw]]:
    """What a person sets in one go."""
    described = MAPPING.sides[side].objects[OBJECT[side]]
    of_field = {pair.native: _values(side, pair.native, pair.canonical) for pair in described.pairs}
    if stages:
        of_field |= {native: st.sampled_from(raws) for (at, native), raws in _STAGES.items() if at == side}
    names = st.lists(st.sampled_from(sorted(of_field)), min_size=1, max_size=5, unique=True)
    return names.flatmap(lambda chosen: st.fixed_dictionaries({name: of_field[name] for name in chosen}))


def _rewrites() -> st.SearchStrategy[dict[tuple[str, str], Any]]:
    places = [
        (side, native)
        for side in OBJECT
        for native in MAPPING.sides[side].objects[OBJECT[side]].natives
        if native not in ("LL_Id", "ll_id", "createdate", "Created")
    ]
    return st.dictionaries(
        st.sampled_from(places), st.sampled_from(sorted(REWRITES)).map(lambda how: REWRITES[how]), max_size=6
    )


_ACT = st.one_of(
    st.tuples(st.just("left"), _edits("left")),
    st.tuples(st.just("right"), _edits("right")),
    st.tuples(st.just("round"), st.none()),
    st.tuples(st.just("lost"), st.booleans()),
    st.tuples(st.just("later"), st.integers(1, 60)),
)
_BEGIN = {"email": "ann@acme.example", "fullname": "Ann Lee"}


def _perform(model: Model, act: tuple[str, Any]) -> None:
    what, values = act
    if what == "round":
        model.round()
    elif what == "lost":  # a round of which no write gets an answer
        plan = model.plan()
        model.store(plan)
        for write in plan.writes:
            model.lose(write, values)
    elif what == "later":
        model.later(days=values)
    else:
        model.edit(what, **values)


@EXAMPLES
@given(
    rewrites=_rewrites(),
    begin=st.fixed_dictionaries({"left": st.none() | _edits("left"), "right": st.none() | _edits("right")}),
    acts=st.lists(_ACT, max_size=8),
    illegal=st.sampled_from(["revert", "accept", "hold"]),
)
def test_after_its_plan_was_delivered_there_is_nothing_left_to_do(
    rewrites: dict[tuple[str, str], Any],
    begin: dict[str, dict[str, Raw] | None],
    acts: list[tuple[str, Any]],
    illegal: str,
) -> None:
    model = Model(configuration(illegal), rewrites)
    for side, values in begin.items():
        if values is not None:
            model.edit(side, **values)
    if not model.records:
        model.edit("right", **_BEGIN)
    for act in acts:
        _perform(model, act)
    model.settle(ROUNDS)
    assert model.plan().is_empty
    model.later(minutes=1)
    assert model.plan().is_empty


@EXAMPLES
@given(
    rewrites=_rewrites(),
    acts=st.lists(_ACT, max_size=6),
    side=st.sampled_from(["left", "right"]),
    data=st.data(),
)
def test_what_a_person_changes_on_one_side_is_kept_there_and_reaches_the_other(
    rewrites: dict[tuple[str, str], Any], acts: list[tuple[str, Any]], side: str, data: st.DataObject
) -> None:
    model = Model(CONFIG, {})
    model.edit("right", **_BEGIN)
    model.edit("left", Email="ann@acme.example", Name="Ann Lee")
    for act in acts:
        _perform(model, act)
    model.settle(ROUNDS)
    model.rewrites = rewrites
    before = {name: dict(record.fields) for name, record in model.records.items()}
    edit = data.draw(_edits(side, stages=False), label="edit")
    model.edit(side, **edit)
    typed = {native: model.shown(side, native) for native in edit}
    model.settle(ROUNDS)
    other = "right" if side == "left" else "left"
    here, there = (MAPPING.sides[name].objects[OBJECT[name]] for name in (side, other))
    now_read = here.read(model.records[side].fields, model.policy.directory).values
    for pair in here.pairs:
        if pair.native not in edit or typed[pair.native] == before[side][pair.native]:
            continue
        rule = MAPPING.fields[pair.canonical]
        note(f"{side}.{pair.native}: {before[side][pair.native]!r} -> {typed[pair.native]!r}")
        if rule.policy == "opt_out" or (
            pair.canonical == "owner" and "mql" in {m.target for m in model.moves}
        ):
            continue
        assert model.shown(side, pair.native) == typed[pair.native], "nobody overwrites it"
        if pair.canonical not in now_read:
            continue  # leadloop cannot read it, and leaves it alone
        value = now_read[pair.canonical]
        was = here.read(before[side], model.policy.directory).values.get(pair.canonical)
        if same(was, value):
            continue
        opposite = there.pair(pair.canonical)
        if opposite is None or not opposite.writes:
            continue
        if value is None and rule.blank == "keep":
            assert model.shown(other, opposite.native) == before[other][opposite.native], (
                "a blank never erases"
            )
            continue
        try:
            wanted = opposite.write(value, model.policy.directory, _country(model))
        except NoSpelling:
            assert model.shown(other, opposite.native) == before[other][opposite.native], "left alone"
            continue
        rewrite = rewrites.get((other, opposite.native), lambda raw: raw)
        standing = model.shown(other, opposite.native)
        assert standing == rewrite(wanted) or _means(opposite, standing, model) == value


def _country(model: Model) -> str | None:
    country = model.state.values.get("country")
    return country if isinstance(country, str) else None


def _means(pair: Any, raw: Raw, model: Model) -> object:
    try:
        return pair.read(raw, model.policy.directory, _country(model))
    except Unreadable:
        return "unreadable"


@EXAMPLES
@given(rewrites=_rewrites(), acts=st.lists(_ACT, max_size=8))
def test_leadloop_never_opts_anyone_in(
    rewrites: dict[tuple[str, str], Any], acts: list[tuple[str, Any]]
) -> None:
    model = Model(CONFIG, rewrites)
    model.edit("right", **_BEGIN)
    natives = {("left", "OptedOut"), ("left", "NoCalls"), ("right", "optout"), ("right", "nocalls")}
    for act in acts:
        _perform(model, act)
        assert not [sent for sent in model.sent if sent[:2] in natives and sent[2] is not True]
    model.settle(ROUNDS)
    assert not [sent for sent in model.sent if sent[:2] in natives and sent[2] is not True]
    for side, native, other, opposite in (
        ("left", "NoCalls", "right", "nocalls"),
        ("right", "nocalls", "left", "NoCalls"),
        ("right", "optout", "left", "OptedOut"),
    ):
        if set(model.records) == set(OBJECT) and model.shown(side, native) is True:
            # what stands there right after our write is taken to be the platform's own spelling of it
            spelled = opposite in model.baselines[model.key(other)].spelled
            # a text where there is yes or no: it is left alone, and told
            pairs = MAPPING.sides[other].objects[OBJECT[other]].pairs
            told = {f"{other}.{pair.canonical}" for pair in pairs if pair.native == opposite}
            unreadable = not isinstance(model.shown(other, opposite), bool | None)
            assert model.shown(other, opposite) is True or spelled or unreadable
            assert not unreadable or told <= set(model.state.unreadable)


@EXAMPLES
@given(rewrites=_rewrites(), acts=st.lists(_ACT, max_size=8))
def test_a_value_is_blanked_only_where_a_blank_may_erase(
    rewrites: dict[tuple[str, str], Any], acts: list[tuple[str, Any]]
) -> None:
    model = Model(CONFIG, rewrites)
    model.edit("right", **_BEGIN)
    for act in acts:
        _perform(model, act)
    model.settle(ROUNDS)
    keeps = {
        (side, pair.native)
        for side in OBJECT
        for pair in MAPPING.sides[side].objects[OBJECT[side]].pairs
        if MAPPING.fields[pair.canonical].blank == "keep"
    }
    assert not [sent for sent in model.sent if sent[:2] in keeps and sent[2] is None]
