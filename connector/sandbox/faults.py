"""What can be made to go wrong in the sandbox, the count of the requests it got, and the gate in front of it.

Each world (the Salesforce org, the HubSpot portal) owns one `Faults` and one `Requests` and wraps its ASGI
app in one `FaultGate`. This file must not know either platform: error bodies and path kinds are given to
the gate by the world, and the quiet faults (rewrites, hidden fields, bad records, lag) are only described
here; the world applies them where it saves and reads.

How a world uses it:

* `app = FaultGate(inner_app, faults, requests, kind=…, error_body=…)`. Paths under `/_sandbox/` go straight
  to the inner app: not counted, never failed.
* The gate itself carries out `fail_next`, `lose_answer` and `delay`.
* The world asks: `faults.quota_exhausted` before any work; `faults.token_generation` when it checks a token
  that it issued (a token issued in an earlier generation is expired); `faults.bad(object_name, values)` for
  each record about to be saved; `faults.saved(object_name, values)` for the values to be stored (what they
  become); `faults.is_hidden(object_name, field_name)` in metadata, reads and writes;
  `faults.visibility_lag_seconds` in queries and search (a row that changed less than that long ago shows its
  older state, or is absent when new).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, cast

import orjson

from connector.sandbox.quiet_faults import BadRecord, Rewrite
from connector.sandbox.request_log import Requests, Seen
from connector.sandbox.wording import of_keys

__all__ = [
    "CONTROL_PREFIX",
    "TRANSPORT_KEY",
    "App",
    "BadRecord",
    "FaultGate",
    "Faults",
    "Message",
    "Receive",
    "Requests",
    "Rewrite",
    "Scope",
    "Seen",
    "Send",
]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

CONTROL_PREFIX = "/_sandbox/"
TRANSPORT_KEY = "leadloop.sandbox.transport"
"""Where the sandbox's server puts the connection's asyncio transport in the ASGI scope, to be cut."""


@dataclass(slots=True)
class _Pending:
    """`count` further requests whose "METHOD path" contains `match`, and whose body `holding`, get this."""

    action: Literal["fail", "lose", "delay"]
    count: int
    match: str = ""
    holding: str = ""
    status: int = 500
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    work: bool = True
    seconds: float = 0.0


class Faults:
    """Everything that can be made to go wrong, from Python or as JSON. Safe to call from any thread.

    Plain attributes, to be set freely: `quota_exhausted`, `visibility_lag_seconds`, `rewrite_on_save` (a
    list of `Rewrite`, applied in order), `hidden_fields` (a set of (object, field)), `bad_records`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[_Pending] = []
        self.token_generation = 0
        self.clear()

    def clear(self) -> None:
        """No faults any more. Expired tokens stay expired."""
        with self._lock:
            self._pending = []
        self.quota_exhausted = False
        self.visibility_lag_seconds = 0.0
        self.rewrite_on_save: list[Rewrite] = []
        self.hidden_fields: set[tuple[str, str]] = set()
        self.bad_records: list[BadRecord] = []

    def fail_next(
        self,
        count: int,
        status: int,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        match: str = "",
        holding: str = "",
    ) -> None:
        """Answer the next `count` matching requests with `status` and do no work. `body` is JSON (or text);
        None means the platform's own usual body for that status. `match` is a substring of "METHOD path"
        (the path without its query string), `holding` one of the request's body: a record on which the
        platform chokes."""
        fail = _Pending("fail", count, match, holding, status=status, body=body, headers=dict(headers or {}))
        self._add(fail)

    def lose_answer(self, count: int = 1, match: str = "", work: bool = True) -> None:
        """Do the work of the next `count` matching requests, then cut the connection instead of answering.
        With `work=False` the connection is cut before any work."""
        self._add(_Pending("lose", count, match, work=work))

    def delay(self, seconds: float, count: int = 1, match: str = "") -> None:
        """Hold back the next `count` matching requests for `seconds` of real time before their work (real,
        since the socket timeouts of clients are)."""
        self._add(_Pending("delay", count, match, seconds=seconds))

    def expire_tokens(self) -> None:
        """Every access token or session issued up to now is expired. Static tokens are not (for those use
        `fail_next(1, 401)`)."""
        with self._lock:
            self.token_generation += 1

    def bad_record(
        self, object_name: str, match_field: str, match_value: Any, code: str, message: str = ""
    ) -> None:
        """Refuse to save records of this object whose `match_field` equals `match_value`, until `clear`."""
        self.bad_records.append(BadRecord(object_name, match_field, match_value, code, message))

    def bad(self, object_name: str, values: Mapping[str, Any]) -> BadRecord | None:
        """The fault that refuses this record, if any. `values`: the record as it would be saved."""
        for each in self.bad_records:
            if each.object == object_name and values.get(each.match_field) == each.match_value:
                return each
        return None

    def saved(self, object_name: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """What is really stored when these values are sent; fields that were not sent stay as they are."""
        stored = dict(values)
        for rewrite in self.rewrite_on_save:
            if rewrite.object == object_name and rewrite.field in stored:
                stored[rewrite.field] = rewrite.apply(stored[rewrite.field])
        return stored

    def is_hidden(self, object_name: str, field_name: str) -> bool:
        """Whether the integration user lacks permission to see this field."""
        return (object_name, field_name) in self.hidden_fields

    @property
    def reads_bodies(self) -> bool:
        """Whether `take` wants to see the bodies of requests. For the gate."""
        return any(pending.holding for pending in self._pending)

    def take(self, method: str, path: str, body: bytes = b"") -> list[_Pending]:
        """The pending faults that this request uses up: at most one of each action. For the gate."""
        if not self._pending:
            return []
        line, text = f"{method} {path}", body.decode("utf-8", "replace")
        taken: dict[str, _Pending] = {}
        with self._lock:
            for pending in self._pending:
                if pending.action in taken or pending.match not in line:
                    continue
                if pending.holding in text:
                    taken[pending.action] = pending
                    pending.count -= 1
            self._pending = [pending for pending in self._pending if pending.count > 0]
        return list(taken.values())

    def apply(self, wanted: Mapping[str, Any]) -> None:
        """Set faults from JSON: the names of the methods with an object of their arguments (or a list of
        such objects; `true` for `clear` and `expire_tokens`), and the names of the plain attributes with
        their values (`rewrite_on_save`: a list of objects; `bad_record`: an object like `BadRecord`;
        `hidden_fields`: pairs). Raises ValueError."""
        known = {
            "clear",
            "expire_tokens",
            "bad_record",
            "rewrite_on_save",
            "hidden_fields",
            *_METHODS,
            *_VALUES,
        }
        unknown = sorted(set(wanted) - known)
        if unknown:
            raise ValueError(f"unknown fault {unknown[0]!r}; there are: {', '.join(sorted(known))}")
        if wanted.get("clear"):
            self.clear()
        if wanted.get("expire_tokens"):
            self.expire_tokens()
        try:
            for name in _METHODS:
                for arguments in _listed(wanted.get(name)):
                    getattr(self, name)(**arguments)
            self.bad_records += [BadRecord(**each) for each in _listed(wanted.get("bad_record"))]
            for name, convert in _VALUES.items():
                if name in wanted:
                    setattr(self, name, convert(wanted[name]))
            if "rewrite_on_save" in wanted:
                self.rewrite_on_save = [Rewrite(**each) for each in wanted["rewrite_on_save"]]
            if "hidden_fields" in wanted:
                self.hidden_fields = {(pair[0], pair[1]) for pair in wanted["hidden_fields"]}
        except (TypeError, IndexError) as error:
            raise ValueError(f"cannot read the faults: {of_keys(error)}") from error

    def to_json(self) -> dict[str, Any]:
        """The faults in force, for people to look at."""
        with self._lock:
            pending = [_plain(each) for each in self._pending]
        return {
            "pending": pending,
            "quota_exhausted": self.quota_exhausted,
            "visibility_lag_seconds": self.visibility_lag_seconds,
            "token_generation": self.token_generation,
            "bad_records": [_plain(each) for each in self.bad_records],
            "rewrite_on_save": [_plain(each) for each in self.rewrite_on_save],
            "hidden_fields": sorted(list(pair) for pair in self.hidden_fields),
        }

    def _add(self, pending: _Pending) -> None:
        with self._lock:
            self._pending.append(pending)


_METHODS = ("fail_next", "lose_answer", "delay")
_VALUES: Mapping[str, Callable[[Any], Any]] = {"quota_exhausted": bool, "visibility_lag_seconds": float}


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return [value] if isinstance(value, Mapping) else list(value)


def _plain(value: Any) -> dict[str, Any]:
    return {each.name: getattr(value, each.name) for each in fields(value)}


class FaultGate:
    """ASGI middleware around a world's app: counts each request and carries out the loud faults.

    `kind(path)` names the sort of a path for the counts (ids replaced, for example); `error_body(status)`
    is the platform's usual JSON body of an error status."""

    def __init__(
        self,
        app: App,
        faults: Faults,
        requests: Requests,
        kind: Callable[[str], str] = lambda path: path,
        error_body: Callable[[int], Any] = lambda status: {"message": f"status {status}"},
    ) -> None:
        self._app = app
        self._faults = faults
        self._requests = requests
        self._kind = kind
        self._error_body = error_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(CONTROL_PREFIX):
            await self._app(scope, receive, send)
            return
        method, path = scope["method"], scope["path"]
        kind = self._kind(path)
        self._requests.arrived(method, kind)

        def note(status: int) -> None:
            self._requests.answered(Seen(method, path, kind, status))

        body = b""
        if self._faults.reads_bodies:
            body, receive = await _read_ahead(receive)
        await self._answer(scope, receive, send, self._faults.take(method, path, body), note)

    async def _answer(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        pending: list[_Pending],
        note: Callable[[int], None],
    ) -> None:
        async def noting(message: Message) -> None:
            # before it is sent: whoever has the answer finds the request in the log
            if message["type"] == "http.response.start":
                note(message["status"])
            await send(message)

        async def swallow(message: Message) -> None:
            del message

        by_action = {each.action: each for each in pending}
        if delay := by_action.get("delay"):
            await asyncio.sleep(delay.seconds)
        if fail := by_action.get("fail"):
            await self._fail(fail, noting)
        elif lose := by_action.get("lose"):
            if lose.work:
                await self._app(scope, receive, swallow)
            note(0)
            await _cut(scope, receive)
        else:
            await self._app(scope, receive, noting)

    async def _fail(self, fail: _Pending, send: Send) -> None:
        body = self._error_body(fail.status) if fail.body is None else fail.body
        content = body.encode() if isinstance(body, str) else orjson.dumps(body)
        headers = {"content-type": "application/json;charset=utf-8", "content-length": str(len(content))}
        headers |= {name.lower(): value for name, value in fail.headers.items()}
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": fail.status, "headers": raw})
        await send({"type": "http.response.body", "body": content})


async def _read_ahead(receive: Receive) -> tuple[bytes, Receive]:
    """All of a request's body, and what gives it once more to whoever comes next."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    ahead = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return ahead.pop() if ahead else await receive()

    return body, again


async def _cut(scope: Scope, receive: Receive) -> None:
    """Close the connection without a byte of an answer. Raises ConnectionResetError when the server is not
    the sandbox's own and so offers no transport."""
    transport = cast("asyncio.Transport | None", scope.get(TRANSPORT_KEY))
    if transport is None:
        raise ConnectionResetError("the answer was lost on purpose")
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass  # what is left of the request body
