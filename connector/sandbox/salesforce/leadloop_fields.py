"""leadloop's own custom fields on Lead and Contact, as the product's install guide has an admin create them.

Names, types and values are those of the design's table of leadloop fields. Specifications only.
"""

from __future__ import annotations

from connector.sandbox.salesforce.schema import FieldSpec, custom_field

STAGES = (
    "inquiry",
    "qualification",
    "nurture",
    "mql",
    "distributed",
    "accepted",
    "qualified",
    "opportunity",
    "closed",
    "disqualified",
)


def leadloop_fields() -> tuple[FieldSpec, ...]:
    """One fresh specification of each field. The rejection reason takes any value: reasons are the
    customer's own."""
    return (
        custom_field("Leadloop_Id__c", "text", length=64, unique=True, external_id=True),
        custom_field("Leadloop_Stage__c", "picklist", picklist=STAGES),
        custom_field("Leadloop_Stage_Since__c", "datetime"),
        custom_field("Leadloop_Cycle__c", "number", precision=6),
        custom_field("Leadloop_Score__c", "number", precision=6),
        custom_field("Leadloop_Fit__c", "number", precision=6),
        custom_field("Leadloop_Engagement__c", "number", precision=6),
        custom_field("Leadloop_Grade__c", "text", length=20),
        custom_field("Leadloop_Score_Reasons__c", "text", length=255),
        custom_field("Leadloop_Owner__c", "text", length=255),
        custom_field("Leadloop_Response_Due__c", "datetime"),
        custom_field(
            "Leadloop_Response_State__c", "picklist", picklist=("running", "due soon", "met", "breached")
        ),
        custom_field("Leadloop_Verdict__c", "picklist", picklist=("accepted", "rejected")),
        custom_field("Leadloop_Rejection_Reason__c", "picklist", restricted=False),
        custom_field("Leadloop_Rejection_Comment__c", "text", length=255),
        custom_field("Leadloop_Rejected_By__c", "text", length=255),
        custom_field("Leadloop_Rejected_At__c", "datetime"),
        custom_field("Leadloop_Nurture_Track__c", "text", length=255),
    )
