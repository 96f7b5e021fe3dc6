"""Budget: how many calls leadloop may still make to one platform, and how fast. Shared by all workers.

What all of them go by is in the database (`SideLimits`): the calls of the day, the places within the limits
by the second, what answers told of the whole account, and whether the side is to be left alone. A call costs
one transaction there, before it is sent; what its answer told goes along with the next one. A ceiling in
percent of the quota leaves room for the customer's other integrations; a reserve inside it is for hand-offs.
What is no hand-off leaves room for the looks of the day as well, which hand-offs need; and looks that come to
the reserve all the same are made more seldom. Limits by the second are paced, never retried.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from threading import Lock, get_ident
from typing import Literal

import structlog
from sqlalchemy import Connection

from connector.clock import MINUTE_MS, SECOND_MS, Clock
from connector.lane import Lane
from connector.pause import Pause, left_alone, pause_for
from connector.platforms.errors import ASK_AGAIN_SECONDS, RetryLater, is_unsure
from connector.platforms.protocol import Allowance, Usage
from connector.side_limits import SideLimits, Terms, Told
from connector.store.budgets import lock_limits, put_limits
from connector.store.calls import count_calls, used_by_lane
from connector.store.database import Database

Kind = Literal["read", "search", "write", "metadata"]
_Window = Literal["burst", "searches"]

TOLD_HOLDS_MS = 15 * MINUTE_MS
"""How long what answers told of the account is believed: with nobody calling, nothing newer would come."""

COUNT_EVERY_MS = 30 * SECOND_MS
"""How often the day's calls are counted anew, because hours drop out of it."""

LONGEST_WAIT_SECONDS = 15.0
"""A platform that wants fewer calls for longer than this is left alone by everybody, and that is told."""

log = structlog.get_logger()


@dataclass(slots=True)
class _Call:
    """A call under way: the places that it holds. `probing`: its answer tells whether the side is there."""

    kind: Kind
    places: list[tuple[_Window, int]]
    probing: bool


@dataclass(frozen=True, slots=True)
class _Calls:
    """How many were made: in all, and those that looked for changes or were for hand-offs."""

    all: int = 0
    looks: int = 0
    handoffs: int = 0


class Budget:
    """Admits calls to one side. Safe to share between the threads of a process, each of which makes one call
    at a time."""

    def __init__(self, side: str, database: Database, clock: Clock, allowance: Allowance) -> None:
        self.side = side
        self.calls: Counter[Kind] = Counter()
        self.told_ms = 0
        self._database = database
        self._clock = clock
        self._lengths_ms: dict[_Window, int] = {
            "burst": int(allowance.burst_seconds * SECOND_MS),
            "searches": SECOND_MS,
        }
        self._allowance = allowance
        self._terms = Terms(
            allowance.day_limit, allowance.quota_percent, allowance.reserve_percent, allowance.account_day
        )
        self._shows_terms = False
        # who waits for a place waits in line, and searches, which have few places, in a line of their own
        self._lines = {True: Lock(), False: Lock()}
        self._lock = Lock()
        self._under_way: dict[int, _Call] = {}
        self._given_back: list[tuple[_Window, int, int]] = []
        self._news = Told()
        self._ahead_ms = 0
        self._counted = self._counted_at = _Calls()
        self._counted_ms: int | None = None
        self._counted_day: int | None = None

    def serves(self, time_zone: str, polls_a_day: int | None = None, records_a_write: int = 100) -> None:
        """What is learned once the side is connected; see `Terms`. Who does not poll leaves what the others
        go by to them."""
        self._terms = replace(
            self._terms, time_zone=time_zone, polls_a_day=polls_a_day or 0, records_a_write=records_a_write
        )
        self._shows_terms = polls_a_day is not None
        self._counted_ms = None  # the day may begin at another moment

    def admit(self, lane: Lane, kind: Kind) -> None:
        """Wait for a place within the limits by the second, and count one call. Raises RetryLater when the
        day's share of this lane is used up, or the side is to be left alone; StoreError."""
        searching = kind == "search" and self._allowance.searches_per_second is not None
        with self._lines[searching]:
            with self._lock:
                self._end_call()  # one that got no answer: the thread has given it up
            while wait_ms := self._try(lane, kind, searching=searching):
                self._clock.sleep(wait_ms / SECOND_MS)
        with self._lock:
            self.calls[kind] += 1

    def answered(self, usage: Usage, later: RetryLater | None = None) -> None:
        """Remember what an answer told of the whole account's limits, and share at once what concerns more
        than its request. Raises StoreError."""
        now_ms = self._clock.now_ms()
        day_used, day_limit = usage.day_used, usage.day_limit
        if later is None and day_used is not None and day_limit is not None and day_used >= day_limit:
            # the answer came, and with it that there is no further one
            reason = f"{self.side}: the account has no calls left today"
            later = RetryLater(reason, ASK_AGAIN_SECONDS, concerns="day")
        with self._lock:
            call = self._end_call()
            told = Told(now_ms, usage.day_used, usage.day_limit, usage.burst_limit)
            self._news = self._news.and_then(told)
        if later is not None and later.concerns != "request":
            self._stop(later, "read" if call is None else call.kind)
        elif call is not None and call.probing:
            self._go_on()
        elif call is not None and any(window == "searches" for window, _ in call.places):
            # the few places of searches are wanted back by other processes now, not with our next call
            with self._database.begin() as conn:
                limits = lock_limits(conn, self.side)
                if self._tell(limits, self._clock.now_ms()):
                    put_limits(conn, self.side, limits)

    def total(self) -> int:
        """Calls admitted since this process started."""
        return sum(self.calls.values())

    # one call --------------------------------------------------------------------------------------------

    def _try(self, lane: Lane, kind: Kind, *, searching: bool) -> int:
        """Take a place and count the call; or how many milliseconds to wait for one. Raises RetryLater."""
        with self._database.begin() as conn:
            limits = lock_limits(conn, self.side)
            now_ms = self._clock.now_ms()  # not before it is our turn: others have gone on meanwhile
            told = self._tell(limits, now_ms)
            counted = self._counted_today(conn, limits, now_ms)
            every_ms = self._look_every_ms(limits, counted, now_ms) if lane is Lane.LOOK else 0
            refusal = left_alone(limits.pause, kind, now_ms) or self._spent(
                limits, lane, counted, every_ms, now_ms
            )
            wait_ms = 0 if refusal is not None else self._wait_ms(limits, now_ms, searching=searching)
            if refusal is None and not wait_ms:
                self._take(limits, kind, now_ms, searching=searching)
                limits.handoffs += lane is Lane.HANDOFF
                if lane is Lane.LOOK:
                    limits.note_look(every_ms, now_ms)
                count_calls(conn, self.side, int(lane), now_ms)
                told = True
            if told:
                put_limits(conn, self.side, limits)
        if refusal is not None:
            raise refusal
        return wait_ms

    def _wait_ms(self, limits: SideLimits, now_ms: int, *, searching: bool) -> int:
        at_ms = now_ms + self._ahead_ms
        most = max(1, limits.told.burst_limit or self._allowance.burst_calls)
        wait_ms = limits.burst.wait_ms(at_ms, most, self._lengths_ms["burst"])
        if searching:
            most = self._allowance.searches_per_second or 1
            wait_ms = max(wait_ms, limits.searches.wait_ms(at_ms, most, self._lengths_ms["searches"]))
        return wait_ms

    def _take(self, limits: SideLimits, kind: Kind, now_ms: int, *, searching: bool) -> None:
        at_ms = now_ms + self._ahead_ms
        limits.clock_ms = max(limits.clock_ms, at_ms)
        limits.calls += 1
        windows: tuple[_Window, ...] = ("burst", "searches") if searching else ("burst",)
        places = [
            (window, getattr(limits, window).take(at_ms, self._lengths_ms[window])) for window in windows
        ]
        pause = limits.pause
        if pause is not None and pause.every_ms:
            limits.pause = pause.probed(kind, now_ms + pause.every_ms)
        with self._lock:
            self._under_way[get_ident()] = _Call(kind, places, pause is not None or limits.doubted)

    def _end_call(self) -> _Call | None:
        """The calling thread has no call under way any more. The lock is held."""
        call = self._under_way.pop(get_ident(), None)
        if call is not None:
            now_ms = self._clock.now_ms()
            self._given_back.extend((window, until_ms, now_ms) for window, until_ms in call.places)
        return call

    def _tell(self, limits: SideLimits, now_ms: int) -> bool:
        """Bring what this process has learned into what all share; whether there was anything."""
        with self._lock:
            given_back, self._given_back = self._given_back, []
            news, self._news = self._news, Told()
            self._ahead_ms = max(self._ahead_ms, limits.clock_ms - now_ms)
        for window, until_ms, answered_ms in given_back:
            at_ms = answered_ms + self._ahead_ms
            getattr(limits, window).give_back(until_ms, at_ms, self._lengths_ms[window])
        changed = bool(given_back)
        if news != Told():
            limits.told, changed = limits.told.and_then(news), True
        self.told_ms = limits.told.at_ms if limits.told.at_ms <= now_ms + TOLD_HOLDS_MS else 0
        if self._shows_terms and limits.terms != self._terms:
            limits.terms, changed = self._terms, True
        return changed

    # the day ---------------------------------------------------------------------------------------------

    def _spent(
        self, limits: SideLimits, lane: Lane, counted: _Calls, every_ms: int, now_ms: int
    ) -> RetryLater | None:
        """Why this lane may make no call now, by the day's calls. `every_ms`: see `Terms.look_every_ms`."""
        terms, told = self._terms_of(limits), limits.told
        ceiling = terms.ceiling(lane, told.day_limit)
        ceiling -= terms.looks_to_come(lane, told.day_limit, counted.looks, now_ms)
        again_seconds = ASK_AGAIN_SECONDS
        end_ms = terms.day_end_ms(now_ms)
        if end_ms is not None:
            again_seconds = min(again_seconds, (end_ms - now_ms) / SECOND_MS)
        if counted.all >= ceiling:
            what = f"the share of {_CALLED[lane]}" if lane in _CALLED else "leadloop's share"
            reason = f"{self.side}: {what} of the day's calls is used up ({counted.all:,} of {ceiling:,})"
            return RetryLater(reason, again_seconds)
        if wait_ms := limits.look_wait_ms(every_ms, now_ms):
            reason = f"{self.side}: looks are made seldom, since the day's last calls are kept for hand-offs"
            return RetryLater(reason, min(again_seconds, wait_ms / SECOND_MS))
        left = self._left_to_account(limits, now_ms)
        kept = terms.ceiling(Lane.HANDOFF, told.day_limit) - ceiling
        if left is None or left > kept or lane not in _CALLED:
            return None
        above = "hand-offs" if lane is Lane.UPDATE else "hand-offs and updates"
        reason = f"{self.side}: the account has {left:,} calls left today, which are kept for {above}"
        return RetryLater(reason, again_seconds)

    def _look_every_ms(self, limits: SideLimits, counted: _Calls, now_ms: int) -> int:
        terms, day_limit = self._terms_of(limits), limits.told.day_limit
        left = terms.ceiling(Lane.HANDOFF, day_limit) - counted.all
        account = self._left_to_account(limits, now_ms)
        left = left if account is None else min(left, account)
        return terms.look_every_ms(left, counted.handoffs, day_limit, now_ms)

    def _left_to_account(self, limits: SideLimits, now_ms: int) -> int | None:
        """How many calls the whole account has left, by what was told lately."""
        told = limits.told
        if told.day_used is None or told.day_limit is None:
            return None
        if told.at_ms < max(self._terms.day_start_ms(now_ms), now_ms - TOLD_HOLDS_MS):
            return None  # an old story
        if told.at_ms > now_ms + TOLD_HOLDS_MS:
            return None  # our clock was ahead then: nobody knows how old it is
        return told.day_limit - told.day_used

    def _terms_of(self, limits: SideLimits) -> Terms:
        """Ours; with the looks that others make, as long as we make none."""
        if self._shows_terms or limits.terms is None:
            return self._terms
        return replace(self._terms, polls_a_day=limits.terms.polls_a_day)

    def _counted_today(self, conn: Connection, limits: SideLimits, now_ms: int) -> _Calls:
        """All workers' calls since the day began."""
        stale = self._counted_ms is None or now_ms - self._counted_ms >= COUNT_EVERY_MS
        day = self._terms.day_end_ms(now_ms)
        made = _Calls(limits.calls, limits.looks, limits.handoffs)
        if stale or day != self._counted_day or made.all < self._counted_at.all:
            lanes = used_by_lane(conn, self.side, self._terms.day_start_ms(now_ms), now_ms)
            self._counted = _Calls(sum(lanes.values()), lanes.get(Lane.LOOK, 0), lanes.get(Lane.HANDOFF, 0))
            self._counted_at, self._counted_ms, self._counted_day = made, now_ms, day
        counted, at = self._counted, self._counted_at
        return _Calls(
            counted.all + made.all - at.all,
            counted.looks + made.looks - at.looks,
            counted.handoffs + made.handoffs - at.handoffs,
        )

    # stopping and going on -------------------------------------------------------------------------------

    def _stop(self, later: RetryLater, kind: Kind) -> None:
        """Let everybody leave alone what the platform wants to be left alone. An answer that no side is there
        may be the doing of its request: the second one counts, unless another call was answered meanwhile."""
        begun: Pause | None = None
        with self._database.begin() as conn:
            limits = lock_limits(conn, self.side)
            now_ms = self._clock.now_ms()
            self._tell(limits, now_ms)
            known = limits.pause if limits.pause is not None and not limits.pause.is_over(now_ms) else None
            if known is None and is_unsure(later) and not limits.doubted:
                limits.doubted = True
            elif later.concerns in ("day", "side") or later.after_seconds > LONGEST_WAIT_SECONDS:
                limits.pause = pause_for(later, kind, known, self._terms.day_end_ms(now_ms), now_ms)
                if known is None or limits.pause.since_ms != known.since_ms:
                    begun = limits.pause
            else:
                limits.doubted = False
                window = limits.searches if later.concerns == "searches" else limits.burst
                window.close(now_ms + self._ahead_ms + int(later.after_seconds * SECOND_MS))
            put_limits(conn, self.side, limits)
        if begun is not None:
            left_seconds = None if begun.until_ms is None else (begun.until_ms - now_ms) // SECOND_MS
            log.warning(
                "side paused", side=self.side, reason=begun.reason, over_in_seconds=left_seconds,
                asking_every_seconds=begun.every_ms // SECOND_MS or None,
            )  # fmt: skip

    def _go_on(self) -> None:
        """An answer has shown that a pause is over."""
        with self._database.begin() as conn:
            limits = lock_limits(conn, self.side)
            now_ms = self._clock.now_ms()
            ended, limits.pause, limits.doubted = limits.pause, None, False
            self._tell(limits, now_ms)
            put_limits(conn, self.side, limits)
        if ended is not None:
            log.info("side goes on", side=self.side, paused_seconds=(now_ms - ended.since_ms) // SECOND_MS)


_CALLED = {Lane.UPDATE: "updates", Lane.BACKFILL: "a backfill"}
