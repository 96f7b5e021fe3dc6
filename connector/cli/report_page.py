"""ReportPage: the report for a terminal of 100 columns. Only prints; every figure comes from the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connector.cli.output import Page
from connector.report import wording as say
from mappings.vocabulary import Vocabulary

ROWS = 8
"""Rows of a table; `--json` has the others."""

BAR = 24


def print_report(data: Mapping[str, Any], vocabulary: Vocabulary) -> None:
    """Print the report: what matters first, then one section for each question."""
    page = Page()
    days, before = data["period"], data["compared_with"]
    about = "" if data["only"] is None else f" · {data['only']['dimension']} {data['only']['value']}"
    page.heading(f"Leads from {days['since']} to {days['until']}{about}")
    page.line(
        f"compared with {before['since']} to {before['until']}; days of UTC; shares with 95 % intervals"
    )
    for title, kind in (("What changed", "changed"), ("What leaks", "leaks"), ("What to do", "to_do")):
        found = data["summary"][kind]
        page.heading(title)
        page.table([("•", sentence) for sentence in found or ["Nothing that the report can see."]])
    _funnel(page, data, vocabulary)
    _quality(page, data)
    _times(page, data)
    _rejections(page, data)
    _rules(page, data)
    _touches(page, data)
    for dimension, rows in data["by"].items():
        _breakdown(page, dimension, data["fields"][dimension], rows)
    _untouched(page, data)
    _disagreements(page, data)


def _funnel(page: Page, data: Mapping[str, Any], vocabulary: Vocabulary) -> None:
    page.heading("Funnel: leads that came to each stage, and what became of them until now")
    page.line("went on: of those that have left the stage; median, 9 in 10: the times of those that went on")
    rows = []
    for row in data["funnel"]:
        time = row["time_to_go_on"]
        went = "—" if row["went_on"] is None else say.short_share(row["went_on"])
        if row["stage"] == "closed":
            went = f"{row['won']:,} won, {row['lost']:,} lost"
        rows.append(
            (
                vocabulary.shown(row["stage"]),
                f"{row['first_cycle']:,}",
                f"{row['later_cycles']:,}",
                f"{row['skipped']:,}",
                say.change(row["entered"], row["before"]),
                went,
                f"{row['still_there']:,}",
                "—" if time is None else say.length(time["median_ms"]),
                "—" if time is None else say.length(time["p90_ms"]),
            )
        )
    page.table(
        rows,
        ("stage", "first", "later", "skipped", "change", "went on", "there", "median", "9 in 10"),
    )


def _quality(page: Page, data: Mapping[str, Any]) -> None:
    parts = [part for part in data["quality"]["parts"] if part["made"]]
    if not parts:
        return
    page.heading(
        f"MQLs and what sales made of them, by {data['quality']['unit']} (the ratio should be close to 1)"
    )
    most = max(part["made"] for part in parts)
    page.table(
        [
            (
                part["since"] + (" *" if part["partial"] else ""),
                _bar(part["accepted"], part["made"], most),
                f"{part['made']:,}",
                f"{part['accepted']:,}",
                f"{part['rejected'] + part['lapsed']:,}",
                f"{part['waiting']:,}",
                say.ratio(part["mql_to_sal"]),
            )
            for part in parts
        ],
        ("from", "█ accepted", "MQLs", "accepted", "back", "waiting", "MQL:SAL"),
    )
    if any(part["partial"] for part in parts):
        page.line(f"* not a whole {data['quality']['unit']}")


def _bar(accepted: int, made: int, most: int) -> str:
    whole = max(1, round(made * BAR / most))
    full = min(whole, round(accepted * BAR / most))
    return "█" * full + "░" * (whole - full)


def _times(page: Page, data: Mapping[str, Any]) -> None:
    page.heading(f"Times (within {say.percent(data['times_are_within'])})")
    page.table(
        [
            (
                row["way"],
                f"{row['number']:,}",
                say.length(row["median_ms"]),
                say.length(row["p90_ms"]),
                say.length(row["before"]["median_ms"]),
            )
            for row in data["velocity"]
        ],
        ("way", "number", "median", "9 in 10 within", "median before"),
    )
    deadlines = data["deadlines"]
    for kind in ("deadlines", "owners") if deadlines else ():
        name = kind.removesuffix("s")
        page.table(
            [
                (row[name], *(f"{row[what]:,}" for what in ("started", "reminded", "met", "breached")))
                for row in deadlines[kind][:ROWS]
            ],
            (name, "started", "reminded", "met", "missed"),
        )


def _rejections(page: Page, data: Mapping[str, Any]) -> None:
    rejected = data["rejections"]
    page.heading(f"Rejections: {rejected['total']:,} ({rejected['before']:,} before)")
    page.line(
        f"{rejected['routed_again']:,} were routed again, {rejected['after_acceptance']:,} came after sales "
        f"had accepted; without a reason: {say.share_of(rejected['without_reason'])}"
    )
    page.table(
        [
            (say.reason(row["reason"]), f"{row['hits']:,}", say.short_share(row), f"{row['before']:,}")
            for row in rejected["reasons"][:ROWS]
        ],
        ("reason", "number", "share", "before"),
    )


def _rules(page: Page, data: Mapping[str, Any]) -> None:
    rules = data["rules"]
    now = data["mqls"]["now"]
    page.heading("Rules and gates: the MQLs that each helped to make")
    page.line(f"all MQLs: {now['made']:,}; sales accepted {say.share_of(now['acceptance'])}")
    page.table(
        [
            (
                row["rule"],
                say.PARTS[row["part"]],
                f"{row['made']:,}",
                say.short_share(row["acceptance"]),
                row["compared"] if row["compared"] != "like the rest" else "",
                f"{row['won']:,}",
                _reasons(row["reasons"]),
            )
            for row in rules
        ],
        ("rule", "part", "MQLs", "accepted", "than all", "won", "rejected as"),
    )


def _reasons(reasons: Mapping[str, int], most: int = 2) -> str:
    return ", ".join(f"{number:,} {say.reason(name)}" for name, number in list(reasons.items())[:most])


def _touches(page: Page, data: Mapping[str, Any]) -> None:
    touches = data["touches_before_mql"]
    if touches["mqls"]:
        page.heading("Touches before a lead became an MQL")
        page.line(
            f"half had up to {touches['median']}, nine in ten up to {touches['p90']} "
            f"({touches['mqls']:,} MQLs)"
        )


def _breakdown(page: Page, dimension: str, field: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    page.heading(f"By {dimension}" + (f" ({field})" if field != dimension else ""))
    if dimension == "owner":
        page.table(
            [
                (
                    row["value"],
                    f"{row['handed_over']['number']:,}",
                    say.short_share(row["handed_over"]["acceptance"]),
                    *(f"{row['handed_over'][what]:,}" for what in ("rejected", "lapsed", "waiting")),
                    say.length(row["responses"]["median_ms"]),
                    say.length(row["responses"]["p90_ms"]),
                )
                for row in rows[:ROWS]
            ],
            ("owner", "handed over", "accepted", "rejected", "lapsed", "waiting", "answer", "9 in 10"),
        )
    else:
        _values(page, dimension, rows)
    if len(rows) > ROWS:
        page.line(f"and {len(rows) - ROWS} more: --json or --html shows them")


def _values(page: Page, dimension: str, rows: Sequence[Mapping[str, Any]]) -> None:
    page.table(
        [
            (
                row["value"],
                f"{row['made']:,}",
                say.change(row["made"], row["before"]),
                say.short_share(row["acceptance"]),
                say.ratio(row["mql_to_sal"]),
                f"{row['waiting']:,}",
                f"{row['won']:,}",
                say.length(row["responses"]["median_ms"]),
            )
            for row in rows[:ROWS]
        ],
        (dimension, "MQLs", "change", "accepted", "MQL:SAL", "waiting", "won", "answer"),
    )


def _untouched(page: Page, data: Mapping[str, Any]) -> None:
    untouched = data["untouched"]
    page.heading(f"Leads that nobody touched, as of now: {untouched['number']:,}")
    page.line(
        "handed over more than a day ago, no answer, no activity of sales; "
        f"{untouched['handed_over_lately']:,} more handed over since"
    )
    page.table(
        [
            (row["owner"], f"{row['number']:,}", say.counted(row["days"], "day"))
            for row in untouched["owners"][:ROWS]
        ],
        ("owner", "leads", "the oldest waits"),
    )
    page.table(
        [
            (row["name"], row["owner"], say.counted(row["days"], "day"), row["records"])
            for row in untouched["leads"][:ROWS]
        ],
        ("lead", "owner", "waits", "records"),
    )


def _disagreements(page: Page, data: Mapping[str, Any]) -> None:
    found = data["disagreements"]
    page.heading(f"Where the platforms disagree, as of now: {say.counted(found['leads'], 'lead')}")
    page.table(
        [(row["field"], row["kind"], f"{row['number']:,}") for row in found["fields"][:ROWS]],
        ("field", "why", "leads"),
    )
    page.table(
        [(row["name"], row["field"], _told(row)) for row in found["list"][:ROWS]],
        ("lead", "field", "what they show"),
    )


def _told(row: Mapping[str, Any]) -> str:
    shows = ", ".join(f"{side}: {'—' if value is None else value}" for side, value in row["shows"].items())
    return row["told"] or shows or row["kind"]
