"""HubSpot behind the platform protocol, over hubspot-api-client.

`adapter` is the protocol, `transport` the only importer of the vendor package; the other files are one noun
each. Platform facts named in docstrings come from HubSpot's documentation, its OpenAPI specs and recordings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.platforms.protocol import Allowance
from connector.platforms.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connector.clock import Clock
    from connector.platforms.protocol import Meter, Platform
    from connector.platforms.pushes import Receiver
    from connector.platforms.settings import HubSpotSettings
    from connector.platforms.streams import Stream


ALLOWANCE = Allowance(
    250_000, 50, 20, burst_calls=100, burst_seconds=10.0, searches_per_second=5, account_day=True
)
"""What an account allows until its answers tell more: a private app or service key of the smallest tier, and
the account's five searches a second (usage guidelines)."""


def connect(settings: HubSpotSettings, side: str, meter: Meter, clock: Clock) -> Platform:
    """A Platform for one account. Makes no request yet. Raises SettingsError when credentials are missing."""
    # the vendor package brings 300 modules: only when a connection is really wanted
    from connector.platforms.hubspot.adapter import HubSpot

    return HubSpot(settings, side, meter, clock)


def receiver(settings: HubSpotSettings, most_events: int) -> Receiver | str:
    """What takes this account's webhooks, or the sentence that says which setting it lacks."""
    if settings.client_secret is None:
        return "LEADLOOP_HUBSPOT__CLIENT_SECRET is not set: it proves that a webhook comes from HubSpot."
    from connector.platforms.hubspot.deliveries import WebhookReceiver

    secret = settings.client_secret.get_secret_value()
    return WebhookReceiver(secret, allow_v1=settings.allow_older_signature, most_events=most_events)


def stream(
    settings: HubSpotSettings,
    side: str,  # noqa: ARG001  # told to every platform; one account has one journal
    objects: Mapping[str, Sequence[str]],
    account: str,
    meter: Meter,
    clock: Clock,
) -> Stream | str:
    """The webhooks journal of this account, or the sentence that says that it is switched off. Makes no
    request yet. Raises SettingsError when the app has no id or secret."""
    if not settings.journal:
        return "LEADLOOP_HUBSPOT__JOURNAL is off."
    if not settings.client_id or settings.client_secret is None:
        name = "CLIENT_SECRET" if settings.client_id else "CLIENT_ID"
        raise SettingsError(
            f"LEADLOOP_HUBSPOT__{name} is not set: the journal is opened to an app, by its id and secret."
        )
    from connector.platforms.hubspot.journal import Journal

    return Journal(settings, settings.client_id, account, objects, meter, clock)
