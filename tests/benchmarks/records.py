"""Records: the people that the static server serves, as either platform spells them.

Every person's own values (name, address, phone, company, street) occur once; what people share in life
(country, state, industry, title) repeats. There are three editions, a day apart: FIRST knows nothing of
leadloop, in KNOWN the same records carry leadloop's fields, and CHANGED has another job title.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import orjson

Side = Literal["hubspot", "salesforce"]

FIRST, KNOWN, CHANGED = 1, 2, 3

START_MS = 1_800_000_000_000  # 2027-01-15T08:00:00Z
DAY_MS = 86_400_000
APART_MS = 20
"""Between two changes; Salesforce's stamps are whole seconds, so 50 of its leads share one."""

_FIRST = ("Ann", "Bo", "Chitra", "Dmitri", "Elif", "Femi", "Grace", "Hiro", "Ines", "Jón", "Kofi", "Lúcia")
_TITLES = ("VP Sales", "Head of Marketing", "Engineer", "Director of Operations", "Analyst", "Founder", None)
_INDUSTRIES = ("Banking", "Education", "Energy", "Healthcare", "Retail", "Technology", "Transportation")
_PLACES = (
    ("Austin", "TX", "United States"),
    ("Boston", "Massachusetts", "United States"),
    ("München", "Bayern", "Germany"),
    ("Lyon", None, "France"),
    ("Toronto", "ON", "Canada"),
    ("Leeds", None, "United Kingdom"),
)
_SOURCES = ("ORGANIC_SEARCH", "PAID_SEARCH", "REFERRALS", "DIRECT_TRAFFIC", "OFFLINE")
_PHONES = (("+1512", 7), ("+1617", 7), ("+4989", 8), ("+334", 8), ("+1416", 7), ("+44113", 7))


class Served(NamedTuple):
    """One record as it goes over the wire, and its stamp."""

    stamp_ms: int
    body: bytes


def begins_ms(edition: int) -> int:
    """The first change of an edition."""
    return START_MS + (edition - 1) * DAY_MS


def ends_ms(edition: int, count: int) -> int:
    """A minute after the last change of an edition."""
    return begins_ms(edition) + count * APART_MS + 60_000


def lead_id_of(number: int) -> str:
    """The lead that record `number` belongs to in the editions in which it is known."""
    return f"L{START_MS + number:011x}{number:013x}"


def served(side: Side, count: int, edition: int) -> Iterator[Served]:
    """`count` records of an edition, oldest change first."""
    make = _contact if side == "hubspot" else _lead
    for number in range(count):
        stamp_ms = begins_ms(edition) + number * APART_MS
        yield Served(stamp_ms, orjson.dumps(make(number, edition, stamp_ms)))


def person(number: int, edition: int) -> dict[str, Any]:
    """What there is to know of one person."""
    place = number % len(_PLACES)
    city, state, country = _PLACES[place]
    prefix, digits = _PHONES[place]
    return {
        "email": f"person.{number}@company-{number}.example",
        "first": _FIRST[number % len(_FIRST)],
        "last": f"Number{number}",
        "title": f"Title {number}" if edition == CHANGED else _TITLES[number % len(_TITLES)],
        "phone": f"{prefix}{2_000_000 + number:0{digits}d}",
        "company": f"Company {number} Ltd",
        "website": f"https://www.company-{number}.example",
        "industry": _INDUSTRIES[number % len(_INDUSTRIES)],
        "employees": 10 + number % 5_000,
        "street": f"{number} Main Street",
        "city": city,
        "state": state,
        "zip": f"{10_000 + number % 80_000}",
        "country": country,
        "source": _SOURCES[number % len(_SOURCES)],
        "owner": number % 20,
        "lead_id": None if edition == FIRST else lead_id_of(number),
        "stage": None if edition == FIRST else "nurture",
    }


def _contact(number: int, edition: int, stamp_ms: int) -> dict[str, Any]:
    known = person(number, edition)
    record_id = str(10_000_000_000 + number)
    created = _iso(START_MS - number * 1_000) + f"{number % 1_000:03d}Z"
    return {
        "id": record_id,
        "properties": {
            "address": known["street"],
            "city": known["city"],
            "company": known["company"],
            "country": known["country"],
            "createdate": created,
            "email": known["email"],
            "firstname": known["first"],
            "hs_analytics_source": known["source"],
            "hs_merged_object_ids": None,
            "hs_object_id": record_id,
            "hubspot_owner_id": str(500 + known["owner"]),
            "industry": known["industry"],
            "jobtitle": known["title"],
            "lastmodifieddate": _iso(stamp_ms) + f"{stamp_ms % 1_000:03d}Z",
            "lastname": known["last"],
            "leadloop_id": known["lead_id"],
            "leadloop_stage": known["stage"],
            "lifecyclestage": "lead",
            "phone": known["phone"],
            "state": known["state"],
            "website": known["website"],
            "zip": known["zip"],
        },
        "createdAt": created,
        "updatedAt": _iso(stamp_ms) + f"{stamp_ms % 1_000:03d}Z",
        "archived": False,
        "url": f"https://app.hubspot.com/contacts/1/record/0-1/{record_id}",
    }


def _lead(number: int, edition: int, stamp_ms: int) -> dict[str, Any]:
    known = person(number, edition)
    record_id = f"00Q{number:012d}AAA"
    return {
        "attributes": {"type": "Lead", "url": f"/services/data/v62.0/sobjects/Lead/{record_id}"},
        "Id": record_id,
        "SystemModstamp": _iso(stamp_ms) + "000+0000",
        "IsDeleted": False,
        "LastModifiedById": "005000000000001AAA",
        "MasterRecordId": None,
        "IsConverted": False,
        "ConvertedContactId": None,
        "ConvertedAccountId": None,
        "ConvertedOpportunityId": None,
        "Email": known["email"],
        "FirstName": known["first"],
        "LastName": known["last"],
        "Title": known["title"],
        "Phone": known["phone"],
        "Company": known["company"],
        "Website": known["website"],
        "Industry": known["industry"],
        "NumberOfEmployees": known["employees"],
        "City": known["city"],
        "State": known["state"],
        "PostalCode": known["zip"],
        "Country": known["country"],
        "LeadSource": known["source"],
        "OwnerId": f"005{known['owner']:012d}AAA",
        "CreatedDate": _iso(START_MS - number * 1_000) + "000+0000",
        "Status": "Open - Not Contacted",
        "Leadloop_Id__c": known["lead_id"],
        "Leadloop_Stage__c": known["stage"],
    }


def _iso(moment_ms: int) -> str:
    return datetime.fromtimestamp(moment_ms // 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%S.")
