"""Charts: where the marks of the page's charts stand, in percent of their width and height. Pure.

Marks are placed in percent, so that a chart keeps its letters readable however narrow it is. What a chart
shows stands as numbers in a table beside it as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any, Final

_GAP: Final = 0.22
"""The part of a column's place that stays free."""

_LABELS: Final = 4
_RATIO_AT_MOST: Final = 6.0


def columns(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """MQLs by week or month: what sales accepted at the bottom, what came back, what waits."""
    most = max((part["made"] for part in parts), default=0)
    top = nice(most)
    marks = []
    for place, part in enumerate(parts):
        x, width = _place(place, len(parts))
        heights = [
            part["accepted"] * 100 / top,
            (part["made"] - part["accepted"] - part["waiting"]) * 100 / top,
            part["waiting"] * 100 / top,
        ]
        floor, stack = 100.0, []
        for kind, height in zip(("accepted", "back", "waiting"), heights, strict=True):
            floor -= height
            stack.append({"kind": kind, "y": round(floor, 2), "height": round(height, 2)})
        marks.append({"x": x, "width": width, "stack": stack, "part": part})
    return {"top": top, "half": top / 2, "marks": marks, "labels": _labels(parts)}


def ratios(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """MQLs for each accepted lead by week or month, as a line that should be near 1."""
    known = [part["mql_to_sal"] for part in parts if part["mql_to_sal"] is not None]
    top = max(2.0, float(nice(min(_RATIO_AT_MOST, max(known, default=2.0)))))
    points: list[dict[str, Any] | None] = []
    for place, part in enumerate(parts):
        ratio = part["mql_to_sal"]
        x, width = _place(place, len(parts))
        y = None if ratio is None else round(100 - min(ratio, top) * 100 / top, 2)
        points.append(None if y is None else {"x": round(x + width / 2, 2), "y": y, "part": part})
    lines = [(one, other) for one, other in pairwise(points) if one is not None and other is not None]
    return {
        "top": top,
        "one": round(100 - 100 / top, 2),
        "points": [point for point in points if point is not None],
        "lines": lines,
        "labels": _labels(parts),
    }


def touches(distribution: Sequence[Mapping[str, int]], most: int = 20) -> list[dict[str, Any]]:
    """MQLs by how many touches they had; from `most` on together."""
    numbers = [0] * (most + 1)
    for row in distribution:
        numbers[min(row["touches"], most)] += row["mqls"]
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()
    top = max([*numbers, 1])
    found = []
    for place, number in enumerate(numbers):
        x, width = _place(place, len(numbers))
        height = round(number * 100 / top, 2)
        label = f"{place} or more" if place == most else str(place)
        mark = {"x": x, "width": width, "y": round(100 - height, 2), "height": height}
        found.append({**mark, "label": label, "mqls": number})
    return found


def nice(number: float) -> float:
    """The next round number that is not smaller, for the top of an axis."""
    size = 1.0
    while number > size * 10:
        size *= 10
    for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10):
        if number <= step * size:
            return step * size
    return 10 * size


def short_day(text: str) -> str:
    """2026-08-31 as 31 Aug 2026 without the year."""
    day = date.fromisoformat(text)
    return f"{day.day} {day:%b}"


def _place(place: int, count: int) -> tuple[float, float]:
    width = 100 / max(1, count)
    return round(place * width + width * _GAP / 2, 2), round(width * (1 - _GAP), 2)


def _labels(parts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A few first days along the axis, at the edges written inwards."""
    count = len(parts)
    if not count:
        return []
    places = sorted({round(step * (count - 1) / (_LABELS - 1)) for step in range(_LABELS)})
    found = []
    for place in places:
        x, width = _place(place, count)
        anchor = "middle"
        at = x + width / 2
        if place == 0:
            anchor, at = "start", 0.0
        elif place == count - 1:
            anchor, at = "end", 100.0
        found.append({"x": round(at, 2), "anchor": anchor, "text": short_day(parts[place]["since"])})
    return found
