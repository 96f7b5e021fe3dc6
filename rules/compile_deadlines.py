"""Compile deadlines: those of all documents become one table by stage, after the checks across them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from mappings.problems import ConfigError, Path, did_you_mean
from mappings.source import Document
from mappings.stages import Stage
from rules import deadline_document as models
from rules.deadlines import Deadline, Deadlines, StageDeadlines
from rules.fuse import fuse_routes
from rules.nodes import Node
from rules.office_hours import OfficeHours
from rules.reach import Place
from rules.routing import NamedOwner

_MOST_WEEKS: Final = 50 * 52
"""As much business time as a deadline may have, in weeks of its office."""


class DeadlineTable:
    """Collects the deadlines of the documents, in their order. Use: `add` each, `check`, then `compiled`."""

    def __init__(self) -> None:
        self._given: list[tuple[models.Deadline, Node | None, Place]] = []

    def add(
        self, document: Document, deadlines: Sequence[models.Deadline], nodes: Mapping[Path, Node]
    ) -> Iterator[Node]:
        """Take in those of a document; yields their conditions."""
        for number, deadline in enumerate(deadlines):
            path: Path = ("deadlines", number)
            condition = nodes.get((*path, "when"))
            if condition is None and deadline.when is not None:
                continue  # its condition is wrong, and told so
            self._given.append((deadline, condition, (document, path)))
            if condition is not None:
                yield condition

    def check(
        self, hours: Mapping[str, OfficeHours], owners: Collection[str] | None, *, whole: bool
    ) -> Iterator[ConfigError]:
        """What is wrong. `owners` are all that the routes can give a lead to (None: that depends on the
        lead). Not `whole`: some documents could not be read, so what seems to be missing may stand there."""
        names: dict[str, Place] = {}
        open_to_all: dict[str, str] = {}
        for deadline, condition, (document, path) in self._given:
            first = names.setdefault(deadline.deadline, (document, path))
            if first != (document, path):
                there, where = first
                message = f'the deadline "{deadline.deadline}" is here twice'
                told = f"{message} (first in {there.source.name}:{there.place(where)[0]})"
                yield document.error((*path, "deadline"), told)
            before = open_to_all.get(deadline.stage)
            if before is not None:
                message = f'no lead comes to this deadline: "{before}" before it takes all that are'
                yield document.error(path, f"{message} {deadline.stage}", "move it up")
            elif condition is None:
                open_to_all[deadline.stage] = deadline.deadline
            if whole:
                yield from _check_hours(deadline, hours, document, path)
            few = owners is not None and len(owners) < 2
            if whole and deadline.on_breach == "reroute" and few:
                why = f'the routes know only "{next(iter(owners))}"' if owners else "there are no routes"
                message = f"nobody else can get a lead that is routed again: {why}"
                yield document.error(
                    (*path, "on_breach"), message, "add people to them, or mark or escalate it"
                )

    def named(self) -> Iterator[NamedOwner]:
        """The owners to whom leads are escalated."""
        for deadline, _, (document, path) in self._given:
            if deadline.to is not None:
                line, column = document.place((*path, "to"))
                where = f'deadline "{deadline.deadline}"'
                yield NamedOwner(deadline.to, where, document.source.name, line, column, in_pool=False)

    def compiled(self, hours: Mapping[str, OfficeHours]) -> Deadlines:
        """The table; only after `check` found nothing."""
        table: dict[Stage, StageDeadlines] = {}
        for stage in dict.fromkeys(Stage(deadline.stage) for deadline, _, _ in self._given):
            mine = [(deadline, node) for deadline, node, _ in self._given if deadline.stage == stage.value]
            table[stage] = StageDeadlines(
                tuple(_compiled(deadline, hours) for deadline, _ in mine),
                fuse_routes([(deadline.deadline, node) for deadline, node in mine]),
            )
        return table


def _compiled(given: models.Deadline, hours: Mapping[str, OfficeHours]) -> Deadline:
    return Deadline(
        name=given.deadline,
        stage=Stage(given.stage),
        within=models.read_span(given.within),
        hours=None if given.hours is None else hours[given.hours],
        reminders=tuple(models.read_reminder(text) for text in given.remind or ()),
        on_breach=given.on_breach,
        to=given.to,
        reason=given.reason,
    )


def _check_hours(
    given: models.Deadline, hours: Mapping[str, OfficeHours], document: Document, path: Path
) -> Iterator[ConfigError]:
    """Office hours that do not exist, and reminders that do not come after the deadline's beginning."""
    named = None if given.hours is None else hours.get(given.hours)
    if given.hours is not None and named is None:
        hint = did_you_mean(given.hours, hours) if hours else "write them under hours:"
        yield document.error((*path, "hours"), f'unknown office hours "{given.hours}"', hint)
        return
    most = models.read_span(given.within).minutes(named)
    if named is not None and most > _MOST_WEEKS * sum(to - at for spans in named.week for at, to in spans):
        message = f'"{given.within}" is more than fifty years of the hours "{given.hours}"'
        yield document.error((*path, "within"), message, "shorten it")
        return
    for number, text in enumerate(given.remind or ()):
        if models.read_reminder(text).minutes(named) >= most:
            written = document.data["deadlines"][path[1]]["remind"]
            where: Path = (*path, "remind", number) if isinstance(written, list) else (*path, "remind")
            message = f'"{text}" is no reminder of a deadline within {given.within}'
            yield document.error(where, message, "remind later")
