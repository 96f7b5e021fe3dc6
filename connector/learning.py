"""Learning: what the platforms say of themselves, at the start and every hour: who can own records there,
which of the mapped fields there are, and which values picklists offer.

Admins add users, take permissions away and rename statuses while leadloop runs. What that changes is put in
force at once, and told as holds. Reads metadata only, never records.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import structlog
from sqlalchemy import Connection

from connector.access import Access, access_to
from connector.clock import DAY_MS, HOUR_MS
from connector.installation import Installation
from connector.intake.poll import start_cursors
from connector.metadata_check import missing_fields
from connector.offers import KINDS as OFFERS
from connector.offers import VANISHED, judge_offers, offered_from
from connector.owners import Directory
from connector.plan import WantedHold
from connector.platforms.errors import concerns_all
from connector.platforms.protocol import Metadata, Owner
from connector.remembered import Options, remember
from connector.spending import first_warning_today, spending_of
from connector.store import holds as hold_store
from connector.store import leads as lead_store
from connector.store.brakes import forget_counts
from connector.store.calls import forget_calls
from connector.store.settings_values import get_value, put_value
from mappings.mapping import SideMapping

log = structlog.get_logger()

LEARN_EVERY_MS = HOUR_MS
"""How often users, fields and picklists are read again."""

_REFUSED = "refused_objects:"

_COUNTS_KEPT_MS = 35 * DAY_MS
"""How long calls and changes stay counted: longer than any window that is looked at."""


def readable(side: SideMapping, metadata: Metadata) -> dict[str, tuple[str, ...]]:
    """The mapped objects that a side's platform has, with the mapped fields that it has of each."""
    # what speaks about people is stored before them, so that a conversion is decided with its opportunity
    targets = sorted(side.objects.items(), key=lambda item: item[1].role == "person")
    return {
        name: tuple(native for native in target.natives if native in metadata.objects[name])
        for name, target in targets
        if name in metadata.objects
    }


def options_of(metadata: Mapping[str, Metadata]) -> Options:
    """What each picklist of each side offers; None for a field that is none."""
    return {
        (side, name): {native: info.options for native, info in described.items()}
        for side, known in metadata.items()
        for name, described in known.objects.items()
    }


def learn_again(installation: Installation, side: str) -> None:
    """Read what a side says of itself again, and decide again what waits for it. Drops what was counted long
    ago and warns of a day that needs too many calls, too: this is done every hour. Raises RetryLater or
    Refused; what was known stays in force then."""
    forget_old_counts(installation)
    _warn_of_forecast(installation, side)
    there = installation.platforms[side]
    written = installation.mapping.sides[side]
    owners = list(there.owners())
    access = access_to(there, written)
    if access.unanswered is not None and concerns_all(access.unanswered):
        raise access.unanswered  # what was known stays in force
    _tell_refused(installation, side, access)
    access.needs_people(written)
    before = installation.feeds[side].objects
    objects = readable(written, access.metadata)
    # objects that were not seen before are looked at from now on, by the platform's own clock
    ahead_ms = there.prove_identity().ahead_ms if objects.keys() - before.keys() else None
    _put_in_force(installation, side, owners, access.metadata, objects)
    if ahead_ms is not None:
        start_cursors(installation, side, ahead_ms)
    keep(installation, side, owners, access)
    decide_unknown_owners_again(installation)


def _put_in_force(
    installation: Installation,
    side: str,
    owners: Collection[Owner],
    metadata: Metadata,
    objects: Mapping[str, tuple[str, ...]],
) -> None:
    with installation.lock:
        others = {key: offers for key, offers in installation.options.items() if key[0] != side}
        installation.options = {**others, **options_of({side: metadata})}
        installation.owners = {**installation.owners, side: list(owners)}
        feed, policy = installation.feeds[side], installation.policy
        if objects != feed.objects:
            installation.feeds = {**installation.feeds, side: replace(feed, objects=objects)}
            policy = replace(
                policy,
                readable={
                    **{key: natives for key, natives in policy.readable.items() if key[0] != side},
                    **{(side, name): frozenset(natives) for name, natives in objects.items()},
                },
                readable_since_ms=installation.clock.now_ms(),
            )
        installation.policy = replace(
            policy,
            mapping=installation.mapping.offered(installation.options),
            directory=Directory(installation.owners),
        )


def _tell_refused(installation: Installation, side: str, access: Access) -> None:
    """Say which objects may not be read, people too, and log what is news in it."""
    with installation.database.begin() as conn:
        before = refused_objects(conn, side)
        put_value(conn, _REFUSED + side, access.reasons)
    for name, reason in access.reasons.items():
        if name not in before:
            log.warning("object not read", side=side, object=name, reason=reason)
    for name in before.keys() - access.refused.keys():
        log.info("object read again", side=side, object=name)


def refused_objects(conn: Connection, side: str) -> dict[str, str]:
    """The mapped objects of a side that its platform does not let leadloop read, as last told, and why."""
    return dict(get_value(conn, _REFUSED + side, {}))


def keep(installation: Installation, side: str, owners: Collection[Owner], access: Access) -> None:
    """Remember in the database what a side told, for those who ask no platform, and tell by holds what it
    lacks of the mapping."""
    written, now_ms = installation.mapping.sides[side], installation.clock.now_ms()
    key, metadata = f"offered:{side}", access.metadata
    missing = [_missing(sentence) for sentence in missing_fields(written, metadata, access.reasons)]
    with installation.database.begin() as conn:
        put_value(conn, _REFUSED + side, access.reasons)
        remember(conn, written, installation.policy.own_users.get(side), list(owners), metadata, now_ms)
        changed, offered = judge_offers(written, metadata, offered_from(get_value(conn, key)))
        put_value(conn, key, offered)
        synced = hold_store.sync_holds(
            conn,
            {
                hold_store.INSTALLATION: [
                    *missing,
                    *(_stored(hold) for hold in changed),
                    *_of_others(conn, set(installation.mapping.sides) - {side}),
                ]
            },
            now_ms,
            kinds={"field_missing", *OFFERS},
        )
        # what can be seen again is read of every record, and what can be written again is written to each,
        # whether somebody changes it or not
        if any(hold.kind in ("field_missing", VANISHED) for hold in synced.closed):
            lead_store.mark_all_dirty(conn, now_ms)


def _missing(sentence: str) -> hold_store.WantedHold:
    return hold_store.WantedHold(
        kind="field_missing",
        subject=sentence,
        message=f"{sentence}: its mapping is suspended.",
        remedy="Create it there, give the integration user access to it, or take it out of the mapping.",
    )


def _of_others(conn: Connection, sides: Collection[str]) -> list[hold_store.WantedHold]:
    """The open holds of the other sides, which stay as they are."""
    begins = tuple(f"{side}{mark}" for side in sides for mark in ": ")
    present = hold_store.open_holds(conn, [hold_store.INSTALLATION]).get(hold_store.INSTALLATION, ())
    return [
        _stored(hold)
        for hold in present
        if hold.kind in ("field_missing", *OFFERS) and hold.subject.startswith(begins)
    ]


def _stored(hold: WantedHold | hold_store.Hold) -> hold_store.WantedHold:
    return hold_store.WantedHold(hold.kind, hold.subject, hold.message, hold.remedy, hold.details)


def _warn_of_forecast(installation: Installation, side: str) -> None:
    now_ms = installation.clock.now_ms()
    with installation.database.begin() as conn:
        spending = spending_of(conn, side, now_ms)
        if spending is None or not first_warning_today(conn, side, spending, now_ms):
            return
    log.warning(
        "calls will not last the day", side=side, used=spending.total, forecast=spending.forecast.calls,
        ceiling=spending.ceiling,
    )  # fmt: skip


def forget_old_counts(installation: Installation) -> None:
    """Drop what was counted longer ago than anybody looks."""
    before_ms = installation.clock.now_ms() - _COUNTS_KEPT_MS
    with installation.database.begin() as conn:
        forget_calls(conn, before_ms)
        forget_counts(conn, before_ms)


def decide_unknown_owners_again(installation: Installation) -> None:
    """Decide leads again that wait for an owner."""
    with installation.database.begin() as conn:
        waiting = {
            lead_id
            for lead_id, holds in hold_store.open_holds(conn).items()
            if any(hold.kind in ("owner_unknown", "no_owner", "nobody_else") for hold in holds)
        }
        lead_store.mark_dirty(conn, waiting, installation.clock.now_ms())
