"""The org over HTTP: paths, versions, sessions, limits, and how answers are spelled. Plain ASGI.

One request at a time holds the org's lock. Source: facts/salesforce.md 1, 2. This file must not change data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

import orjson

from connector.sandbox.faults import App, FaultGate, Receive, Scope, Send
from connector.sandbox.salesforce import control, refusals, rest_metadata
from connector.sandbox.salesforce.calls import Answer, Call
from connector.sandbox.salesforce.refusals import Refusal
from connector.sandbox.salesforce.routes import dispatch, kind_of_path

if TYPE_CHECKING:
    from connector.sandbox.salesforce.org import SalesforceOrg

LONGEST_URI = 16_384
"""Bytes of a URI (414), and of URI and headers together (431)."""

_RETIRED = "This API version is retired. Use a supported version."
_JSON = "application/json;charset=UTF-8"


def build_app(org: SalesforceOrg) -> App:
    """The ASGI application of an org, faults included."""
    return FaultGate(
        SalesforceApp(org), org.faults, org.requests, kind=kind_of_path, error_body=refusals.usual_body
    )


class SalesforceApp:
    """ASGI."""

    def __init__(self, org: SalesforceOrg) -> None:
        self._org = org

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        content = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return
            content += message.get("body", b"")
            more = message.get("more_body", False)
        with self._org.lock:
            status, headers, body = self._handle(scope, bytes(content))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _handle(self, scope: Scope, content: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        more: dict[str, str] = {}
        try:
            answer = self._answer(scope, headers, content, more)
        except Refusal as refusal:
            answer = Answer(refusal.status, refusal.body)
        body = b""
        if isinstance(answer.body, bytes):
            body = answer.body  # CSV, with a Content-Type of its own
        elif isinstance(answer.body, str):
            body = answer.body.encode()
            more["Content-Type"] = "text/html;charset=UTF-8"
        elif answer.body is not None:
            option = orjson.OPT_INDENT_2 if headers.get("x-prettyprint") == "1" else None
            body = orjson.dumps(answer.body, option=option)
            more["Content-Type"] = _JSON
        if answer.status not in (204, 304):
            more["Content-Length"] = str(len(body))
        raw = [(name.encode(), value.encode("latin-1")) for name, value in (more | answer.headers).items()]
        return answer.status, raw, body

    def _answer(self, scope: Scope, headers: dict[str, str], content: bytes, more: dict[str, str]) -> Answer:
        raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        raw_query: bytes = scope["query_string"]
        too_long = _too_long(len(raw_path) + len(raw_query) + 1, scope)
        if too_long is not None:
            return too_long
        parts = tuple(unquote(part) for part in raw_path.decode("latin-1").split("/") if part)
        query = dict(parse_qsl(raw_query.decode("ascii", "replace"), keep_blank_values=True))
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        url = f"http://{headers.get('host', 'localhost')}"
        match parts:
            case ("_sandbox", *rest):
                return control.answer(self._org, method, rest, content)
            case ("services", "data"):
                return Answer(body=rest_metadata.versions())
            case ("services", "data", version, *rest):
                number = _version(version)
                call = Call(method, number, tuple(rest), query, headers, "", content)
                return self._rest(call, more)
            case ("services", "oauth2", "token"):
                form = dict(parse_qsl(content.decode("utf-8", "replace"), keep_blank_values=True))
                granted = self._org.auth.token(form, headers.get("authorization"), url)
                return Answer(body=granted)
            case ("services", "oauth2", "userinfo"):
                user_id = self._org.auth.user_of(headers.get("authorization"))
                return Answer(body=self._org.auth.userinfo(user_id, url))
            case ("id", organization_id, user_id):
                self._org.auth.user_of(headers.get("authorization"))
                if organization_id[:15] == self._org.organization_id[:15] and self._org.row(user_id):
                    return Answer(body=self._org.auth.userinfo(user_id, url))
        raise refusals.not_found()

    def _rest(self, call: Call, more: dict[str, str]) -> Answer:
        org = self._org
        call.user_id = org.auth.user_of(call.headers.get("authorization"))
        if org.faults.quota_exhausted or org.quota.used_up:
            more["Sforce-Limit-Info"] = f"api-usage={org.quota.daily_limit}/{org.quota.daily_limit}"
            raise refusals.quota_used_up()
        org.quota.count()
        org.changes.origin = f"com/salesforce/api/rest/{call.version};client={_client(call)}"
        more["Sforce-Limit-Info"] = f"api-usage={org.quota.used}/{org.quota.daily_limit}"
        return dispatch(org, call)


def _client(call: Call) -> str:
    """The client's name, which change events carry."""
    options = call.headers.get("sforce-call-options", "").split(",")
    named = [option.strip().removeprefix("client=") for option in options if "client=" in option]
    return named[0] if named else ""


def _version(text: str) -> str:
    """`v62.0` as `62.0`. Raises Refusal: 410 for retired versions, 404 for unknown ones."""
    number, dot, zero = text.removeprefix("v").partition(".")
    if not text.startswith("v") or not number.isdigit() or (dot and zero != "0"):
        raise refusals.not_found()
    if int(number) <= rest_metadata.LAST_RETIRED_VERSION:
        raise Refusal("UNSUPPORTED_API_VERSION", _RETIRED, status=410)
    if not rest_metadata.OLDEST_VERSION <= int(number) <= rest_metadata.NEWEST_VERSION:
        raise refusals.not_found()
    return f"{number}.0"


def _too_long(uri_bytes: int, scope: Scope) -> Answer | None:
    """Answered by the gateway, so not in JSON."""
    if uri_bytes > LONGEST_URI:
        return Answer(414, "<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>")
    headers: Any = scope["headers"]
    if uri_bytes + sum(len(name) + len(value) + 4 for name, value in headers) > LONGEST_URI:
        return Answer(431, "<h1>Bad Message 431</h1><pre>reason: Request Header Fields Too Large</pre>")
    return None
