"""The HubSpot portal of the sandbox: its Python side, for tests and the demo, and its door to HTTP.

What is done here is done by people in HubSpot's UI, by forms, or by HubSpot itself: read-only properties can
be set and lifecycle stages go back. What integrations do goes through `app()`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from connector.clock import Clock
from connector.sandbox import HUBSPOT_APP_ID, HUBSPOT_PORTAL_ID
from connector.sandbox.faults import App, FaultGate, Faults, Requests
from connector.sandbox.hubspot import merging, writing
from connector.sandbox.hubspot.app import HubSpotApp, error_body, path_kind
from connector.sandbox.hubspot.associations import TYPES, default_type
from connector.sandbox.hubspot.auth import Access
from connector.sandbox.hubspot.crm import Crm, Owner
from connector.sandbox.hubspot.definitions import Option, options_from, usual_field_type
from connector.sandbox.hubspot.leadloop_fields import add_leadloop_fields
from connector.sandbox.hubspot.limits import Limits
from connector.sandbox.hubspot.metadata_routes import define
from connector.sandbox.hubspot.problems import not_valid
from connector.sandbox.hubspot.records import Origin, Record
from connector.sandbox.hubspot.state import crm_from_json, crm_to_json
from connector.sandbox.hubspot.table import Table
from connector.sandbox.hubspot.times import iso

UI_USER_ID = 75_514_748


class Row(dict[str, str | None]):
    """The values of one record, with its `id`. A property without a value reads as None."""

    def __missing__(self, name: str) -> None:
        return None


class HubSpotPortal:
    """A portal. All public methods may be called from any thread; record ids are text.

    `crm` has the switches of its behaviour, `limits` and `access` may be changed freely, `faults` makes
    things go wrong, `requests` counts. Methods that write raise `Problem` where HubSpot would refuse."""

    def __init__(
        self,
        clock: Clock,
        portal_id: int = HUBSPOT_PORTAL_ID,
        faults: Faults | None = None,
        app_id: int = HUBSPOT_APP_ID,
        time_zone: str = "UTC",
        account_type: str = "STANDARD",
    ) -> None:
        self.faults = Faults() if faults is None else faults
        self.requests = Requests()
        self.limits = Limits(time_zone=time_zone)
        self.access = Access(portal_id, app_id)
        self.account_type = account_type
        self.lock = threading.RLock()
        self.crm = Crm(clock, portal_id, app_id, self.faults)
        self.integration = Origin("INTEGRATION", str(app_id))
        self._app = FaultGate(HubSpotApp(self), self.faults, self.requests, path_kind, error_body)

    @property
    def clock(self) -> Clock:
        """By which records are stamped and answers dated."""
        return self.crm.clock

    @property
    def portal_id(self) -> int:
        """What account-info says."""
        return self.crm.portal_id

    def app(self) -> App:
        """The portal as an ASGI app, faults included."""
        return self._app

    def add_property(
        self,
        object_name: str,
        name: str,
        type: str = "string",  # noqa: A002  # HubSpot's own word for it
        *,
        label: str | None = None,
        field_type: str | None = None,
        options: Iterable[str | Mapping[str, Any] | Option] = (),
        unique: bool = False,
        read_only: bool = False,
        calculated: bool = False,
    ) -> None:
        """A custom property. `type`: string, number, date, datetime, enumeration, bool or phone_number;
        `field_type` checkbox makes an enumeration hold several values."""
        with self.lock:
            table = self.crm.table(object_name)
            body = {
                "name": name,
                "label": label or name.replace("_", " ").capitalize(),
                "type": type,
                "fieldType": field_type or usual_field_type(type),
                "groupName": table.kind.group,
                "options": list(options),
                "hasUniqueValue": unique,
            }
            definition = define(self.crm, table, body)
            definition.read_only = read_only
            definition.calculated = calculated

    def add_leadloop_fields(self) -> None:
        """leadloop's own contact properties under their default names."""
        add_leadloop_fields(self)

    def set_options(
        self, object_name: str, name: str, options: Iterable[str | Mapping[str, Any] | Option]
    ) -> None:
        """Replace the options of an enumeration, HubSpot's own included (custom lifecycle stages)."""
        with self.lock:
            self.crm.table(object_name).definitions[name].set_options(options_from(options))

    def add_validation_rule(self, object_name: str, name: str, pattern: str, message: str) -> None:
        """The admin's rule that a value must match the whole expression: enforced from 2026-09 on only.
        Raises ValueError for an expression that cannot be read."""
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
        with self.lock:
            self.crm.table(object_name).definitions[name].rule = (pattern, message)

    def create(self, object_name: str, /, *, source: str = "CRM_UI", **properties: Any) -> str:
        """A new record made by a person; values may be of any plain type, None is left out."""
        with self.lock:
            table = self.crm.table(object_name)
            given = {name: value for name, value in properties.items() if value is not None}
            changes = writing.prepare(self.crm, table, given, None, by_hubspot=True)
            writing.check_unique(self.crm, table, changes, None)
            record = writing.create(self.crm, table, changes, _origin(source))
            return str(record.record_id)

    def update(
        self, object_name: str, record_id: str, /, *, source: str = "CRM_UI", **properties: Any
    ) -> bool:
        """A person's edit; None clears. Returns whether anything changed. Raises KeyError when there is no
        such record."""
        with self.lock:
            table, record = self._live(object_name, record_id)
            changes = writing.prepare(self.crm, table, properties, record, by_hubspot=True)
            writing.check_unique(self.crm, table, changes, record)
            return writing.update(self.crm, table, record, changes, _origin(source))

    def leave_empty(self, object_name: str, record_id: str, name: str) -> None:
        """Make a blank value read as "" instead of null, as in records from long ago; nothing else moves."""
        with self.lock:
            self._live(object_name, record_id)[1].properties.setdefault(name, "")

    def touch(self, object_name: str, record_id: str) -> None:
        """Move the modified date without any change that is mapped, as HubSpot's own calculations do."""
        with self.lock:
            writing.touch(self.crm, *self._live(object_name, record_id))

    def submit_form(self, email: str, form: str, /, **properties: Any) -> str:
        """A form submission: creates or updates the contact, and counts as a conversion. Returns its id."""
        with self.lock:
            table = self.crm.tables["contacts"]
            holder = table.holder("email", email)
            record_id = str(holder) if holder else self.create("contacts", source="FORM", email=email)
            values = table.records[int(record_id)].properties
            now = iso(self.crm.now_ms())
            seen = f"{form}\n" in f"{values.get('first_conversion_event_name', '')}\n"
            counted: dict[str, Any] = {
                "num_conversion_events": int(values.get("num_conversion_events") or 0) + 1,
                "num_unique_conversion_events": int(values.get("num_unique_conversion_events") or 0)
                + (not seen),
                "recent_conversion_date": now,
                "recent_conversion_event_name": form,
            }
            if not values.get("first_conversion_date"):
                counted |= {"first_conversion_date": now, "first_conversion_event_name": form}
            self.update("contacts", record_id, source="FORM", **{**properties, **counted})
            return record_id

    def get(self, object_name: str, record_id: str) -> Row:
        """The values of a record, archived or not. Raises KeyError when there is no such record."""
        with self.lock:
            return _row(self.crm.table(object_name).records[int(record_id)])

    def rows(self, object_name: str, archived: bool = False) -> list[Row]:
        """All live (or all archived) records, in order of id."""
        with self.lock:
            table = self.crm.table(object_name)
            ids = table.archived_ids if archived else table.live_ids
            return [_row(table.records[each]) for each in ids]

    def find(self, object_name: str, name: str, value: str) -> str | None:
        """The id of the live record with this value of a unique property."""
        with self.lock:
            found = self.crm.lookup(self.crm.table(object_name), value, name)
            return None if found is None else str(found.record_id)

    def history(self, object_name: str, record_id: str, name: str) -> list[dict[str, Any]]:
        """The versions of one property, newest first, as in `propertiesWithHistory`."""
        with self.lock:
            table = self.crm.table(object_name)
            versions = table.records[int(record_id)].versions(name, table.kind.versions_kept)
            return [version.to_json() for version in versions]

    def archive(self, object_name: str, record_id: str) -> None:
        """Into the recycle bin."""
        with self.lock:
            table, record = self._live(object_name, record_id)
            table.archive(record, self.crm.now_ms())
            self.crm.webhooks.note(self.crm, table, record.record_id, "deletion", changeFlag="DELETED")

    def restore(self, object_name: str, record_id: str) -> None:
        """Out of the recycle bin. Raises KeyError when it is not there."""
        with self.lock:
            table = self.crm.table(object_name)
            record = table.records[int(record_id)]
            if record.archived_ms is None:
                raise KeyError(record_id)
            table.restore(record, self.crm.now_ms())
            self.crm.webhooks.note(self.crm, table, record.record_id, "restore")

    def merge(self, primary_id: str, other_id: str, object_name: str = "contacts") -> str:
        """Merge `other_id` into `primary_id`; returns the id of the survivor, normally a new one."""
        with self.lock:
            table, primary = self._live(object_name, primary_id)
            _, other = self._live(object_name, other_id)
            return str(merging.merge(self.crm, table, primary, other).record_id)

    def privacy_delete(self, contact: str) -> None:
        """Delete a contact for ever, by id or e-mail address, and block its addresses."""
        with self.lock:
            table = self.crm.tables["contacts"]
            address = contact if "@" in contact else None
            record = self.crm.lookup(table, contact, "email" if address else None)
            merging.privacy_delete(self.crm, table, record, address)

    def associate(
        self, origin: str, origin_id: str, target: str, target_id: str, type_id: int | None = None
    ) -> None:
        """Associate two records, with the unlabelled type unless one is given."""
        with self.lock:
            one, other = self._live(origin, origin_id), self._live(target, target_id)
            kind = (
                default_type(one[0].kind.name, other[0].kind.name) if type_id is None else TYPES.get(type_id)
            )
            if kind is None:
                raise not_valid(f"{origin} and {target} cannot be associated as {type_id}")
            writing.associate(self.crm, kind, one[1].record_id, other[1].record_id)

    def dissociate(self, origin: str, origin_id: str, target: str, target_id: str) -> None:
        """End every association of two records."""
        with self.lock:
            one, other = self._live(origin, origin_id), self._live(target, target_id)
            writing.dissociate(self.crm, *one, *other)

    def add_owner(self, email: str, first_name: str = "", last_name: str = "") -> str:
        """A user who can own records; returns the owner id."""
        with self.lock:
            number = len(self.crm.owners)
            owner_id, user_id = 534_941 + number, 9_586_504 + number
            self.crm.owners[owner_id] = Owner(
                owner_id, user_id, email.lower(), first_name, last_name, self.crm.now_ms()
            )
            return str(owner_id)

    def deactivate_owner(self, owner_id: str) -> None:
        """The user is gone; the owner is only listed with `archived=true` from now on."""
        with self.lock:
            self.crm.owners[int(owner_id)].active = False

    def to_json(self) -> dict[str, Any]:
        """Everything that a restart must keep. Faults, counts and limits are not among it."""
        with self.lock:
            return {
                "crm": crm_to_json(self.crm),
                "access": self.access.to_json(),
                "account_type": self.account_type,
                "time_zone": self.limits.time_zone,
            }

    def from_json(self, state: Mapping[str, Any]) -> None:
        """Take over the state that `to_json` gave."""
        with self.lock:
            crm_from_json(self.crm, state["crm"])
            self.access.load(state["access"])
            self.access.portal_id, self.access.app_id = self.crm.portal_id, self.crm.app_id
            self.integration = Origin("INTEGRATION", str(self.crm.app_id))
            self.account_type = state["account_type"]
            self.limits.time_zone = state["time_zone"]

    def _live(self, object_name: str, record_id: str) -> tuple[Table, Record]:
        table = self.crm.table(object_name)
        record = table.live(int(record_id))
        if record is None:
            raise KeyError(record_id)
        return table, record


def _row(record: Record) -> Row:
    return Row(record.properties, id=str(record.record_id))


def _origin(source: str) -> Origin:
    if source == "CRM_UI":
        return Origin(source, f"userId:{UI_USER_ID}", None, UI_USER_ID)
    return Origin(source, source.lower())
