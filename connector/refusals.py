"""Refusals: what a platform would not take, and what a person is told about it. Pure; no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connector.observation import Raw, RecordKey, digest
from connector.outputs import handoff_natives
from connector.plan import WantedHold
from mappings.object_mapping import ObjectMapping

WHOLE_RECORD = "*"
"""Stands for the whole record where a platform refused it without naming a field."""

NEW_RECORD = "new:"
"""Begins the record id under which the refusal of a create is remembered; the lead id follows."""

GOES_WITH = "goes with "
"""Begins the reason of a field that is held back only because of another of the hand-off, which it names."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A value that a platform refused: its digest, and the reason."""

    digest: str
    reason: str


def is_refused(refusals: Mapping[str, Refusal], native: str, wanted: Raw | Mapping[str, Raw]) -> bool:
    """Whether a record has refused this very value for this native field; WHOLE_RECORD: these very fields."""
    refusal = refusals.get(native)
    return refusal is not None and refusal.digest == digest(wanted)


def refusal_holds(
    key: RecordKey, refusals: Mapping[str, Refusal], target: ObjectMapping
) -> Iterator[WantedHold]:
    """A refused hand-off, and a record that is refused as a whole, need a person: one hold for each, however
    many fields the hand-off has."""
    if not refusals:
        return
    place = "the new record" if key.record_id.startswith(NEW_RECORD) else key.record_id
    whole = refusals.get(WHOLE_RECORD)
    if whole is not None:
        told = f"{key.side} refuses {place}: {whole.reason}"
        yield _hold(key, "record_refused", f".{WHOLE_RECORD}", told)
    handoff = handoff_natives(target)
    stopped = {native: refusal.reason for native, refusal in refusals.items() if native in handoff}
    named = {native: why for native, why in stopped.items() if not why.startswith(GOES_WITH)} or stopped
    if named:
        fields: dict[str, list[str]] = {}
        for native, why in named.items():
            fields.setdefault(why, []).append(native)
        told = "; ".join(f"{', '.join(natives)}: {why}" for why, natives in fields.items())
        yield _hold(
            key, "handoff_refused", "", f"{key.side} refuses the hand-off of {place} because of {told}"
        )


def refused_create_holds(key: RecordKey, refusals: Mapping[str, Refusal]) -> Iterator[WantedHold]:
    """A record that is not made, since without what was refused the mapping does not want it."""
    told = "; ".join(f"{native}: {refusal.reason}" for native, refusal in sorted(refusals.items()))
    if told:
        yield _hold(key, "record_refused", f".{WHOLE_RECORD}", f"{key.side} refuses the new record: {told}")


def _hold(key: RecordKey, kind: str, part: str, message: str) -> WantedHold:
    return WantedHold(
        kind=kind,
        subject=f"{key.side}:{key.object}{part}",
        message=message,
        remedy="Change the value or the rule that refuses it; "
        "`leadloop quarantine retry` tries again at once.",
    )
