"""HubSpot's rate limits (hubspot.md section 13): a rolling burst, a day of the account, searches a second.

Says whether a call is admitted and which headers its answer carries. Does not wait and does not answer.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from connector.sandbox.hubspot.problems import Problem

Policy = Literal["TEN_SECONDLY_ROLLING", "DAILY", "SECONDLY"]


@dataclass
class Limits:
    """The limits of the portal, to be set freely; the defaults are those of the Professional tier. `used`
    counts the calls of the account's current day."""

    burst: int = 190
    burst_seconds: float = 10.0
    oauth_burst: int = 110
    daily: int = 625_000
    searches_per_second: int = 5
    time_zone: str = "UTC"
    used: int = 0
    _day: str = ""
    _calls: dict[str, deque[int]] = field(default_factory=dict)
    _searches: deque[int] = field(default_factory=deque)

    def admit(self, now_ms: int, app: str, oauth: bool, search: bool, day_is_used_up: bool) -> Policy | None:
        """Count one call of the app, or name the policy that refuses it."""
        day = self._today(now_ms)
        if day != self._day:
            self._day, self.used = day, 0
        if day_is_used_up or (self.used >= self.daily and not oauth):
            return "DAILY"
        if search:
            refused = not _room(self._searches, self.searches_per_second, now_ms, 1_000)
            if refused:
                return "SECONDLY"
            self._searches.append(now_ms)
        else:
            calls = self._calls.setdefault(app, deque())
            if not _room(calls, self._burst(oauth), now_ms, self._burst_ms):
                return "TEN_SECONDLY_ROLLING"
            calls.append(now_ms)
        self.used += 1
        return None

    def headers(self, app: str, oauth: bool, day_is_used_up: bool = False) -> list[tuple[bytes, bytes]]:
        """The rate-limit headers of an answer (searches have none); daily ones only for apps that are not
        OAuth."""
        burst = self._burst(oauth)
        left = max(0, burst - len(self._calls.get(app, ())))
        found = [
            ("x-hubspot-ratelimit-max", burst),
            ("x-hubspot-ratelimit-remaining", left),
            ("x-hubspot-ratelimit-interval-milliseconds", self._burst_ms),
            ("x-hubspot-ratelimit-secondly", burst // 10),
            ("x-hubspot-ratelimit-secondly-remaining", max(0, burst // 10 - 1)),
        ]
        if not oauth:
            daily_left = 0 if day_is_used_up else max(0, self.daily - self.used)
            found += [("x-hubspot-ratelimit-daily", self.daily)]
            found += [("x-hubspot-ratelimit-daily-remaining", daily_left)]
        return [(name.encode(), str(value).encode()) for name, value in found]

    @property
    def _burst_ms(self) -> int:
        return int(self.burst_seconds * 1_000)

    def _burst(self, oauth: bool) -> int:
        return self.oauth_burst if oauth else self.burst

    def _today(self, now_ms: int) -> str:
        if self.time_zone == "UTC":
            return str(now_ms // 86_400_000)
        moment = datetime.fromtimestamp(now_ms / 1_000, UTC).astimezone(ZoneInfo(self.time_zone))
        return moment.date().isoformat()


def _room(calls: deque[int], most: int, now_ms: int, span_ms: int) -> bool:
    while calls and calls[0] <= now_ms - span_ms:
        calls.popleft()
    return len(calls) < most


def too_many(policy: Policy, request_id: str) -> Problem:
    """429, with `errorType` and `policyName` instead of a category (documented for the day, and by the
    strings in HubSpot's own Node client for the others)."""
    message = f"You have reached your {policy.lower()} limit."
    extra = {"errorType": "RATE_LIMIT", "policyName": policy, "requestId": request_id}
    return Problem(429, message, None, extra)
