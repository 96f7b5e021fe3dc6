"""A Salesforce and a HubSpot on loopback, for the demo and the tests."""
