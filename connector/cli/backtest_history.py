"""The backtest on recorded history: asks for it, and prints what it found in 100 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector.cli.backtest import read_tried
from connector.cli.failures import Problem
from connector.cli.output import Page, counted
from connector.cli.place import Place

if TYPE_CHECKING:
    from connector.backtest.verdicts import Aim
    from connector.configuration import Configuration

RULES_SHOWN = 20
NOT_KNOWN = "too few to say"


def replay_history(
    place: Place,
    url: str | None,
    rules: Path | None,
    outcome: str | None,
    barred: Sequence[str],
    since: str | None,
    until: str | None,
    *,
    listed: bool,
) -> dict[str, Any]:
    """The findings. Raises Problem, StoreError, ConfigErrors."""
    from connector.backtest.findings import COLUMNS, findings, one_by_one
    from connector.backtest.recorded import Wish, backtest

    now_ms = place.clock.now_ms()
    since_ms, until_ms = _moment("--since", since, now_ms), _moment("--until", until, now_ms)
    if since_ms is not None and until_ms is not None and since_ms >= until_ms:
        raise Problem("--since must be before --until.")
    aim = _aim(outcome)
    with place.database(url=url, read_only=True) as database:
        with database.read() as conn:
            in_force = place.in_force(conn)
        tried = read_tried(place, rules, in_force)
        check_barred(barred, tried)
        tally = backtest(database, in_force, tried, Wish(since_ms, until_ms, aim, tuple(barred)))
    if tally is None:
        raise Problem(
            "The database has no history yet: no lead has moved. Leave `leadloop run` to work first."
        )
    if tally.begins_ms >= tally.until_ms:
        raise Problem("Nothing is recorded in this period: look at --since and --until.")
    found = {
        "rules": place.name if rules is None else str(rules),
        "configuration_in_force": in_force.version,
        "same_rules": in_force.rules.version == tried.rules.version,
        "barred": list(barred),
    } | {("by_rule" if key == "rules" else key): value for key, value in findings(tally).items()}
    return found | ({"listed": one_by_one(tally), "columns": COLUMNS} if listed else {})


def check_barred(barred: Sequence[str], configuration: Configuration) -> None:
    """Whether every barred field is one. Raises Problem."""
    from mappings.problems import did_you_mean

    fields = configuration.scope.fields
    for name in barred:
        if name not in fields:
            hint = did_you_mean(name, fields) or "the fields are those of the mapping, in lead.yaml"
            raise Problem(f'--bar: there is no field "{name}"; {hint}')


def _aim(outcome: str | None) -> Aim:
    from connector.backtest.verdicts import AIMS
    from mappings.problems import did_you_mean

    for aim in AIMS:
        if outcome in (None, aim):
            return aim
    raise Problem(
        f'--outcome: of recorded history it is one of {", ".join(AIMS)}, not "{outcome}"; '
        f"{did_you_mean(str(outcome), AIMS)}"
    )


def _moment(option: str, text: str | None, now_ms: int) -> int | None:
    from mappings.values import Unreadable
    from rules.case_reading import read_moment

    if text is None:
        return None
    try:
        return read_moment(text, now_ms)
    except Unreadable:
        raise Problem(f'{option}: "{text}" is no day; write 2026-03-01, or 90 days ago.') from None


def print_history(found: Mapping[str, Any], listed: Sequence[Mapping[str, Any]]) -> None:
    """Print the findings, and the leads that change where they are wanted."""
    page = Page()
    page.heading(f"What {found['rules']} would have made of the recorded history")
    page.table(
        [
            ("period", f"{_day(found['since'])} to {_day(found['until'])}: {found['months']:.1f} months"),
            ("leads", f"{found['leads']:,}"),
            ("in force", f"configuration {found['configuration_in_force']}"),
            *([("barred", ", ".join(found["barred"]))] if found["barred"] else []),
        ]
    )
    if found["same_rules"]:
        page.line("These are the rules in force: nothing changes.")
    _print_mqls(page, found)
    _print_rules(page, found["by_rule"], found["good"])
    _print_doubts(page, found)
    if listed:
        page.heading("MQLs gained and lost")
        page.table(
            [
                (
                    _day(one["at"]),
                    one["change"],
                    one["name"],
                    one["score"],
                    ", ".join(one["because"]),
                    _answered(one),
                )
                for one in listed
            ],
            ("day", "change", "lead", "score", "because of", f"{_word(found['good'])}?"),
        )


def _print_mqls(page: Page, found: Mapping[str, Any]) -> None:
    good = _word(found["good"])
    page.heading("MQLs")
    page.table(
        [
            (
                name,
                f"{found[key]['mqls']:,}",
                f"{found[key]['a_month']:.1f}",
                f"{found[key]['good'] + found[key]['bad']:,}",
                share_words(found[key]["share_good"]),
            )
            for name, key in (("rules in force", "in_force"), ("these rules", "tried"), ("both", "kept"))
        ],
        ("", "MQLs", "a month", "answered", f"{good}, of the answered"),
    )
    gained, lost = found["gained"], found["lost"]
    difference = round(found["tried"]["a_month"] - found["in_force"]["a_month"], 1)
    words = (
        f"{abs(difference):.1f} {'more' if difference > 0 else 'fewer'} MQLs a month"
        if difference
        else "As many MQLs a month"
    )
    like = (
        f", {gained['like_bad_a_month']:.1f} of them like ones that were not {good}" if gained["mqls"] else ""
    )
    page.heading(f"{words}: {gained['a_month']:.1f} gained{like}; {lost['a_month']:.1f} lost")
    if gained["mqls"]:
        page.line(_gained(gained, good))
    if lost["mqls"]:
        page.line(_lost(lost, good))
    kept = found["kept"]
    if kept["sooner"] or kept["later"]:
        words = f"Of those that stay, {kept['sooner']:,} come a day or more sooner, {kept['later']:,} later"
        late = (
            f"; {kept['too_late']:,} only after sales had answered, so nobody knows what it would have said"
        )
        page.line(words + (late if kept["too_late"] else "") + ".")


def _gained(gained: Mapping[str, Any], good: str) -> str:
    parts = [f"Gained: {counted(gained['mqls'], 'MQL')}."]
    if gained["good"] or gained["bad"]:
        parts.append(
            f"{gained['good'] + gained['bad']} of them sales got in another way: "
            f"{gained['good']} were {good}, {gained['bad']} not."
        )
    if gained["unanswered"]:
        parts.append(
            f"{gained['like_bad']} ({gained['like_bad_a_month']:.1f} a month) are like ones that were not "
            f"{good}, {gained['like_good']} ({gained['like_good_a_month']:.1f} a month) like ones that were"
            + (f", {gained['like_none']} like too few to say." if gained["like_none"] else ".")
        )
        parts.append(f"To expect: {share_words(gained['expected_good'])} {good}.")
    return " ".join(parts)


def _lost(lost: Mapping[str, Any], good: str) -> str:
    parts = [f"Lost: {counted(lost['mqls'], 'MQL')}."]
    if lost["good"] or lost["bad"]:
        parts.append(
            f"Sales answered {lost['good'] + lost['bad']}: {lost['good']} were {good}, {lost['bad']} not"
        )
        reasons = [f"{number} {reason}" for reason, number in lost["reasons"].items() if reason]
        parts[-1] += f" ({', '.join(reasons[:5])})." if reasons else "."
    if lost["in_a_later_pursuit"]:
        parts.append(f"{lost['in_a_later_pursuit']} of the leads come later.")
    return " ".join(parts)


def _print_rules(page: Page, rules: Sequence[Mapping[str, Any]], good: str) -> None:
    page.heading("By rule")
    page.table(
        [
            (
                one["rule"],
                f"{one['in_force']:,}",
                f"{one['tried']:,}",
                share_words(one["share_good"]) if one["tried"] else "—",
                *(
                    f"{one[key]:,}" if one[key] else ""
                    for key in ("gained", "gained_bad", "lost", "lost_good")
                ),
            )
            for one in rules[:RULES_SHOWN]
        ],
        ("rule", "in force", "these", f"{_word(good)}", "gained", "poor", "lost", "good"),
    )
    if len(rules) > RULES_SHOWN:
        page.line(f"and {counted(len(rules) - RULES_SHOWN, 'rule')} more, which --json lists.")
    page.line(
        f"{_word(good)}: of the answered MQLs for which the rule fires by these rules. gained and lost: "
        "because of it; an MQL counts for each rule that made the difference. poor: of the gained, those "
        f"that were not {_word(good)} or are like ones that were not. good: of the lost, those that were."
    )


def _print_doubts(page: Page, found: Mapping[str, Any]) -> None:
    recorded = found["recorded"]
    page.heading("Before you believe it")
    page.line(
        f"Replayed, the rules in force make {recorded['found_again']:,} of the {recorded['mqls']:,} MQLs "
        f"that rules made in fact, and {recorded['never_made']:,} that were not made. What differs was "
        "decided by earlier rules, on values that have changed since, or at the moments when leadloop looked."
    )
    if found["fields_as_now"]:
        page.line(
            f"There is no history of values. Taken as they are now: {', '.join(found['fields_as_now'])}. "
            "What was filled in later flatters the rules that look at it; --bar FIELD shows them without."
        )
    for name, shares in found["filled_in_later"].items():
        good, bad = shares["good"], shares["bad"]
        page.line(
            f"{name} is filled in for {good['hits']} of {good['of']} good leads and for {bad['hits']} of "
            f"{bad['of']} others: perhaps afterwards. Look at --bar {name}."
        )
    if found["gained"]["unanswered"]:
        page.line(
            "Which leads are alike is a guess by the rules that fired for them, among leads that the rules "
            "of then handed over. For leads with an answer it is right in "
            f"{share_words(found['guess_right'])}."
        )
    if recorded["answers_never_given"]:
        page.line(
            f"{counted(recorded['answers_never_given'], 'answer')} of sales to leads that these rules would "
            "not have handed over by then are left out: such a lead goes on as if it had never been offered."
        )
    for key, words in (
        ("unfinished", "could not be replayed: their rules change too often"),
        ("resting", "from before leadloop rest and are not judged"),
        ("without_history", "have no history"),
    ):
        if found[key]:
            page.line(f"{counted(found[key], 'lead')} {words}.")
    for error, number in list(found["errors"].items())[:5]:
        page.line(f"{error} ({counted(number, 'time')})")


def _answered(one: Mapping[str, Any]) -> str:
    if one["answer"] is not None:
        return f"{one['answer']}: {one['reason']}" if one["reason"] else str(one["answer"])
    if one["alike"] in (None, "unknown"):
        return "—"
    return f"alike: {one['alike_good']} of {one['alike_of']}"


def share_words(share: Mapping[str, Any]) -> str:
    """74 % (72–77 %); too few to say (3 of 4)."""
    from connector.report.confidence import wilson

    exact = wilson(share["hits"], share["of"])  # the data is rounded already, and should not be twice
    if exact.share is None:
        return "none"
    if exact.too_few:
        return f"{NOT_KNOWN} ({exact.hits:.0f} of {exact.of:.0f})"
    return f"{100 * exact.share:.0f} % ({100 * exact.low:.0f}–{100 * exact.high:.0f} %)"


def _word(aim: str) -> str:
    return {"opportunity": "an opportunity"}.get(aim, aim)


def _day(iso: str) -> str:
    return iso[:10]
