"""The receiver of Salesforce's Outbound Messages: a secret in the path, the organization's id, the records.

Salesforce signs nothing. Who knows the secret path and the organization's id is taken for Salesforce; a proxy
may ask for Salesforce's client certificate besides (docs/webhooks.md). A message without the acknowledgement
`true` is sent again for 24 hours. No I/O.
"""

from __future__ import annotations

import hmac

from connector.platforms.pushes import Cause, Delivery, Head, NotAccepted, Reply, Told
from connector.platforms.salesforce.ids import id18
from connector.platforms.salesforce.messages import (
    ACKNOWLEDGED,
    NOT_ACKNOWLEDGED,
    MalformedMessage,
    TooManyNotifications,
    read_message,
)

_XML = "text/xml; charset=utf-8"


class MessageReceiver:
    """Takes Outbound Messages that come to the secret path."""

    def __init__(self, secret: str, most_notifications: int) -> None:
        self._secret = secret.encode()
        self._most = most_notifications

    def admit(self, head: Head, now_ms: int) -> None:  # noqa: ARG002  # the protocol's signature: nothing is dated
        """The path ends in the secret, compared in a time that does not tell how much of it is right. Raises
        NotAccepted."""
        if not hmac.compare_digest(head.rest.encode("utf-8", "replace"), self._secret):
            raise NotAccepted("forged", 404, "there is nothing at this address")

    def accept(self, head: Head, body: bytes, account: str) -> Delivery:  # noqa: ARG002  # the protocol's signature
        """The records that a message of this organization tells of. Raises NotAccepted."""
        try:
            message = read_message(body, self._most)
        except TooManyNotifications as error:
            raise NotAccepted("too_many", 413, f"more than {self._most} notifications") from error
        except MalformedMessage as error:
            raise NotAccepted("malformed", 400, str(error)) from error
        if message.organization_id != id18(account):
            raise NotAccepted("foreign", 403, "the message is of another organization")
        told: dict[Told, None] = {each: None for each in message.notifications if each is not None}
        malformed = message.notifications.count(None)
        refused: dict[Cause, int] = {"malformed": malformed} if malformed else {}
        return Delivery(len(message.notifications), list(told), 0, refused)

    def reply(self, stored: bool) -> Reply:
        """The acknowledgement, word for word as the guide has it."""
        return Reply(200, _XML, ACKNOWLEDGED) if stored else Reply(503, _XML, NOT_ACKNOWLEDGED)
