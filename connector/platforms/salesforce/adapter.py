"""The Salesforce adapter: the platform protocol in composite calls, collections and SOQL.

Reads go through `/composite`, where up to five queries count as one API call and long statements fit;
`queryAll` shows deleted and merged records too. Must not decide anything about leads: it translates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote_plus

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
from connector.platforms.protocol import (
    Account,
    Batching,
    BulkPage,
    ChangePage,
    Cursor,
    FieldInfo,
    Histories,
    Listed,
    ListPage,
    Metadata,
    Meter,
    Owner,
    Reading,
    RecordWrite,
    Watch,
    WriteResult,
)
from connector.platforms.salesforce import soql
from connector.platforms.salesforce.bulk import BulkReader
from connector.platforms.salesforce.faults import classify
from connector.platforms.salesforce.ids import id18, is_field_path, is_id, is_name
from connector.platforms.salesforce.metadata import (
    QUEUES,
    USERS,
    fields_above,
    fields_of,
    owners_of,
    parent_of,
)
from connector.platforms.salesforce.records import Columns
from connector.platforms.salesforce.transport import Kind, Transport
from connector.platforms.salesforce.writing import MOST_RECORDS, Writer
from connector.platforms.settings import SalesforceSettings
from connector.platforms.stamps import epoch_ms

QUERIES_A_CALL = 5
SUBREQUESTS_A_CALL = 25
IDS_A_QUERY = 400
LISTED_AT_ONCE = 2_000
VALUES_A_QUERY = 100
_HISTORIES = {"Lead": "LeadHistory", "Contact": "ContactHistory"}


class Salesforce:
    """One org, seen through the platform protocol. For one thread."""

    def __init__(self, settings: SalesforceSettings, side: str, meter: Meter, clock: Clock) -> None:
        self.side = side
        self.batching = Batching(
            read=QUERIES_A_CALL * IDS_A_QUERY,
            write=MOST_RECORDS,
            find=QUERIES_A_CALL * VALUES_A_QUERY,
            watch=QUERIES_A_CALL,
        )
        self._settings = settings
        self._clock = clock
        self._transport = Transport(settings, meter, clock)
        self._writer = Writer(self._transport, clock)
        self._described: dict[str, Mapping[str, FieldInfo]] = {}
        self._without_history: set[str] = set()

    def prove_identity(self) -> Account:
        """Who we are there, in at most two calls beside the login: the Organization row, and for a session
        made elsewhere the userinfo. Raises WrongAccount, Refused, RetryLater."""
        lane = Lane.HANDOFF
        session = self._transport.session(lane)
        text = "SELECT Id, Name, TimeZoneSidKey FROM Organization LIMIT 1"
        path = f"{self._transport.data_path}/query/?q={quote_plus(text)}"
        rows = self._accepted(path)["records"]
        if not rows:
            raise Refused("Salesforce does not show the integration user its own organization")
        organization = id18(rows[0]["Id"])
        expected = self._settings.organization_id
        if expected is not None and id18(expected) != organization:
            raise WrongAccount(
                f"the credentials are for the Salesforce org {organization} ({rows[0]['Name']}), but "
                f"LEADLOOP_SALESFORCE__ORGANIZATION_ID is {expected}: correct one of them"
            )
        user = session.user_id or self._accepted("/services/oauth2/userinfo").get("user_id")
        return Account(
            organization,
            rows[0]["Name"],
            id18(user) if user else None,
            rows[0].get("TimeZoneSidKey") or "UTC",
            self._transport.there.ahead_ms,
        )

    def _accepted(self, path: str) -> Any:
        try:
            return self._transport.get(path, Lane.HANDOFF, "metadata").checked()
        except RetryLater as later:
            if self._transport.locked_out:
                raise Refused(later.reason) from later
            raise

    def describe(self, objects: Sequence[str], lane: Lane = Lane.UPDATE) -> Metadata:
        """Field metadata, 25 objects a call. Objects that the org does not have (or hides) are left out, and
        so are compound fields, whose parts are fields themselves. `Contact.Account` asks for the fields one
        relationship up, too, which are called `Account.Name` there. Raises RetryLater, Refused."""
        described = self._describe([name for name in objects if is_name(name)], lane)
        paths = {name: parent_of(described, name) for name in objects if not is_name(name)}
        parents = {parent for parent in paths.values() if parent is not None}
        above = self._describe(sorted(parents - described.keys()), lane) | described
        found = {name: fields_of(answer) for name, answer in described.items()}
        for path, parent in paths.items():
            if parent in above:
                name, _, relation = path.partition(".")
                found[name] |= fields_above(relation, above[parent])
        self._described.update(found)
        return Metadata(found)

    def _describe(self, objects: Sequence[str], lane: Lane) -> dict[str, Mapping[str, Any]]:
        """What describe answers, of the objects that there are."""
        found: dict[str, Mapping[str, Any]] = {}
        names = list(dict.fromkeys(objects))
        for start in range(0, len(names), SUBREQUESTS_A_CALL):
            part = names[start : start + SUBREQUESTS_A_CALL]
            paths = [f"{self._transport.data_path}/sobjects/{name}/describe" for name in part]
            for name, answer in zip(part, self._composite(paths, lane, "metadata"), strict=True):
                if isinstance(answer, Refused) and answer.code in ("NOT_FOUND", "INVALID_TYPE"):
                    continue
                if isinstance(answer, PlatformError):
                    raise answer
                found[name] = answer
        return found

    def owners(self, lane: Lane = Lane.UPDATE) -> Sequence[Owner]:
        """All users and queues, in one call while they fit a page each. Raises RetryLater, Refused."""
        users, queues = self._queries([USERS, QUEUES], False, lane, "metadata")
        return owners_of(users, queues)

    def count(self, objects: Sequence[str], lane: Lane = Lane.UPDATE) -> Mapping[str, int]:
        """Live records by `limits/recordCount`: one call, approximate. Raises RetryLater, Refused."""
        names = [name for name in objects if is_name(name)]
        path = f"{self._transport.data_path}/limits/recordCount?sObjects={','.join(names)}"
        body = self._transport.get(path, lane, "metadata").checked()
        counted = {row["name"]: int(row["count"]) for row in body["sObjects"]}
        # objects without rows are left out of the answer (recorded)
        return {name: counted.get(name, 0) for name in names}

    def changes(self, watches: Sequence[Watch], lane: Lane = Lane.LOOK) -> Iterator[ChangePage]:
        """Changed, deleted, merged and converted records since each watch's moment; five objects share the
        call that brings their first pages. A fault of one object is raised after the others' pages."""
        faults: list[PlatformError] = []
        for start in range(0, len(watches), QUERIES_A_CALL):
            part = watches[start : start + QUERIES_A_CALL]
            columns = [Columns.of(watch.object, watch.fields) for watch in part]
            texts = [
                soql.changed_since(wanted, watch.since_ms)
                for wanted, watch in zip(columns, part, strict=True)
            ]
            started_ms = self._clock.now_ms()
            try:
                answers = self._composite([self._query_path(text, True) for text in texts], lane, "read")
            except PlatformError as fault:
                if concerns_all(fault) and not is_unsure(fault):
                    raise
                faults.append(fault)
                continue
            for place, wanted in enumerate(columns):
                answer, answers[place] = answers[place], None  # the rows are freed once handed on
                try:
                    yield from self._pages(wanted, answer, started_ms, lane)
                except PlatformError as fault:
                    if concerns_all(fault) and not is_unsure(fault):
                        raise
                    faults.append(about(wanted.object, fault))
        if faults:
            raise gravest(faults)

    def everything(
        self,
        object_name: str,
        fields: Sequence[str],
        since_ms: int | None = None,
        resume: str = "",
        lane: Lane = Lane.BACKFILL,
        *,
        expected: int | None = None,
    ) -> Iterator[BulkPage]:
        """Every record that is not deleted, converted leads included: see `BulkReader`."""
        columns = Columns.of(object_name, fields)
        if object_name not in self._described:
            self.describe([object_name])

        def first_page(text: str) -> Mapping[str, Any]:
            [answer] = self._composite([self._query_path(text, False)], lane, "read")
            if isinstance(answer, PlatformError):
                raise about(object_name, answer)
            page: Mapping[str, Any] = answer
            return page

        reader = BulkReader(self._transport, self._clock, self.side, lane, columns, first_page)
        yield from reader.read(self._described.get(object_name), since_ms, resume, expected)

    def read(
        self, object_name: str, ids: Sequence[str], fields: Sequence[str], lane: Lane = Lane.UPDATE
    ) -> Reading:
        """Read by id through queryAll: deleted and merged records are found as such. Raises RetryLater,
        Refused."""
        columns = Columns.of(object_name, fields)
        wanted = {id18(given): given for given in ids if is_id(given)}
        found = self._where_in(columns, "Id", list(wanted), IDS_A_QUERY, True, lane)
        seen = {observation.record_id for observation in found}
        missing = [given for given in ids if not is_id(given) or id18(given) not in seen]
        return Reading(found, missing)

    def listed(
        self, object_name: str, fields: Sequence[str], after: str | None = None, lane: Lane = Lane.BACKFILL
    ) -> ListPage:
        """Up to 2,000 records by id, deleted ones included; fewer where Salesforce chooses to. The place of
        the next page is the last id of this one, so that it outlives any cursor of Salesforce's. Raises
        RetryLater, Refused."""
        columns = Columns.of(object_name, fields)
        text = soql.listed(columns, after, LISTED_AT_ONCE)
        started_ms = self._clock.now_ms()
        (answer,) = self._composite([self._query_path(text, True)], lane, "read")
        if isinstance(answer, PlatformError):
            raise answer
        rows = [
            Listed(item.record_id, item.stamp_ms, item.deleted, None, item.fields)
            for item in columns.observe(answer["records"], self.side, started_ms)
        ]
        # the server may choose smaller pages: the next one begins where this one ends
        more = answer.get("nextRecordsUrl") is not None or len(rows) >= LISTED_AT_ONCE
        return ListPage(rows, rows[-1].record_id if rows and more else None)

    def archived(self, object_name: str, after: str | None = None, lane: Lane = Lane.UPDATE) -> ListPage:  # noqa: ARG002  # the protocol's signature
        """Nothing: `changes` shows deleted records."""
        return ListPage((), None)

    def history(
        self, object_name: str, ids: Sequence[str], fields: Sequence[str], lane: Lane = Lane.UPDATE
    ) -> Histories:
        """By the history objects of Leads and Contacts, 2,000 records a call. An org keeps it only of fields
        that its admin has chosen, and has no such object where nobody has chosen any: then it is asked once,
        and not again. Of long texts it does not keep the value. Raises RetryLater, Refused."""
        kept = _HISTORIES.get(object_name)
        wanted = {id18(given): given for given in ids if is_id(given)}
        names = [name for name in fields if is_name(name)]
        if kept is None or kept in self._without_history or not wanted or not names:
            return {}
        parent, own_id = f"{object_name}Id", self._transport.session(lane).user_id
        found: dict[tuple[str, str], list[PastValue]] = {}
        keys = list(wanted)
        texts = [
            soql.changes_of(kept, parent, keys[at : at + IDS_A_QUERY], names)
            for at in range(0, len(keys), IDS_A_QUERY)
        ]
        for start in range(0, len(texts), QUERIES_A_CALL):
            try:
                answers = self._queries(texts[start : start + QUERIES_A_CALL], False, lane, "read")
            except Refused as refused:
                if refused.code != "INVALID_TYPE":
                    raise
                self._without_history.add(kept)
                return {}
            for row in (row for rows in answers for row in rows):
                by_us = own_id is not None and row["CreatedById"] == id18(own_id)
                past = PastValue(row["NewValue"], epoch_ms(row["CreatedDate"]), by_us)
                found.setdefault((wanted[id18(row[parent])], row["Field"]), []).append(past)
        return found

    def find(
        self,
        object_name: str,
        key: str,
        values: Sequence[str],
        fields: Sequence[str],
        lane: Lane = Lane.UPDATE,
    ) -> Sequence[Observation]:
        """Records that are not deleted (converted leads included) whose `key` equals a value; Salesforce
        compares text without case. Raises RetryLater, Refused."""
        if not is_field_path(key):
            raise Refused(f"{key!r} is not a Salesforce field name", "INVALID_FIELD", (key,))
        texts = [value for value in dict.fromkeys(values) if value]
        return self._where_in(Columns.of(object_name, fields), key, texts, VALUES_A_QUERY, False, lane)

    def write(self, writes: Sequence[RecordWrite], lane: Lane = Lane.UPDATE) -> Sequence[WriteResult]:
        """See `Writer.write`."""
        return self._writer.write(writes, lane)

    def close(self) -> None:
        """Close connections."""
        self._transport.close()

    def _pages(self, columns: Columns, answer: Any, started_ms: int, lane: Lane) -> Iterator[ChangePage]:
        # a query keeps to the ids that it found: what came after the first page is not among them
        asked_ms = self._transport.there.at(started_ms)
        while True:
            if isinstance(answer, PlatformError):
                raise answer
            following = answer.get("nextRecordsUrl")
            observations = columns.observe(answer["records"], self.side, started_ms)
            reached = Cursor(observations[-1].stamp_ms, observations[-1].record_id) if observations else None
            yield ChangePage(columns.object, observations, reached, following is None, asked_ms)
            if following is None:
                return
            started_ms = self._clock.now_ms()
            answer = self._transport.next_page(following, lane, "read")

    def _where_in(
        self, columns: Columns, key: str, values: Sequence[str], most: int, everything: bool, lane: Lane
    ) -> list[Observation]:
        texts = [soql.where_in(columns, key, values[at : at + most]) for at in range(0, len(values), most)]
        found: list[Observation] = []
        for start in range(0, len(texts), QUERIES_A_CALL):
            started_ms = self._clock.now_ms()
            for rows in self._queries(texts[start : start + QUERIES_A_CALL], everything, lane, "read"):
                found.extend(columns.observe(rows, self.side, started_ms))
        return found

    def _queries(
        self, texts: Sequence[str], everything: bool, lane: Lane, kind: Kind
    ) -> list[list[dict[str, Any]]]:
        """All rows of up to five queries. Raises the first fault."""
        results = []
        for answer in self._composite([self._query_path(text, everything) for text in texts], lane, kind):
            if isinstance(answer, PlatformError):
                raise answer
            rows = answer["records"]
            while (following := answer.get("nextRecordsUrl")) is not None:
                answer = self._transport.next_page(following, lane, kind)
                rows.extend(answer["records"])
            results.append(rows)
        return results

    def _query_path(self, text: str, everything: bool) -> str:
        resource = "queryAll" if everything else "query"
        return f"{self._transport.data_path}/{resource}/?q={quote_plus(text)}"

    def _composite(self, paths: Sequence[str], lane: Lane, kind: Kind) -> list[Any]:
        """GET all paths in one call: each one's body, or its fault (not raised)."""
        if not paths:
            return []
        requests = [
            {"method": "GET", "referenceId": f"r{place}", "url": path} for place, path in enumerate(paths)
        ]
        path = f"{self._transport.data_path}/composite"
        body = self._transport.call("POST", path, {"compositeRequest": requests}, lane, kind).checked()
        answers = {part["referenceId"]: part for part in body["compositeResponse"]}
        results: list[Any] = []
        for place in range(len(paths)):
            part = answers.get(f"r{place}")
            if part is None:
                results.append(RetryLater("Salesforce left a part of a composite call unanswered", 15))
            elif 200 <= part["httpStatusCode"] < 300:
                results.append(part["body"])
            else:
                results.append(classify(part["body"], part["httpStatusCode"], "read"))
        return results
