"""Identity: what of a record says who it is about. Pure; which lead that is, is decided in `link`."""

from __future__ import annotations

from dataclasses import dataclass

from connector.observation import Fields, Observation
from connector.store.observations import Stored
from mappings.mapping import Mapping as LeadMapping
from mappings.object_mapping import ObjectMapping, Pair
from mappings.values import OwnerDirectory, Unreadable

# fmt: off
SHARED_MAILBOXES = frozenset(
    {
        "abuse", "accounting", "admin", "billing", "careers", "contact", "enquiries", "enquiry",
        "hello", "help", "hr", "info", "inquiries", "inquiry", "invoices", "jobs", "legal", "mail",
        "marketing", "media", "no-reply", "noreply", "office", "orders", "postmaster", "press",
        "privacy", "purchasing", "reception", "sales", "security", "service", "support", "team",
        "webmaster",
    }
)
# fmt: on
"""Local parts behind which several people read (RFC 2142 and common practice)."""

CLAIM = "lead"
"""The kind of the key that is leadloop's own id."""

_WITH_NAME = "+name"
"""Ends the kind of a key that is a shared address together with a last name."""


def field_of(key: tuple[str, str]) -> str:
    """The canonical field that an identity key comes from."""
    return key[0].removesuffix(_WITH_NAME)


@dataclass(frozen=True, slots=True)
class Names:
    """What of an object's fields says who a record is about: leadloop's own id, the pairs with identity (and
    whether each is an address), and the last name. `natives` are those that a person's keys are made of."""

    claim: str | None
    pairs: tuple[tuple[Pair, bool], ...]
    last_name: str | None
    natives: tuple[str, ...]

    @classmethod
    def of(cls, described: ObjectMapping, mapping: LeadMapping) -> Names:
        claim = described.output("lead_id")
        pairs = tuple(
            (pair, mapping.fields[pair.canonical].type == "email")
            for pair in described.pairs
            if pair.reads and pair.canonical in mapping.fields and mapping.fields[pair.canonical].identity
        )
        last_name = next((pair.native for pair in described.pairs if pair.canonical == "last_name"), None)
        natives = [pair.native for pair, _ in pairs] + ([last_name] if last_name is not None else [])
        return cls(claim.native if claim is not None else None, pairs, last_name, tuple(natives))

    def unchanged(self, item: Stored) -> bool:
        """Whether a record surely shows the same names as before; told from the bytes that were stored, which
        is a good deal cheaper than reading them. `"name":"text"` can only stand at the top of the fields:
        within a text each quotation mark has a backslash before it."""
        fields, before = item.observation.fields, item.before
        for native in self.natives:
            value = fields.get(native)
            if value is None:
                shown = f'"{native}":null'
            elif not isinstance(value, str) or '"' in value or "\\" in value:
                return False
            else:
                shown = f'"{native}":"{value}"'
            if shown.encode("utf-8", "surrogatepass") not in before:
                return False
        return True

    def keys(self, fields: Fields, directory: OwnerDirectory) -> list[tuple[str, str]]:
        """The identity keys that a record with these fields carries, strongest first: leadloop's id (of the
        kind `lead`), then its identity fields."""
        keys: list[tuple[str, str]] = []
        claimed = fields.get(self.claim) if self.claim is not None else None
        if isinstance(claimed, str) and claimed:
            keys.append((CLAIM, claimed))
        for pair, is_address in self.pairs:
            try:
                value = pair.read(fields.get(pair.native), directory)
            except Unreadable:
                continue
            if not isinstance(value, str):
                continue
            if is_address and value.partition("@")[0] in SHARED_MAILBOXES:
                name = fields.get(self.last_name) if self.last_name is not None else None
                if isinstance(name, str) and name.strip():
                    keys.append((f"{pair.canonical}{_WITH_NAME}", f"{value} {name.strip().casefold()}"))
                continue
            keys.append((pair.canonical, value))
        return keys


class NamesOf:
    """The names of each object's records, made out when first asked for."""

    def __init__(self, mapping: LeadMapping) -> None:
        self._mapping = mapping
        self._made: dict[tuple[str, str], Names] = {}

    def __call__(self, record: Observation) -> Names:
        """Raises KeyError for an object that the mapping does not name."""
        place = (record.side, record.object)
        if place not in self._made:
            self._made[place] = Names.of(
                self._mapping.sides[record.side].objects[record.object], self._mapping
            )
        return self._made[place]
