"""Scale sandbox: both platforms with the same people on either side, who do not know of each other yet.

In a process of its own. The people are put in by the worlds' own functions, without HTTP. Each side knows
what the other one does not: HubSpot the telephone number and the website, Salesforce the industry, the size
and the owner.

    python -m tests.benchmarks.scale_sandbox LEADS     prints where they are, and ends with its input
"""

from __future__ import annotations

import sys
from typing import Any

import orjson

from connector.clock import SystemClock
from connector.configuration import load_configuration
from connector.demo.stage_set import add_fields
from connector.memory import collect_seldom
from connector.sandbox.host import Sandbox
from connector.sandbox.shifted_clock import ShiftedClock
from tests.benchmarks.records import FIRST, person

OWNERS = 20
SALESFORCE_CALLS_A_DAY = 150_000
"""Enterprise Edition with 50 users."""


def contact(number: int) -> dict[str, Any]:
    """A person as HubSpot knows them."""
    known = person(number, FIRST)
    return {
        "email": known["email"],
        "firstname": known["first"],
        "lastname": known["last"],
        "jobtitle": known["title"] or "",
        "phone": known["phone"],
        "company": known["company"],
        "website": known["website"],
        "city": known["city"],
        "country": known["country"],
    }


def lead(number: int, owner_id: str) -> dict[str, Any]:
    """The same person as Salesforce knows them."""
    known = person(number, FIRST)
    return {
        "Email": known["email"],
        "FirstName": known["first"],
        "LastName": known["last"],
        "Title": known["title"],
        "Company": known["company"],
        "Industry": known["industry"],
        "NumberOfEmployees": known["employees"],
        "City": known["city"],
        "Country": known["country"],
        "OwnerId": owner_id,
    }


def populated(leads: int) -> Sandbox:
    """A sandbox with this many people on either side."""
    sandbox = Sandbox(ShiftedClock(SystemClock()))
    add_fields(sandbox, load_configuration(None).mapping)
    sandbox.salesforce.daily_limit = SALESFORCE_CALLS_A_DAY
    addresses = [f"owner.{number}@sales.example" for number in range(OWNERS)]
    owner_ids = [sandbox.salesforce.add_user(f"Owner {address}", address) for address in addresses]
    for address in addresses:
        sandbox.hubspot.add_owner(address)
    for number in range(leads):
        sandbox.hubspot.create("contacts", **contact(number))
        sandbox.salesforce.insert("Lead", **lead(number, owner_ids[number % OWNERS]))
    return sandbox


if __name__ == "__main__":
    # some ten million objects, which live as long as the process: the collector need not look at them again
    collect_seldom()
    made = populated(int(sys.argv[1]))
    import gc

    gc.freeze()
    with made:
        told = {
            "urls": {"salesforce": made.salesforce_url, "hubspot": made.hubspot_url},
            "first_contact": min(made.hubspot.crm.table("contacts").live_ids, default=0),
        }
        print(orjson.dumps(told).decode(), flush=True)
        sys.stdin.read()
