"""`leadloop apply`: put the configuration folder in force, after showing what it would change.

Every lead is decided under the new configuration, in batches, without writing. New gates judge leads as they
next change; `--rejudge` has all of them judged with the next pass.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.output import Page, counted, print_json
from connector.cli.place import place_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connector.brake import BrakeLimits
    from connector.cli.offline import Preview
    from connector.configuration import Configuration


@dataclass(slots=True)
class Change:
    """What a configuration would change if all leads were judged by it now. `waiting` leads were to be
    looked at anyway, so what is told of them may have another cause."""

    leads: int = 0
    waiting: int = 0
    moved: int = 0
    written: int = 0
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    writes: Counter[str] = field(default_factory=Counter)
    creates: Counter[str] = field(default_factory=Counter)
    holds: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)

    def add(self, seen: Iterable[Preview], now_ms: int) -> None:
        """Count what would be decided about these leads."""
        for one in seen:
            lead, plan = one.lead, one.plan
            due = lead.due_at_ms is not None and lead.due_at_ms <= now_ms
            self.leads += 1
            self.waiting += lead.dirty_since_ms is not None or due
            self.moved += bool(plan.moves)
            self.written += bool(plan.writes)
            self.moves.update((move.origin or "", move.target) for move in plan.moves)
            self.writes.update(write.side for write in plan.writes)
            self.creates.update(write.side for write in plan.writes if write.record_id is None)
            self.holds.update(hold.kind for hold in plan.holds)
            self.kinds.update(plan.brake_kinds)

    def braked(self, limits: BrakeLimits) -> dict[str, str]:
        """The kinds of change that the brake would stop, each with its sentence."""
        return limits.exceeded({}, list(self.kinds.elements()), self.leads, {})

    def as_data(self) -> dict[str, Any]:
        """As plain JSON data."""
        return {
            "leads": self.leads,
            "waiting_anyway": self.waiting,
            "would_move": self.moved,
            "would_be_written": self.written,
            "moves": [
                {"from": origin or None, "to": target, "leads": number}
                for (origin, target), number in self.moves.most_common()
            ],
            "writes": dict(sorted(self.writes.items())),
            "creates": dict(sorted(self.creates.items())),
            "holds": dict(sorted(self.holds.items())),
        }


def apply(
    ctx: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Apply without asking.")] = False,
    rejudge: Annotated[
        bool, typer.Option("--rejudge", help="Judge all leads by it with the next pass.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; applies only with --yes.")] = False,
) -> None:
    """Put the configuration folder in force. Shows first what it would change."""
    from connector.cli.offline import go_offline, preview_all
    from connector.store.configurations import applied_configuration

    place = place_of(ctx)
    wanted = place.configuration()
    now_ms = place.clock.now_ms()
    with place.database(create=True) as database:
        with database.read() as conn:
            applied = applied_configuration(conn)
            before = applied.version if applied is not None else None
            change = Change()
            if before != wanted.version:
                offline = go_offline(conn, database, wanted, place.clock)
                change.add(preview_all(conn, offline, now_ms), now_ms)
        new = before != wanted.version
        braked = change.braked(wanted.brake)
        if not as_json:
            _print(change, braked, before, wanted)
        if new and not yes and not as_json:
            typer.confirm("Put it in force?", abort=True)
        done = (new or rejudge) and (yes or not as_json)
        marked = 0
        if done:
            marked = _put_in_force(
                database, wanted.version, wanted.documents, now_ms, new=new, rejudge=rejudge
            )
    if as_json:
        print_json(
            {
                "before": before,
                "configuration": wanted.version,
                "changed": new,
                "applied": done and new,
                "to_be_rejudged": marked,
                **change.as_data(),
                "brake_would_stop": braked,
            }
        )
        return
    if done and new:
        typer.echo("It is in force. A running leadloop takes it up within a minute.")
    if marked:
        typer.echo(f"{counted(marked, 'lead')} will be judged with the next pass.")


def _put_in_force(
    database: Any, version: str, documents: Any, now_ms: int, *, new: bool, rejudge: bool
) -> int:
    """Apply, and mark all leads with `rejudge`, in one transaction. Returns how many were marked. What waits
    to be written was wished for under the one before, and is decided again in any case."""
    from connector.store.configurations import apply_configuration, put_configuration
    from connector.store.leads import mark_all_dirty, mark_waiting_dirty

    with database.begin() as conn:
        if new:
            put_configuration(conn, version, documents, now_ms)
            apply_configuration(conn, version, now_ms)
            mark_waiting_dirty(conn, now_ms)
        return mark_all_dirty(conn, now_ms) if rejudge else 0


def _print(change: Change, braked: dict[str, str], before: str | None, wanted: Configuration) -> None:
    from mappings.vocabulary import labelled

    page, version = Page(), wanted.version
    if before == version:
        page.line(f"Configuration {version} is in force already.", indent=0)
        return
    page.heading(f"Configuration {version}" + (f" in place of {before}" if before else ", the first one"))
    rows: list[tuple[str, object]] = [
        ("leads", change.leads),
        ("would move", change.moved),
        ("would be written", change.written),
    ]
    if change.waiting:
        rows.append(("waiting anyway", change.waiting))
    page.table(rows)
    data = labelled(change.as_data(), wanted.vocabulary)
    if data["moves"]:
        page.heading("Moves")
        page.table(
            [(f"{item['from'] or ''} → {item['to']}".strip(), item["leads"]) for item in data["moves"]]
        )
    if data["writes"]:
        page.heading("Writes")
        page.table(
            [
                (
                    side,
                    number,
                    f"{data['creates'][side]} of them new records" if side in data["creates"] else "",
                )
                for side, number in data["writes"].items()
            ]
        )
    if data["holds"]:
        page.heading("Holds")
        page.table(list(data["holds"].items()))
    for kind, sentence in braked.items():
        page.heading(f"If all leads were judged at once, the brake would stop {kind}")
        page.line(sentence)
    page.line("Leads are judged by it as they next change; --rejudge judges all of them.", indent=0)
