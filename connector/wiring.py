"""Wiring: the one place where settings, configuration, database and platforms become an Installation.

Proves that every side is the configured org or portal, reads its metadata and owners, suspends what the
platform does not have, and starts the cursors. Raises before anything has been written anywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from connector.access import Access, access_to
from connector.budget import Budget
from connector.clock import HOUR_MS, SECOND_MS, Clock
from connector.configuration import Configuration, compile_documents
from connector.connections import Connections, Opener
from connector.forecast import polls_a_day
from connector.installation import Feed, Installation
from connector.intake.backfill import is_known, note_known
from connector.intake.identity_change import follow_identity
from connector.intake.poll import start_cursors
from connector.intake.timetable import follow_seconds, seconds_of
from connector.lane import Lane
from connector.lead_input import Policy
from connector.learning import decide_unknown_owners_again, forget_old_counts, keep, options_of, readable
from connector.memory import collect_seldom
from connector.metadata_check import missing_fields
from connector.owners import Directory
from connector.platforms.protocol import Account, Allowance, Batching, Meter, Platform
from connector.settings import Settings, SettingsError, check_objects
from connector.store import configurations as configuration_store
from connector.store.cursors import cursors_of
from connector.store.database import Database
from connector.store.settings_values import get_value, put_value
from mappings.mapping import Mapping as LeadMapping
from mappings.mapping import SideMapping

LIVE_SINCE = "live_since_ms"

_SAME_TIME_MS = 2 * SECOND_MS
"""Clocks that are no further apart go alike."""

_UNKNOWN_PLATFORM = Allowance(10_000, 50, 20, 50, 10.0)


@dataclass(frozen=True, slots=True)
class Connected:
    """An installation, and what was learned while connecting."""

    installation: Installation
    accounts: Mapping[str, Account]
    budgets: Mapping[str, Budget]
    warnings: tuple[str, ...]


def open_database(settings: Settings) -> Database:
    """Open and migrate the database. Raises StoreError with one sentence."""
    database = Database.open(settings.database_url)
    database.migrate()
    return database


def choose_configuration(
    database: Database, wanted: Configuration, now_ms: int
) -> tuple[Configuration, str | None]:
    """The configuration in force: the applied one. The first one is applied at once; a changed one waits for
    `leadloop apply`, and a sentence says so."""
    with database.begin() as conn:
        applied = configuration_store.applied_configuration(conn)
        if applied is None:
            configuration_store.put_configuration(conn, wanted.version, wanted.documents, now_ms)
            configuration_store.apply_configuration(conn, wanted.version, now_ms)
            return wanted, None
    if applied.version == wanted.version:
        return wanted, None
    return (
        compile_documents(applied.documents),
        "The configuration files have changed; the applied ones stay in force until `leadloop apply`.",
    )


def connect(
    configuration: Configuration,
    settings: Settings,
    database: Database,
    clock: Clock,
    platforms: Mapping[str, Platform] | None = None,
) -> Connected:
    """Connect to every side of the mapping. `platforms` replaces the connections (tests).

    Raises SettingsError, WrongAccount, or what a platform refuses."""
    check_objects(settings, configuration.mapping)
    budgets: dict[str, Budget] = {}
    connections: dict[str, Platform] = dict(platforms or {})
    openers: dict[str, Opener] = {name: partial(_same, given) for name, given in connections.items()}
    for name, side in configuration.mapping.sides.items():
        if name in connections:
            continue
        budgets[name] = budget_of(name, side.platform, settings, database, clock)
        openers[name] = partial(open_platform, name, side.platform, settings, budgets[name], clock)
        connections[name] = openers[name]()
    accounts = {name: connection.prove_identity() for name, connection in connections.items()}
    _remember_accounts(database, accounts)
    access: dict[str, Access] = {}
    for name, side in configuration.mapping.sides.items():
        # who cannot connect hands nothing over: that goes on where updates have to wait
        access[name] = access_to(connections[name], side, Lane.HANDOFF)
        access[name].needs_people(side)
    metadata = {name: known.metadata for name, known in access.items()}
    feeds, missing = _feeds(configuration.mapping, settings, access)
    options = options_of(metadata)
    for name, budget in budgets.items():
        batching = connections[name].batching
        budget.serves(accounts[name].time_zone, _looks_a_day(feeds[name], batching), batching.write)
    owners = {name: connection.owners(Lane.HANDOFF) for name, connection in connections.items()}
    directory = Directory(owners)
    installation = Installation(
        database=database,
        clock=clock,
        policy=Policy(
            mapping=configuration.mapping.offered(options),
            rules=configuration.rules,
            create_when=configuration.create_when,
            filters=configuration.filters,
            directory=directory,
            live_since_ms=_live_since_ms(database, clock, accounts),
            own_users={name: account.user_id for name, account in accounts.items() if account.user_id},
            readable={
                (name, object_name): frozenset(natives)
                for name, feed in feeds.items()
                for object_name, natives in feed.objects.items()
            },
            readable_since_ms=clock.now_ms(),
        ),
        platforms=connections,
        aside=Connections(openers),
        feeds=feeds,
        owners=dict(owners),
        written=configuration.mapping,
        options=options,
        configuration=configuration.version,
        brake=configuration.brake,
        read_before_handoff=configuration.read_before_handoff,
        verify_every_ms=int(settings.verify_hours * HOUR_MS),
        report_fields=configuration.report,
    )
    follow_identity(installation)  # before anything is read by this mapping
    for name in connections:
        keep(installation, name, owners[name], access[name])
        _start(installation, name, accounts[name].ahead_ms, access[name].counted)
    decide_unknown_owners_again(installation)
    forget_old_counts(installation)
    collect_seldom()
    return Connected(installation, accounts, budgets, tuple(missing))


def _same(platform: Platform) -> Platform:
    """A connection that was given serves every thread."""
    return platform


def open_platform(side: str, platform: str, settings: Settings, meter: Meter, clock: Clock) -> Platform:
    """Connect to one side, for a command that asks once. Raises SettingsError."""
    connector, _ = _connector(platform)
    return connector(getattr(settings, platform, None), side, meter, clock)


def budget_of(side: str, platform: str, settings: Settings, database: Database, clock: Clock) -> Budget:
    """The budget of one side, as the settings limit it. Raises SettingsError."""
    own = getattr(settings, platform, None)
    _, allowance = _connector(platform)
    if own is not None:
        allowance = replace(
            allowance,
            day_limit=own.daily_limit or allowance.day_limit,
            quota_percent=own.quota_percent,
            reserve_percent=own.handoff_reserve_percent,
        )
    return Budget(side, database, clock, allowance)


def _connector(platform: str) -> tuple[Callable[..., Platform], Allowance]:
    """How to connect to a platform, and what its module says that it allows until its answers tell more."""
    for entry in entry_points(group="leadloop.platforms", name=platform):
        loaded: Callable[..., Platform] = entry.load()
        return loaded, getattr(import_module(entry.module), "ALLOWANCE", _UNKNOWN_PLATFORM)
    raise SettingsError(
        f"There is no platform {platform!r}: install the package that brings it, or fix `platform:`."
    )


def _remember_accounts(database: Database, accounts: Mapping[str, Account]) -> None:
    """A database belongs to the accounts it was begun with. Raises SettingsError on another one."""
    with database.begin() as conn:
        for name, account in accounts.items():
            known = get_value(conn, f"account:{name}")
            if known is None:
                put_value(conn, f"account:{name}", account.account_id)
            elif known != account.account_id:
                raise SettingsError(
                    f"This database belongs to the {name} account {known}, but the credentials are for "
                    f"{account.account_id}: use another LEADLOOP_DATABASE_URL or the right credentials."
                )


def _live_since_ms(database: Database, clock: Clock, accounts: Mapping[str, Account]) -> int:
    """Since when leadloop is live, as platforms date what happens: by the clock that is furthest behind, or
    what happens in the first moments would seem to be older."""
    with database.begin() as conn:
        known = get_value(conn, LIVE_SINCE)
        if isinstance(known, int):
            return known
        behind_ms = min((account.ahead_ms for account in accounts.values()), default=0)
        # answers travel, and are dated to the second: that much is no difference
        now_ms = clock.now_ms() + (behind_ms if behind_ms < -_SAME_TIME_MS else 0)
        put_value(conn, LIVE_SINCE, now_ms)
        return now_ms


def _feeds(
    mapping: LeadMapping, settings: Settings, access: Mapping[str, Access]
) -> tuple[dict[str, Feed], list[str]]:
    """What to read of each object: the mapped fields that the platform has, and a sentence for each other."""
    feeds: dict[str, Feed] = {}
    missing: list[str] = []
    for name, side in mapping.sides.items():
        own: Any = getattr(settings, side.platform, None)
        missing += missing_fields(side, access[name].metadata, access[name].reasons)
        feeds[name] = Feed(
            objects=readable(side, access[name].metadata),
            seconds=_seconds_of(side, own),
            overlap_seconds=own.overlap_seconds if own is not None else 600,
            archived_seconds=getattr(own, "archived_seconds", 0.0),
        )
    return feeds, missing


def _seconds_of(side: SideMapping, own: Any) -> dict[str, float]:
    if own is None:
        return seconds_of(side, 60.0, {})
    return seconds_of(side, own.poll_seconds, own.poll_seconds_of)


def _looks_a_day(feed: Feed, batching: Batching) -> int:
    """How many calls a day looking for changes takes while there are none. Objects of one interval share a
    call where the platform lets them."""
    every = Counter(feed.poll_seconds.values())
    calls = sum(polls_a_day(objects, seconds, batching.watch) for seconds, objects in every.items())
    if feed.archived_seconds:
        calls += polls_a_day(len(feed.objects), feed.archived_seconds, 1)
    return round(calls)


def _start(installation: Installation, side: str, ahead_ms: int, counted: Mapping[str, int]) -> None:
    """Start the cursors of a new side, and of objects that are new in its mapping, at now; a side without
    people is known completely from the start."""
    database = installation.database
    people = [target.object for target in installation.policy.mapping.sides[side].person_objects]
    with database.read() as conn:
        begun = bool(cursors_of(conn, side))
        complete = all(is_known(conn, side, name) for name in people)
    if not begun:
        complete = all(counted.get(name) == 0 for name in people)
        with database.begin() as conn:
            note_known(conn, side, people if complete else ())
    start_cursors(installation, side, ahead_ms)  # objects that the mapping has had before keep theirs
    with database.begin() as conn:
        follow_seconds(conn, side, installation.feeds[side].poll_seconds, installation.clock.now_ms())
    if complete:
        installation.complete.add(side)
