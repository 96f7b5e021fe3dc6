"""A Salesforce and a HubSpot to run against on loopback, for the demo, the tests and anyone's own client.

Nothing here is a real account. The credentials below are the sandbox's own and open nothing else; they are
printed when `leadloop sandbox` starts.
"""

from __future__ import annotations

from typing import Final

SALESFORCE_ORGANIZATION_ID: Final = "00D5g000000SBX1EAO"
SALESFORCE_SESSION_ID: Final = "00D5g000000SBX1EAO!sandbox-session"
SALESFORCE_CLIENT_ID: Final = "sandbox-salesforce-client"
SALESFORCE_CLIENT_SECRET: Final = "sandbox-salesforce-secret"  # noqa: S105  # opens only the sandbox
SALESFORCE_USERNAME: Final = "integration@sandbox.example"

HUBSPOT_PORTAL_ID: Final = 8_675_309
HUBSPOT_APP_ID: Final = 424_242
HUBSPOT_ACCESS_TOKEN: Final = "pat-na1-sandbox"  # noqa: S105  # opens only the sandbox
HUBSPOT_CLIENT_ID: Final = "sandbox-hubspot-client"
HUBSPOT_CLIENT_SECRET: Final = "sandbox-hubspot-secret"  # noqa: S105  # opens only the sandbox
HUBSPOT_REFRESH_TOKEN: Final = "sandbox-hubspot-refresh"  # noqa: S105  # opens only the sandbox
