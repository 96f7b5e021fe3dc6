"""What leadloop remembers of a lead, and what it last agreed on with each record. Plain data; no I/O.

`LeadState` is the lead's own truth: stage, cycle, agreed values, published score. `Baseline` is the memory
that makes the merge three-way: per record and native field the value last shown, the value last sent, and
the platform's own spelling of what was sent. Both are stored as JSON.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, Self

import orjson

from connector.observation import Raw
from mappings.stages import Outcome, Stage
from mappings.values import Value


@dataclass(frozen=True, slots=True)
class PastRejection:
    """Sales sent the lead back: why, in whose words, who and when, and in which cycle. `side`: where it said
    so, if that is not the CRM's own record."""

    reason: str
    comment: str | None
    by: str | None
    at_ms: int
    cycle: int
    score: int | None = None
    side: str | None = None


@dataclass(frozen=True, slots=True)
class Deal:
    """The newest opportunity of the lead: its id, and how it closed (None while it is open), with the reason
    and the amount as the CRM has them."""

    record_id: str
    outcome: Outcome | None = None
    reason: str | None = None
    amount: int | float | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """How it was decided between sides that had all changed a field whose policy is `newest`: `by` that
    policy, by its `else`, or not at all (hold). `moments`: between when and when each side changed it; where
    its history told the very moment, they are the same."""

    by: str
    winner: str | None
    moments: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Published:
    """The score as the platforms show it; agreement means this one, not the one computed a moment ago.
    `points` are those of each rule at that moment, for the next score move."""

    fit: int = 0
    engagement: int = 0
    score: int = 0
    reasons: str = ""
    at_ms: int = 0
    grade: str | None = None
    points: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AwaitedReason:
    """A rejection that came without a reason: since when leadloop knows it, by whom, whether the reason has
    been asked for, when sales said it, and on which side, if that is not the CRM's own record."""

    since_ms: int
    by: str | None
    comment: str | None = None
    asked: bool = False
    said_ms: int = 0
    side: str | None = None


ResponseState = Literal["running", "due soon", "met", "breached"]


@dataclass(frozen=True, slots=True)
class LeadDeadline:
    """The deadline that a lead is under, or was last under in this cycle.

    It belongs to a stay in a stage (`stage`, `stage_since_ms`, `cycle`) and to the `owner` then.
    `since_ms` is when it began to count, `due_ms` by when it must be met. `shown`: the CRM shows the
    hand-off, so that somebody can respond. `reminded` counts the reminders given. `settled`: what a breach
    leads to was done."""

    name: str
    stage: Stage
    stage_since_ms: int
    cycle: int
    owner: str | None
    since_ms: int
    due_ms: int
    state: ResponseState = "running"
    shown: bool = False
    reminded: int = 0
    settled: bool = False

    @property
    def open(self) -> bool:
        """Whether it still runs."""
        return self.state in ("running", "due soon")


@dataclass(frozen=True, slots=True)
class LeadState:
    """One lead, as agreed.

    `values` are canonical; `differences` are fields in which the sides differed at first contact and which
    are left alone until one of them changes; `held` are fields that wait for a person, with the sentence;
    `unreadable` are values that a side shows and that mean nothing here (`side.field`), with the reason, and
    `left_alone` the fields that are not written for that, until a side says something readable;
    `held_stages` are native stage fields (`side.field`) left at an illegal value for a person to decide.
    `had_by` are the people who had the lead and gave it up, with the cycle in which each had it last.
    `cut_sides` lost their record and get no new one. `consumed` are CRM facts (conversions, opportunities)
    that belong to an earlier cycle. `pursued` are the opportunities that count, or did, with the moment at
    which each was first seen closed (0: it was open when last seen). `verdict_to_clear` and
    `verdict_to_revert` stand while the CRM record shows a verdict of an earlier cycle with its reason, or a
    verdict that was no legal move. `aliases` are the ids of leads that became part of this one, which its
    records may still carry. `resting` marks a lead that existed before leadloop and sleeps until there is
    new activity; with `create_at_rest` it gets records meanwhile where it lacks one. `gates_passed` are the
    gates that it had passed when it was last decided about; None: not yet in this cycle. `let_pass` are the
    owners who let a deadline pass in this cycle, and lost the lead for it. `decided` tells of fields that all
    sides had changed how it was last decided whose change was the newest."""

    lead_id: str
    origin: str
    created_ms: int
    stage: Stage = Stage.INQUIRY
    outcome: Outcome | None = None
    cycle: int = 1
    stage_since_ms: int = 0
    cycle_since_ms: int = 0
    started: bool = False
    resting: bool = False
    values: Mapping[str, Value] = field(default_factory=dict)
    differences: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    held: Mapping[str, str] = field(default_factory=dict)
    held_stages: Mapping[str, str] = field(default_factory=dict)
    owner: str | None = None
    had_by: Mapping[str, int] = field(default_factory=dict)
    published: Published = Published()
    rejections: tuple[PastRejection, ...] = ()
    awaited_reason: AwaitedReason | None = None
    verdict_to_clear: bool = False
    verdict_to_revert: bool = False
    nurture_track: str | None = None
    deal: Deal | None = None
    consumed: tuple[str, ...] = ()
    pursued: Mapping[str, int] = field(default_factory=dict)
    overruled: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    cut_sides: tuple[str, ...] = ()
    unspelled: Mapping[str, str] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)
    left_alone: tuple[str, ...] = ()
    gates_passed: tuple[str, ...] | None = None
    deadline: LeadDeadline | None = None
    let_pass: tuple[str, ...] = ()
    create_at_rest: bool = False
    decided: Mapping[str, Decided] = field(default_factory=dict)

    @property
    def current_owner(self) -> str | None:
        """Who has the lead since it was handed over, whoever it was given to first: the owner on its records.
        None before."""
        shown = self.values.get("owner")
        return shown if self.owner is not None and isinstance(shown, str) else self.owner

    def to_json(self) -> bytes:
        """The state as compact JSON; fields at their default are left out."""
        out: dict[str, Any] = {}
        for name, default in _DEFAULTS:
            value = getattr(self, name)
            if value != default:
                out[name] = value
        return orjson.dumps(out)

    @classmethod
    def from_json(cls, blob: bytes) -> Self:
        """The state that `to_json` wrote."""
        data: dict[str, Any] = orjson.loads(blob)
        data["stage"] = Stage(data.get("stage", Stage.INQUIRY))
        if "values" in data:
            data["values"] = {k: tuple(v) if isinstance(v, list) else v for k, v in data["values"].items()}
        if "published" in data:
            data["published"] = Published(**data["published"])
        if "rejections" in data:
            data["rejections"] = tuple(PastRejection(**row) for row in data["rejections"])
        if data.get("deal"):
            data["deal"] = Deal(**data["deal"])
        if "decided" in data:
            data["decided"] = {
                name: Decided(
                    one["by"], one["winner"], {side: tuple(at) for side, at in one["moments"].items()}
                )
                for name, one in data["decided"].items()
            }
        if data.get("awaited_reason"):
            data["awaited_reason"] = AwaitedReason(**data["awaited_reason"])
        if data.get("deadline"):
            data["deadline"] = LeadDeadline(**{**data["deadline"], "stage": Stage(data["deadline"]["stage"])})
        for name in (
            "consumed",
            "overruled",
            "aliases",
            "cut_sides",
            "left_alone",
            "gates_passed",
            "let_pass",
        ):
            if name in data:
                data[name] = tuple(data[name])
        return cls(**data)


_REQUIRED = ("lead_id", "origin", "created_ms")
_MISSING = object()
_EXAMPLE = LeadState(lead_id="", origin="", created_ms=0)
_DEFAULTS: tuple[tuple[str, object], ...] = tuple(
    (item.name, _MISSING if item.name in _REQUIRED else getattr(_EXAMPLE, item.name))
    for item in fields(LeadState)
)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What one record and leadloop last agreed on, by native field.

    `shown` is the value last shown (or last sent and acknowledged). `sent` is the value last acknowledged.
    `awaiting` holds, for each field sent, when the answer came: the first read that started later tells how
    the platform spells it, and `spelled` keeps that as (sent, shown). `resisted` counts how often a stage
    field was sent and not taken. `history` lists our own sends of the last day, for the oscillation hold.
    `made`: leadloop created the record and has not read it yet. `unsure` are values that were sent without an
    answer, last at `unsure_since_ms`: once a read shows one of them, that write was carried out.
    `sent_stamp_ms` is the version stamp that our last write was answered with, where the platform tells it.
    """

    shown: Mapping[str, Raw] = field(default_factory=dict)
    sent: Mapping[str, Raw] = field(default_factory=dict)
    awaiting: Mapping[str, int] = field(default_factory=dict)
    spelled: Mapping[str, tuple[Raw, Raw]] = field(default_factory=dict)
    resisted: Mapping[str, tuple[Raw, int]] = field(default_factory=dict)
    history: Mapping[str, tuple[tuple[int, Raw], ...]] = field(default_factory=dict)
    shown_stamp_ms: int = 0
    made: bool = False
    unsure: Mapping[str, tuple[Raw, ...]] = field(default_factory=dict)
    unsure_since_ms: int = 0
    sent_stamp_ms: int = 0

    def to_json(self) -> bytes:
        """The baseline as compact JSON; empty parts are left out."""
        out: dict[str, Any] = {}
        for name in _BASELINE_PARTS:
            value = getattr(self, name)
            if value:
                out[name] = value
        return orjson.dumps(out)

    @classmethod
    def from_json(cls, blob: bytes) -> Self:
        """The baseline that `to_json` wrote."""
        data: dict[str, Any] = orjson.loads(blob)
        for name in ("spelled", "resisted", "unsure"):
            if name in data:
                data[name] = {k: tuple(v) for k, v in data[name].items()}
        if "history" in data:
            data["history"] = {k: tuple((at, raw) for at, raw in v) for k, v in data["history"].items()}
        return cls(**data)

    def acknowledged(
        self, sent: Mapping[str, Raw], answered_ms: int, since_ms: int, stamp_ms: int = 0
    ) -> Baseline:
        """After the platform confirmed a write of `sent` at `answered_ms`, with the record's new
        version stamp (0 where it is not told); sends before `since_ms` are forgotten."""
        history = {
            name: kept
            for name, sends in self.history.items()
            if (kept := tuple(entry for entry in sends if entry[0] >= since_ms))
        }
        for name, raw in sent.items():
            history[name] = (*history.get(name, ()), (answered_ms, raw))
        return replace(
            self,
            shown={**self.shown, **sent},
            sent={**self.sent, **sent},
            awaiting={**self.awaiting, **dict.fromkeys(sent, answered_ms)},
            spelled={name: pair for name, pair in self.spelled.items() if name not in sent},
            history=history,
            unsure={name: raws for name, raws in self.unsure.items() if name not in sent},
            sent_stamp_ms=max(self.sent_stamp_ms, stamp_ms),
        )

    def only(self, natives: Collection[str]) -> Baseline:
        """What is remembered of these native fields alone; of the others it is as if they were never seen."""
        kept: dict[str, Any] = {
            name: {native: one for native, one in getattr(self, name).items() if native in natives}
            for name in ("shown", "sent", "awaiting", "spelled", "resisted", "history", "unsure")
        }
        return replace(self, **kept)

    def doubted(self, sent: Mapping[str, Raw], now_ms: int) -> Baseline:
        """After a write of `sent` to which no answer came."""
        unsure = {name: tuple(dict.fromkeys((*self.unsure.get(name, ()), raw))) for name, raw in sent.items()}
        return replace(self, unsure={**self.unsure, **unsure}, unsure_since_ms=now_ms)


_BASELINE_PARTS = tuple(item.name for item in fields(Baseline))
