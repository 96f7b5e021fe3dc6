"""Secondaries: what a person does on a further record of theirs. Pure; no I/O.

Fields, stage and owner are those of the primary records. But whoever fills in a form as another contact has
done it, and whoever opts out there is out. Of such a record nothing is remembered but its counters, so that
it is met as at a first contact should it become the primary one. Nothing is ever written to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from connector.lead import Baseline
from connector.lead_input import LeadInput, Policy
from connector.observation import RecordKey
from connector.plan import RecordRole
from connector.primaries import described
from connector.record_view import EMPTY_BASELINE, RecordView, look
from mappings.mapping import Mapping as LeadMapping
from mappings.object_mapping import Pair
from mappings.values import OwnerDirectory, Unreadable, Value


def look_at_secondaries(
    lead: LeadInput, roles: Mapping[RecordKey, RecordRole], policy: Policy
) -> list[RecordView]:
    """The lead's secondary records. What each counted before is its own: counters of two records are never
    compared with one another."""
    views: list[RecordView] = []
    for item in lead.observations:
        if roles.get(item.key) != "secondary":
            continue
        base = lead.baselines.get(item.key, EMPTY_BASELINE)
        view = look(item, base, described(item, policy.mapping), policy.own_users.get(item.side))
        views.append(replace(view, baseline=_with_counts(base, view)))
    return views


def new_baselines(
    views: Sequence[RecordView], known: Mapping[RecordKey, Baseline]
) -> dict[RecordKey, Baseline]:
    """What is to be remembered of these records and is not yet."""
    return {view.key: view.baseline for view in views if view.baseline != known.get(view.key, EMPTY_BASELINE)}


def with_opt_outs(
    values: Mapping[str, Value], views: Sequence[RecordView], mapping: LeadMapping, directory: OwnerDirectory
) -> dict[str, Value]:
    """The agreed values, and yes to what the person has opted out of on one of these records."""
    out = {
        pair.canonical: True
        for view in views
        for pair in view.mapping.pairs
        if pair.reads
        and mapping.fields[pair.canonical].policy == "opt_out"
        and _says_yes(view, pair, directory)
    }
    return {**values, **out}


def _says_yes(view: RecordView, pair: Pair, directory: OwnerDirectory) -> bool:
    try:
        return pair.native in view.fields and pair.read(view.fields[pair.native], directory) is True
    except Unreadable:
        return False


def _with_counts(base: Baseline, view: RecordView) -> Baseline:
    counters = view.mapping.counters
    natives = {native for each in counters for native in (each.counter, each.at) if native is not None}
    if not natives:
        return base
    shown = {native: value for native, value in view.baseline.shown.items() if native in natives}
    return replace(base, shown={**base.shown, **shown}, made=False)
