"""The count and the log of the requests that a world has got. Counts what it is told; judges nothing."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Seen:
    """One request to a platform path. `status` 0: the connection was cut."""

    method: str
    path: str
    kind: str
    status: int


class Requests:
    """The requests a world has got on its platform paths; those that a fault failed are counted too."""

    def __init__(self, keep: int = 10_000) -> None:
        self._keep = keep
        self.reset()

    def reset(self) -> None:
        """Start counting from nothing."""
        self.count = 0
        self.by_kind: Counter[tuple[str, str]] = Counter()
        self.by_status: Counter[int] = Counter()
        self.log: deque[Seen] = deque(maxlen=self._keep)

    def arrived(self, method: str, kind: str) -> None:
        """Count one request, before its work."""
        self.count += 1
        self.by_kind[method, kind] += 1

    def answered(self, seen: Seen) -> None:
        """Note how it ended."""
        self.by_status[seen.status] += 1
        self.log.append(seen)

    def to_json(self) -> dict[str, Any]:
        """`count`, `by_kind` ("METHOD kind" to count), `by_status`."""
        return {
            "count": self.count,
            "by_kind": {f"{method} {kind}": count for (method, kind), count in sorted(self.by_kind.items())},
            "by_status": {str(status): count for status, count in sorted(self.by_status.items())},
        }
