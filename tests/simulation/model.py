"""Model: two platforms and a leadloop as plain Python, around the pure reconcile. No HTTP, no database.

A model platform saves what it is sent in its own way (`rewrites`: one function a field), dates each record
with a stamp and names its last writer where a CRM does. The model does what settle and delivery do with a
plan, and nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from connector.configuration import Configuration
from connector.lead import Baseline, LeadState
from connector.lead_input import LeadInput, Policy
from connector.observation import Observation, Raw, RecordKey
from connector.owners import Directory
from connector.plan import Plan, PlannedWrite, StageMove
from connector.platforms.protocol import Owner
from connector.reconcile import reconcile
from connector.refusals import Refusal
from rules.facts import Activity
from tests.simulation.documents import configuration

START_MS = 1_800_000_000_000
OWN_USER = "leadloop-user"
PEOPLE = ("ann@x.example", "bob@x.example", "cat@x.example")
OBJECT = {"left": "Person", "right": "contacts"}

Rewrite = Callable[[Raw], Raw]

REWRITES: Mapping[str, Rewrite] = {
    "truncate": lambda raw: raw[:3] if isinstance(raw, str) else raw,
    "trim": lambda raw: (raw.strip() or None) if isinstance(raw, str) else raw,
    "lower": lambda raw: raw.lower() if isinstance(raw, str) else raw,
    "upper": lambda raw: raw.upper() if isinstance(raw, str) else raw,
    "round": lambda raw: round(raw) if isinstance(raw, int | float) and not isinstance(raw, bool) else raw,
    "flow": lambda raw: raw if raw is None or isinstance(raw, bool | int | float) else f"{raw}!"[:6],
    "refuse blank": lambda raw: "n/a" if raw is None else raw,
}


@dataclass(slots=True)
class Record:
    """A record as a platform holds it."""

    fields: dict[str, Raw]
    stamp_ms: int
    modified_by: str | None = None
    deleted: bool = False


def owners() -> Directory:
    """Three people on both sides; the CRM also has a queue and somebody of its own."""
    listed = {
        side: [Owner(f"{side}-{number}", "person", mail, mail, True) for number, mail in enumerate(PEOPLE)]
        for side in OBJECT
    }
    listed["left"].append(Owner("left-queue", "queue", "Inbound", None, True))
    listed["left"].append(Owner("left-only", "person", "dan@x.example", "dan@x.example", True))
    return Directory(listed)


@dataclass(slots=True)
class Model:
    """One lead, at most one record of it on each side."""

    config: Configuration = field(default_factory=configuration)
    rewrites: Mapping[tuple[str, str], Rewrite] = field(default_factory=dict)
    live_since_ms: int = 0
    refuses: Mapping[tuple[str, str], Raw] = field(default_factory=dict)
    now_ms: int = START_MS
    records: dict[str, Record] = field(default_factory=dict)
    state: LeadState = field(default_factory=lambda: LeadState("L1", "right", START_MS))
    baselines: dict[RecordKey, Baseline] = field(default_factory=dict)
    activities: list[Activity] = field(default_factory=list)
    activity_keys: set[str] = field(default_factory=set)
    refusals: dict[RecordKey, dict[str, Refusal]] = field(default_factory=dict)
    turns: dict[str, int] = field(default_factory=dict)
    moves: list[StageMove] = field(default_factory=list)
    sent: list[tuple[str, str, Raw]] = field(default_factory=list)
    braked: frozenset[str] = frozenset()
    linked_sides: frozenset[str] = frozenset()
    policy: Policy = field(init=False)

    def __post_init__(self) -> None:
        self.policy = Policy(
            mapping=self.config.mapping,
            rules=self.config.rules,
            create_when=self.config.create_when,
            directory=owners(),
            live_since_ms=self.live_since_ms,
            own_users={"left": OWN_USER},
        )

    # the platforms --------------------------------------------------------------------------------------

    def key(self, side: str) -> RecordKey:
        return RecordKey(side, OBJECT[side], f"{side}-record")

    def save(self, side: str, sent: Mapping[str, Raw], by: str) -> None:
        """What a platform does with what it is sent, by a person or by leadloop."""
        self.now_ms += 1_000
        record = self.records.get(side)
        if record is None:
            described = self.config.mapping.sides[side].objects[OBJECT[side]]
            blank: dict[str, Raw] = dict.fromkeys(described.natives)
            blank[described.created or "Created"] = "2027-01-15T08:00:00Z"
            record = self.records[side] = Record(blank, self.now_ms)
        for native, raw in sent.items():
            rewrite = self.rewrites.get((side, native))
            record.fields[native] = raw if rewrite is None else rewrite(raw)
        record.stamp_ms = self.now_ms
        record.modified_by = by if side == "left" else None

    def edit(self, side: str, **values: Raw) -> None:
        """A person edits a record, or makes it."""
        self.save(side, values, f"{side}-0")

    def shown(self, side: str, native: str) -> Raw:
        return self.records[side].fields[native]

    # leadloop -------------------------------------------------------------------------------------------

    def observe(self) -> list[Observation]:
        self.now_ms += 1_000
        return [
            Observation(
                side=side,
                object=OBJECT[side],
                record_id=f"{side}-record",
                stamp_ms=record.stamp_ms,
                read_started_ms=self.now_ms,
                fields=dict(record.fields),
                deleted=record.deleted,
                modified_by=record.modified_by,
            )
            for side, record in self.records.items()
        ]

    def plan(self, observations: list[Observation] | None = None) -> Plan:
        """Reconcile once, storing nothing."""
        lead = LeadInput(
            state=LeadState.from_json(self.state.to_json()),
            observations=self.observe() if observations is None else observations,
            baselines={key: Baseline.from_json(item.to_json()) for key, item in self.baselines.items()},
            activities=tuple(self.activities),
            refusals=self.refusals,
            turns=self.turns,
            braked=self.braked,
            linked_sides=self.linked_sides,
        )
        self.now_ms += 1_000
        return reconcile(lead, self.policy, self.now_ms)

    def store(self, plan: Plan) -> None:
        self.state = plan.state
        self.baselines.update(plan.baselines)
        self.turns.update(plan.pool_states)
        self.moves.extend(plan.moves)
        for item in plan.activities:
            if item.key not in self.activity_keys:
                self.activity_keys.add(item.key)
                self.activities.append(Activity(item.kind, item.at_ms, item.attributes))

    def send(self, write: PlannedWrite) -> None:
        """Deliver one write, and acknowledge it."""
        if write.confirms:
            return
        self.save(write.side, write.fields, OWN_USER)
        self.sent.extend((write.side, native, raw) for native, raw in write.fields.items())
        self.now_ms += 1_000
        key = self.key(write.side)
        baseline = self.baselines.get(key, Baseline())
        self.baselines[key] = baseline.acknowledged(write.fields, self.now_ms, self.now_ms - 86_400_000)

    def lose(self, write: PlannedWrite, carried_out: bool) -> None:
        """Deliver one write of which the answer is lost."""
        if carried_out:
            self.save(write.side, write.fields, OWN_USER)
        if write.side in self.records:
            key = self.key(write.side)
            self.baselines[key] = self.baselines.get(key, Baseline()).doubted(write.fields, self.now_ms)

    def round(self) -> Plan:
        """Look, decide, store, send."""
        plan = self.plan()
        self.store(plan)
        for write in plan.writes:
            self.send(write)
        return plan

    def settle(self, at_most: int = 4) -> int:
        """Rounds until a plan is empty; returns how many were not. Raises AssertionError past `at_most`."""
        plans: list[Plan] = []
        while not (plan := self.round()).is_empty:
            plans.append(plan)
            told = "\n".join(
                f"{[(m.origin, m.target, m.cause) for m in p.moves]} {[(w.side, w.fields) for w in p.writes]}"
                for p in plans
            )
            assert len(plans) <= at_most, f"after {at_most} rounds there is still something to do:\n{told}"
        return len(plans)

    def later(self, **units: float) -> None:
        seconds = {"minutes": 60, "hours": 3_600, "days": 86_400}
        self.now_ms += int(sum(amount * seconds[unit] for unit, amount in units.items()) * 1_000)

    def with_state(self, **changed: object) -> None:
        self.state = replace(self.state, **changed)  # type: ignore[arg-type]  # the tests name the fields
