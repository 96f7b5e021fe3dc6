"""RecordView: one record as reconcile may read it, after our own writes have been told from other people's.

This is the whole handling of echoes. A field whose write was answered after the read began shows what was
sent, and so does one in a state older than the one our write made (a search index that lags). The first read
that began later tells the platform's own spelling of what was sent: if it shows V where
we sent W, V is kept as this record's spelling of W, is not propagated, and W is not sent again (what only
leadloop writes is sent once more first; of a field that tells the stage V is never a spelling). Any other
difference from what the record last showed is a change that somebody made. Pure; no I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from connector.clock import DAY_MS, HOUR_MS, MINUTE_MS
from connector.lead import Baseline
from connector.observation import Observation, Raw, RecordKey
from mappings.object_mapping import ObjectMapping

EMPTY_BASELINE = Baseline()

TRIED_AT_MOST = 2
"""How often what only leadloop writes is sent before what is shown instead counts as the platform's doing: a
person may have written into it just then, and that must not be taken for a spelling."""

CONFIRM_AFTER_MS = 15 * MINUTE_MS
"""How long a write may stay without an echo before the record is read by its id; what is read then counts,
whatever its stamp."""

_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RecordView:
    """`fields` are the values to reckon with, `changed` the native fields that somebody other than leadloop
    changed since the baseline, `fresh` those never seen before on this record. `before` is what the changed
    fields showed earlier. `baseline` is the memory to store. `made`: leadloop
    created the record, and this is its first look at it."""

    observation: Observation
    mapping: ObjectMapping
    baseline: Baseline
    fields: Mapping[str, Raw]
    changed: frozenset[str]
    fresh: frozenset[str]
    before: Mapping[str, Raw]
    unchanged_at_ms: int
    made: bool = False

    @property
    def key(self) -> RecordKey:
        return self.observation.key

    @property
    def side(self) -> str:
        return self.observation.side


def look(
    observation: Observation, baseline: Baseline | None, mapping: ObjectMapping, own_user: str | None
) -> RecordView:
    """Compare what a record shows with what it last showed.

    `own_user` is the platform's id of the user our writes carry: where a read names another last writer, a
    value that differs from what we sent is that person's change, not the platform's spelling of ours."""
    base = _without_doubt(observation, baseline or EMPTY_BASELINE)
    outdated = observation.stamp_ms < base.sent_stamp_ms
    stage_natives, output_natives = _own_natives(mapping) if base.awaiting else (_NONE, _NONE)
    by_somebody_else = bool(own_user and observation.modified_by and observation.modified_by != own_user)
    fields = dict(observation.fields)
    shown = dict(base.shown)
    awaiting = dict(base.awaiting)
    spelled = dict(base.spelled)
    resisted = dict(base.resisted)
    changed: set[str] = set()
    fresh: set[str] = set()
    before: dict[str, Raw] = {}
    for native, value in observation.fields.items():
        answered_ms = awaiting.get(native)
        if answered_ms is not None:
            read_ms = observation.read_started_ms
            if read_ms <= answered_ms or (outdated and read_ms < answered_ms + CONFIRM_AFTER_MS):
                fields[native] = shown.get(native)
                continue
            del awaiting[native]
            sent = base.sent.get(native)
            if value == sent:
                if sent is not None:  # a blank between two steps does not yet say that the second is taken
                    resisted.pop(native, None)
            elif by_somebody_else:
                changed.add(native)
                before[native] = sent
            elif native in output_natives:
                before_it, times = resisted.get(native, (sent, 0))
                resisted[native] = (sent, times + 1 if before_it == sent else 1)
                if resisted[native][1] >= TRIED_AT_MOST and native not in stage_natives:
                    del resisted[native]
                    spelled[native] = (sent, value)
            else:
                spelled[native] = (sent, value)
        elif native not in shown:
            if base.made and by_somebody_else:  # it was blank when leadloop made the record
                changed.add(native)
                before[native] = None
            else:
                fresh.add(native)
        elif value != shown[native]:
            changed.add(native)
            before[native] = shown[native]
            spelled.pop(native, None)
            resisted.pop(native, None)
        shown[native] = value
    return RecordView(
        observation=observation,
        mapping=mapping,
        baseline=replace(
            base,
            shown=shown,
            awaiting=awaiting,
            spelled=spelled,
            resisted=resisted,
            shown_stamp_ms=max(base.shown_stamp_ms, observation.stamp_ms),
            made=False,
        ),
        made=base.made,
        fields=fields,
        changed=frozenset(changed),
        fresh=frozenset(fresh),
        before=before,
        unchanged_at_ms=base.shown_stamp_ms,
    )


def _without_doubt(observation: Observation, baseline: Baseline) -> Baseline:
    """The baseline once a read shows that a write without an answer was carried out: none of what it sent is
    anybody else's change. What has not shown up for an hour is not looked for any longer."""
    if not baseline.unsure:
        return baseline
    shown = observation.fields
    done = {
        name: shown[name]
        for name, raws in baseline.unsure.items()
        if name in shown and shown[name] in raws and shown[name] != baseline.shown.get(name)
    }
    if done:
        sent = {name: raws[-1] for name, raws in baseline.unsure.items()} | done
        answered_ms = observation.read_started_ms - 1
        return baseline.acknowledged(sent, answered_ms, answered_ms - DAY_MS)
    if observation.read_started_ms >= baseline.unsure_since_ms + HOUR_MS:
        return replace(baseline, unsure={}, unsure_since_ms=0)
    return baseline


def _own_natives(mapping: ObjectMapping) -> tuple[frozenset[str], frozenset[str]]:
    """The native fields that tell the stage, and with them all that only leadloop has to write."""
    stages = {field.native for field in mapping.stage_fields}
    stages.update(pair.native for pair in mapping.outputs if pair.canonical == "stage")
    return frozenset(stages), frozenset(stages.union(pair.native for pair in mapping.outputs))
