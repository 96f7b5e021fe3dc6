"""SalesforceOrg: the sandbox's Salesforce, as people and test programs use it from Python.

What a person would do in the browser: create, change, convert, merge and delete records, add fields and
rules. All of it goes through the checks of the API. The HTTP side is `app()`. Safe to call from any thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connector.clock import Clock
from connector.sandbox import (
    SALESFORCE_CLIENT_ID,
    SALESFORCE_CLIENT_SECRET,
    SALESFORCE_ORGANIZATION_ID,
    SALESFORCE_SESSION_ID,
    SALESFORCE_USERNAME,
)
from connector.sandbox.faults import App, Faults, Requests
from connector.sandbox.salesforce import derived, ids, refusals, removal, saving, state
from connector.sandbox.salesforce.app import build_app
from connector.sandbox.salesforce.auth import Auth
from connector.sandbox.salesforce.bulk_query import BulkQueries
from connector.sandbox.salesforce.conversion import Conversion, ConvertResult, convert
from connector.sandbox.salesforce.cursors import LARGEST_PAGE, Cursors
from connector.sandbox.salesforce.leadloop_fields import leadloop_fields
from connector.sandbox.salesforce.picklists import DEVELOPER_STATUSES, STAGES, LeadStatus, Stage
from connector.sandbox.salesforce.quota import Quota
from connector.sandbox.salesforce.saving import Save
from connector.sandbox.salesforce.schema import ObjectSpec, Row
from connector.sandbox.salesforce.setup import fill_new_org, save_statuses, user_row
from connector.sandbox.salesforce.soql_filter import compile_filter
from connector.sandbox.salesforce.soql_grammar import parse_condition
from connector.sandbox.salesforce.soql_run import run_query
from connector.sandbox.salesforce.standard import use_statuses
from connector.sandbox.salesforce.world import DuplicateRule, ValidationRule, World


class SalesforceOrg(World):
    """One org with its data, users and limits.

    `daily_limit`: API calls in 24 hours, over which calls are refused. `page_size`: the most rows of a query
    page. `session_seconds`: how long an unused session lives; None, for ever. The user of the API is
    `integration_user_id`; Python calls act as `admin_id` unless they name somebody."""

    def __init__(
        self,
        clock: Clock,
        organization_id: str = SALESFORCE_ORGANIZATION_ID,
        faults: Faults | None = None,
        *,
        name: str = "Sandbox",
        statuses: Sequence[LeadStatus] = DEVELOPER_STATUSES,
        stages: Sequence[Stage] = STAGES,
        daily_limit: int = 15_000,
        page_size: int = LARGEST_PAGE,
        session_seconds: int | None = None,
    ) -> None:
        super().__init__(clock, organization_id, faults or Faults(), statuses, stages)
        self.requests: Requests = Requests()
        self.quota = Quota(clock, daily_limit)
        self.cursors = Cursors(self, page_size)
        self.bulk = BulkQueries(self)
        self.admin_id, self.integration_user_id = fill_new_org(self, name, SALESFORCE_USERNAME)
        self.auth = Auth(
            self,
            SALESFORCE_CLIENT_ID,
            SALESFORCE_CLIENT_SECRET,
            self.integration_user_id,
            session_seconds,
        )
        self.session_id = SALESFORCE_SESSION_ID
        self.auth.add_static(self.session_id, self.integration_user_id)

    # the limits, where callers look for them

    @property
    def daily_limit(self) -> int:
        return self.quota.daily_limit

    @daily_limit.setter
    def daily_limit(self, calls: int) -> None:
        self.quota.daily_limit = calls

    @property
    def page_size(self) -> int:
        return self.cursors.page_size

    @page_size.setter
    def page_size(self, rows: int) -> None:
        self.cursors.page_size = rows

    # what an admin sets up

    def add_leadloop_fields(self, objects: Sequence[str] = ("Lead", "Contact")) -> None:
        """Add leadloop's own custom fields under their default names."""
        for object_name in objects:
            for spec in leadloop_fields():
                self.add_field(object_name, spec)

    def add_validation_rule(self, rule: ValidationRule) -> None:
        """Refuse from now on to save what the rule describes. Raises Refusal when `when` is not a condition
        on the object."""
        with self.lock:
            spec = self.objects[rule.object]
            condition = compile_filter(self, spec, parse_condition(rule.when), rule.when)
            self.rules.setdefault(rule.object, []).append((rule, condition.test))

    def remove_validation_rule(self, object_name: str, name: str) -> None:
        """Forget a validation rule."""
        with self.lock:
            self.rules[object_name] = [
                each for each in self.rules.get(object_name, []) if each[0].name != name
            ]

    def add_duplicate_rule(self, rule: DuplicateRule) -> None:
        with self.lock:
            self.duplicate_rules.append(rule)

    def set_lead_statuses(self, statuses: Sequence[LeadStatus]) -> None:
        """Replace the values of Lead.Status. Leads keep the status that they have."""
        with self.lock:
            use_statuses(self.objects["Lead"], statuses)
            self.statuses = tuple(statuses)
            save_statuses(self)
            self.schema_changed_ms = self.now_ms()

    def add_user(self, name: str, email: str, active: bool = True, username: str | None = None) -> str:
        """A new user who can own records; returns the id. `username` defaults to the address."""
        with self.lock:
            return saving.insert(
                self, self.objects["User"], user_row(name, email, username, active), Save(self.admin_id)
            )

    def add_queue(self, name: str) -> str:
        """A new queue that can own leads and tasks; returns the id."""
        row = {"Name": name, "DeveloperName": name.replace(" ", "_"), "Type": "Queue"}
        with self.lock:
            return saving.insert(self, self.objects["Group"], row, Save(self.admin_id))

    # what people do with records

    def insert(
        self, object_name: str, by_user: str | None = None, assign: bool = False, **fields: Any
    ) -> str:
        """Create a record and return its id. Raises Refusal."""
        with self.lock:
            save = Save(by_user or self.admin_id, assign=assign)
            return saving.insert(self, self._object(object_name), fields, save)

    def update(
        self,
        object_name: str,
        row_id: str,
        by_user: str | None = None,
        assign: bool = False,
        **fields: Any,
    ) -> None:
        """Change a record. Raises Refusal."""
        with self.lock:
            save = Save(by_user or self.admin_id, assign=assign)
            saving.update(self, self._object(object_name), self._id(row_id), fields, save)

    def get(self, object_name: str, row_id: str) -> dict[str, Any]:
        """Every field of a record, deleted or not; blank ones are None. Raises KeyError."""
        with self.lock:
            spec = self._object(object_name)
            return self.full_row(spec, self.tables[spec.name].rows[self._id(row_id)])

    def rows(self, object_name: str, deleted: bool = False) -> list[dict[str, Any]]:
        """Every field of every record of an object, oldest first; those in the recycle bin on request."""
        with self.lock:
            spec = self._object(object_name)
            found = self.tables[spec.name].rows.values()
            return [self.full_row(spec, row) for row in found if deleted or not row.get("IsDeleted")]

    def query(self, soql: str) -> list[dict[str, Any]]:
        """The records that a SOQL query finds, as the API spells them. Raises Refusal."""
        with self.lock:
            found = run_query(self, soql, "62.0", deleted_too=False)
            if found.render is None:
                return [found.aggregate or {"count": found.count}]
            rows = self.tables[found.object.name].rows
            return [found.render(rows[row_id]) for row_id in found.ids]

    def delete(self, object_name: str, row_id: str, by_user: str | None = None) -> None:
        """Move a record to the recycle bin. Raises Refusal."""
        with self.lock:
            removal.delete(self, self._object(object_name), self._id(row_id), by_user or self.admin_id)

    def undelete(self, object_name: str, row_id: str, by_user: str | None = None) -> None:
        """Bring a record back from the recycle bin. Raises Refusal."""
        with self.lock:
            removal.undelete(self, self._object(object_name), self._id(row_id), by_user or self.admin_id)

    def purge(self, object_name: str, row_id: str) -> None:
        """Empty a deleted record out of the recycle bin. Raises Refusal."""
        with self.lock:
            removal.purge(self, self._object(object_name), self._id(row_id))

    def merge(self, master: str, *losers: str, by_user: str | None = None, **fields: Any) -> None:
        """Merge one or two losers into the master, which gets `fields`. All or nothing. Raises Refusal."""
        with self.lock, self.transaction():
            others = [self._id(loser) for loser in losers]
            removal.merge(self, self._id(master), others, fields, Save(by_user or self.admin_id))

    def convert_lead(
        self,
        lead_id: str,
        status: str | None = None,
        opportunity_name: str | None = None,
        *,
        account_id: str | None = None,
        contact_id: str | None = None,
        owner_id: str | None = None,
        overwrite_lead_source: bool = False,
        by_user: str | None = None,
    ) -> ConvertResult:
        """Convert a lead (see `Conversion`). Raises Refusal."""
        wanted = Conversion(
            self._id(lead_id),
            status,
            opportunity_name,
            account_id,
            contact_id,
            owner_id,
            overwrite_lead_source,
        )
        with self.lock:
            return convert(self, wanted, by_user or self.admin_id)

    def touch(self, object_name: str, row_id: str, **fields: Any) -> None:
        """Let a system process change a record past every check: SystemModstamp moves, unless it is among
        the fields, and LastModifiedDate stays. For back-dating and for picklist renames."""
        with self.lock:
            spec = self._object(object_name)
            row = self.tables[spec.name].rows[self._id(row_id)]
            changed: Row = {**row, "SystemModstamp": self.now_stamp(), **fields}
            self.put(spec.name, {name: value for name, value in changed.items() if value is not None})

    def full_row(self, spec: ObjectSpec, row: Row) -> dict[str, Any]:
        """A row with all its fields, the blank and the computed ones included."""
        made_up = derived.computed_fields(spec)
        return {
            name: derived.computed(spec.name, name, row)
            if name in made_up
            else row.get(name, False if field.type == "boolean" else None)
            for name, field in spec.fields.items()
        }

    # the other ways in

    def app(self) -> App:
        """The org's REST API and control endpoints as an ASGI application."""
        return build_app(self)

    def to_json(self) -> dict[str, Any]:
        """Everything that must survive a restart."""
        with self.lock:
            return state.saved_state(self)

    def from_json(self, saved: Mapping[str, Any]) -> None:
        """Become the org that `to_json` was called on. Sessions and cursors are not kept."""
        with self.lock:
            state.load_state(self, saved)

    def _object(self, name: str) -> ObjectSpec:
        spec = self.find_object(name)
        if spec is None:
            raise refusals.not_found(f"no object {name!r} here")
        return spec

    @staticmethod
    def _id(text: str) -> str:
        return ids.canonical(text) or text
