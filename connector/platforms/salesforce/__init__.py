"""Salesforce behind the platform protocol, over simple-salesforce.

`adapter` is the protocol, `transport` the only importer of the vendor package; the other files are one noun
each. Platform facts named in docstrings come from Salesforce's REST API guide and recorded traffic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from connector.platforms.protocol import Allowance
from connector.platforms.settings import SalesforceSettings, SettingsError

if TYPE_CHECKING:
    from connector.clock import Clock
    from connector.platforms.protocol import Meter, Platform
    from connector.platforms.pushes import Receiver
    from connector.platforms.streams import Stream


ALLOWANCE = Allowance(15_000, 50, 20, burst_calls=250, burst_seconds=10.0)
"""What an org allows until its answers tell more: Developer Edition's 15,000 calls a day. Salesforce has no
burst limit on short calls; the pace only keeps us polite."""


def connect(settings: SalesforceSettings, side: str, meter: Meter, clock: Clock) -> Platform:
    """A Platform for one org. Makes no request yet. Raises SettingsError when credentials are missing."""
    # simple_salesforce takes a third of a second to import: only when a connection is really wanted
    from connector.platforms.salesforce.adapter import Salesforce

    return Salesforce(settings, side, meter, clock)


def receiver(settings: SalesforceSettings, most_events: int) -> Receiver | str:
    """What takes this org's Outbound Messages, or the sentence that says which setting it lacks."""
    secret, client_name = settings.webhook_secret, settings.webhook_client_name
    if secret is None and client_name is None:
        return "LEADLOOP_SALESFORCE__WEBHOOK_SECRET is not set: it ends the address of Outbound Messages."
    from connector.platforms.salesforce.deliveries import MessageReceiver

    return MessageReceiver("" if secret is None else secret.get_secret_value(), most_events, client_name)


def stream(
    settings: SalesforceSettings,
    side: str,  # noqa: ARG001  # the protocol's signature
    objects: Mapping[str, Sequence[str]],
    account: str,
    meter: Meter,
    clock: Clock,
) -> Stream | str:
    """This org's change events, or the sentence that says that they are switched off. Raises SettingsError
    when they cannot be followed."""
    if not settings.stream:
        return "LEADLOOP_SALESFORCE__STREAM is not set: Salesforce's change events are not followed."
    try:
        from connector.platforms.salesforce.pubsub import ChangeStream
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("grpc", "google", "fastavro"):
            raise
        raise SettingsError(
            f"LEADLOOP_SALESFORCE__STREAM needs the package {error.name}, which is not installed: "
            "pip install 'leadloop[salesforce-streams]'."
        ) from error
    made = ChangeStream(settings, tuple(objects), account, meter, clock)
    if objects and not made.objects:
        raise SettingsError(
            "LEADLOOP_SALESFORCE__STREAM_OBJECTS names no object that the mapping has: it has "
            f"{', '.join(objects)}."
        )
    return made
