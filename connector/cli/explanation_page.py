"""ExplanationPage: an explanation, printed for a person."""

from __future__ import annotations

from typing import Any

from connector.cli.deadline_words import deadline_words
from connector.cli.output import Page, shown
from connector.cli.plan import change, move_words, steps


def print_explanation(data: dict[str, Any]) -> None:
    """Print it; sections that have nothing to say are left out."""
    page = Page()
    _head(page, data)
    _records(page, data)
    _history(page, data)
    _values(page, data)
    _score(page, data)
    _writes(page, data)
    _holds(page, data)
    _quarantine(page, data)
    for note in data["notes"]:
        page.heading("Note")
        page.line(note)


def when(at: str | None) -> str:
    """An ISO moment as it is printed; the page says once that moments are UTC."""
    return at.replace("T", " ").removesuffix("Z") if at else "—"


def _head(page: Page, data: dict[str, Any]) -> None:
    page.heading(f"Lead {data['lead']} (moments are UTC)")
    stage = data["stage"] + (f", {data['outcome']}" if data["outcome"] else "")
    standing = f"{stage}, since {when(data['stage_since'])}, cycle {data['cycle']}"
    rows: list[tuple[str, object]] = [("stage", standing)]
    if data["resting"]:
        rows.append(
            ("resting", "from before leadloop; `leadloop holds release` has it judged like any other")
        )
    if data["owner"]:
        rows.append(("owner", data["owner"]))
    if data["deadline"]:
        rows.append(("deadline", deadline_words(data["deadline"])))
    if data["nurture_track"]:
        rows.append(("nurture track", data["nurture_track"]))
    rows.append(("known by", data["known_by"]))
    rows.append(("first seen", f"{when(data['first_seen_at'])} on {data['origin']}"))
    if data["waiting_since"]:
        rows.append(("waiting", f"to be looked at since {when(data['waiting_since'])}"))
    rows.append(
        ("next change", f"{when(data['next_due_at'])}, by time alone" if data["next_due_at"] else "—")
    )
    if data["reason_awaited_since"]:
        rows.append(("reason awaited", f"since {when(data['reason_awaited_since'])}"))
    rows.append(("decided by", f"configuration {data['configuration']}"))
    page.table(rows)


def _records(page: Page, data: dict[str, Any]) -> None:
    page.heading("Records")
    page.table(
        [
            (
                link["side"],
                link["object"],
                link["record"],
                link["role"],
                when(link["changed_at"]),
                when(link["read_at"]),
            )
            for link in data["links"]
        ],
        ("side", "object", "record", "role", "changed there", "read"),
    )
    for side in data["cut_sides"]:
        page.line(f"The record on {side} was deleted; it gets no new one.")


def _history(page: Page, data: dict[str, Any]) -> None:
    page.heading("History")
    page.table(
        [
            (
                when(row["happened_at"]),
                row["cycle"],
                steps(row["from"], row["to"], row["skipped"]),
                move_words(row["cause"], row["actor"], row["reason"], row["outcome"], row["rules"]),
            )
            for row in data["history"]
        ],
        ("happened", "cycle", "move", "because of"),
    )
    if data["deadline_events"]:
        page.heading("Deadlines")
        page.table(
            [
                (when(row["at"]), row["cycle"], row["deadline"], row["what"], when(row["due"]), row["owner"])
                for row in data["deadline_events"]
            ],
            ("at", "cycle", "deadline", "what", "due", "owner"),
        )
    if data["rejections"]:
        page.heading("Rejections by sales")
        page.table(
            [
                (when(item["at"]), item["cycle"], item["reason"], item["by"], item["score"], item["comment"])
                for item in data["rejections"]
            ],
            ("at", "cycle", "reason", "by", "score then", "comment"),
        )


def _values(page: Page, data: dict[str, Any]) -> None:
    page.heading("Agreed values")
    page.table(
        [
            (name, about["agreed"], "; ".join(_remarks(about)))
            for name, about in data["values"].items()
            if about["agreed"] is not None or _remarks(about)
        ],
        ("field", "agreed", "remarks"),
    )
    blank = [n for n, about in data["values"].items() if about["agreed"] is None and not _remarks(about)]
    if blank:
        page.line(f"Blank: {', '.join(blank)}")


def _remarks(about: dict[str, Any]) -> list[str]:
    unreadable = about.get("unreadable", {})
    told = [
        f"{side} says {shown(value)}, left alone"
        for side, value in about.get("differs", {}).items()
        if side not in unreadable
    ]
    told += [f"unreadable on {side}: {why}" for side, why in unreadable.items()]
    told += [f"not written to {side}: {why}" for side, why in about.get("not_written", {}).items()]
    told += [
        f"{item['record'].split(':')[0]} spells {shown(item['sent'])} as {shown(item['shown'])}"
        for item in about.get("spelled", ())
    ]
    if "decided" in about:
        told.append(_decided(about["decided"]))
    return told


def _decided(how: dict[str, Any]) -> str:
    """How it was decided between changes on several sides, with the moments that decided."""
    moments = ", ".join(
        f"{side} at {when(at['at'])}"
        if "at" in at
        else f"{side} between {when(at['after'])} and {when(at['by'])}"
        for side, at in how["moments"].items()
    )
    if how["winner"] is None:
        return f"changed by both, and nobody can tell whose change is newer: {moments}"
    how_told = "the newer change" if how["by"] == "newest" else f"by else: {how['by']}"
    return f"changed by both ({moments}): {how['winner']}, {how_told}"


def _score(page: Page, data: dict[str, Any]) -> None:
    score = data["score"]
    published = score["published"]
    grade = f", grade {score['grade']}" if score["grade"] else ""
    page.heading(f"Score {score['score']}: fit {score['fit']}, engagement {score['engagement']}{grade}")
    if published is None:
        page.line("Not published yet.")
    else:
        letter = f" ({published['grade']})" if published["grade"] else ""
        told = published["reasons"] or "—"
        page.line(f"Published as {published['score']}{letter} at {when(published['at'])}: {told}")
    page.table(
        [
            (item["rule"], item["part"], f"{item['points']:+}" if item["points"] else "", _saw(item["saw"]))
            for item in score["fired"]
        ],
        ("rule that fired", "part", "points", "saw"),
    )
    if not score["fired"]:
        page.line("No rule fired.")
    gates = [
        (f"gate {name}", "passed" if gate["passed"] else "lacks " + "; ".join(gate["missing"]))
        for name, gate in score["gates"].items()
    ]
    if score["fast_track"]:
        gates.append(("fast track", score["fast_track"]))
    if score["disqualify"]:
        gates.append(("disqualified by", " for ".join(score["disqualify"])))
    if score["cooling_until"]:
        gates.append(("cooling off", f"until {when(score['cooling_until'])}"))
    if score["touches"] is not None:
        gates.append(("touches", str(score["touches"])))
    page.table(gates)
    for warning in score["warnings"]:
        page.line(f"Warning: {warning}.")
    for error in score["errors"]:
        page.line(f"Not used: {error}")
    _score_moves(page, data["score_moves"])
    if data["activities"]:
        page.heading("Activities")
        page.table(
            [(when(item["at"]), item["kind"], _saw(item["attributes"])) for item in data["activities"][-20:]]
        )
        if len(data["activities"]) > 20:
            page.line(f"and {len(data['activities']) - 20} earlier ones (all of them with --json)")


def _score_moves(page: Page, moves: list[dict[str, Any]]) -> None:
    """How the published score came to be what it is; the newest last."""
    if not moves:
        return
    page.heading("Published scores")
    page.table(
        [
            (when(row["at"]), _score_words(row["from"]), _score_words(row["to"]), _rule_changes(row["rules"]))
            for row in moves[-10:]
        ],
        ("at", "from", "to", "because of"),
    )
    if len(moves) > 10:
        page.line(f"and {len(moves) - 10} earlier ones (all of them with --json)")


def _score_words(score: dict[str, Any] | None) -> str:
    if score is None:
        return "—"
    return f"{score['score']} {score['grade']}" if score["grade"] else str(score["score"])


def _rule_changes(rules: list[dict[str, Any]]) -> str:
    told: list[str] = []
    for each in rules:
        if each["was"] is None:
            told.append(f"{each['rule']} {each['now']:+}")
        elif each["now"] is None:
            told.append(f"{each['rule']} no more ({each['was']:+})")
        else:
            told.append(f"{each['rule']} {each['was']:+} → {each['now']:+}")
    return ", ".join(told)


def _saw(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} = {shown(value)}" for name, value in values.items())


def _writes(page: Page, data: dict[str, Any]) -> None:
    for write in data["pending_writes"]:
        what = "create" if write["operation"] == "create" else f"update {write['record']}"
        page.heading(f"Pending write to {write['side']}: {what} ({write['object']}, {write['lane']} lane)")
        waits = "being sent" if write["state"] == "in_flight" else "waiting"
        if write["attempts"]:
            waits += f", tried {write['attempts']} times, again after {when(write['not_before'])}"
        if write["may_have_been_carried_out"]:
            waits += ", may have been carried out: the record is read first"
        page.line(waits)
        page.table(
            [
                (
                    item["field"],
                    change(item["was"], item["becomes"], item.get("then"), two_steps="then" in item),
                )
                for item in write["fields"]
            ]
        )


def _holds(page: Page, data: dict[str, Any]) -> None:
    if data["holds"]:
        page.heading("Holds: these wait for a person")
    alike: dict[tuple[str, str, str, str], list[str]] = {}
    for hold in data["holds"]:
        about = (hold["kind"], hold["opened_at"], hold["message"], hold["remedy"])
        alike.setdefault(about, []).append(hold["subject"])
    for (kind, opened_at, message, remedy), subjects in alike.items():
        page.line(f"{kind}, since {when(opened_at)}: {message}")
        page.line(remedy, indent=4)
        page.line(f"about {', '.join(subjects)}", indent=4)


def _quarantine(page: Page, data: dict[str, Any]) -> None:
    if data["quarantine"]:
        page.heading("Refused by a platform")
    alike: dict[tuple[str, str], list[str]] = {}
    for row in data["quarantine"]:
        place = f"{row['side']} {row['object']} {row['record'] or '(new record)'}"
        alike.setdefault((place, row["reason"]), []).append(row["field"])
    for (place, reason), fields in alike.items():
        page.line(f"{place}: {', '.join(fields)}")
        page.line(reason, indent=4)
