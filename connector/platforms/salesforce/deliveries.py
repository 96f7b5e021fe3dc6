"""The receiver of Salesforce's Outbound Messages: a secret in the path or a client certificate, the
organization's id, the records.

Salesforce signs nothing. Who knows the secret path, or has the client certificate, whichever is asked for,
and names the organization is taken for Salesforce. A message without the acknowledgement `true` is sent again
for 24 hours. No I/O.
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
    """Takes Outbound Messages that come to the secret path ("": none), from whoever has a certificate for
    `client_name`, where one is given."""

    def __init__(self, secret: str, most_notifications: int, client_name: str | None = None) -> None:
        self._secret = secret.encode()
        self._most = most_notifications
        self._client_name = None if client_name is None else client_name.lower()

    def admit(self, head: Head, now_ms: int) -> None:  # noqa: ARG002  # the protocol's signature: nothing is dated
        """The path ends in the secret, compared in a time that does not tell how much of it is right, and the
        sender's certificate is the one that is asked for. Raises NotAccepted."""
        if not hmac.compare_digest(head.rest.encode("utf-8", "replace"), self._secret):
            raise NotAccepted("forged", 404, "there is nothing at this address")
        if self._client_name is not None and self._client_name not in head.client_names:
            came = "another" if head.client_names else "no"
            raise NotAccepted("forged", 403, f"the sender has {came} certificate")

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
