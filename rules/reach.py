"""Reach: whether the thresholds of gates and grades can be reached with the points that the rules give.

Looks across the documents, once all of them are read. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from mappings.problems import ConfigError, Path, did_you_mean
from mappings.source import Document
from rules.gates import GateRule
from rules.scoring import Grades, GroupRule, ScoreRule, highest

Place = tuple[Document, Path]


def check_groups(
    rules: Sequence[tuple[ScoreRule, Place]], groups: Sequence[tuple[GroupRule, Place]]
) -> Iterator[ConfigError]:
    """Groups that do not exist, that nothing is in, or that have rules of both parts."""
    known = {group.name for group, _ in groups}
    parts: dict[str, str] = {}
    for rule, (document, path) in rules:
        if rule.group is None:
            continue
        if rule.group not in known:
            hint = did_you_mean(rule.group, known) if known else "write it under score: groups:"
            yield document.error((*path, "group"), f'unknown group "{rule.group}"', hint)
        elif parts.setdefault(rule.group, rule.part) != rule.part:
            message = f'the group "{rule.group}" has rules of fit and of engagement; a group is of one part'
            yield document.error((*path, "group"), message)
    for group, (document, path) in groups:
        if group.name not in parts:
            yield document.error(path, f'no rule is in the group "{group.name}"')


def check_reach(
    rules: Collection[ScoreRule],
    groups: Collection[GroupRule],
    gates: Iterable[tuple[GateRule, Place]],
    grades: tuple[Grades, Place] | None,
) -> Iterator[ConfigError]:
    """Thresholds that no lead can reach, and the most that the rules give under all their caps."""
    most: dict[str, float] = {part: highest(rules, groups, part) for part in ("fit", "engagement")}
    most["score"] = most["fit"] + most["engagement"]
    for gate, (document, path) in gates:
        ways = [(gate, path), *((way, (*path, "any", place)) for place, way in enumerate(gate.choices))]
        for each, where in ways:
            for what, highest_points in most.items():
                threshold: int | None = getattr(each, what)
                if threshold is not None and threshold > highest_points:
                    yield document.error((*where, what), _unreachable(threshold, highest_points))
    if grades is not None:
        found, (document, path) = grades
        for letter, begins in found.letters:
            if begins > most[found.of]:
                yield document.error((*path, found.of, letter), _unreachable(begins, most[found.of]))


def _unreachable(threshold: int, most: float) -> str:
    return f"no lead can reach {threshold}: all its rules together give at most {most:g}"
