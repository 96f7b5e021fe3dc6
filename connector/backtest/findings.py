"""Findings: what a tally of replayed lives comes to, as plain data. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from connector.backtest.alike import FEW, Alike
from connector.backtest.tally import Answers, Changed, RuleTally, Tally
from connector.clock import DAY_MS

MONTH_DAYS: Final = 30.4375


def findings(tally: Tally) -> dict[str, Any]:
    """The counts, the shares with their intervals, each rule's part, and what to know before believing it."""
    days = max((tally.until_ms - tally.begins_ms) / DAY_MS, 1.0)
    months = days / MONTH_DAYS
    gained = [one for one in tally.changed if one.kind == "gained"]
    lost = [one for one in tally.changed if one.kind == "lost"]
    return {
        "since": _iso(tally.begins_ms),
        "until": _iso(tally.until_ms),
        "months": round(months, 2),
        "leads": tally.leads,
        "good": tally.aim,
        "in_force": _mqls(tally.before, months),
        "tried": _mqls(tally.after, months),
        "kept": _mqls(tally.kept, months) | _moved(tally.sooner_ms) | {"too_late": tally.too_late},
        "gained": _changed(gained, tally.alike, months),
        "lost": _changed(lost, tally.alike, months),
        "rules": [
            {"rule": name, **_rule(found, months), **_part_in(name, gained, lost, tally.alike)}
            for name, found in sorted(
                tally.rules.items(), key=lambda item: (-item[1].gained - item[1].lost, item[0])
            )
        ],
        "recorded": {
            "mqls": tally.recorded,
            "found_again": tally.found_again,
            "never_made": tally.never_made,
            "by_hand": tally.by_hand,
            "answers_never_given": tally.never_said,
        },
        "guess_right": tally.alike.checked().to_json(),
        "fields_as_now": sorted(tally.suspects),
        "filled_in_later": {
            name: {"good": good.to_json(), "bad": bad.to_json()}
            for name, (good, bad) in tally.suspicious().items()
        },
        "resting": tally.resting,
        "without_history": tally.without_history,
        "unfinished": tally.unfinished,
        "errors": dict(tally.errors.most_common()),
    }


COLUMNS: Final = (
    "at", "change", "lead", "name", "pursuit", "score", "rules", "because", "answer", "reason", "alike",
    "alike_good", "alike_of", "later",
)  # fmt: skip
"""What is told of each MQL that is gained or lost."""


def one_by_one(tally: Tally) -> list[dict[str, Any]]:
    """The MQLs gained and lost, in the order of time."""
    return [
        {
            "at": _iso(one.at_ms),
            "change": one.kind,
            "lead": one.lead_id,
            "name": one.name,
            "pursuit": one.cycle,
            "score": one.score,
            "rules": list(one.fired),
            "because": list(one.because),
            "answer": answer(one),
            "reason": one.reason if one.handed_in_fact else None,
            **_alike(one, tally.alike),
            "later": one.later,
        }
        for one in sorted(tally.changed, key=lambda one: (one.at_ms, one.lead_id, one.kind))
    ]


def answer(one: Changed) -> str | None:
    """What really became of a changed MQL, in one word; None where it never was one."""
    if not one.handed_in_fact and one.good is None:
        return None
    return one.ending or ("good" if one.good else "open")


def _alike(one: Changed, alike: Alike) -> dict[str, Any]:
    """For an MQL that nobody has answered: what the leads alike were."""
    if one.good is not None:
        return {"alike": None, "alike_good": None, "alike_of": None}
    votes = alike.votes(one.pattern)
    return {"alike": votes.like, "alike_good": votes.good, "alike_of": votes.of}


def _mqls(answers: Answers, months: float) -> dict[str, Any]:
    return {
        "mqls": answers.count,
        "a_month": _rate(answers.count, months),
        "good": answers.good,
        "bad": answers.bad,
        "share_good": answers.share.to_json(),
    }


def _moved(sooner_ms: Iterable[int]) -> dict[str, Any]:
    days = sorted(ms / DAY_MS for ms in sooner_ms)
    middle = days[len(days) // 2] if days else 0.0
    return {
        "sooner": sum(each >= 1 for each in days),
        "later": sum(each <= -1 for each in days),
        "median_days_sooner": round(middle, 1),
    }


def _changed(found: list[Changed], alike: Alike, months: float) -> dict[str, Any]:
    unanswered = [one for one in found if one.good is None]
    like = Counter(alike.votes(one.pattern).like for one in unanswered)
    return {
        "mqls": len(found),
        "a_month": _rate(len(found), months),
        "good": sum(one.good is True for one in found),
        "bad": sum(one.good is False for one in found),
        "unanswered": len(unanswered),
        "like_good": like["good"],
        "like_bad": like["bad"],
        "like_none": like["unknown"],
        "like_good_a_month": _rate(like["good"], months),
        "like_bad_a_month": _rate(like["bad"], months),
        "expected_good": alike.expected(one.pattern for one in unanswered).to_json(),
        "fewest_alike": FEW,
        "in_a_later_pursuit": sum(one.later for one in found),
        "reasons": dict(Counter(one.reason for one in found if one.good is False).most_common()),
    }


def _rule(found: RuleTally, months: float) -> dict[str, Any]:
    return {
        "in_force": found.before.count,
        "tried": found.after.count,
        "share_good": found.after.share.to_json(),
        "share_good_in_force": found.before.share.to_json(),
        "gained": found.gained,
        "lost": found.lost,
        "gained_a_month": _rate(found.gained, months),
        "lost_a_month": _rate(found.lost, months),
    }


def _part_in(rule: str, gained: list[Changed], lost: list[Changed], alike: Alike) -> dict[str, Any]:
    """What the MQLs that a rule gained and lost are like, or were."""
    new = [one for one in gained if rule in one.because]
    old = [one for one in lost if rule in one.because]
    like = Counter(_is_or_like(one, alike) for one in new)
    return {
        "gained_bad": like["bad"],
        "gained_good": like["good"],
        "lost_bad": sum(one.good is False for one in old),
        "lost_good": sum(one.good is True for one in old),
    }


def _is_or_like(one: Changed, alike: Alike) -> str:
    if one.good is not None:
        return "good" if one.good else "bad"
    return alike.votes(one.pattern).like


def _rate(count: int, months: float) -> float:
    return round(count / months, 1)


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
