"""The portal over HTTP: routing, authentication, scopes, rate limits and error bodies. Plain ASGI.

Serves the v3/v4 paths and the dated ones alike (hubspot.md section 2). It changes no record itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import orjson

from connector.sandbox.faults import CONTROL_PREFIX, Receive, Scope, Send
from connector.sandbox.hubspot import association_routes, journal_routes, metadata_routes
from connector.sandbox.hubspot.auth import Token
from connector.sandbox.hubspot.calls import Answer, Call
from connector.sandbox.hubspot.control import control
from connector.sandbox.hubspot.limits import too_many
from connector.sandbox.hubspot.object_routes import objects
from connector.sandbox.hubspot.problems import Problem, no_such_path, wrong_method
from connector.sandbox.hubspot.standard import object_type

if TYPE_CHECKING:
    from connector.sandbox.hubspot.portal import HubSpotPortal

DATED_VERSIONS = ("2026-03", "2026-09")
JOURNAL = "webhooks-journal"
LONGEST_URL = 16_384
"""Bytes of path and query above which the answer is 414 (reported; one reader splits at 15,000)."""

_FAMILIES = ("objects", "properties", "pipelines", "owners", "associations")
_COLLECTION_WORDS = frozenset({"batch", "search", "merge", "gdpr-delete", "groups", "details"})
Header = tuple[bytes, bytes]


def route(path: str) -> tuple[str, str, tuple[str, ...]] | None:
    """(family, version, segments after it) of a path; None for one that HubSpot does not serve."""
    match path.strip("/").split("/"):
        case ["crm", "v3" | "v4" as version, family, *parts] if family in _FAMILIES:
            if version == "v4" and family != "associations" and "associations" not in parts:
                return None
            return family, version, tuple(parts)
        case ["crm", family, version, *parts] if family in _FAMILIES and version in DATED_VERSIONS:
            return family, version, tuple(parts)
        case ["account-info" | "oauth" as family, version, *parts]:
            if version in DATED_VERSIONS or version == "v3" or (family == "oauth" and version == "v1"):
                return family, version, tuple(parts)
        case ["webhooks-journal", part, version, *parts] if version in DATED_VERSIONS:
            return JOURNAL, version, (part, *parts)
    return None


def path_kind(path: str) -> str:
    """A path with its ids and property names replaced, for counting."""
    found = route(path)
    if found is not None and found[0] == JOURNAL:
        return "/" + "/".join("{offset}" if _is_uuid(each) else each for each in path.strip("/").split("/"))
    if found is None and path.startswith(journal_routes.FILES):
        return f"{journal_routes.FILES}{{offset}}"
    if found is None or found[0] not in ("objects", "properties", "pipelines", "owners"):
        return path.rstrip("/")
    family, _, parts = found
    place = 0 if family == "owners" else 1
    kept = path.strip("/").split("/")
    if len(parts) > place and parts[place] not in _COLLECTION_WORDS:
        kept[len(kept) - len(parts) + place] = "{id}"
    return "/" + "/".join(kept)


def error_body(status: int) -> dict[str, Any]:
    """HubSpot's usual body of an error status, for faults made on purpose."""
    correlation_id = "00000000-0000-4000-8000-000000000000"
    usual: dict[int, Problem] = {
        401: Problem(401, "Authentication credentials not found.", "INVALID_AUTHENTICATION"),
        403: Problem(403, "This app hasn't been granted all required scopes", "MISSING_SCOPES"),
        404: Problem(404, "resource not found", "OBJECT_NOT_FOUND"),
        409: Problem(409, "The request conflicts with another one", "CONFLICT"),
        423: Problem(423, "The resource is locked; try again in 2 seconds", "LOCKED"),
        429: too_many("TEN_SECONDLY_ROLLING", correlation_id),
        477: Problem(477, "This account is being moved to another data hosting location", None),
    }
    problem = usual.get(status) or Problem(
        status, "internal error", "INTERNAL_ERROR" if status > 499 else None
    )
    return problem.body(correlation_id)


class HubSpotApp:
    """ASGI. One request at a time holds the portal's lock."""

    def __init__(self, portal: HubSpotPortal) -> None:
        self._portal = portal
        self._calls = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        content = b""
        more = True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return
            content += message.get("body", b"")
            more = message.get("more_body", False)
        with self._portal.lock:
            if scope["path"].startswith(CONTROL_PREFIX):
                status, headers, body = self._control(scope, content)
            elif scope["path"].startswith(journal_routes.FILES):
                status, headers, body = self._storage(scope)
            else:
                status, headers, body = self._handle(scope, content)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _control(self, scope: Scope, content: bytes) -> tuple[int, list[Header], bytes]:
        query = parse_qs(scope["query_string"].decode("ascii", "replace"))
        action = scope["path"].removeprefix(CONTROL_PREFIX).rstrip("/")
        try:
            given = orjson.loads(content or b"{}")
        except orjson.JSONDecodeError as error:
            given, action = {}, f"({error})"
        status, body = control(self._portal, scope["method"], action, query, given)
        return status, [(b"content-type", b"application/json")], orjson.dumps(body)

    def _handle(self, scope: Scope, content: bytes) -> tuple[int, list[Header], bytes]:
        self._calls += 1
        correlation_id = f"{self._calls:08x}-5a5a-4000-8000-{self._portal.crm.portal_id:012x}"
        headers: list[Header] = [(b"x-hubspot-correlation-id", correlation_id.encode())]
        try:
            answer = self._answer(scope, content, headers)
            status, body = answer.status, answer.body
        except Problem as problem:
            status, body = problem.status, problem.body(correlation_id)
        if body is None:
            return status, headers, b""
        encoded = orjson.dumps(body)
        headers += [
            (b"content-type", b"application/json;charset=utf-8"),
            (b"content-length", str(len(encoded)).encode()),
        ]
        return status, headers, encoded

    def _answer(self, scope: Scope, content: bytes, headers: list[Header]) -> Answer:
        raw_query: bytes = scope["query_string"]
        if len(scope.get("raw_path") or b"") + len(raw_query) > LONGEST_URL:
            raise Problem(414, "URI Too Long", None)
        found = route(scope["path"])
        if found is None:
            raise no_such_path()
        family, version, parts = found
        query = parse_qs(raw_query.decode("ascii", "replace"), keep_blank_values=True)
        call = Call(scope["method"], version, parts, query, content)
        if family == "oauth":
            return self._oauth(call)
        if family == JOURNAL:
            return self._journal(scope, call)
        self._admit(scope, call, family, headers)
        return self._dispatch(family, call)

    def _admit(self, scope: Scope, call: Call, family: str, headers: list[Header]) -> None:
        """Who calls, whether they may, and whether there is room. Raises Problem."""
        portal = self._portal
        now_ms = portal.crm.now_ms()
        authorization = _header(scope, b"authorization")
        token = portal.access.check(authorization, now_ms, portal.faults.token_generation)
        search = family == "objects" and call.parts[1:] == ("search",)
        used_up = portal.faults.quota_exhausted
        policy = portal.limits.admit(now_ms, token.app, token.oauth, search, used_up)
        if not search:  # searches tell nothing of the limits (recorded)
            headers += portal.limits.headers(token.app, token.oauth, used_up)
        if policy is not None:
            raise too_many(policy, headers[0][1].decode())
        self._check_scope(token, call, family)

    def _check_scope(self, token: Token, call: Call, family: str) -> None:
        reading = (
            call.method == "GET" or call.parts[1:] == ("search",) or call.parts[-2:] == ("batch", "read")
        )
        verb = "read" if reading else "write"
        kind = object_type(call.parts[0]) if call.parts else None
        scope: str | None = None
        if family == "owners":
            scope = "crm.objects.owners.read"
        elif kind is not None and family in ("objects", "associations", "pipelines"):
            scope = f"crm.objects.{kind.name}.{verb}"
        elif kind is not None and family == "properties":
            scope = f"crm.schemas.{kind.name}.{verb}"
        self._portal.access.require(token, scope)

    def _dispatch(self, family: str, call: Call) -> Answer:
        portal = self._portal
        if family == "owners":
            return metadata_routes.owners(portal.crm, call)
        if family == "account-info":
            return metadata_routes.account(portal.crm, portal.limits, portal.account_type, call)
        if not call.parts or not call.parts[0]:
            raise no_such_path()
        if family == "objects" and "associations" not in call.parts:
            return objects(portal.crm, call, portal.integration)
        by_family: dict[str, Callable[[Any, Call], Answer]] = {
            "objects": association_routes.of_record,
            "associations": association_routes.batches,
            "properties": metadata_routes.properties,
            "pipelines": metadata_routes.pipelines,
        }
        return by_family[family](portal.crm, call)

    def _journal(self, scope: Scope, call: Call) -> Answer:
        """Outside the portal's limits: whether they hold for it is told nowhere. Raises Problem."""
        portal = self._portal
        authorization = _header(scope, b"authorization")
        token = portal.access.check(authorization, portal.crm.now_ms(), portal.faults.token_generation)
        journal_routes.check_token(portal.access, token, call)
        return journal_routes.journal(portal.crm, call, f"http://{_header(scope, b'host')}")

    def _storage(self, scope: Scope) -> tuple[int, list[Header], bytes]:
        query = parse_qs(scope["query_string"].decode("ascii", "replace"))
        authorized = bool(_header(scope, b"authorization"))
        status, body = journal_routes.storage(self._portal.crm, scope["path"], query, authorized)
        kind = b"application/json" if status == 200 else b"application/xml"
        return status, [(b"content-type", kind), (b"content-length", str(len(body)).encode())], body

    def _oauth(self, call: Call) -> Answer:
        """Outside the limits, and without an Authorization header. Raises Problem."""
        access, now_ms = self._portal.access, self._portal.crm.now_ms()
        v1 = call.version == "v1"
        form = call.form()
        if v1:  # only v1 took its parameters from the query string too (hubspot.md section 3)
            form = {name: values[-1] for name, values in call.query.items()} | form
        match (call.method, *call.parts):
            case ("POST", "token"):
                generation = self._portal.faults.token_generation
                if form.get("grant_type") == "client_credentials" and not v1:
                    return Answer(200, access.client_credentials(form, now_ms, generation))
                return Answer(200, access.refresh(form, v1, now_ms, generation))
            case ("POST", "token", "introspect"):
                return Answer(200, access.introspect(form.get("token", ""), now_ms))
            case ("GET", "access-tokens", text) if v1:
                return Answer(200, access.introspect(text, now_ms))
            case (_, "token"):
                raise wrong_method()
        raise no_such_path()


def _header(scope: Scope, wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), "")


def _is_uuid(text: str) -> bool:
    return len(text) == 36 and text.count("-") == 4
