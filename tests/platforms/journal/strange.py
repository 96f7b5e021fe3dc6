"""Strange: a HubSpot that speaks otherwise than the sandbox's."""

from __future__ import annotations

import json

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from connector.clock import ManualClock
from connector.platforms.hubspot.journal_subscriptions import needed
from tests.platforms.journal.following import OBJECTS, Following


class Strange:
    """A HubSpot that answers 404 when nothing is new, as it was reported once, and names a file anywhere."""

    def __init__(self, server: HTTPServer, clock: ManualClock) -> None:
        self.file: Response | None = None
        self.address = server.url_for("/file")
        self.entry = True
        self.latest = "o1"
        self.next = "o2"
        base = "/webhooks-journal/journal-local/2026-03"
        expect = server.expect_request
        expect("/oauth/2026-03/token").respond_with_json({"access_token": "t", "expires_in": 1_800})
        listed = {"results": [each.body("62515", []) | {"appId": 1} for each in needed(OBJECTS)]}
        expect("/webhooks-journal/subscriptions/2026-03").respond_with_json(listed)
        expect(f"{base}/latest").respond_with_handler(lambda _: self._entry_of(self.latest))
        expect(f"{base}/offset/o1/next").respond_with_handler(self._next)
        expect(f"{base}/earliest").respond_with_handler(lambda _: self._entry_of("o0"))
        expect("/file").respond_with_handler(lambda _: self.file or Response("", 500))
        self.following = Following(server.url_for("").rstrip("/"), 62515, clock)
        self.following.position = f"{clock.now_ms()}:o1"

    def _entry_of(self, offset: str) -> Response:
        body = {"currentOffset": offset, "url": self.address, "expiresAt": "2027-01-15T08:00:00Z"}
        return Response(json.dumps(body), 200, {"content-type": "application/json"})

    def _next(self, _: Request) -> Response:
        return self._entry_of(self.next) if self.entry else Response('{"message": "not found"}', 404)
