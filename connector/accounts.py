"""Accounts: to which company somebody belongs, where the lead has no account's owner of its own. Pure.

By what the person's own record names; else by the domain of the e-mail address, unless it is of a free
provider, and the host of an account's website; else by the very name of the company, where one account alone
has it. Accounts of the CRM count before those of other sides. Nothing is guessed: accounts of different
owners are no match. What is told names accounts by their ids, since the history keeps nothing that
could name a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple
from unicodedata import normalize
from urllib.parse import urlsplit

from connector.observation import Observation, RecordKey
from mappings.mapping import ACCOUNT_OWNER
from mappings.mapping import Mapping as LeadMapping
from mappings.values import OwnerDirectory, Value
from rules.mail import domain, is_free_mail

COMPANY: Final = "company"
"""The canonical field with the name of the company that a lead works for."""

_NAMED_AT_MOST: Final = 3
_HOW: Final = {"record": "its own record", "domain": "e-mail domain", "name": "company name"}


class AccountName(NamedTuple):
    """Something by which an account is known; `record`: its side, object and id."""

    kind: Literal["record", "domain", "name"]
    value: str


@dataclass(frozen=True, slots=True)
class AccountMatch:
    """The owner of the account that a lead belongs to, or None, with the reason in words."""

    owner: str | None
    told: str

    def among(self, values: Mapping[str, Value]) -> Mapping[str, Value]:
        """A lead's values with the account's owner, if they have none of their own."""
        own = values.get(ACCOUNT_OWNER)
        return values if own is not None or self.owner is None else {**values, ACCOUNT_OWNER: self.owner}


def has_accounts(mapping: LeadMapping) -> bool:
    """Whether any account is read at all."""
    return any(
        target.role == "account" for side in mapping.sides.values() for target in side.objects.values()
    )


def names_of_account(values: Mapping[str, Value]) -> set[AccountName]:
    """By what an account is found: the values of an object in the role `account`."""
    host, name = _host(values.get("website")), _plain(values.get("name"))
    found = {AccountName("domain", host)} if host else set()
    return found | ({AccountName("name", name)} if name else set())


def named_by(record: Observation, mapping: LeadMapping) -> RecordKey | None:
    """The account that a person's record names, if it names one."""
    side = mapping.sides.get(record.side)
    target = side.objects.get(record.object) if side is not None else None
    if side is None or side.account_object is None or target is None or target.account is None:
        return None
    said = record.fields.get(target.account)
    return None if said is None or record.deleted else RecordKey(record.side, side.account_object, str(said))


def names_of_lead(addresses: Iterable[object], company: object, mapping: LeadMapping) -> list[AccountName]:
    """By what the account of somebody is looked for: the strongest first."""
    hosts = [
        host
        for address in addresses
        if isinstance(address, str) and (host := domain(address)) and not is_free_mail(address)
    ]
    names = [AccountName("domain", host) for host in dict.fromkeys(hosts)]
    name = _plain(company)
    if name and name not in _stand_ins(mapping):
        names.append(AccountName("name", name))
    return names


def match_account(
    values: Mapping[str, Value],
    accounts: Mapping[AccountName, Sequence[Observation]],
    mapping: LeadMapping,
    directory: OwnerDirectory,
) -> AccountMatch | None:
    """The account of a lead with these values, by the first name that any account has. None where there is
    none, and for a lead that has an account already."""
    if not accounts or values.get(ACCOUNT_OWNER) is not None:
        return None
    addresses = [values.get(field) for field in address_fields(mapping)]
    own = sorted(
        (name for name in accounts if name.kind == "record"), key=lambda name: _rank(accounts[name], mapping)
    )
    for name in [*own, *names_of_lead(addresses, values.get(COMPANY), mapping)]:
        found = _of_first_side(accounts.get(name, ()), mapping)
        if not found:
            continue
        how = _HOW[name.kind]
        owners = {_owner_of(item, mapping, directory) for item in found}
        if len(found) > 1 and name.kind == "name":
            return AccountMatch(None, f"{len(found)} accounts have this {how} ({_ids(found)})")
        if len(owners) > 1:
            told = f"{len(found)} accounts of different owners have this {how} ({_ids(found)})"
            return AccountMatch(None, told)
        (owner,) = owners
        whose = f"account {_ids(found)}, by {how}" if len(found) == 1 else f"accounts {_ids(found)}, by {how}"
        return AccountMatch(owner, whose if owner else f"no known owner of {whose}")
    return None


def address_fields(mapping: LeadMapping) -> list[str]:
    """The canonical fields with an address that says who somebody is."""
    return [name for name, rule in mapping.fields.items() if rule.identity and rule.type == "email"]


def _rank(found: Sequence[Observation], mapping: LeadMapping) -> int:
    """Whose accounts these are: 0 the CRM's, 1 another side's."""
    return min((0 if mapping.sides[item.side].kind == "crm" else 1 for item in found), default=2)


def _of_first_side(found: Sequence[Observation], mapping: LeadMapping) -> Sequence[Observation]:
    first = _rank(found, mapping)
    return [item for item in found if _rank([item], mapping) == first]


def _owner_of(item: Observation, mapping: LeadMapping, directory: OwnerDirectory) -> str | None:
    owner = mapping.sides[item.side].objects[item.object].read(item.fields, directory).values.get("owner")
    return owner if isinstance(owner, str) else None


def _ids(found: Sequence[Observation]) -> str:
    ids = sorted(item.record_id for item in found)
    more = len(ids) - _NAMED_AT_MOST
    return ", ".join(ids[:_NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")


def _host(website: Value) -> str | None:
    """The host of a web address in its normal form, without the `www.` before it."""
    if not isinstance(website, str):
        return None
    host = urlsplit(website).hostname
    return host.removeprefix("www.") if host else None


def _plain(text: object) -> str | None:
    """A name in one case and width, with single spaces."""
    return " ".join(normalize("NFKC", text).casefold().split()) or None if isinstance(text, str) else None


def _stand_ins(mapping: LeadMapping) -> set[str | None]:
    """What leadloop itself writes for a company that is not known."""
    people = [target for side in mapping.sides.values() for target in side.person_objects]
    return {_plain(target.create.defaults.get(COMPANY)) for target in people if target.create is not None}
