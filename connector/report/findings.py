"""Findings: what a reader must know first: what changed, what leaks, what to do about it. Pure.

Says "clearly" only of what chance does not explain (95 %), and nothing of what is too little to tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from connector.report.confidence import TOO_FEW, Share, compare, difference, number_changed
from connector.report.wording import PARTS, counted, length, percent, ratio, reason, share_of

RULES_AT_MOST: Final = 3
VALUES_AT_MOST: Final = 2
_ON_THE_WAY: Final = ("qualification gate", "nurture gate")
"""Gates that make no MQL: which leads passed them says when they came, not how good the gate is."""

_MANY_REJECTED: Final = 20
_LARGE_SHARE: Final = 0.3

_REMEDIES: Final[Mapping[str, str]] = {
    "bad_data": "ask for what is missing in the forms, or disqualify by rule what cannot be reached",
    "not_a_fit": "raise the fit that the gate asks for, or the points that keep the wrong ones out",
    "competitor": "add their domains to the rules that disqualify",
    "already_customer": "exclude customers by rule before they become MQLs",
    "no_budget": "let the rules weigh company size, or nurture them longer",
    "no_authority": "let the rules weigh the job title more",
    "no_need": "let the gate ask for more engagement",
    "timing": "let the gate ask for fresher engagement, and check the cooling-off of this reason",
    "unreachable": "ask for a telephone number, or hand over sooner after the last activity",
    "duplicate": "look at `leadloop holds` for people who are there twice",
    "wrong_territory": "correct the routes: these leads reached the wrong person",
    "spam": "disqualify by rule what the forms let through",
}


def findings(data: Mapping[str, Any], default_reason: str) -> dict[str, list[str]]:
    """Sentences: what changed against the days before, what leaks, what to do."""
    return {
        "changed": list(_changed(data)),
        "leaks": list(_leaks(data)),
        "to_do": list(_to_do(data, default_reason)) or ["Nothing stands out: go on as you do."],
    }


# what changed -------------------------------------------------------------------------------------------


def _changed(data: Mapping[str, Any]) -> Iterator[str]:
    now, before = data["mqls"]["now"], data["mqls"]["before"]
    days = data["period"]["days"]
    earlier = f"the {counted(days, 'day')} before"
    if not now["made"] and not before["made"]:
        yield "No lead became an MQL in this period, nor in the one before."
        return
    against = _against(now["made"], before["made"], earlier)
    yield f"{counted(now['made'], 'MQL')} in {counted(days, 'day')}; {against}."
    one, other = _share(now["acceptance"]), _share(before["acceptance"])
    if one.of:
        yield f"Sales accepted {share_of(now['acceptance'])} that it judged{_moved(one, other, earlier)}."
    if now["mql_to_sal"] is not None:
        yield (
            f"The ratio of MQLs to leads that sales accepted is {ratio(now['mql_to_sal'])}; it should be "
            f"close to 1. {counted(now['waiting'], 'MQL')} that nobody has judged yet {_are(now['waiting'])} "
            "in it."
        )
    answered, was = data["response"]["now"], data["response"]["before"]
    if answered["number"] >= TOO_FEW:
        told = f", after {length(was['median_ms'])} before" if was["number"] >= TOO_FEW else ""
        yield (
            f"Half of sales' answers came within {length(answered['median_ms'])} of the hand-over{told}; "
            f"nine in ten within {length(answered['p90_ms'])}."
        )
    won, had = now["won"], before["won"]
    if won or had:
        yield (
            f"{won:,} of these MQLs {_are(won)} won so far, and {had:,} of those made in {earlier}, which "
            "have had more time."
        )


def _against(now: int, before: int, earlier: str) -> str:
    if not number_changed(now, before):
        return f"{before:,} in {earlier}, which is no clear change"
    return f"clearly {'more' if now > before else 'fewer'} than the {before:,} in {earlier}"


def _moved(now: Share, before: Share, earlier: str) -> str:
    if now.too_few or before.too_few or now.share is None or before.share is None:
        return ""
    low, high = difference(now, before)
    if low > 0 or high < 0:
        return f", clearly {'more' if low > 0 else 'less'} than the {percent(before.share)} of {earlier}"
    return f", no clear change from the {percent(before.share)} of {earlier}"


# what leaks ---------------------------------------------------------------------------------------------


def _leaks(data: Mapping[str, Any]) -> Iterator[str]:
    untouched = data["untouched"]
    if untouched["number"]:
        first = untouched["leads"][0]
        yield (
            f"{counted(untouched['number'], 'lead')} that sales has not touched {_are(untouched['number'])} "
            f"waiting, the longest for {counted(first['days'], 'day')}."
        )
    now = data["mqls"]["now"]
    if now["lapsed"]:
        yield f"{counted(now['lapsed'], 'MQL')} went back to nurture because nobody answered in time."
    for row in (data["deadlines"] or {}).get("deadlines", ()):
        ended = row["met"] + row["breached"]
        if row["breached"]:
            yield f"The deadline “{row['deadline']}” was missed {row['breached']:,} of {ended:,} times."
    rejected = data["rejections"]
    missing = rejected["without_reason"]
    if missing["hits"]:
        yield f"{counted(missing['hits'], 'rejection')} of {rejected['total']:,} came without a reason."
    differ = data["disagreements"]["leads"]
    if differ:
        yield f"On {counted(differ, 'lead')} the platforms show different things, or cannot show the same."


# what to do ---------------------------------------------------------------------------------------------


def _to_do(data: Mapping[str, Any], default_reason: str) -> Iterator[str]:
    owners = data["untouched"]["owners"]
    if owners:
        worst = owners[0]
        who = "nobody, since no route gave them an owner" if worst["owner"] == "(none)" else worst["owner"]
        yield (
            f"Have the {counted(worst['number'], 'lead')} of {who} looked at: the oldest has waited "
            f"{counted(worst['days'], 'day')}."
        )
        if not (data["deadlines"] or {}).get("deadlines") and data["only"] is None:
            yield "Set a deadline for the first response, so that leads nobody takes are routed again."
    judged = data["mqls"]["now"]["acceptance"]
    low = [
        row for row in data["rules"]
        if row["compared"] == "below" and row["acceptance"]["of"] < judged["of"]
        and row["rule"] not in _ON_THE_WAY
    ]  # fmt: skip
    for row in sorted(low, key=lambda row: row["acceptance"]["high"])[:RULES_AT_MOST]:
        yield (
            f"Look at the {PARTS[row['part']]} rule “{row['rule']}”: sales accepted "
            f"{share_of(row['acceptance'])} MQLs that it helped to make and {percent(judged['share'])} of all"
            f"{_mostly(row['reasons'])}."
        )
    yield from _weak_values(data, judged)
    rejected = data["rejections"]
    if rejected["total"] >= _MANY_REJECTED:
        for row in rejected["reasons"][:1]:
            if row["share"] >= _LARGE_SHARE and row["reason"] in _REMEDIES:
                told = f"{percent(row['share'])} of rejections are “{reason(row['reason'])}”"
                yield f"{told}: {_REMEDIES[row['reason']]}."
        missing = rejected["without_reason"]
        if missing["share"] is not None and missing["share"] >= _LARGE_SHARE:
            yield (
                f"Ask sales for reasons: {percent(missing['share'])} of rejections came without one, and "
                f"count as “{reason(default_reason)}”."
            )
    if data["disagreements"]["leads"]:
        yield "Go through the fields on which the platforms disagree, at the end of this report."


def _weak_values(data: Mapping[str, Any], judged: Mapping[str, Any]) -> Iterator[str]:
    """The sources whose MQLs sales clearly accepts less often than all, the worst first."""
    base = _share(judged)
    weak = [
        row
        for row in data["by"].get("source", ())
        if row["acceptance"]["of"] < judged["of"] and compare(_share(row["acceptance"]), base) == "below"
    ]
    for row in sorted(weak, key=lambda row: row["acceptance"]["high"])[:VALUES_AT_MOST]:
        yield (
            f"Ask whether the source “{row['value']}” is worth it: sales accepted "
            f"{share_of(row['acceptance'])} MQLs from there, and {percent(judged['share'])} of all"
            f"{_mostly(row['reasons'])}."
        )


def _mostly(reasons: Mapping[str, int]) -> str:
    total = sum(reasons.values())
    first = next(iter(reasons), None)
    if first is None or total < TOO_FEW or reasons[first] * 3 < total:
        return ""
    return f"; rejected most often as “{reason(first)}”"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _share(data: Mapping[str, Any]) -> Share:
    return Share(data["hits"], data["of"], data["low"], data["high"])
