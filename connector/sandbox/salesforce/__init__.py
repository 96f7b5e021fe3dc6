"""A Salesforce org that behaves like the real one where the facts are known, and refuses the rest."""

from __future__ import annotations

from connector.sandbox.salesforce.conversion import ConvertResult
from connector.sandbox.salesforce.org import SalesforceOrg
from connector.sandbox.salesforce.picklists import DEVELOPER_STATUSES, OTHER_STATUSES, LeadStatus
from connector.sandbox.salesforce.refusals import Refusal
from connector.sandbox.salesforce.schema import FieldSpec, custom_field
from connector.sandbox.salesforce.world import DuplicateRule, ValidationRule

__all__ = [
    "DEVELOPER_STATUSES",
    "OTHER_STATUSES",
    "ConvertResult",
    "DuplicateRule",
    "FieldSpec",
    "LeadStatus",
    "Refusal",
    "SalesforceOrg",
    "ValidationRule",
    "custom_field",
]
