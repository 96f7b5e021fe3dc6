"""Explanation: all that is stored about one lead, with its reasons, as plain JSON data. Reads only."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from connector.accounts import match_account
from connector.cli.deadline_words import change_data, deadline_data
from connector.cli.holds import hold_data
from connector.cli.offline import Offline, Preview
from connector.cli.output import LANES, iso
from connector.cli.quarantine import refusal_data
from connector.lead import Decided
from connector.lead_input import lead_facts
from connector.observation import RecordKey
from connector.refusals import NEW_RECORD
from connector.store import deadline_events, holds, ledger, outbox, quarantine, score_moves
from connector.store.links import keys_of_leads, links_of
from mappings.mapping import Mapping
from rules.facts import Verdict


def explanation(conn: Connection, offline: Offline, seen: Preview, now_ms: int) -> dict[str, Any]:
    """Everything about the lead. Moments are ISO 8601, UTC."""
    lead, state = seen.lead, seen.known.state
    policy = offline.installation.policy
    sides = seen.known.linked_sides | {item.side for item in seen.known.observations}
    account = match_account(state.values, seen.known.accounts, policy.mapping, policy.directory)
    verdict = policy.rules.evaluate(lead_facts(state, seen.known.activities, sides, account), now_ms)
    links = links_of(conn, [lead.id])[lead.id]
    created = [
        RecordKey(side.side, target.object, NEW_RECORD + lead.id)
        for side in policy.mapping.sides.values()
        if (target := side.object_for_create) is not None
    ]
    refused = quarantine.of_records(conn, [*(link.key for link in links), *created])
    records = {item.key: item for item in seen.known.observations}
    return {
        "lead": lead.id,
        "configuration": offline.installation.configuration,
        "stage": state.stage.value,
        "outcome": state.outcome,
        "stage_since": iso(state.stage_since_ms),
        "cycle": state.cycle,
        "owner": state.current_owner,
        "nurture_track": state.nurture_track,
        "resting": state.resting,
        "origin": state.origin,
        "first_seen_at": iso(state.created_ms),
        "known_by": [f"{key.kind} {key.value}" for key in keys_of_leads(conn, [lead.id])[lead.id]],
        "waiting_since": iso(lead.dirty_since_ms),
        "next_due_at": iso(seen.plan.due_at_ms),  # as `leadloop plan` tells it
        "would_change": not seen.plan.is_empty,
        "links": [
            {
                "side": link.side,
                "object": link.object,
                "record": link.record_id,
                "role": link.role,
                "changed_at": iso(records[link.key].stamp_ms) if link.key in records else None,
                "read_at": iso(records[link.key].read_started_ms) if link.key in records else None,
            }
            for link in links
        ],
        "cut_sides": list(state.cut_sides),
        "score_moves": [_score_moved(row) for row in score_moves.of_lead(conn, lead.id)],
        "history": [_moved(row) for row in ledger.of_lead(conn, lead.id)],
        "rejections": [
            {
                "reason": item.reason,
                "comment": item.comment,
                "by": item.by,
                "at": iso(item.at_ms),
                "cycle": item.cycle,
                "score": item.score,
            }
            for item in state.rejections
        ],
        "deadline": deadline_data(state.deadline),
        "deadline_events": [change_data(row) for row in deadline_events.of_lead(conn, lead.id)],
        "reason_awaited_since": iso(state.awaited_reason.since_ms) if state.awaited_reason else None,
        "values": _values(seen, policy.mapping),
        "score": _score(seen, verdict),
        "activities": [
            {"kind": item.kind, "at": iso(item.at_ms), "attributes": dict(item.attributes)}
            for item in seen.known.activities
        ],
        "pending_writes": [_pending(row) for row in outbox.of_leads(conn, [lead.id])[lead.id]],
        "holds": [hold_data(hold) for hold in holds.open_holds(conn, [lead.id]).get(lead.id, ())],
        "quarantine": [refusal_data(row, lead.id) for rows in refused.values() for row in rows],
        "notes": offline.notes,
    }


def _moved(row: ledger.LedgerRow) -> dict[str, Any]:
    return {
        "from": row.origin,
        "to": row.target,
        "skipped": list(row.skipped),
        "cycle": row.cycle,
        "cause": row.cause,
        "actor": row.actor,
        "reason": row.reason,
        "outcome": row.outcome,
        "rules": list(row.rules),
        "happened_at": iso(row.happened_ms),
        "recorded_at": iso(row.recorded_ms),
        "configuration": row.configuration,
    }


def _score_moved(row: score_moves.ScoreMoveRow) -> dict[str, Any]:
    was = {
        "score": row.from_score,
        "fit": row.from_fit,
        "engagement": row.from_engagement,
        "grade": row.from_grade,
    }
    return {
        "at": iso(row.at_ms),
        "from": None if row.from_score is None else was,
        "to": {
            "score": row.to_score,
            "fit": row.to_fit,
            "engagement": row.to_engagement,
            "grade": row.to_grade,
        },
        "rules": list(row.rules),
        "configuration": row.configuration,
    }


def _values(seen: Preview, mapping: Mapping) -> dict[str, Any]:
    """Canonical field to its agreed value and whatever stands in the way of the sides showing it."""
    state = seen.known.state
    found: dict[str, Any] = {}
    for name in mapping.fields:
        about: dict[str, Any] = {}
        if name in state.differences:
            about["differs"] = dict(state.differences[name])
        for key, places in (("unreadable", state.unreadable), ("not_written", state.unspelled)):
            told = {side: why for where, why in places.items() for side in [_side_of(where, name)] if side}
            if told:
                about[key] = told
        if name in state.decided:
            about["decided"] = _decided(state.decided[name])
        spellings = _spellings(seen, mapping, name)
        if spellings:
            about["spelled"] = spellings
        if name in state.values or about:
            found[name] = {"agreed": state.values.get(name), **about}
    return found


def _decided(how: Decided) -> dict[str, Any]:
    """How it was decided whose change of a field was the newest."""
    return {
        "by": how.by,
        "winner": how.winner,
        "moments": {
            side: {"at": iso(by_ms)} if after_ms == by_ms else {"after": iso(after_ms), "by": iso(by_ms)}
            for side, (after_ms, by_ms) in how.moments.items()
        },
    }


def _side_of(where: str, name: str) -> str | None:
    """The side in `side.name`, if it is about this name."""
    side, _, said = where.partition(".")
    return side if said == name else None


def _spellings(seen: Preview, mapping: Mapping, name: str) -> list[dict[str, Any]]:
    """Values that a platform shows otherwise than they were sent, and that are left so."""
    found: list[dict[str, Any]] = []
    for key, baseline in seen.known.baselines.items():
        side = mapping.sides.get(key.side)
        target = side.objects.get(key.object) if side is not None else None
        pair = target.pair(name) if target is not None else None
        if pair is not None and pair.native in baseline.spelled:
            sent, shown = baseline.spelled[pair.native]
            found.append({"record": str(key), "field": pair.native, "sent": sent, "shown": shown})
    return found


def _score(seen: Preview, verdict: Verdict) -> dict[str, Any]:
    published = seen.known.state.published
    said = verdict.to_json()
    return {
        **{name: value for name, value in said.items() if not name.endswith("_ms")},
        "cooling_until": iso(verdict.cooling_until_ms),
        "next_change_at": iso(verdict.next_change_ms),
        "published": {
            "score": published.score,
            "fit": published.fit,
            "engagement": published.engagement,
            "grade": published.grade,
            "reasons": published.reasons,
            "at": iso(published.at_ms),
        }
        if published.at_ms
        else None,
    }


def _pending(row: outbox.Row) -> dict[str, Any]:
    then: dict[str, Any] = dict(row.then or {})
    return {
        "side": row.side,
        "object": row.object,
        "record": row.record_id,
        "operation": row.op,
        "lane": LANES.get(row.lane, str(row.lane)),
        "state": row.state,
        "attempts": row.attempts,
        "not_before": iso(row.not_before_ms) if row.not_before_ms else None,
        "planned_at": iso(row.created_ms),
        "may_have_been_carried_out": row.unknown,
        "fields": [
            {
                "field": native,
                "was": row.expected.get(native),
                "becomes": value,
                **({"then": then[native]} if native in then else {}),
            }
            for native, value in row.fields.items()
        ],
    }
