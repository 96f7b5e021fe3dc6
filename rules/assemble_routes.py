"""Assemble routes: office hours, pools, territories and routes of all documents become one order of routes.

What is wrong across them, `rules/check_routes.py` finds. Knows nothing of files or lead values.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from mappings.problems import ConfigError, Path
from mappings.source import Document
from rules import document as models
from rules import route_document as route_models
from rules.check_routes import GivenHours, GivenPool, GivenRoute, GivenTable, RouteCheck
from rules.deadlines import Absence
from rules.fuse import fuse_routes
from rules.nodes import Node
from rules.office_hours import OfficeHours
from rules.pools import Member, Pool
from rules.reach import Place
from rules.routing import NamedOwner, Route, Row, Territory


def twice(what: str, document: Document, path: Path, first: Place) -> ConfigError:
    """The error for a name that was taken before."""
    there, where = first
    line, _ = there.place(where)
    return document.error(path, f"the {what} is here twice (first in {there.source.name}:{line})")


class RouteAssembly:
    """Collects what decides who gets a lead. Use: `add` each document, `check`, then `routes`, `hours`."""

    def __init__(self) -> None:
        self.errors: list[ConfigError] = []
        self.named: list[NamedOwner] = []
        self._hours: dict[str, GivenHours] = {}
        self._pools: dict[str, GivenPool] = {}
        self._territories: dict[str, GivenTable] = {}
        self._routes: list[GivenRoute] = []

    def add(self, document: Document, model: models.RulesDocument, nodes: Mapping[Path, Node]) -> None:
        """Take in a valid document with its compiled conditions."""
        for name, hours in model.hours.items():
            path: Path = ("hours", name)
            if name in self._hours:
                self._twice(f'name "{name}" of office hours', document, path, self._hours[name][1])
            else:
                self._hours[name] = hours.compiled(name), (document, path)
        for name, pool in model.pools.items():
            path = ("pools", name)
            if name in self._pools:
                self._twice(f'pool "{name}"', document, path, self._pools[name][1])
            else:
                self._pools[name] = pool, (document, path)
        for name, table in model.territories.items():
            path = ("territories", name)
            if name in self._territories:
                self._twice(f'territory table "{name}"', document, path, self._territories[name][1])
                continue
            conditions = [nodes.get((*path, "rows", row, "when")) for row in range(len(table.rows))]
            self._territories[name] = table, (document, path), conditions
        for place, deadline in enumerate(model.deadlines):
            if deadline.to is not None:
                self._name(
                    deadline.to, f'deadline "{deadline.deadline}"', document, ("deadlines", place, "to")
                )
        for place, route in enumerate(model.routes):
            path = ("routes", place)
            first = next((at for known, _, at in self._routes if known.route == route.route), None)
            if first is not None:
                self._twice(f'route "{route.route}"', document, (*path, "route"), first)
            condition = nodes.get((*path, "when"))
            if condition is None and route.when is not None:
                continue  # its condition is wrong, and told so
            self._routes.append((route, condition, (document, path)))

    def check(self, owner_fields: Collection[str], *, whole: bool) -> list[ConfigError]:
        """What is wrong across the documents. Not `whole`: some could not be read, so what seems to be
        missing may stand there."""
        found = RouteCheck(self._hours, self._pools, self._territories, self._routes, self.errors)
        found.look(owner_fields, whole=whole)
        return self.errors

    @property
    def hours(self) -> dict[str, OfficeHours]:
        return {name: hours for name, (hours, _) in self._hours.items()}

    @property
    def owners(self) -> set[str] | None:
        """All owners that the routes can give a lead to; None when that depends on the lead."""
        found: set[str] = set()
        for route, _, _ in self._routes:
            if route.to is not None:
                return None
            table = self._territories.get(route.territory or "")
            for target in (route, *(table[0].rows if table is not None else ())):
                if target.owner is not None:
                    found.add(target.owner)
                if target.pool is not None:
                    named = self._pools.get(target.pool.name or "")
                    members = named[0].members if named is not None else target.pool.members or ()
                    found.update(member.owner for member in members)
        return found

    @staticmethod
    def absences(pools: Iterable[Pool]) -> dict[str, Absence]:
        """When the members of all pools are not there, by owner; of one who is in several pools, the days of
        all of them, where the first that gives some says, and the office hours of the first with any."""
        found: dict[str, Absence] = {}
        for pool in dict.fromkeys(pools):
            for member in pool.members:
                known = found.get(member.owner, Absence())
                hours, away = known.hours or member.hours, (*known.away, *member.away)
                time_zone = known.time_zone if known.away else member.time_zone
                found[member.owner] = Absence(hours, away, time_zone)
        return found

    def routes(self) -> list[tuple[Route, Node | None]]:
        """The compiled routes with their conditions; only after `check` found nothing."""
        pools = {
            name: self._pool(name, f"pool:{name}", model, place)
            for name, (model, place) in self._pools.items()
        }
        territories = {
            name: self._territory(name, table, place, conditions, pools)
            for name, (table, place, conditions) in self._territories.items()
        }
        compiled = []
        for model, condition, (document, path) in self._routes:
            where = f'route "{model.route}"'
            if model.owner is not None:
                self._name(model.owner, where, document, (*path, "owner"))
            route = Route(
                name=model.route,
                owner=model.owner,
                pool=self._chosen(model.pool, model.route, where, document, path, pools),
                to=model.to,
                territory=None if model.territory is None else territories[model.territory],
                may_return=model.may_return,
            )
            compiled.append((route, condition))
        return compiled

    # compiling ------------------------------------------------------------------------------------------

    def _chosen(
        self,
        given: route_models.PoolChoice | None,
        key: str,
        where: str,
        document: Document,
        path: Path,
        pools: Mapping[str, Pool],
    ) -> Pool | None:
        """The pool of a route or a row: one by its name, or one of its own, named for where it stands."""
        if given is None:
            return None
        if given.name is not None:
            return pools[given.name]
        model = route_models.Pool(members=list(given.members or ()))
        return self._pool(key, key, model, (document, (*path, "pool")), where)

    def _pool(
        self, name: str, key: str, model: route_models.Pool, place: Place, where: str | None = None
    ) -> Pool:
        document, path = place
        listed: Path = path if where is not None else (*path, "members")
        members = []
        for number, member in enumerate(model.members):
            at = (*listed, number)
            self._name(member.owner, where or f'pool "{name}"', document, at, in_pool=True)
            own = self._hours.get(member.hours or model.hours or "")
            elsewhere = member.time_zone or model.time_zone
            hours = None if own is None else own[0]
            if hours is not None and elsewhere is not None:
                hours = replace(hours, time_zone=elsewhere)  # the same times on the wall, there
            zone = elsewhere or (None if hours is None else hours.time_zone)
            members.append(
                Member(
                    owner=member.owner,
                    weight=member.weight,
                    at_most_per_day=member.at_most_per_day,
                    hours=hours,
                    time_zone=zone or "UTC",
                    away=tuple(away.days for away in member.away),
                )
            )
        return Pool(name, tuple(members), model.outside_hours, key)

    def _territory(
        self,
        name: str,
        table: route_models.Territory,
        place: Place,
        conditions: Sequence[Node | None],
        pools: Mapping[str, Pool],
    ) -> Territory:
        document, path = place
        rows = []
        for number, row in enumerate(table.rows):
            at = (*path, "rows", number)
            where = f'row {number + 1} of territory "{name}"'
            if row.owner is not None:
                self._name(row.owner, where, document, (*at, "owner"))
            pool = self._chosen(row.pool, f"territory:{name}:{number + 1}", where, document, at, pools)
            rows.append(Row(row.owner, pool))
        choose = fuse_routes([(f"{name} {number + 1}", each) for number, each in enumerate(conditions)])
        return Territory(name, tuple(rows), choose)

    def _name(self, owner: str, where: str, document: Document, path: Path, *, in_pool: bool = False) -> None:
        line, column = document.place(path)
        self.named.append(NamedOwner(owner, where, document.source.name, line, column, in_pool))

    def _twice(self, what: str, document: Document, path: Path, first: Place) -> None:
        self.errors.append(twice(what, document, path, first))
