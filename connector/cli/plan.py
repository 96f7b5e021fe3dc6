"""`leadloop plan`: what would be written for one lead, and why. Writes nothing, and takes no pool's turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.find import LEAD, one_lead
from connector.cli.output import LANES, Page, iso, moment, print_json, shown
from connector.cli.place import place_of

if TYPE_CHECKING:
    from connector.cli.offline import Offline, Preview
    from connector.observation import Raw
    from connector.plan import StageMove
    from mappings.vocabulary import Vocabulary


def plan(
    ctx: typer.Context,
    lead: Annotated[str, typer.Argument(metavar="LEAD", help=f"The lead: {LEAD}.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what would be written for a lead, and why. Writes nothing."""
    from connector.cli.offline import go_offline, preview

    place = place_of(ctx)
    now_ms = place.clock.now_ms()
    with place.database(read_only=True) as database, database.read() as conn:
        found = one_lead(conn, lead, as_json=as_json)
        configuration = place.in_force(conn)
        offline = go_offline(conn, database, configuration, place.clock)
        (seen,) = preview(conn, offline, [found], now_ms)
    if as_json:
        print_json(as_data(seen, offline))
    else:
        _print(seen, offline, configuration.vocabulary)


def as_data(seen: Preview, offline: Offline) -> dict[str, Any]:
    """The plan as plain JSON data."""
    from connector.cli.deadline_words import change_data, deadline_data
    from connector.cli.reasons import why_written

    decided, lead = seen.plan, seen.lead
    return {
        "lead": lead.id,
        "configuration": offline.installation.configuration,
        "stage": lead.stage,
        "stage_after": decided.state.stage.value,
        "cycle_after": decided.state.cycle,
        "moves": [move_data(move) for move in decided.moves],
        "writes": [
            {
                "side": write.side,
                "object": write.object,
                "record": write.record_id,
                "operation": write.op,
                "lane": LANES[int(write.lane)],
                "fields": [
                    {
                        "field": native,
                        "was": write.expected.get(native),
                        "becomes": value,
                        **({"then": write.then[native]} if native in write.then else {}),
                        "why": why_written(seen, offline.installation.policy, write, native),
                    }
                    for native, value in write.fields.items()
                ],
            }
            for write in decided.writes
        ],
        "deadline": deadline_data(decided.state.deadline),
        "deadline_changes": [change_data(change) for change in decided.deadline_changes],
        "holds": [
            {
                "kind": hold.kind,
                "subject": hold.subject,
                "message": hold.message,
                "remedy": hold.remedy,
                "details": dict(hold.details),
            }
            for hold in decided.holds
        ],
        "unreadable": dict(decided.state.unreadable),
        "unspelled": dict(decided.state.unspelled),
        "next_change_at": iso(decided.due_at_ms),
        "notes": offline.notes,
    }


def move_data(move: StageMove) -> dict[str, Any]:
    """A stage move as plain JSON data."""
    return {
        "from": move.origin,
        "to": move.target,
        "skipped": list(move.skipped),
        "cycle": move.cycle,
        "cause": move.cause,
        "actor": move.actor,
        "reason": move.reason,
        "outcome": move.outcome,
        "rules": [dict(rule) for rule in move.rules],
        "happened_at": iso(move.happened_ms),
    }


def move_words(
    cause: str, actor: str | None, reason: str | None, outcome: str | None, rules: list[dict[str, Any]]
) -> str:
    """Who or what caused a move, in one phrase: rules (mql gate): senior title +20, asked for a demo."""
    words = cause if actor is None else f"{cause} ({actor})"
    told = [text for text in (outcome, f"reason {reason}" if reason else None) if text]
    told += [f"{rule['rule']} {rule['points']:+}" if rule.get("points") else rule["rule"] for rule in rules]
    return f"{words}: {', '.join(told)}" if told else words


def steps(origin: str | None, target: str, skipped: list[str]) -> str:
    """A move as it is printed: mql → qualified (over distributed, accepted)."""
    over = f" (over {', '.join(skipped)})" if skipped else ""
    return f"→ {target}{over}" if origin is None else f"{origin} → {target}{over}"


def change(was: Raw, becomes: Raw, then: Raw, *, two_steps: bool) -> str:
    """Old and new value: lead → — → marketingqualifiedlead for a field that is cleared first."""
    words = f"{shown(was)} → {shown(becomes)}"
    return f"{words} → {shown(then)}" if two_steps else words


def _plain(at: str) -> str:
    return at.replace("T", " ").removesuffix("Z")


def _print(seen: Preview, offline: Offline, vocabulary: Vocabulary) -> None:
    from connector.cli.deadline_words import deadline_words
    from mappings.vocabulary import labelled

    data, page = labelled(as_data(seen, offline), vocabulary), Page()
    page.heading(f"Plan for lead {data['lead']}")
    page.table(
        [
            ("stage", data["stage"] + (f", would be {data['stage_after']}" if data["moves"] else "")),
            ("decided by", f"configuration {data['configuration']}"),
            *([("deadline", deadline_words(data["deadline"]))] if data["deadline"] else []),
            ("next change", moment(seen.plan.due_at_ms) + (" UTC" if seen.plan.due_at_ms else "")),
        ]
    )
    if data["moves"]:
        page.heading("Moves")
        page.table(
            [
                (
                    steps(move["from"], move["to"], move["skipped"]),
                    f"cycle {move['cycle']}",
                    move_words(move["cause"], move["actor"], move["reason"], move["outcome"], move["rules"]),
                )
                for move in data["moves"]
            ]
        )
    if data["deadline_changes"]:
        page.heading("Deadlines")
        page.table(
            [
                (change["deadline"], change["what"], f"due {_plain(change['due'])} UTC", change["owner"])
                for change in data["deadline_changes"]
            ]
        )
    if not data["writes"]:
        page.heading("Nothing would be written.")
    for write in data["writes"]:
        what = "create" if write["operation"] == "create" else f"update {write['record']}"
        page.heading(f"Write to {write['side']}: {what} ({write['object']}, {write['lane']} lane)")
        page.table(
            [
                (
                    item["field"],
                    change(item["was"], item["becomes"], item.get("then"), two_steps="then" in item)
                    if write["operation"] == "update"
                    else shown(item["becomes"]),
                    item["why"],
                )
                for item in write["fields"]
            ],
            ("field", "old → new" if write["operation"] == "update" else "value", "why"),
        )
    if data["holds"]:
        page.heading("Holds: these wait for a person")
        for hold in data["holds"]:
            page.line(f"{hold['kind']} ({hold['subject']}): {hold['message']}")
            page.line(hold["remedy"], indent=4)
    left = {**data["unreadable"], **data["unspelled"]}
    if left:
        page.heading("Left alone")
        page.table(sorted(left.items()))
    for note in data["notes"]:
        page.heading("Note")
        page.line(note)
