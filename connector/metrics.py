"""Metrics: what Prometheus reads of a running leadloop. Counts and ages only, nothing of any lead.

What stands in the database is read at each scrape, so that every process tells the same; what happened is
counted in this process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from connector.clock import SECOND_MS, Clock
from connector.intake.streams import lease_of
from connector.lane import Lane
from connector.spending import Spending, spending_of
from connector.store import brakes, holds, inbox, leads, leases, outbox, quarantine, streams
from connector.store.configurations import applied_configuration
from connector.store.database import Database
from connector.store.sweeps import last_result

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The metrics of one process. `last_poll_ms` tells, by side, when it was last looked at."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sides: Iterable[str],
        last_poll_ms: Callable[[], Mapping[str, int]],
    ) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Stored(database, clock, tuple(sides), last_poll_ms))
        self._moves = Counter(
            "leadloop_moves",
            "stage moves decided in this process",
            ["origin", "target"],
            registry=self._registry,
        )
        self._refused = Counter(
            "leadloop_refused_writes", "writes that a platform refused", ["side"], registry=self._registry
        )
        self._undecided = Counter(
            "leadloop_undecided_leads", "leads that could not be decided", registry=self._registry
        )
        self._trips = Counter(
            "leadloop_brake_trips",
            "times the brake stopped a kind of change",
            ["kind"],
            registry=self._registry,
        )
        self._breaches = Counter(
            "leadloop_deadline_breaches", "deadlines that passed", ["deadline"], registry=self._registry
        )
        self._deliveries = Counter(
            "leadloop_webhook_deliveries", "deliveries taken and stored", ["side"], registry=self._registry
        )
        self._events = Counter(
            "leadloop_webhook_events", "events in those deliveries", ["side"], registry=self._registry
        )
        self._unwanted = Counter(
            "leadloop_webhook_unwanted_events", "events that nobody reads", ["side"], registry=self._registry
        )
        self._not_taken = Counter(
            "leadloop_webhook_refused",
            "deliveries, or events in them, that were not taken",
            ["side", "cause"],
            registry=self._registry,
        )
        self._given_up = Counter(
            "leadloop_hints_given_up",
            "records told of that could not be read for a week",
            ["side"],
            registry=self._registry,
        )
        self._stream_events = Counter(
            "leadloop_stream_events", "events that came by a stream", ["side"], registry=self._registry
        )
        self._stream_unwanted = Counter(
            "leadloop_stream_unwanted_events",
            "of those, events that nobody reads",
            ["side"],
            registry=self._registry,
        )
        self._stream_malformed = Counter(
            "leadloop_stream_malformed_events",
            "of those, events that say nothing that can be read",
            ["side"],
            registry=self._registry,
        )
        self._stream_catch_ups = Counter(
            "leadloop_stream_catch_ups",
            "times that objects were polled because a stream had lost events of them",
            ["side", "cause"],
            registry=self._registry,
        )
        self._few_touches = Counter(
            "leadloop_handoffs_with_few_touches",
            "leads handed over after fewer touches than the minimum",
            registry=self._registry,
        )

    def count(self, event: str, facts: Mapping[str, object]) -> None:
        """Count what an installation told of."""
        if event == "moved":
            self._moves.labels(str(facts.get("from") or ""), str(facts.get("to"))).inc()
        elif event == "deadline" and facts.get("what") == "breached":
            self._breaches.labels(str(facts.get("deadline"))).inc()
        elif event == "webhook_received":
            side = str(facts["side"])
            self._deliveries.labels(side).inc()
            self._events.labels(side).inc(int(str(facts["events"])))
            self._unwanted.labels(side).inc(int(str(facts["unwanted"])))
        elif event == "webhook_refused":
            refused = self._not_taken.labels(str(facts["side"]), str(facts["cause"]))
            refused.inc(int(str(facts.get("events", 1))))
        elif event == "hints_given_up":
            self._given_up.labels(str(facts["side"])).inc(int(str(facts["hints"])))
        elif event == "stream_received":
            side = str(facts["side"])
            self._stream_events.labels(side).inc(int(str(facts["events"])))
            self._stream_unwanted.labels(side).inc(int(str(facts["unwanted"])))
            self._stream_malformed.labels(side).inc(int(str(facts["malformed"])))
        elif event in ("stream_lost", "stream_missed"):
            self._stream_catch_ups.labels(str(facts["side"]), event.removeprefix("stream_")).inc()
        elif event == "few_touches":
            self._few_touches.inc()
        elif event == "refused":
            self._refused.labels(str(facts.get("side"))).inc()
        elif event == "cannot_decide":
            self._undecided.inc()
        elif event == "brake":
            self._trips.labels(str(facts.get("kind"))).inc()

    def text(self) -> bytes:
        """The page that Prometheus reads. Raises StoreError."""
        return generate_latest(self._registry)


class _Stored:
    """What the database holds, as gauges."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sides: tuple[str, ...],
        last_poll_ms: Callable[[], Mapping[str, int]],
    ) -> None:
        self._database = database
        self._clock = clock
        self._sides = sides
        self._last_poll_ms = last_poll_ms

    def describe(self) -> list[Metric]:
        """Nothing: registering must not read the database."""
        return []

    def collect(self) -> Iterable[Metric]:
        """Read everything at one moment."""
        now_ms = self._clock.now_ms()
        with self._database.read() as conn:
            stages = leads.count_by_stage(conn)
            backlog = leads.backlog(conn, now_ms)
            queues = outbox.counts(conn)
            told = inbox.count_hints(conn)
            held = holds.count_open(conn)
            refused = quarantine.count(conn)
            applied = applied_configuration(conn)
            stopped = brakes.brakes_of(conn, applied.version) if applied is not None else {}
            swept = {side: last for side in self._sides if (last := last_result(conn, side)) is not None}
            spent = {
                side: found for side in self._sides if (found := spending_of(conn, side, now_ms)) is not None
            }
            places = streams.stream_places(conn)
            followed = {side: leases.lease_held(conn, lease_of(side), now_ms) for side in places}
        oldest_ms = backlog.oldest_dirty_ms
        waiting = {("dirty",): backlog.dirty, ("due",): backlog.due, ("leased",): backlog.leased}
        yield _gauge("leads", "leads by stage", ["stage"], {(name,): n for name, n in stages.items()})
        yield _gauge("waiting_leads", "leads to be decided", ["state"], waiting)
        yield _gauge(
            "oldest_waiting_seconds",
            "how long the longest-waiting lead has been waiting",
            [],
            {(): 0 if oldest_ms is None else max(0, now_ms - oldest_ms) / SECOND_MS},
        )
        yield _gauge(
            "outbox_writes",
            "writes not yet confirmed",
            ["side", "state", "lane"],
            {(key.side, key.state, Lane(key.lane).name.lower()): n for key, n in queues.items()},
        )
        yield _gauge(
            "inbox_hints", "records told of that wait to be read", ["side"],
            {(side,): told[side].hints if side in told else 0 for side in self._sides},
        )  # fmt: skip
        yield _gauge(
            "inbox_oldest_seconds", "how long the longest-waiting of them has been waiting", ["side"],
            {
                (side,): max(0, now_ms - told[side].oldest_ms) / SECOND_MS if side in told else 0
                for side in self._sides
            },
        )  # fmt: skip
        yield _gauge(
            "stream_followed", "1 while a process follows the side's stream", ["side"],
            {(side,): int(held) for side, held in followed.items()},
        )  # fmt: skip
        yield _gauge(
            "stream_age_seconds", "how long ago everything that a stream told was stored", ["side"],
            {
                (side,): max(0, now_ms - reached_ms) / SECOND_MS
                for side, place in places.items()
                if (reached_ms := place.reached_ms or place.seen_ms)
            },
        )  # fmt: skip
        yield _gauge(
            "stream_warns", "1 while a stream does not tell everything, or cannot be followed", ["side"],
            {(side,): int(place.warning is not None) for side, place in places.items()},
        )  # fmt: skip
        yield _gauge("holds", "open holds", ["kind"], {(kind,): n for kind, n in held.items()})
        yield _gauge(
            "quarantined_values", "values that a platform refused", ["side"],
            {(side,): refused.get(side, 0) for side in self._sides},
        )  # fmt: skip
        yield _gauge(
            "brake_stopped", "1 for each kind of change that the brake has stopped", ["kind"],
            {(kind,): 1 for kind, brake in stopped.items() if brake.released_ms is None},
        )  # fmt: skip
        yield from _calls(spent, now_ms)
        yield _gauge(
            "verify_unexplained", "what differed for no known reason when a side was last verified", ["side"],
            {(side,): last["found"].get("unexplained", 0) for side, last in swept.items()},
        )  # fmt: skip
        yield _gauge(
            "verify_findings", "what differed when a side was last verified, by cause", ["side", "cause"],
            {(side, cause): n for side, last in swept.items() for cause, n in last["found"].items()},
        )  # fmt: skip
        yield _gauge(
            "verify_age_seconds", "since the end of the last sweep of a side", ["side"],
            {(side,): (now_ms - last["ended_ms"]) / SECOND_MS for side, last in swept.items()},
        )  # fmt: skip
        yield _gauge(
            "last_poll_age_seconds", "since a side was last looked at by this process", ["side"],
            {(side,): (now_ms - at_ms) / SECOND_MS for side, at_ms in self._last_poll_ms().items()},
        )  # fmt: skip


def _calls(spent: Mapping[str, Spending], now_ms: int) -> Iterable[Metric]:
    """What each side has spent of its day, which is the account's or the last 24 hours."""
    yield _gauge(
        "api_calls_used", "calls of the day, by all processes", ["side", "lane"],
        {
            (side, Lane(lane).name.lower()): number
            for side, found in spent.items()
            for lane, number in found.used.items()
        },
    )  # fmt: skip
    numbers: dict[str, tuple[str, Callable[[Spending], float | None]]] = {
        "api_calls_limit": ("calls a day of the whole account", lambda found: found.limit),
        "api_calls_ceiling": ("calls a day that leadloop may make", lambda found: found.ceiling),
        "api_calls_reserve": ("how many of those are for hand-offs alone", lambda found: found.reserve),
        "api_calls_forecast": ("calls by the end of the day", lambda found: found.forecast.calls),
        "api_account_calls_used": (
            "calls of the whole account today, as it told last",
            lambda found: found.account.used if found.account is not None else None,
        ),
        "api_paused_seconds": (
            "for how long a side has been left alone because it said so; 0: it is called",
            lambda found: (now_ms - found.pause.since_ms) / SECOND_MS if found.pause is not None else 0,
        ),
    }
    for name, (words, number_of) in numbers.items():
        values = {(side,): number_of(found) for side, found in spent.items()}
        known = {side: value for side, value in values.items() if value is not None}
        yield _gauge(name, words, ["side"], known)


def _gauge(name: str, words: str, labels: list[str], values: Mapping[Any, float]) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(f"leadloop_{name}", words, labels=labels)
    for place, value in values.items():
        gauge.add_metric(list(place), value)
    return gauge
