"""Search in the HubSpot sandbox: filters, limits, the 10,000 wall, the lagging index."""

from __future__ import annotations

import time
from typing import Any

import pytest

from connector.clock import ManualClock
from connector.sandbox.hubspot import HubSpotPortal
from tests.sandbox.conftest import START_MS
from tests.sandbox.wire import Reply, Wire

SEARCH = "/crm/v3/objects/contacts/search"


def search(hubspot: Wire, *filters: dict[str, Any], **more: Any) -> Reply:
    groups = [{"filters": list(filters)}] if filters else []
    return hubspot.post(SEARCH, {"filterGroups": groups, "limit": 200, **more})


def where(name: str, operator: str, value: Any = None, **more: Any) -> dict[str, Any]:
    given = {} if value is None else {"value": value}
    return {"propertyName": name, "operator": operator, **given, **more}


def since(moment_ms: int) -> dict[str, Any]:
    return where("lastmodifieddate", "GTE", str(moment_ms))


def names(reply: Reply) -> list[str]:
    assert reply.status == 200, reply.body
    return [str(each["properties"]["firstname"]) for each in reply.body["results"]]


BY_MODIFIED = [{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}]


@pytest.fixture
def people(portal: HubSpotPortal, clock: ManualClock) -> dict[str, str]:
    """Four contacts, ten seconds apart, whose first names are a to d."""
    portal.add_property("contacts", "wants", "enumeration", field_type="checkbox", options=["x", "y", "z"])
    found = {}
    values: dict[str, dict[str, Any]] = {
        "a": {"company": "Alpha Engines", "leadloop_score": "5", "hs_lead_status": "NEW", "wants": "x;y"},
        "b": {"company": "beta engines", "leadloop_score": "50.0", "hs_lead_status": "OPEN"},
        "c": {"company": "Gamma", "leadloop_score": "7", "closedate": "2026-03-05T00:00:00Z"},
        "d": {},
    }
    for name, more in values.items():
        found[name] = portal.create("contacts", email=f"{name}@x.example", firstname=name, **more)
        clock.advance(10)
    return found


def test_a_poll_shows_what_changed_since_in_order_of_change(
    hubspot: Wire, portal: HubSpotPortal, people: dict[str, str]
) -> None:
    portal.update("contacts", people["b"], phone="1")
    assert names(search(hubspot, since(START_MS), sorts=BY_MODIFIED)) == ["a", "c", "d", "b"]
    assert names(search(hubspot, since(START_MS + 20_000), sorts=BY_MODIFIED)) == ["c", "d", "b"]
    span = where("lastmodifieddate", "BETWEEN", str(START_MS), highValue=str(START_MS + 20_000))
    assert names(search(hubspot, span, sorts=BY_MODIFIED)) == ["a", "c"]
    newest_first = [{"propertyName": "lastmodifieddate", "direction": "DESCENDING"}]
    assert names(search(hubspot, since(START_MS), sorts=newest_first)) == ["b", "d", "c", "a"]
    assert names(search(hubspot, since(START_MS), sorts=["-lastmodifieddate"])) == ["b", "d", "c", "a"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (where("firstname", "EQ", "A"), ["a"]),
        (where("firstname", "NEQ", "a"), ["b", "c", "d"]),
        (where("firstname", "IN", values=["a", "b"]), ["a", "b"]),
        (where("firstname", "IN", values=["A"]), []),
        (where("firstname", "NOT_IN", values=["a", "b"]), ["c", "d"]),
        (where("email", "EQ", "B@x.example"), ["b"]),
        (where("email", "IN", values=["a@x.example", "zz@x.example"]), ["a"]),
        (where("company", "HAS_PROPERTY"), ["a", "b", "c"]),
        (where("company", "NOT_HAS_PROPERTY"), ["d"]),
        (where("company", "CONTAINS_TOKEN", "engines"), ["a", "b"]),
        (where("company", "NOT_CONTAINS_TOKEN", "eng*"), ["c", "d"]),
        (where("email", "CONTAINS_TOKEN", "*@x.example"), ["a", "b", "c", "d"]),
        (where("leadloop_score", "GT", "7"), ["b"]),
        (where("leadloop_score", "LTE", "7"), ["a", "c"]),
        (where("leadloop_score", "EQ", "50"), ["b"]),
        (where("leadloop_score", "BETWEEN", "6", highValue="50"), ["b", "c"]),
        (where("hs_lead_status", "EQ", "NEW"), ["a"]),
        (where("hs_lead_status", "EQ", "new"), []),
        (where("wants", "IN", values=["y", "z"]), ["a"]),
        (where("closedate", "EQ", "1772668800000"), ["c"]),
        (where("closedate", "LT", "1772668800000"), []),
        (where("createdate", "GTE", str(START_MS + 30_000)), ["d"]),
    ],
)
def test_operators(
    hubspot: Wire, people: dict[str, str], condition: dict[str, Any], expected: list[str]
) -> None:
    assert names(search(hubspot, condition)) == expected


def test_groups_are_alternatives_of_filters_that_all_hold(hubspot: Wire, people: dict[str, str]) -> None:
    groups = [
        {"filters": [where("company", "CONTAINS_TOKEN", "engines"), where("leadloop_score", "GT", "7")]},
        {"filters": [where("firstname", "EQ", "d")]},
    ]
    assert names(hubspot.post(SEARCH, {"filterGroups": groups})) == ["b", "d"]


def test_the_id_is_a_second_key_where_many_share_a_moment(hubspot: Wire, portal: HubSpotPortal) -> None:
    made = [portal.create("contacts", firstname=str(number)) for number in range(6)]
    same = where("lastmodifieddate", "EQ", str(START_MS))
    later = where("hs_object_id", "GT", made[2])
    by_id = [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]
    assert names(search(hubspot, same, later, sorts=by_id, limit=2)) == ["3", "4"]


def test_a_query_text_looks_at_the_searchable_properties(hubspot: Wire, people: dict[str, str]) -> None:
    assert names(search(hubspot, query="ENGINES")) == ["a", "b"]


def test_pages_and_totals(hubspot: Wire, people: dict[str, str]) -> None:
    first = search(hubspot, since(START_MS), sorts=BY_MODIFIED, limit=3)
    assert (first.body["total"], first.body["paging"]) == (4, {"next": {"after": "3"}})
    last = search(hubspot, since(START_MS), sorts=BY_MODIFIED, limit=3, after="3")
    assert names(last) == ["d"]
    assert "paging" not in last.body
    assert len(hubspot.post(SEARCH, {}).body["results"]) == 4


def test_archived_records_are_never_shown(
    hubspot: Wire, portal: HubSpotPortal, people: dict[str, str]
) -> None:
    portal.archive("contacts", people["a"])
    assert names(search(hubspot, since(START_MS), sorts=BY_MODIFIED)) == ["b", "c", "d"]
    portal.restore("contacts", people["a"])
    assert names(search(hubspot, since(START_MS), sorts=BY_MODIFIED)) == ["b", "c", "d", "a"]


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"after": "x"},
        {"after": 5},
        {"after": "10000"},
        {"sorts": [*BY_MODIFIED, "createdate"]},
        {"sorts": ["no_such_property"]},
        {"query": "x" * 3_001},
        {"filterGroups": [{"filters": [where("email", "HAS_PROPERTY")]}] * 6},
        {"filterGroups": [{"filters": [where("email", "HAS_PROPERTY")] * 7}]},
        {"filterGroups": [{"filters": [where("email", "HAS_PROPERTY")] * 5}] * 4},
        {"filterGroups": [{"filters": [where("no_such_property", "EQ", "1")]}]},
        {"filterGroups": [{"filters": [where("email", "LIKE", "1")]}]},
        {"filterGroups": [{"filters": [where("email", "EQ")]}]},
        {"filterGroups": [{"filters": [where("email", "IN", "a")]}]},
        {"filterGroups": [{"filters": [where("lastmodifieddate", "GTE", "2026-03-05T00:00:00Z")]}]},
        {"filterGroups": [{"filters": [where("leadloop_score", "GTE", "many")]}]},
    ],
)
def test_what_is_over_the_limits_or_not_understood_is_400(hubspot: Wire, body: dict[str, Any]) -> None:
    assert hubspot.post(SEARCH, body).status == 400


def test_nobody_pages_past_ten_thousand(hubspot: Wire, portal: HubSpotPortal) -> None:
    for number in range(10_050):
        portal.create("contacts", firstname=str(number))
    near = search(hubspot, since(START_MS), sorts=BY_MODIFIED, after="9900")
    assert len(near.body["results"]) == 100
    assert near.body["total"] == 10_050
    assert near.body["paging"]["next"]["after"] == "10000"
    assert search(hubspot, since(START_MS), sorts=BY_MODIFIED, after="10000").status == 400


def test_a_lagging_index_hides_new_records_and_shows_old_values(
    hubspot: Wire, portal: HubSpotPortal, clock: ManualClock, people: dict[str, str]
) -> None:
    portal.faults.visibility_lag_seconds = 30
    portal.create("contacts", firstname="new")
    portal.update("contacts", people["a"], company="Changed")
    found = search(hubspot, since(START_MS), sorts=BY_MODIFIED, properties=["firstname", "company"])
    assert names(found) == ["a", "b", "c", "d"]
    assert found.body["results"][0]["properties"]["company"] == "Alpha Engines"
    assert found.body["results"][0]["updatedAt"] == "2026-09-21T14:13:20.000Z"
    assert (
        hubspot.get("/crm/v3/objects/contacts", properties="firstname").body["results"][-1]["properties"][
            "firstname"
        ]
        == "new"
    )
    clock.advance(31)
    after = search(hubspot, since(START_MS), sorts=BY_MODIFIED, properties=["firstname", "company"])
    assert names(after) == ["b", "c", "d", "new", "a"]


def test_touching_a_record_brings_it_up_again_unchanged(
    hubspot: Wire, portal: HubSpotPortal, clock: ManualClock, people: dict[str, str]
) -> None:
    before = portal.get("contacts", people["a"])
    clock.advance(60)
    portal.touch("contacts", people["a"])
    assert names(search(hubspot, since(clock.now_ms()), sorts=BY_MODIFIED)) == ["a"]
    after = portal.get("contacts", people["a"])
    assert {name for name in after if after[name] != before[name]} == {"lastmodifieddate"}


def test_an_unchanged_poll_costs_the_same_over_many_records(
    hubspot: Wire, portal: HubSpotPortal, clock: ManualClock
) -> None:
    made = [portal.create("contacts", firstname=str(number)) for number in range(20_000)]
    clock.advance(1)
    for each in made[:5_000]:
        portal.touch("contacts", each)
    clock.advance(1)
    best = 1.0
    for _ in range(5):
        began = time.perf_counter()
        assert names(search(hubspot, since(clock.now_ms()), sorts=BY_MODIFIED)) == []
        best = min(best, time.perf_counter() - began)
    assert best < 0.02
    assert search(hubspot, since(START_MS), sorts=BY_MODIFIED).body["total"] == 20_000
