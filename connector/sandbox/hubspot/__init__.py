"""A HubSpot portal on loopback, as faithful as hubspot.md knows the real one. See `HubSpotPortal`."""

from connector.sandbox.hubspot.portal import HubSpotPortal
from connector.sandbox.hubspot.problems import Problem

__all__ = ["HubSpotPortal", "Problem"]
