"""Floor: the fewest API calls that a wave of changes can cost, to hold the calls that were made against.

The formula: each side is read once a wave (2,000 rows a Salesforce page, 200 a HubSpot page), each record
that must show something new is written once in the largest batches (200 and 100), and the writes are seen
once more. Clearing a HubSpot lifecycle stage is a call of its own, since the new stage may only be written
after the clear is confirmed.
"""

from __future__ import annotations

from dataclasses import dataclass

SALESFORCE_PAGE, SALESFORCE_BATCH = 2_000, 200
HUBSPOT_PAGE, HUBSPOT_BATCH = 200, 100


@dataclass(frozen=True, slots=True)
class Wave:
    """How many records others changed on each side, how many leadloop had to write, and how many of the
    HubSpot ones needed a clear first."""

    salesforce_changed: int
    hubspot_changed: int
    salesforce_written: int
    hubspot_written: int
    lifecycle_clears: int = 0

    def salesforce_calls(self) -> int:
        """The fewest calls to Salesforce."""
        return (
            max(1, _pages(self.salesforce_changed, SALESFORCE_PAGE))
            + _pages(self.salesforce_written, SALESFORCE_BATCH)
            + _pages(self.salesforce_written, SALESFORCE_PAGE)
        )

    def hubspot_calls(self) -> int:
        """The fewest calls to HubSpot."""
        return (
            max(1, _pages(self.hubspot_changed, HUBSPOT_PAGE))
            + _pages(self.hubspot_written, HUBSPOT_BATCH)
            + _pages(self.hubspot_written, HUBSPOT_PAGE)
            + _pages(self.lifecycle_clears, HUBSPOT_BATCH)
        )


def _pages(records: int, size: int) -> int:
    return -(-records // size)
