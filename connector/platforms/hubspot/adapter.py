"""The HubSpot adapter: the platform protocol in searches and batches.

Changes come from search (`feed`), single records from batch reads, which show writes at once where search
lags. Must not decide anything about leads: it translates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connector.clock import Clock
from connector.lane import Lane
from connector.observation import Observation, PastValue
from connector.platforms.errors import (
    PlatformError,
    Refused,
    RetryLater,
    WrongAccount,
    about,
    concerns_all,
    gravest,
    is_unsure,
)
from connector.platforms.hubspot.answers import Answer
from connector.platforms.hubspot.associations import Associations
from connector.platforms.hubspot.feed import read_changes
from connector.platforms.hubspot.listing import Listing
from connector.platforms.hubspot.metadata import fields_of, owners_of, stage_property, stages_of
from connector.platforms.hubspot.names import is_id, is_object, is_property
from connector.platforms.hubspot.records import (
    modified_property,
    observe,
    past_values,
    wanted_properties,
)
from connector.platforms.hubspot.transport import Transport
from connector.platforms.hubspot.writing import MOST_RECORDS, Writer
from connector.platforms.protocol import (
    Account,
    Batching,
    BulkPage,
    ChangePage,
    Cursor,
    FieldInfo,
    Histories,
    ListPage,
    Metadata,
    Meter,
    Owner,
    Reading,
    RecordWrite,
    Watch,
    WriteResult,
)
from connector.platforms.settings import HubSpotSettings
from connector.platforms.stamps import epoch_ms

READ_AT_ONCE = 100
HISTORY_AT_ONCE = 50
_OWNERS_A_PAGE = 500


class HubSpot:
    """One account, seen through the platform protocol. For one thread."""

    def __init__(self, settings: HubSpotSettings, side: str, meter: Meter, clock: Clock) -> None:
        self.side = side
        self.batching = Batching(read=READ_AT_ONCE, write=MOST_RECORDS, find=READ_AT_ONCE)
        self._settings = settings
        self._clock = clock
        self._transport = Transport(settings, meter, clock)
        self._writer = Writer(self._transport, clock)
        self._associations = Associations(self._transport)
        self._listing = Listing(self._transport, clock, self.side)
        self._described: dict[str, Mapping[str, FieldInfo]] = {}

    def prove_identity(self) -> Account:
        """Which account the token is for, in one call. Raises WrongAccount, Refused, RetryLater."""
        try:
            body = self._transport.account(Lane.HANDOFF).checked()
        except RetryLater as later:
            if self._transport.locked_out:
                raise Refused(later.reason) from later
            raise
        portal = str(body["portalId"])
        expected = self._settings.portal_id
        if expected is not None and expected != portal:
            raise WrongAccount(
                f"the token is for the HubSpot account {portal}, but LEADLOOP_HUBSPOT__PORTAL_ID is "
                f"{expected}: correct one of them"
            )
        name = f"{portal} ({body.get('accountType') or 'HubSpot'})"
        zone = body.get("timeZone") or "UTC"
        return Account(portal, name, None, zone, self._transport.there.ahead_ms)

    def describe(self, objects: Sequence[str], lane: Lane = Lane.UPDATE) -> Metadata:
        """Property definitions, one call an object, and one more for the stages of its pipelines. Object
        types that the account does not have are left out. Raises RetryLater, Refused."""
        found: dict[str, Mapping[str, FieldInfo]] = {}
        for name in dict.fromkeys(objects):
            if not is_object(name):
                continue
            answer = self._transport.properties(name, lane)
            if answer.status in (400, 404):
                continue
            described = fields_of(answer.checked()["results"])
            if stage_property(name) in described:
                pipelines = self._transport.pipelines(name, lane)
                described |= stages_of(name, described, pipelines.body if pipelines.ok else {})
            found[name] = self._described[name] = described
        return Metadata(found)

    def owners(self, lane: Lane = Lane.UPDATE) -> Sequence[Owner]:
        """All owners; those that were deactivated come only when asked for apart, so two calls at least."""
        found: list[Owner] = []
        # text, because the client would spell the boolean False
        for parameters in ({}, {"archived": "true"}):
            after: str | None = None
            while True:
                more = {"after": after} if after else {}
                answer = self._transport.owners(lane, limit=_OWNERS_A_PAGE, **parameters, **more)
                body = answer.checked()
                found.extend(owners_of(body["results"]))
                after = _after(body)
                if after is None:
                    break
        return found

    def count(self, objects: Sequence[str], lane: Lane = Lane.UPDATE) -> Mapping[str, int]:
        """Live records by the `total` of a search for anything. Raises RetryLater, Refused."""
        counted = {}
        for name in objects:
            body = {"filterGroups": [], "sorts": [], "properties": [], "limit": 1}
            counted[name] = int(self._search(name, body, lane).checked()["total"])
        return counted

    def changes(self, watches: Sequence[Watch], lane: Lane = Lane.LOOK) -> Iterator[ChangePage]:
        """Changed records since each watch's moment, and records merged away into them; archived ones are
        never shown. A fault of one object is raised after the others' pages."""
        faults: list[PlatformError] = []
        for watch in watches:
            try:
                yield from self._changes(watch, lane)
            except PlatformError as fault:
                if concerns_all(fault) and not is_unsure(fault):
                    raise
                faults.append(about(watch.object, fault))
        if faults:
            raise gravest(faults)

    def _changes(self, watch: Watch, lane: Lane) -> Iterator[ChangePage]:
        yield from self._associations.completed(self._searched(watch, lane), watch.object, lane)

    def _searched(self, watch: Watch, lane: Lane) -> Iterator[ChangePage]:
        _checked(watch.object, watch.fields)
        asked_ms = started_ms = self._clock.now_ms()

        def search(body: Mapping[str, Any]) -> Mapping[str, Any]:
            nonlocal started_ms
            started_ms = self._clock.now_ms()
            answer: Mapping[str, Any] = self._search(watch.object, body, lane).checked()
            return answer

        for page in read_changes(search, watch.object, watch.fields, watch.since_ms):
            reached = Cursor(epoch_ms(page.rows[-1]["updatedAt"]), page.rows[-1]["id"]) if page.rows else None
            yield ChangePage(
                watch.object,
                observe(page.rows, self.side, watch.object, watch.fields, started_ms),
                reached,
                page.last,
                self._transport.there.at(asked_ms),
            )

    def everything(
        self,
        object_name: str,
        fields: Sequence[str],
        since_ms: int | None = None,
        resume: str = "",
        lane: Lane = Lane.BACKFILL,
        *,
        expected: int | None = None,  # noqa: ARG002  # one way suits any number here
    ) -> Iterator[BulkPage]:
        """Every record that is not archived: by the list, which has no wall and no index lag; with `since_ms`
        by the search, since the list knows no times."""
        if since_ms is None:
            _checked(object_name, fields)
            pages = self._listing.pages(object_name, fields, resume, lane)
            yield from self._associations.completed(pages, object_name, lane)
            return
        reached_ms = int(resume) if resume.isdecimal() else since_ms
        for page in self._changes(Watch(object_name, tuple(fields), reached_ms), lane):
            if page.reached is not None:
                reached_ms = page.reached.stamp_ms
            yield BulkPage(object_name, page.observations, str(reached_ms), page.last)

    def read(
        self, object_name: str, ids: Sequence[str], fields: Sequence[str], lane: Lane = Lane.UPDATE
    ) -> Reading:
        """Batch reads by record id. A record merged away is found as deleted where HubSpot answers with the
        one it went into, and missing otherwise. Raises RetryLater, Refused."""
        wanted = [given for given in dict.fromkeys(ids) if is_id(given)]
        found = self._batches(object_name, None, wanted, fields, lane)
        seen = {observation.record_id for observation in found}
        return Reading(found, [given for given in ids if given not in seen])

    def listed(
        self, object_name: str, fields: Sequence[str], after: str | None = None, lane: Lane = Lane.BACKFILL
    ) -> ListPage:
        """100 records that are not archived, by id, in a call; two where the properties are too many for a
        URL. Raises RetryLater, Refused."""
        _checked(object_name, fields)
        return self._listing.page(object_name, fields, after, lane)

    def archived(self, object_name: str, after: str | None = None, lane: Lane = Lane.UPDATE) -> ListPage:
        """100 records of the recycle bin, by id: neither search nor any other feed shows them."""
        _checked(object_name, ())
        return self._listing.archived(object_name, after, lane)

    def history(
        self, object_name: str, ids: Sequence[str], fields: Sequence[str], lane: Lane = Lane.UPDATE
    ) -> Histories:
        """Batch reads with history, 50 records a call. What our own app has written is known as such if its
        id is configured; other records of an account are not asked for. Raises RetryLater, Refused."""
        _checked(object_name, fields)
        wanted = [given for given in dict.fromkeys(ids) if is_id(given)]
        found: dict[tuple[str, str], Sequence[PastValue]] = {}
        for start in range(0, len(wanted) if fields else 0, HISTORY_AT_ONCE):
            body: dict[str, Any] = {
                # some property must be named: without, HubSpot sends a set of its own
                "properties": [modified_property(object_name)],
                "propertiesWithHistory": list(fields),
                "inputs": [{"id": value} for value in wanted[start : start + HISTORY_AT_ONCE]],
            }
            rows = self._transport.batch(object_name, "read", body, lane).checked()["results"]
            for row in rows:
                for name, versions in (row.get("propertiesWithHistory") or {}).items():
                    found[row["id"], name] = past_values(versions, self._settings.app_id)
        return found

    def find(
        self,
        object_name: str,
        key: str,
        values: Sequence[str],
        fields: Sequence[str],
        lane: Lane = Lane.UPDATE,
    ) -> Sequence[Observation]:
        """Records that are not archived whose property equals a value. Unique properties and contacts' e-mail
        go by batch read, which has no index lag; others by search. Raises RetryLater, Refused."""
        _checked(object_name, (key,))
        texts = [value for value in dict.fromkeys(values) if value]
        if self._is_unique(object_name, key):
            return self._batches(object_name, key, texts, fields, lane)
        found: list[Observation] = []
        for start in range(0, len(texts), READ_AT_ONCE):
            found.extend(self._found(object_name, key, texts[start : start + READ_AT_ONCE], fields, lane))
        return found

    def write(self, writes: Sequence[RecordWrite], lane: Lane = Lane.UPDATE) -> Sequence[WriteResult]:
        """See `Writer.write`."""
        return self._writer.write(writes, lane)

    def close(self) -> None:
        """Close connections."""
        self._transport.close()

    def _is_unique(self, object_name: str, key: str) -> bool:
        if object_name == "contacts" and key == "email":
            return True
        if object_name not in self._described:
            self.describe([object_name])
        info = self._described.get(object_name, {}).get(key)
        return info is not None and info.unique

    def _batches(
        self, object_name: str, key: str | None, values: Sequence[str], fields: Sequence[str], lane: Lane
    ) -> list[Observation]:
        _checked(object_name, fields)
        properties = wanted_properties(object_name, fields)
        found: list[Observation] = []
        for start in range(0, len(values), READ_AT_ONCE):
            body: dict[str, Any] = {
                "properties": properties,
                "propertiesWithHistory": [],
                "inputs": [{"id": value} for value in values[start : start + READ_AT_ONCE]],
            }
            if key is not None:
                body["idProperty"] = key
            started_ms = self._clock.now_ms()
            rows = self._transport.batch(object_name, "read", body, lane).checked()["results"]
            found.extend(observe(rows, self.side, object_name, fields, started_ms))
        return list(self._associations.of(found, object_name, lane))

    def _found(
        self, object_name: str, key: str, values: Sequence[str], fields: Sequence[str], lane: Lane
    ) -> Iterator[Observation]:
        # IN needs lower-case values on text properties, but the exact ones on enumerations
        info = self._described.get(object_name, {}).get(key)
        exact = info is not None and info.type == "enumeration"
        sought = [value if exact else value.lower() for value in values]
        after: str | None = None
        while True:
            body: dict[str, Any] = {
                "filterGroups": [{"filters": [{"propertyName": key, "operator": "IN", "values": sought}]}],
                "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
                "properties": wanted_properties(object_name, fields),
                "limit": 200,
            }
            if after is not None:
                body["after"] = after
            started_ms = self._clock.now_ms()
            answer = self._search(object_name, body, lane).checked()
            found = observe(answer["results"], self.side, object_name, fields, started_ms)
            yield from self._associations.of(found, object_name, lane)
            after = _after(answer)
            if after is None:
                return

    def _search(self, object_name: str, body: Mapping[str, Any], lane: Lane) -> Answer:
        if not is_object(object_name):
            raise Refused(f"{object_name!r} is not a HubSpot object type", "INVALID_TYPE")
        return self._transport.search(object_name, body, lane)


def _checked(object_name: str, fields: Sequence[str]) -> None:
    if not is_object(object_name):
        raise Refused(f"{object_name!r} is not a HubSpot object type", "INVALID_TYPE")
    wrong = tuple(name for name in fields if not is_property(name))
    if wrong:
        raise Refused("not a HubSpot property name", "PROPERTY_DOESNT_EXIST", wrong)


def _after(body: Mapping[str, Any]) -> str | None:
    after = ((body.get("paging") or {}).get("next") or {}).get("after")
    return None if after is None else str(after)
