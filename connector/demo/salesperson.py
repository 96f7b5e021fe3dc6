"""Salesperson: what the tags of a real file say that a salesperson did with a lead that was handed over.

Only people act on tags: no rule and no mapping may read them, since they were written knowing the outcome.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.demo.leads_file import Person

SALESPEOPLE = ("asha@school.example", "ben@school.example", "chitra@school.example", "dev@school.example")

REJECTIONS: Mapping[str, str] = {
    "Already a student": "already_customer",
    "Not doing further education": "no_need",
    "Interested in other courses": "no_need",
    "Interested  in full time MBA": "no_need",
    "Graduation in progress": "timing",
    "Diploma holder (Not Eligible)": "not_a_fit",
    "University not recognized": "not_a_fit",
    "invalid number": "bad_data",
    "wrong number given": "bad_data",
    "number not provided": "bad_data",
    "Ringing": "unreachable",
    "switched off": "unreachable",
    "opp hangup": "unreachable",
    "Want to take admission but has financial problems": "no_budget",
    "Interested in Next batch": "timing",
    "Shall take in the next coming month": "timing",
    "Lost to Others": "competitor",
}
"""Tag to the reason that its writer gives."""

ACCEPTED = frozenset(
    {
        "Will revert after reading the email",
        "Busy",
        "in touch with EINS",
        "Closed by Horizzon",
        "Lost to EINS",
    }
)
"""Tags of leads that sales works on."""


def verdict_on(person: Person) -> dict[str, Any] | None:
    """The fields that the salesperson fills in on the Salesforce Lead; None while there is no verdict. Who
    became a customer in the end was not rejected, whatever the tag says."""
    reason = REJECTIONS.get(person.tag)
    if reason is not None and not person.won:
        return {
            "Status": "Closed - Not Converted",
            "Leadloop_Rejection_Reason__c": reason,
            "Leadloop_Rejection_Comment__c": person.tag,
        }
    if person.won or person.tag in ACCEPTED:
        return {"Status": "Working - Contacted"}
    return None
