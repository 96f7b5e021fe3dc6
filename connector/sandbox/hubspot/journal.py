"""The portal's webhooks journal: what happens to records, for an app that asks (hubspot.md section 15).

Holds what was subscribed to and nothing else, in files of events in their order, for 3 days. It knows no HTTP
but the signatures of its files' addresses; the routes are in `journal_routes`.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from connector.sandbox.hubspot.associations import TYPES
from connector.sandbox.hubspot.times import DAY_MS, iso

if TYPE_CHECKING:
    from connector.sandbox.hubspot.table import Table

KEPT_MS = 3 * DAY_MS
FILE_MS = 10_000
"""How much time a file is about, at most."""

_NAMESPACE = uuid.UUID("6f0d3a52-6c1c-4b6e-9a0a-5f3c6b1d8e11")
_ACTIONS = {"creation": "CREATE", "deletion": "DELETE", "merge": "MERGE", "restore": "RESTORE"}
_MERGED = ("primaryObjectId", "mergedObjectIds", "newObjectId")


@dataclass(slots=True)
class File:
    """One entry. `cut`: its content ends early."""

    offset: str
    published_ms: int
    events: list[dict[str, Any]]
    cut: bool = False

    def content(self) -> bytes:
        """What the storage service gives."""
        body = {"offset": self.offset, "journalEvents": self.events, "publishedAt": iso(self.published_ms)}
        whole = orjson.dumps(body)
        return whole[: len(whole) // 2] if self.cut else whole


@dataclass(slots=True)
class Journal:
    """The journal of one app in one portal. May be set freely: `most_events` of a file, `file_seconds` that
    an address is good for. Nothing of it survives a restart of the sandbox."""

    most_events: int = 100
    file_seconds: float = 300.0
    subscriptions: dict[int, dict[str, Any]] = field(default_factory=dict)
    files: list[File] = field(default_factory=list)
    _open: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    _files_made: int = 0
    _subscribed: int = 0
    _key: bytes = b"the storage's own"

    def to_json(self) -> dict[str, Any]:
        """What a restart must keep."""
        return {
            "most_events": self.most_events,
            "file_seconds": self.file_seconds,
            "subscriptions": list(self.subscriptions.values()),
            "files": [[each.offset, each.published_ms, each.events, each.cut] for each in self.files],
            "open": [list(each) for each in self._open],
            "files_made": self._files_made,
            "subscribed": self._subscribed,
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Journal:
        """The journal that `to_json` was called on."""
        return cls(
            saved["most_events"],
            saved["file_seconds"],
            {each["id"]: each for each in saved["subscriptions"]},
            [File(*each) for each in saved["files"]],
            [(moment_ms, event) for moment_ms, event in saved["open"]],
            saved["files_made"],
            saved["subscribed"],
        )

    def subscribe(self, body: Mapping[str, Any], app_id: int, now_ms: int) -> dict[str, Any]:
        """Create, or replace the one of the same kind, account and object type."""
        kept = {name: body.get(name) for name in ("subscriptionType", "portalId", "objectTypeId")}
        number = next(
            (
                number
                for number, each in self.subscriptions.items()
                if all(each[name] == value for name, value in kept.items())
            ),
            None,
        )
        if number is None:
            self._subscribed += 1
            number = 910_000 + self._subscribed
        made = self.subscriptions.get(number, {}).get("createdAt", iso(now_ms))
        rest = {"appId": app_id, "createdAt": made, "updatedAt": iso(now_ms)}
        self.subscriptions[number] = {"id": number, **body, **rest}
        return self.subscriptions[number]

    def changed(self, crm: Any, table: Table, record_id: int, names: Iterable[str]) -> None:
        """Properties of a record have new values."""
        if not self.subscriptions:
            return
        wanted = self._properties(crm.portal_id, table.kind.type_id)
        values = table.records[record_id].properties
        changes = {name: values.get(name, "") for name in names if name in wanted}
        if changes:
            self._note(crm, table, record_id, "UPDATE", propertyChanges=changes)

    def note(self, crm: Any, table: Table, record_id: int, action: str, given: Mapping[str, Any]) -> None:
        """Something else happened to it; `action` as in webhooks."""
        if action == "associationChange":
            self._associated(crm, table, given)
        elif action == "privacyDeletion":
            if self._wants("GDPR_PRIVACY_DELETION", crm.portal_id, table.kind.type_id, "GDPR_DELETE"):
                self._note(crm, table, record_id, "GDPR_DELETE", kind="gdprPrivacyDeletion")
        elif action in _ACTIONS and self._wants(
            "OBJECT", crm.portal_id, table.kind.type_id, _ACTIONS[action]
        ):
            more = {name: given[name] for name in _MERGED if name in given}
            self._note(crm, table, record_id, _ACTIONS[action], **more)

    def append(self, event: Mapping[str, Any], now_ms: int) -> None:
        """An event of any form, whoever subscribed to it: of another portal, or malformed."""
        self._open.append((now_ms, dict(event)))

    def publish(self, now_ms: int) -> None:
        """Put what has come into files, and drop those that are too old. Done before every answer, since
        nobody sees the difference."""
        while self._open:
            until_ms = self._open[0][0] + FILE_MS
            size = sum(1 for moment_ms, _ in self._open[: self.most_events] if moment_ms <= until_ms)
            part, self._open = self._open[:size], self._open[size:]
            self._files_made += 1
            offset = str(uuid.uuid5(_NAMESPACE, str(self._files_made)))
            self.files.append(File(offset, part[-1][0], [event for _, event in part]))
        self.files = [each for each in self.files if each.published_ms > now_ms - KEPT_MS]

    def after(self, offset: str) -> Sequence[File] | None:
        """The files after this one; None when there is no such file."""
        for place, each in enumerate(self.files):
            if each.offset == offset:
                return self.files[place + 1 :]
        return None

    def lose(self) -> None:
        """Forget every file, as if it had been kept for 3 days."""
        self.files.clear()
        self._open.clear()

    def cut_next(self) -> None:
        """Publish what has come as files whose contents end early."""
        before = len(self.files)
        self.publish(0)
        for each in self.files[before:]:
            each.cut = True

    def file(self, offset: str) -> File | None:
        """The file, where it is still there."""
        return next((each for each in self.files if each.offset == offset), None)

    def signature(self, offset: str, expires_ms: int) -> str:
        """What proves an address of a file."""
        return hmac.new(self._key, f"{offset}:{expires_ms}".encode(), hashlib.sha256).hexdigest()

    def _note(
        self, crm: Any, table: Table, record_id: int, action: str, kind: str = "crmObject", **more: Any
    ) -> None:
        event = {
            "type": kind,
            "portalId": crm.portal_id,
            "occurredAt": iso(crm.now_ms()),
            "action": action,
            "objectTypeId": table.kind.type_id,
            "objectId": record_id,
        }
        self.append(event | more, crm.now_ms())

    def _associated(self, crm: Any, table: Table, given: Mapping[str, Any]) -> None:
        action = "ASSOCIATION_REMOVED" if given.get("associationRemoved") else "ASSOCIATION_ADDED"
        other = crm.tables[TYPES[given["associationTypeId"]].target].kind.type_id
        like = self._like("ASSOCIATION", crm.portal_id, table.kind.type_id)
        if not any(action in each["actions"] and other in each["associatedObjectTypeIds"] for each in like):
            return
        event = {
            "type": "association",
            "portalId": crm.portal_id,
            "occurredAt": iso(crm.now_ms()),
            "action": action,
            "fromObjectTypeId": table.kind.type_id,
            "fromObjectId": given["fromObjectId"],
            "toObjectTypeId": other,
            "toObjectId": given["toObjectId"],
            "associationTypeId": given["associationTypeId"],
            "associationCategory": "HUBSPOT_DEFINED",
            "isPrimary": bool(given.get("isPrimaryAssociation")),
        }
        self.append(event, crm.now_ms())

    def _wants(self, kind: str, portal_id: int, type_id: str, action: str) -> bool:
        return any(action in each["actions"] for each in self._like(kind, portal_id, type_id))

    def _properties(self, portal_id: int, type_id: str) -> set[str]:
        like = self._like("OBJECT", portal_id, type_id)
        return {name for each in like if "UPDATE" in each["actions"] for name in each["properties"]}

    def _like(self, kind: str, portal_id: int, type_id: str) -> Iterator[Mapping[str, Any]]:
        for each in self.subscriptions.values():
            if (each["subscriptionType"], each.get("portalId"), each.get("objectTypeId")) == (
                kind,
                portal_id,
                type_id,
            ):
                yield each
