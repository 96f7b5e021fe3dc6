"""Figures: what the counters of a period say, as plain JSON data. Pure: the counters are handed in."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from connector.report.confidence import compare, wilson
from connector.report.spans import percentile_ms
from mappings.stages import LINE, Stage

ROWS_AT_MOST: Final = 100
"""Rows of a breakdown; the rest is one row, `others`."""

OTHERS: Final = "(others)"

_ENDED: Final = ("rejected", "lapsed", "withdrawn", "dropped", "won", "lost")
_GOING_ON: Final = {Stage.DISTRIBUTED.value: ("response", Stage.DISTRIBUTED.value, "accepted")}
"""Where the times of a stage are counted as something else."""

_LEFT: Final = ("onward", "rejected", "lapsed", "withdrawn", "merged", "reopened")


class Counted(Protocol):
    """A figure over a period, as the store adds it up."""

    @property
    def value(self) -> str: ...
    @property
    def figure(self) -> str: ...
    @property
    def stage(self) -> str: ...
    @property
    def cycle(self) -> int: ...
    @property
    def how(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def bucket(self) -> int: ...
    @property
    def number(self) -> int: ...


@dataclass(slots=True)
class Slice:
    """The counters of one value of a dimension: numbers by (figure, stage, how), the same by cycle and by
    reason, and buckets by (figure, stage, how)."""

    numbers: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    by_cycle: Counter[tuple[str, str, str, int]] = field(default_factory=Counter)
    by_reason: dict[tuple[str, str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    buckets: dict[tuple[str, str, str], Counter[int]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, row: Counted) -> None:
        place = (row.figure, row.stage, row.how)
        self.numbers[place] += row.number
        self.by_cycle[*place, row.cycle] += row.number
        if row.figure in ("span", "response", "touches"):
            self.buckets[place][row.bucket] += row.number
        elif row.figure in ("rejected", "mql"):
            self.by_reason[place][row.reason] += row.number

    def merge(self, other: Slice) -> None:
        self.numbers.update(other.numbers)
        self.by_cycle.update(other.by_cycle)
        for place, reasons in other.by_reason.items():
            self.by_reason[place].update(reasons)
        for place, buckets in other.buckets.items():
            self.buckets[place].update(buckets)


def slices(rows: Iterable[Counted]) -> dict[str, Slice]:
    """The counters by value of their dimension."""
    found: dict[str, Slice] = defaultdict(Slice)
    for row in rows:
        found[row.value].add(row)
    return dict(found)


# MQLs ---------------------------------------------------------------------------------------------------


def outcomes(of: Mapping[str, int]) -> dict[str, Any]:
    """What became of some MQLs until now, by how many of them it happened to. `accepted` is the share of
    those that sales judged, `won` of those whose pursuit has ended."""
    made = of.get("made", 0) - of.get("merged", 0)
    accepted, rejected = of.get("accepted", 0), of.get("rejected", 0)
    decided = accepted + rejected + of.get("lapsed", 0) + of.get("withdrawn", 0)
    return {
        "made": made,
        "accepted": accepted,
        "rejected": rejected,
        "lapsed": of.get("lapsed", 0),
        "withdrawn": of.get("withdrawn", 0),
        "dropped": of.get("dropped", 0),
        "won": of.get("won", 0),
        "lost": of.get("lost", 0),
        "waiting": max(0, made - decided),
        "acceptance": wilson(accepted, accepted + rejected).to_json(),
        "winning": wilson(of.get("won", 0), sum(of.get(how, 0) for how in _ENDED)).to_json(),
        "mql_to_sal": round(made / accepted, 2) if accepted else None,
    }


def mqls(of: Slice) -> dict[str, Any]:
    """The outcomes of the MQLs of a slice."""
    return outcomes(_by_how(of, "mql", Stage.MQL.value))


def quality(
    parts: Sequence[tuple[str, str, bool]], rows: Sequence[Mapping[str, int]]
) -> list[dict[str, Any]]:
    """The outcomes of the MQLs of each week or month: first and last day, whether it is cut, numbers."""
    found = []
    for (since, until, cut), numbers in zip(parts, rows, strict=True):
        of = outcomes(numbers)
        kept = ("made", "accepted", "rejected", "lapsed", "waiting", "acceptance", "mql_to_sal")
        found.append({"since": since, "until": until, "partial": cut, **{name: of[name] for name in kept}})
    return found


def rules(rows: Iterable[Counted], base: Slice) -> list[dict[str, Any]]:
    """Every rule and gate that helped to make an MQL, with what became of those, beside all MQLs."""
    numbers: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    reasons: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in rows:
        name = (row.stage, row.value)
        numbers[name][row.how] += row.number
        if row.how == "rejected":
            reasons[name][row.reason] += row.number
    all_of_them = _by_how(base, "mql", Stage.MQL.value)
    usual = wilson(all_of_them["accepted"], all_of_them["accepted"] + all_of_them["rejected"])
    found = []
    ranked = sorted(numbers, key=lambda name: (_PARTS.index(name[0]), -numbers[name]["made"], name[1]))
    for part, rule in ranked:
        of = numbers[part, rule]
        told = outcomes(of)
        share = wilson(of["accepted"], of["accepted"] + of["rejected"])
        told |= {"reasons": _ranked(reasons[part, rule]), "compared": compare(share, usual)}
        found.append({"part": part, "rule": rule, **told})
    return found


_PARTS: Final = ("gate", "fast_track", "hand", "fit", "engagement")


# stages -------------------------------------------------------------------------------------------------


def funnel(now: Slice, before: Slice) -> list[dict[str, Any]]:
    """Each stage: how many leads came there, in which cycle, how many passed it over, what became of those
    who came, and how long it took them to go on."""
    found = []
    for stage in (*LINE, Stage.DISQUALIFIED):
        name = stage.value
        visits = _entered(now, name)
        left = _by_how(now, "left", name)
        onward, gone = left["onward"], sum(left[how] for how in _LEFT if how != "merged")
        end = stage in (Stage.CLOSED, Stage.DISQUALIFIED)
        row: dict[str, Any] = {
            "stage": name,
            "entered": visits,
            "first_cycle": _entered(now, name, 1),
            "later_cycles": _entered(now, name, 2),
            "again": sum(n for (figure, at, _), n in now.numbers.items() if (figure, at) == ("again", name)),
            "skipped": now.numbers["skipped", name, ""],
            "before": _entered(before, name),
            "left": {how: left[how] for how in _LEFT if left[how]},
            "still_there": max(0, visits - sum(left.values())),
            "went_on": None if end else wilson(onward, gone).to_json(),
            "time_to_go_on": None
            if end
            else times(now.buckets.get(_GOING_ON.get(name, ("span", name, "")), {})),
        }
        if stage is Stage.CLOSED:
            row |= {
                how: now.numbers["entered", name, how] + now.numbers["again", name, how]
                for how in ("won", "lost")
            }
        found.append(row)
    return found


def velocity(now: Slice, before: Slice) -> list[dict[str, Any]]:
    """How long the long ways took that were completed in the period."""
    ways = (
        ("handed over → accepted", "response", "distributed", "accepted"),
        ("handed over → rejected", "response", "distributed", "rejected"),
        ("MQL → accepted", "span", "mql", "to_accepted"),
        ("MQL → won", "span", "mql", "to_won"),
    )
    return [
        {
            "way": way,
            **times(now.buckets.get(place, {})),
            "before": times(before.buckets.get(place, {})),
        }
        for way, *rest in ways
        for place in ((rest[0], rest[1], rest[2]),)
    ]


def times(buckets: Mapping[int, int]) -> dict[str, Any]:
    """Number, median and 90th percentile of lengths of time."""
    return {
        "number": sum(buckets.values()),
        "median_ms": percentile_ms(buckets, 0.5),
        "p90_ms": percentile_ms(buckets, 0.9),
    }


def response(of: Slice) -> dict[str, Any]:
    """How long sales took to its first answer, yes or no, of the answers given in the period."""
    both: Counter[int] = Counter()
    for how in ("accepted", "rejected"):
        both.update(of.buckets.get(("response", Stage.DISTRIBUTED.value, how), {}))
    return times(both)


def touches(of: Slice) -> dict[str, Any]:
    """How many touches the MQLs had had: the exact numbers, their median and 90th percentile."""
    counts = of.buckets.get(("touches", Stage.MQL.value, ""), Counter())
    total = sum(counts.values())
    return {
        "mqls": total,
        "median": _nth(counts, 0.5),
        "p90": _nth(counts, 0.9),
        "distribution": [{"touches": number, "mqls": counts[number]} for number in sorted(counts)],
    }


# rejections ---------------------------------------------------------------------------------------------


def rejections(now: Slice, before: Slice, default_reason: str) -> dict[str, Any]:
    """What sales handed back in the period, by reason; those without a reason carry the default one."""
    numbers, earlier = _rejected(now), _rejected(before)
    total = sum(numbers.values())
    again = sum(n for (figure, _, how), n in now.numbers.items() if (figure, how) == ("rejected", "mql"))
    return {
        "total": total,
        "before": sum(earlier.values()),
        "routed_again": again,
        "after_acceptance": sum(
            n for (figure, at, _), n in now.numbers.items()
            if figure == "rejected" and at in ("accepted", "qualified")
        ),
        "without_reason": wilson(numbers[default_reason] + numbers[""], total).to_json(),
        "reasons": [
            {"reason": reason, **wilson(number, total).to_json(), "before": earlier[reason]}
            for reason, number in _ranked(numbers).items()
        ],
    }  # fmt: skip


def _rejected(of: Slice) -> Counter[str]:
    """By reason, of leads that were in sales' hands."""
    found: Counter[str] = Counter()
    for (figure, stage, _), reasons in of.by_reason.items():
        if figure == "rejected" and stage in ("mql", "distributed", "accepted", "qualified"):
            found.update(reasons)
    return found


# breakdown ----------------------------------------------------------------------------------------------


def breakdown(now: Mapping[str, Slice], before: Mapping[str, Slice]) -> list[dict[str, Any]]:
    """The values of a dimension, those with the most MQLs first; what is too much to list is one row."""
    ranked = sorted(now, key=lambda value: (-now[value].numbers["mql", "mql", "made"], value))
    rows = [_value_row(value, now[value], before.get(value, Slice())) for value in ranked[:ROWS_AT_MOST]]
    if len(ranked) > ROWS_AT_MOST:
        rest, earlier = Slice(), Slice()
        for value in ranked[ROWS_AT_MOST:]:
            rest.merge(now[value])
            earlier.merge(before.get(value, Slice()))
        rows.append(_value_row(OTHERS, rest, earlier))
    return [row for row in rows if row["entered"] or row["made"] or row["responses"]["number"]]


def _handed_over(of: Slice) -> dict[str, Any]:
    """What became of the hand-overs of the period, for the owner who got each of them."""
    number, left = _entered(of, Stage.DISTRIBUTED.value), _by_how(of, "left", Stage.DISTRIBUTED.value)
    number -= left["merged"]
    answered = left["onward"] + left["rejected"]
    gone = answered + left["lapsed"] + left["withdrawn"]
    return {
        "number": number,
        "accepted": left["onward"],
        "rejected": left["rejected"],
        "lapsed": left["lapsed"],
        "withdrawn": left["withdrawn"],
        "waiting": max(0, number - gone),
        "acceptance": wilson(left["onward"], answered).to_json(),
    }


def _value_row(value: str, now: Slice, before: Slice) -> dict[str, Any]:
    reasons = _rejected(now)
    return {
        "value": value,
        "entered": _entered(now, Stage.INQUIRY.value),
        **mqls(now),
        "before": mqls(before)["made"],
        "handed_over": _handed_over(now),
        "opportunities": _entered(now, Stage.OPPORTUNITY.value),
        "responses": response(now),
        "reasons": _ranked(reasons),
    }


def _entered(of: Slice, stage: str, cycle: int | None = None) -> int:
    """Visits to a stage, in the first or the later cycles."""
    if cycle is None:
        return sum(n for (figure, at, _), n in of.numbers.items() if at == stage and figure in _VISITS)
    return sum(
        n for (figure, at, _, turn), n in of.by_cycle.items()
        if at == stage and turn == cycle and figure in _VISITS
    )  # fmt: skip


_VISITS: Final = ("entered", "again")


def _by_how(of: Slice, figure: str, stage: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for (name, at, how), number in of.numbers.items():
        if (name, at) == (figure, stage):
            found[how] += number
    return found


def _ranked(numbers: Counter[str]) -> dict[str, int]:
    return {name: n for name, n in sorted(numbers.items(), key=lambda item: (-item[1], item[0])) if n}


def _nth(counts: Mapping[int, int], share: float) -> int | None:
    total, seen = sum(counts.values()), 0
    for number in sorted(counts):
        seen += counts[number]
        if seen >= share * total:
            return number
    return None
