"""The routes of the webhooks journal, and of the storage that its files lie in. Changes no record.

Paths and bodies as in HubSpot's OpenAPI spec of 2026-03. With nothing newer the answer is 204 (reported from
the live API); an offset that is unknown or too old is a 404 (HubSpot's reference of 2027-03-beta). Snapshots,
filters and reading by offsets are not played: 404.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connector.sandbox.hubspot.auth import Access, Token
from connector.sandbox.hubspot.calls import Answer, Call
from connector.sandbox.hubspot.crm import Crm
from connector.sandbox.hubspot.journal import File, Journal
from connector.sandbox.hubspot.problems import Problem, no_such_path, not_valid, wrong_method
from connector.sandbox.hubspot.times import iso

FILES = "/journal-files/"
MOST_ENTRIES = 100
_KINDS = ("OBJECT", "ASSOCIATION", "GDPR_PRIVACY_DELETION", "LIST_MEMBERSHIP", "APP_LIFECYCLE_EVENT")
_ACTIONS = (
    "CREATE",
    "UPDATE",
    "DELETE",
    "MERGE",
    "RESTORE",
    "ASSOCIATION_ADDED",
    "ASSOCIATION_REMOVED",
    "SNAPSHOT",
    "APP_INSTALL",
    "APP_UNINSTALL",
    "ADDED_TO_LIST",
    "REMOVED_FROM_LIST",
    "GDPR_DELETE",
)
_NEEDED = {
    "OBJECT": ("actions", "objectTypeId", "portalId", "properties"),
    "ASSOCIATION": ("actions", "objectTypeId", "portalId", "associatedObjectTypeIds"),
    "GDPR_PRIVACY_DELETION": ("actions", "objectTypeId", "portalId"),
    "LIST_MEMBERSHIP": ("actions", "listIds", "portalId"),
    "APP_LIFECYCLE_EVENT": ("eventTypeId",),
}


def scope_of(call: Call) -> str:
    """The scope that a call takes."""
    if call.parts[0] != "subscriptions":
        return "developer.webhooks_journal.read"
    return f"developer.webhooks_journal.subscriptions.{'read' if call.method == 'GET' else 'write'}"


def check_token(access: Access, token: Token, call: Call) -> None:
    """Only a token of the app itself, with the scope. Raises Problem 403."""
    access.require(Token(token.text, token.app, scopes=token.scopes or frozenset()), scope_of(call))


def journal(crm: Crm, call: Call, origin: str) -> Answer:
    """Answer one call; `origin` is how the caller has reached this portal. Raises Problem."""
    crm.journal.publish(crm.now_ms())
    match call.parts:
        case ("journal" | "journal-local", "batch", *place):
            return _batch(crm, call, place, origin)
        case ("journal" | "journal-local", *place):
            return _single(crm, call, place, origin)
        case ("subscriptions",):
            return _subscriptions(crm, call)
        case ("subscriptions", "portals", portal_id) if portal_id.isdecimal():
            return _unsubscribe(crm, call, lambda each: each.get("portalId") == int(portal_id))
        case ("subscriptions", number) if number.isdecimal():
            return _subscription(crm, call, int(number))
    raise no_such_path()


def storage(crm: Crm, path: str, query: dict[str, list[str]], authorized: bool) -> tuple[int, bytes]:
    """Status and body of the storage service's answer: it knows no HubSpot, and speaks XML of what is wrong
    (as S3 does, where HubSpot's examples say that the files are)."""
    offset = path.removeprefix(FILES)
    expires, signature = query.get("expires", ["0"])[-1], query.get("signature", [""])[-1]
    if authorized:
        return 400, _xml("InvalidArgument", "Only one auth mechanism allowed")
    if not expires.isdecimal() or signature != crm.journal.signature(offset, int(expires)):
        return 403, _xml("SignatureDoesNotMatch", "The signature does not match")
    if int(expires) <= crm.now_ms():
        return 403, _xml("AccessDenied", "Request has expired")
    found = crm.journal.file(offset)
    return (404, _xml("NoSuchKey", "The key does not exist")) if found is None else (200, found.content())


def _single(crm: Crm, call: Call, place: list[str], origin: str) -> Answer:
    _reading(crm, call)
    held = crm.journal.files
    match place:
        case ["earliest"]:
            files: Sequence[File] = held[:1]
        case ["latest"]:
            files = held[-1:]
        case ["offset", offset, "next"]:
            files = _after(crm.journal, offset)[:1]
        case _:
            raise no_such_path()
    return Answer(200, _entry(crm, files[0], origin)) if files else Answer(204)


def _batch(crm: Crm, call: Call, place: list[str], origin: str) -> Answer:
    _reading(crm, call)
    held = crm.journal.files
    match place:
        case ["earliest", count]:
            files: Sequence[File] = held[: _count(count)]
        case ["latest", count]:
            files = held[-_count(count) :]
        case [offset, "next", count]:
            files = _after(crm.journal, offset)[: _count(count)]
        case _:
            raise no_such_path()
    now = iso(crm.now_ms())
    results = [_entry(crm, each, origin) for each in files]
    return Answer(200, {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now})


def _reading(crm: Crm, call: Call) -> None:
    if call.method != "GET":
        raise wrong_method()
    if call.text("installPortalId") not in (None, str(crm.portal_id)):
        raise Problem(403, "The app is not installed in this account", "FORBIDDEN")


def _after(held: Journal, offset: str) -> Sequence[File]:
    files = held.after(offset)
    if files is None:
        raise Problem(404, f"Journal entry not found for offset {offset}", "OBJECT_NOT_FOUND")
    return files


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_ENTRIES:
        raise not_valid(f"count must be between 1 and {MOST_ENTRIES}, not {text}")
    return int(text)


def _entry(crm: Crm, file: File, origin: str) -> dict[str, Any]:
    expires_ms = crm.now_ms() + int(crm.journal.file_seconds * 1_000)
    signed = f"expires={expires_ms}&signature={crm.journal.signature(file.offset, expires_ms)}"
    return {
        "url": f"{origin}{FILES}{file.offset}?{signed}",
        "expiresAt": iso(expires_ms),
        "currentOffset": file.offset,
    }


def _subscriptions(crm: Crm, call: Call) -> Answer:
    if call.method == "GET":
        return Answer(200, {"results": list(crm.journal.subscriptions.values())})
    if call.method != "POST":
        raise wrong_method()
    body = call.json()
    kind = body.get("subscriptionType")
    if kind not in _KINDS:
        raise not_valid("Invalid subscription type provided")
    missing = [name for name in _NEEDED[kind] if name not in body]
    if missing:
        raise not_valid(f"Some required fields were not set: {missing}")
    unknown = [each for each in body.get("actions") or () if each not in _ACTIONS]
    if unknown:
        raise not_valid(f"Invalid action {unknown[0]}")
    if not isinstance(body.get("portalId", 0), int):
        raise not_valid("portalId must be a number")
    return Answer(200, crm.journal.subscribe(body, crm.app_id, crm.now_ms()))


def _subscription(crm: Crm, call: Call, number: int) -> Answer:
    if number not in crm.journal.subscriptions:
        raise Problem(404, "Subscription not found", "OBJECT_NOT_FOUND")
    if call.method == "GET":
        return Answer(200, crm.journal.subscriptions[number])
    return _unsubscribe(crm, call, lambda each: each["id"] == number)


def _unsubscribe(crm: Crm, call: Call, which: Any) -> Answer:
    if call.method != "DELETE":
        raise wrong_method()
    held = crm.journal.subscriptions
    for number in [number for number, each in held.items() if which(each)]:
        del held[number]
    return Answer(204)


def _xml(code: str, message: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
