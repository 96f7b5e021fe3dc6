"""Sweep: proof that nothing was missed on a side, by looking at everything there, a page at a time.

First every record of every object is held against the store (`listing_check`), then the links of all leads
(`link_check`), then the leads' values (`lead_check`). What is wrong is put right by taking the record in or
by marking its lead dirty, and named with its cause. A sweep remembers the page it is on, so that it goes on
there after a kill, and one process at a time sweeps a side. It uses the lowest lane of the budget.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from connector.clock import HOUR_MS, MINUTE_MS, SECOND_MS
from connector.installation import Installation
from connector.intake.findings import Findings, Named
from connector.intake.lead_check import LeadCheck
from connector.intake.link_check import LinkCheck
from connector.intake.listing_check import ListingCheck
from connector.intake.version_window import VersionWindow
from connector.lane import Lane
from connector.platforms.errors import PlatformError, RetryLater
from connector.store import holds as hold_store
from connector.store import leads as lead_store
from connector.store.errors import LeaseLost
from connector.store.leases import drop_lease, take_lease
from connector.store.sweeps import end_sweep, last_result, put_under_way, under_way

HOLD = "unexplained"
LEADS_AT_ONCE = 500
LEASE_MS = 15 * MINUTE_MS
"""Renewed with every step. Outlives the requests of one."""

SAVE_EVERY = 10
"""Steps after which the place is remembered though nothing was found."""

_AFTER_REFUSED_MS = HOUR_MS
_LINKS, _LEADS = "links", "leads"


@dataclass(slots=True)
class Swept:
    """What one sweep of a side has seen so far. `ended_ms` is None while it is not done."""

    side: str
    started_ms: int
    ended_ms: int | None = None
    records: int = 0
    leads: int = 0
    findings: Findings = field(default_factory=Findings)

    def to_json(self) -> dict[str, Any]:
        """As it is kept in the database."""
        return {
            "started_ms": self.started_ms,
            "ended_ms": self.ended_ms,
            "records": self.records,
            "leads": self.leads,
            **self.findings.to_json(),
        }

    @classmethod
    def from_json(cls, side: str, data: Mapping[str, Any]) -> Swept:
        """What `to_json` gave."""
        findings = Findings.from_json(data)
        return cls(side, data["started_ms"], data["ended_ms"], data["records"], data["leads"], findings)


@dataclass(slots=True)
class _Place:
    """Where a sweep is: the part, the platform's own name of the next page, and the last id seen."""

    part: int = 0
    after: str | None = None
    last_id: str | None = None


def last_sweep(conn: Connection, side: str) -> Swept | None:
    """The last sweep of a side that came to its end."""
    known = last_result(conn, side)
    return None if known is None else Swept.from_json(side, known)


def sweep(
    installation: Installation,
    side: str,
    *,
    object_name: str | None = None,
    repair: bool = True,
    told: Callable[[str, Swept], object] = lambda _part, _swept: None,
    enough: Callable[[], bool] = lambda: False,
) -> Swept | None:
    """Sweep a side, or go on with the sweep that was left there; of one object only its listing. Without
    `repair` nothing is changed and nothing remembered. `told` is called after each step with the part it was
    in; `enough` says that the rest is for another time.

    None when somebody else sweeps this side. Raises RetryLater, Refused when the platform does not answer:
    what was done stays, and the next sweep goes on from there."""
    work = _Sweep(installation, side, object_name, repair)
    if not work.begin():
        return None
    try:
        while work.step():
            told(work.part, work.swept)
            if enough():
                break
        work.save()
    except PlatformError as error:
        wait_ms = int(error.after_seconds * SECOND_MS) if isinstance(error, RetryLater) else _AFTER_REFUSED_MS
        work.save(not_before_ms=installation.clock.now_ms() + wait_ms)
        raise
    finally:
        work.release()
    return work.swept


class _Sweep:
    def __init__(self, installation: Installation, side: str, object_name: str | None, repair: bool) -> None:
        self._installation = installation
        self._side = side
        self._repair = repair
        self._object = object_name
        self._token = installation.new_token()
        objects = list(installation.feeds[side].objects) if object_name is None else [object_name]
        self._objects = len(objects)  # HubSpot has an object that is called leads
        self._parts: list[str] = [*objects, *((_LINKS, _LEADS) if object_name is None else ())]
        self._links = LinkCheck(installation, side, repair=repair)
        self._leads = LeadCheck(installation, side, repair=repair)
        self._window: VersionWindow | None = None
        self._place = _Place()
        self._unsaved = 0
        self.swept = Swept(side, installation.clock.now_ms())

    @property
    def part(self) -> str:
        """The object, or the part, that is being looked at."""
        return self._parts[min(self._place.part, len(self._parts) - 1)]

    def begin(self) -> bool:
        """Take the lease, and take up the place where an earlier sweep was left."""
        if not self._renew():
            return False
        if self._repair:
            with self._installation.database.read() as conn:
                known = under_way(conn, self._side, self._object or "")
            # a mapping with other objects has other parts: then everything is looked at again
            if known is not None and known["parts"] == self._parts:
                self._place = _Place(*known["place"])
                self.swept = Swept.from_json(self._side, known["swept"])
        return True

    def step(self) -> bool:
        """Look at one page, or one batch of leads. False when there is none left."""
        if self._place.part >= len(self._parts):
            self._end()
            return False
        name = self.part
        look = self._look_at_page if self._place.part < self._objects else self._look_at_leads
        found = look(name)
        self.swept.findings.add(found)
        self._unsaved += 1
        if found or self._unsaved >= SAVE_EVERY:
            self.save()
        return True

    def _look_at_page(self, name: str) -> list[Named]:
        place = self._place
        if self._window is None:
            self._window = VersionWindow(self._installation, self._side, name, place.last_id)
        platform = self._installation.platforms[self._side]
        asked_ms = self._installation.clock.now_ms()
        fields = self._installation.feeds[self._side].objects[name]
        page = platform.listed(name, fields, place.after, Lane.BACKFILL)
        alone = self._object is not None
        check = ListingCheck(self._installation, self._side, name, repair=self._repair, alone=alone)
        found = check.check(page, self._window, asked_ms)
        self.swept.records += len(page.records)
        if page.after is None:
            check.look_for_forgotten()
            self._next_part()
        else:
            last_id = page.records[-1].record_id if page.records else place.last_id
            self._place = _Place(place.part, page.after, last_id)
        return found

    def _look_at_leads(self, name: str) -> list[Named]:
        with self._installation.database.read() as conn:
            ids = lead_store.iterate_lead_ids(conn, self._place.last_id or "", LEADS_AT_ONCE)
        if not ids:
            self._next_part()
            return []
        found = (self._links if name == _LINKS else self._leads).check(ids)
        if name == _LEADS:
            self.swept.leads += len(ids)
        self._place = _Place(self._place.part, None, ids[-1])
        return found

    def _next_part(self) -> None:
        self._place = _Place(self._place.part + 1)
        self._window = None

    # remembering ----------------------------------------------------------------------------------------

    def save(self, not_before_ms: int = 0) -> None:
        """Remember the place, unless the sweep is done or only looks."""
        if not self._renew():
            raise LeaseLost([lease_of(self._side)])
        self._unsaved = 0
        if not self._repair or self.swept.ended_ms is not None:
            return
        place = self._place
        known = {
            "parts": self._parts,
            "place": [place.part, place.after, place.last_id],
            "swept": self.swept.to_json(),
        }
        with self._installation.database.begin() as conn:
            put_under_way(conn, self._side, self._object or "", known, not_before_ms)

    def _end(self) -> None:
        """Keep the result; what nobody can explain is for a person."""
        now_ms = self.swept.ended_ms = self._installation.clock.now_ms()
        if not self._repair:
            return
        with self._installation.database.begin() as conn:
            whole = self._object is None
            end_sweep(conn, self._side, self._object or "", self.swept.to_json() if whole else None)
            if not whole:
                return
            number = self.swept.findings.unexplained
            wanted = [_hold(self._side, number)] if number else []
            hold_store.sync_holds_about(conn, HOLD, [self._side], {hold_store.INSTALLATION: wanted}, now_ms)
        self._installation.on_event(
            "swept",
            {
                "side": self._side,
                "records": self.swept.records,
                "leads": self.swept.leads,
                "amiss": self.swept.findings.amiss,
                "unexplained": number,
            },
        )

    def _renew(self) -> bool:
        with self._installation.database.begin() as conn:
            return take_lease(
                conn, lease_of(self._side), self._token, self._installation.clock.now_ms(), LEASE_MS
            )

    def release(self) -> None:
        """Let somebody else sweep this side."""
        with self._installation.database.begin() as conn:
            drop_lease(conn, lease_of(self._side), self._token)


def lease_of(side: str) -> str:
    """The name of the lease on sweeping a side."""
    return f"verify.{side}"


def _hold(side: str, number: int) -> hold_store.WantedHold:
    differ = "record or lead differs" if number == 1 else "records or leads differ"
    return hold_store.WantedHold(
        kind=HOLD,
        subject=side,
        message=f"{number} {differ} on {side} for no reason that leadloop knows.",
        remedy=f"`leadloop verify --side {side}` names them and looks again; if they stay, look at them with "
        "`leadloop explain`, and report a bug.",
    )
