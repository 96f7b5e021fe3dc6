"""DeadlineWords: deadlines of a lead as plain JSON data, and in words for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.cli.output import iso

if TYPE_CHECKING:
    from connector.lead import LeadDeadline
    from connector.plan import DeadlineChange
    from connector.store.deadline_events import DeadlineEvent


def deadline_data(deadline: LeadDeadline | None) -> dict[str, Any] | None:
    """The deadline that a lead is under, or was last under in this cycle."""
    if deadline is None:
        return None
    return {
        "deadline": deadline.name,
        "stage": deadline.stage.value,
        "owner": deadline.owner,
        "since": iso(deadline.since_ms),
        "due": iso(deadline.due_ms),
        "state": deadline.state,
        "shown_in_the_crm": deadline.shown,
    }


def change_data(change: DeadlineChange | DeadlineEvent) -> dict[str, Any]:
    """Something that happened, or would happen, to a deadline."""
    return {
        "at": iso(change.at_ms),
        "cycle": change.cycle,
        "deadline": change.deadline,
        "stage": change.stage,
        "what": change.what,
        "due": iso(change.due_ms),
        "owner": change.owner,
    }


def deadline_words(data: dict[str, Any]) -> str:
    """first response by sam@sales.example: due soon, due 2027-01-15 12:01:00, since 2027-01-15 08:01:00."""
    who = f" by {data['owner']}" if data["owner"] else ""
    due, since = (data[key].replace("T", " ").removesuffix("Z") for key in ("due", "since"))
    waits = "" if data["shown_in_the_crm"] else ", not shown in the CRM yet"
    return f"{data['deadline']}{who}: {data['state']}, due {due}, counted from {since}{waits}"
