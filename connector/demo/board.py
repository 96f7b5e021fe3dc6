"""Board: what leadloop, Salesforce and HubSpot show of each lead of the cast, side by side, at one moment.

It reads; drawing is `connector.demo.screen`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connector.demo.figures import SENT_BACK
from connector.demo.people import Character, Doing
from connector.installation import Installation
from connector.lead import LeadState
from connector.sandbox.host import Sandbox
from connector.store import leads as lead_store
from connector.store import ledger
from connector.store.ledger import LedgerRow
from mappings.vocabulary import CANONICAL, Vocabulary

SHORT = {
    "Open - Not Contacted": "Open",
    "Working - Contacted": "Working",
    "Closed - Not Converted": "Closed",
    "marketingqualifiedlead": "MQL",
    "salesqualifiedlead": "SQL",
    "opportunity": "opp.",
}
"""Native values in the space of a column."""


SIDE_NAMES = {"salesforce": "Salesforce", "hubspot": "HubSpot"}


@dataclass(frozen=True, slots=True)
class Shown:
    """What a platform shows of a lead: the leadloop stage, and its own word for it."""

    stage: str | None
    native: str


@dataclass(frozen=True, slots=True)
class Line:
    """One lead. `stage` None: leadloop does not know it yet; a side None: it has no record of it."""

    name: str
    stage: str | None = None
    outcome: str | None = None
    cycle: int = 1
    score: int = 0
    salesforce: Shown | None = None
    hubspot: Shown | None = None
    last_ms: int = 0
    last: str = ""


@dataclass(frozen=True, slots=True)
class News:
    """Something that happened to a lead: a person did something, or leadloop moved it. `brief` is for where
    the stage stands beside it anyway."""

    name: str
    at_ms: int
    text: str
    brief: str


class Board:
    """Reads the lines of the cast, and what is new since it was read last."""

    def __init__(
        self,
        installation: Installation,
        sandbox: Sandbox,
        characters: Sequence[Character],
        diary: Sequence[Doing],
        vocabulary: Vocabulary = CANONICAL,
    ) -> None:
        self._vocabulary = vocabulary
        self._installation = installation
        self._sandbox = sandbox
        self._names = {each.email: each.name for each in characters}
        self._diary = diary
        self._read = 0
        self._moves: dict[str, int] = {}
        self._last: dict[str, News] = {}

    def look(self) -> tuple[list[Line], list[News]]:
        """The lines in the order of the cast, and the news since the last look, oldest first."""
        states = self._states()
        news = sorted([*self._new_doings(), *self._new_moves(states)], key=lambda item: item.at_ms)
        self._last.update((item.name, item) for item in news)
        salesforce = {
            email: _salesforce(name, row)
            for name in ("Lead", "Contact")
            for row in self._sandbox.salesforce.rows(name)
            if not row.get("IsConverted") and (email := str(row["Email"] or "").lower())
        }
        hubspot = {
            str(row["email"]): Shown(row["leadloop_stage"], _short(row["lifecyclestage"]))
            for row in self._sandbox.hubspot.rows("contacts")
        }
        lines = []
        for email, name in self._names.items():
            state, last = states.get(email), self._last.get(name)
            lines.append(
                Line(
                    name=name,
                    stage=state.stage.value if state else None,
                    outcome=state.outcome if state else None,
                    cycle=state.cycle if state else 1,
                    score=state.published.score if state else 0,
                    salesforce=salesforce.get(email),
                    hubspot=hubspot.get(email),
                    last_ms=last.at_ms if last else 0,
                    last=last.brief if last else "",
                )
            )
        return lines, news

    def _states(self) -> dict[str, LeadState]:
        with self._installation.database.read() as conn:
            leads = lead_store.read_leads(conn, lead_store.iterate_lead_ids(conn))
        states = [LeadState.from_json(lead.state) for lead in leads]
        return {str(state.values.get("email")): state for state in states}

    def _new_doings(self) -> list[News]:
        fresh = self._diary[self._read :]
        self._read += len(fresh)
        return [News(item.name, item.at_ms, item.text, item.text) for item in fresh]

    def _new_moves(self, states: dict[str, LeadState]) -> list[News]:
        of_lead = {state.lead_id: (self._names.get(email), state) for email, state in states.items()}
        with self._installation.database.read() as conn:
            rows = ledger.of_leads(conn, of_lead)
        news: list[News] = []
        for lead_id, found in rows.items():
            name, state = of_lead[lead_id]
            if name is None:
                continue
            fresh = found[self._moves.get(lead_id, 0) :]
            self._moves[lead_id] = len(found)
            news.extend(
                News(
                    name,
                    row.recorded_ms,
                    told(row, state.owner, self._vocabulary),
                    reason_of(row, state.owner, self._vocabulary)
                    or f"→ {self._vocabulary.shown(row.target, row.outcome)}",
                )
                for row in fresh
            )
        return news


def told(row: LedgerRow, owner: str | None = None, vocabulary: Vocabulary = CANONICAL) -> str:
    """A move in a few words. `owner`: whose lead it is now."""
    why = reason_of(row, owner, vocabulary)
    skipped = f", past {', '.join(map(vocabulary.shown, row.skipped))}" if row.skipped else ""
    return f"→ {vocabulary.shown(row.target, row.outcome)}{skipped}" + (f" ({why})" if why else "")


def reason_of(row: LedgerRow, owner: str | None = None, vocabulary: Vocabulary = CANONICAL) -> str:
    """Why a lead moved, or who moved it, in a few words; empty where the stage says it all."""
    if row.origin is None:
        return f"new, from {SIDE_NAMES.get(row.actor or '', row.actor)}"
    if row.target == "distributed":
        return f"handed to {_first(owner)}" if owner else ""
    if row.cause == "sales":
        if row.target in SENT_BACK and row.reason:
            return f"rejected by {_first(row.actor)}: {row.reason}"
        return f"{vocabulary.shown(row.target)} by {_first(row.actor)}"
    if row.cause == "fact":
        return row.outcome or row.reason or ("converted" if row.target == "qualified" else "")
    if row.cause == "marketing":
        return "marketing vouches"
    return row.reason or row.actor or ""


def _first(address: str | None) -> str:
    return (address or "somebody").partition("@")[0].title()


def _salesforce(name: str, row: dict[str, Any]) -> Shown:
    return Shown(row.get("Leadloop_Stage__c"), "Contact" if name == "Contact" else _short(row.get("Status")))


def _short(native: Any) -> str:
    text = str(native or "")
    return SHORT.get(text, text)
