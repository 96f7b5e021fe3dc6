"""Check routes: what no single part of routing shows, once all documents are read. Pure.

A pool, hours, or a territory that do not exist, a route or a row that no lead comes to, and a last route that
may leave a lead without anybody.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from mappings.problems import ConfigError, Path, did_you_mean
from mappings.source import Document
from mappings.stages import is_person
from rules import route_document as models
from rules.nodes import Node
from rules.office_hours import OfficeHours
from rules.reach import Place
from rules.routing import PREVIOUS_OWNER

GivenHours = tuple[OfficeHours, Place]
GivenPool = tuple[models.Pool, Place]
GivenTable = tuple[models.Territory, Place, list[Node | None]]
GivenRoute = tuple[models.Route, Node | None, Place]

_FALLBACK: Final = 'end with one such as {route: everyone, owner: "queue:Inbound Leads"}'


class RouteCheck:
    """Checks all that was collected, each with its place, and adds to `errors` what is wrong."""

    def __init__(
        self,
        hours: Mapping[str, GivenHours],
        pools: Mapping[str, GivenPool],
        territories: Mapping[str, GivenTable],
        routes: Sequence[GivenRoute],
        errors: list[ConfigError],
    ) -> None:
        self._hours, self._pools, self._territories, self._routes = hours, pools, territories, routes
        self.errors = errors

    def look(self, owner_fields: Collection[str], *, whole: bool) -> None:
        """Find what is wrong. Not `whole`: some documents could not be read, so what seems to be missing may
        stand there."""
        if whole:
            self._check_names(owner_fields)
        self._check_rows()
        if not self.errors:
            self._check_order(whole=whole)

    def _check_names(self, owner_fields: Collection[str]) -> None:
        """Pools, hours, territories and owner fields that do not exist."""
        for pool, (document, path) in self._pools.values():
            self._check_hours(pool.hours, document, path)
            self._check_members(pool.members, document, (*path, "members"))
        for table, (document, path), _ in self._territories.values():
            for number, row in enumerate(table.rows):
                self._check_pool(row.pool, document, (*path, "rows", number))
        known_fields = [PREVIOUS_OWNER, *owner_fields]
        for route, _, (document, path) in self._routes:
            self._check_pool(route.pool, document, path)
            if route.territory is not None and route.territory not in self._territories:
                hint = _known(route.territory, self._territories, "territories:")
                message = f'there is no territory table "{route.territory}"'
                self.errors.append(document.error((*path, "territory"), message, hint))
            if route.to is not None and route.to not in known_fields:
                hint = did_you_mean(route.to, known_fields)
                message = f'there is no owner "{route.to}" of a lead'
                self.errors.append(document.error((*path, "to"), message, hint))

    def _check_pool(self, given: models.PoolChoice | None, document: Document, path: Path) -> None:
        if given is None:
            return
        if given.name is not None and given.name not in self._pools:
            hint = _known(given.name, self._pools, "pools:")
            error = document.error((*path, "pool"), f'there is no pool "{given.name}"', hint)
            self.errors.append(error)
        self._check_members(given.members or (), document, (*path, "pool"))

    def _check_members(self, members: Sequence[models.Member], document: Document, path: Path) -> None:
        for number, member in enumerate(members):
            self._check_hours(member.hours, document, (*path, number))

    def _check_hours(self, name: str | None, document: Document, path: Path) -> None:
        if name is not None and name not in self._hours:
            hint = _known(name, self._hours, "hours:")
            error = document.error((*path, "hours"), f'there are no office hours "{name}"', hint)
            self.errors.append(error)

    def _check_rows(self) -> None:
        """A row that takes all, and rows below it."""
        for table, (document, path), _ in self._territories.values():
            taken: int | None = None
            for number, row in enumerate(table.rows):
                if taken is not None:
                    message = f"no lead comes to this row: row {taken} before it takes all"
                    self.errors.append(document.error((*path, "rows", number), message, "move it up"))
                elif not row.model_extra:
                    taken = number + 1

    def _check_order(self, *, whole: bool) -> None:
        """The last route must give somebody to every lead, and none before it may."""
        taken: str | None = None
        for route, condition, (document, path) in self._routes:
            if taken is not None:
                message = f'no lead comes to this route: "{taken}" before it takes all'
                self.errors.append(document.error(path, message, "move it up"))
            elif condition is None and self._takes_all(route):
                taken = route.route
        if not self._routes or self.errors or not whole:
            return
        route, condition, (document, path) = self._routes[-1]
        if condition is not None:
            message = "the last route must take every lead that no other took"
            self.errors.append(document.error(path, message, "leave out its when:"))
            return
        why = self._may_give_nobody(route)
        if why is not None:
            message = f"the last route may leave a lead without an owner: {why}"
            self.errors.append(document.error(path, message, _FALLBACK))

    def _takes_all(self, route: models.Route) -> bool:
        """Whether no lead is left for the next route: a person may have rejected it, or be away."""
        owners = [route.owner]
        if route.territory is not None:
            row = self._territories[route.territory][0].rows[-1]
            if row.model_extra:
                return False
            owners = [each.owner for each in self._territories[route.territory][0].rows]
        return all(owner is not None and (route.may_return or not is_person(owner)) for owner in owners)

    def _may_give_nobody(self, route: models.Route) -> str | None:
        """Why this route may yield nobody, or None."""
        if route.to is not None:
            return f"not every lead has its {route.to.replace('_', ' ')}"
        if route.pool is not None:
            return self._pool_may_fail(route.pool)
        if route.territory is None:
            return None
        table = self._territories[route.territory][0]
        if table.rows[-1].model_extra:
            return f'no row of "{route.territory}" takes all the rest'
        pools = (self._pool_may_fail(row.pool) for row in table.rows if row.pool is not None)
        return next((why for why in pools if why is not None), None)

    def _pool_may_fail(self, given: models.PoolChoice) -> str | None:
        model = (
            models.Pool(members=list(given.members or ()))
            if given.name is None
            else self._pools[given.name][0]
        )
        always = any(
            member.at_most_per_day is None
            and not member.away
            and (model.outside_hours != "next_route" or (member.hours or model.hours) is None)
            for member in model.members
        )
        named = "its pool" if given.name is None else f'the pool "{given.name}"'
        return None if always else f"all members of {named} may be away, at their cap, or not at work"


def _known(name: str, known: Collection[str], key: str) -> str:
    return did_you_mean(name, known) if known else f"write it under {key}"
