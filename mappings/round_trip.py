"""Round trip: what is written must be read back as the same, or a pair would argue with itself for ever.

Checked when a mapping is loaded, with sample values, for every pair that both reads and writes, and for the
normal form of every type in use.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from mappings.merge import same
from mappings.normalise import NORMALISERS
from mappings.object_mapping import Pair
from mappings.values import FieldType, NoSpelling, Unreadable, Value

SAMPLES: Final[dict[FieldType, tuple[Value, ...]]] = {
    "text": ("Zoë O’Neill", "two words", "a", "שלום", "👩‍💻 <b>bold</b>", "0123", "line\nbreak"),
    "picklist": ("Web", "some value"),
    "url": ("https://www.example.com/a?b=c", "http://example.com"),
    "owner": ("ann@example.com", "queue:Inbound"),
    "email": ("ann.o'neill+news@example.com", "bjørn@example.no"),
    "phone": ("+16502530000", "+442079460958", "+16502530000;ext=12"),
    "number": (0, 1, -1, 12.5, 1_234_567, 0.1),
    "money": (0, 1, 12.5, 1_234_567.89),
    "boolean": (True, False),
    "date": ("2026-02-28", "1970-01-01", "1931-12-31"),
    "datetime": ("2026-02-28T23:59:59Z", "1969-12-31T00:00:01Z"),
    "multi_select": (("a",), ("a", "b c")),
    "country": ("US", "DE", "KR", "NO"),
    "state": ("CA", "Bayern"),
}
"""Canonical values of each type, in normal form."""


class _NobodyOwns:
    """A directory for pairs that need none; owners are not sampled."""

    def email_of(self, side: str, native_id: str) -> str | None:  # noqa: ARG002  # the protocol's signature
        return None

    def native_of(self, side: str, owner: str) -> str | None:  # noqa: ARG002  # the protocol's signature
        return None

    def knows_owners_of(self, side: str) -> bool:  # noqa: ARG002  # the protocol's signature
        return False


def round_trip_fault(pair: Pair, means: Collection[Value], values: Collection[str] | None) -> str | None:
    """Why this pair would not agree with itself, or None. `means`: what its table can mean; `values`: all
    that the field may hold. What else has no spelling is no fault: it is reported when it comes up."""
    if pair.type == "owner" or not (pair.reads and pair.writes):
        return None
    samples = list(means) + ([] if values is None else list(values))
    for sample in samples or SAMPLES[pair.type]:
        value: Value = (str(sample),) if pair.type == "multi_select" and isinstance(sample, str) else sample
        told = f'"{pair.canonical}" would not come back: {_shown(value)}'
        try:
            raw = pair.write(value, _NobodyOwns())
        except NoSpelling as why:
            if sample in means:
                return f'"{pair.canonical}" has no way to write {_shown(value)}: {why}'
            continue
        try:
            back = pair.read(raw, _NobodyOwns())
        except Unreadable as why:
            return f"{told} is written as {_shown(raw)}, and {why}"
        cut = pair.max_length is not None and isinstance(raw, str) and len(raw) >= pair.max_length
        if not same(back, value) and not cut:
            return f"{told} is written as {_shown(raw)} and read as {_shown(back)}"
    return None


def idempotence_fault(kind: FieldType) -> str | None:
    """Why the normal form of this type is not one, or None."""
    normal = NORMALISERS[kind]
    for sample in SAMPLES[kind]:
        try:
            once = normal(sample, "US")
            twice = normal(once, "US")
        except Unreadable as why:
            return f"the normal form of {kind} refuses its own value {_shown(sample)}: {why}"
        if not same(once, twice):
            return f"the normal form of {kind} changes when taken twice: {_shown(once)}, then {_shown(twice)}"
    return None


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
