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


def with_name(field: str, address: str, last_name: str) -> tuple[str, str]:
    """The key of one of the people behind a shared address."""
    return f"{field}{_WITH_NAME}", f"{address} {last_name.strip().casefold()}"


@dataclass(frozen=True, slots=True)
class Names:
    """What of an object's fields says who a record is about: leadloop's own id, the pairs with identity (and
    whether each is an address), where more values of these are, and the last name. `natives` are those that
    a person's keys are made of."""

    claim: str | None
    pairs: tuple[tuple[Pair, bool], ...]
    more: tuple[tuple[Pair, bool, str], ...]
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
        more = tuple(
            (pair, is_address, described.also_known_by[pair.canonical])
            for pair, is_address in pairs
            if pair.canonical in described.also_known_by
        )
        natives = [pair.native for pair, _ in pairs] + [native for _, _, native in more]
        natives += [last_name] if last_name is not None else []
        return cls(claim.native if claim is not None else None, pairs, more, last_name, tuple(natives))

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
        shown = [(pair, is_address, fields.get(pair.native)) for pair, is_address in self.pairs]
        for pair, is_address, native in self.more:
            joined = fields.get(native)
            if isinstance(joined, str):
                shown += [(pair, is_address, each.strip()) for each in joined.split(";") if each.strip()]
        for pair, is_address, raw in shown:
            try:
                value = pair.read(raw, directory)
            except Unreadable:
                continue
            if not isinstance(value, str):
                continue
            if is_address and value.partition("@")[0] in SHARED_MAILBOXES:
                name = fields.get(self.last_name) if self.last_name is not None else None
                if isinstance(name, str) and name.strip():
                    keys.append(with_name(pair.canonical, value, name))
                continue
            keys.append((pair.canonical, value))
        return list(dict.fromkeys(keys)) if self.more else keys


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
