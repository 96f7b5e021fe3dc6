"""BackfillTold: what is told at the end of a backfill or of its dry run, as a page or as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector.cli.failures import Problem
from connector.cli.output import Page, counted, iso, print_json, span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connector.intake.backfill import Standing
    from connector.intake.rehearsal import Doubt, Outlook

SHOWN = 20
"""Ambiguous records that are told one by one; all of them with --csv and --json."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a run did. `together_…`: how many leads have a record on just these sides. `marked`: leads that
    may be created now. `stopped`: why it ended before everything was read, and what to do."""

    dry_run: bool
    since_ms: int | None
    standings: tuple[Standing, ...]
    read_before: frozenset[str]
    leads_before: int
    leads_after: int
    together_before: Mapping[tuple[str, ...], int]
    together_after: Mapping[tuple[str, ...], int]
    doubts: Sequence[Doubt]
    outlook: Outlook | None
    marked: int | None
    calls: Mapping[str, int]
    spent_ms: int
    stopped: str | None


def tell(told: Told, csv: Path | None, *, as_json: bool) -> None:
    """Print it, and write the ambiguous records where asked. Raises Problem."""
    if csv is not None:
        from connector.intake.rehearsal import write_doubts

        try:
            write_doubts(csv, told.doubts)
        except OSError as error:
            raise Problem(f"--csv {csv} cannot be written: {error.strerror}.") from error
    if as_json:
        print_json(_data(told))
    else:
        _print(told, csv)


def _data(told: Told) -> dict[str, Any]:
    data: dict[str, Any] = {
        "dry_run": told.dry_run,
        "finished": told.stopped is None,
        "since": iso(told.since_ms),
        "objects": [
            {
                "side": each.side,
                "object": each.object,
                "records": each.records,
                "new": each.new,
                "changed": each.changed,
                "total": each.total,
                "finished": each.done,
            }
            for each in told.standings
        ],
        "leads": {"before": told.leads_before, "after": told.leads_after},
        "on_both_sides": {"before": _together(told.together_before), "after": _together(told.together_after)},
        "on_one_side": _alone(told.together_after),
        "ambiguous": [each.to_json() for each in told.doubts],
        "calls": dict(told.calls),
        "seconds": round(told.spent_ms / 1_000, 1),
    }
    if told.outlook is not None:
        data["would_create"] = dict(told.outlook.creates)
        data["would_update"] = dict(told.outlook.updates)
        data["would_hold"] = dict(told.outlook.holds)
    if told.marked is not None:
        data["may_be_created"] = told.marked
    return data


def _print(told: Told, csv: Path | None) -> None:
    page = Page()
    page.heading("Dry run: nothing was changed anywhere" if told.dry_run else "Read")
    page.table(
        [
            (each.name, f"{each.records:,}", f"{each.new:,}", f"{each.changed:,}", _stands(each, told))
            for each in told.standings
        ],
        ("object", "records", "new", "changed", ""),
    )
    page.heading("Leads")
    would = "would be" if told.dry_run else "is" if told.leads_after == 1 else "are"
    begun = told.leads_after - told.leads_before
    page.line(f"{counted(told.leads_after, 'lead')} {would} known, {begun:+,} by this")
    both = _together(told.together_after) - _together(told.together_before)
    page.line(f"{_together(told.together_after):,} of them on both sides, {both:+,} by this")
    for side, number in _alone(told.together_after).items():
        page.line(f"{number:,} on {side} alone")
    if told.outlook is not None:
        page.line("They rest until something happens to them. `leadloop run` would write:")
        page.line(f"leadloop's fields to {_by_side(told.outlook.updates)}", indent=4)
        page.line(f"with --create, new records: {_by_side(told.outlook.creates)}", indent=4)
        if told.outlook.holds:
            kinds = ", ".join(f"{number:,} {kind}" for kind, number in sorted(told.outlook.holds.items()))
            page.line(f"and hold for a person: {kinds}", indent=4)
    if told.marked is not None:
        page.line(
            f"{counted(told.marked, 'lead')} may be created where missing: `leadloop run` does so, as the "
            "mapping says, after everything else; `leadloop brake` shows if that is too much at once."
        )
    if told.doubts:
        page.heading(f"Ambiguous: {counted(len(told.doubts), 'record')}, linked to nobody")
        for doubt in told.doubts[:SHOWN]:
            candidates = " or ".join(doubt.candidates) or "a lead without records"
            page.line(f"{doubt.record} by its {' and '.join(doubt.fields)}: {candidates}")
        more = len(told.doubts) - SHOWN
        if more > 0 and csv is None:
            page.line(f"and {more:,} more; --csv FILE writes all of them")
    if told.read_before:
        page.line("What was read before is not read again without --anew.", indent=0)
    calls = ", ".join(f"{side} {number:,}" for side, number in told.calls.items())
    page.heading(f"{span(told.spent_ms)}; API calls: {calls or 'none'}")


def _stands(standing: Standing, told: Told) -> str:
    if standing.name in told.read_before:
        return "read before"
    if standing.done:
        return "read"
    return "begun" if standing.records else "not read yet"


def _together(by_sides: Mapping[tuple[str, ...], int]) -> int:
    return sum(number for sides, number in by_sides.items() if len(sides) > 1)


def _alone(by_sides: Mapping[tuple[str, ...], int]) -> dict[str, int]:
    return {sides[0]: number for sides, number in sorted(by_sides.items()) if len(sides) == 1}


def _by_side(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} on {side}" for side, number in sorted(numbers.items())) or "none"
