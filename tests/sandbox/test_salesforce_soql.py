"""What SOQL the org understands, what it finds, and how it refuses the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.clock import ManualClock
from connector.sandbox.salesforce import Refusal, SalesforceOrg, ValidationRule, custom_field
from connector.sandbox.salesforce.soql_filter import compile_filter
from connector.sandbox.salesforce.soql_tree import Comparison, Condition, Junction, Literal, Name
from tests.sandbox.salesforce_client import START_MS, Client


def org_with_leads() -> SalesforceOrg:
    """Four leads, a second apart: Ada (owned by a queue), Bob, an opted-out Cher, and one with blanks."""
    clock = ManualClock(START_MS)
    org = SalesforceOrg(clock)
    org.add_field("Lead", custom_field("Score__c", "number", precision=5, scale=1))
    org.add_field("Lead", custom_field("Topics__c", "multipicklist", picklist=("a", "b", "c")))
    org.add_field("Lead", custom_field("Seen__c", "datetime"))
    org.add_field("Lead", custom_field("Day__c", "date"))
    queue = org.add_queue("Inbound")
    leads: list[dict[str, Any]] = [
        {"LastName": "Ada", "Email": "Ada@x.example", "City": "Rome", "Score__c": 10, "OwnerId": queue},
        {
            "LastName": "Bob",
            "Email": "bob@x.example",
            "City": "50% O'Hare_",
            "Score__c": 2.5,
            "Topics__c": "a;c",
        },
        {"LastName": "Cher", "City": "rome", "HasOptedOutOfEmail": True, "Seen__c": "2026-01-04T23:59:59Z"},
        {"LastName": "Dee", "Score__c": -3, "Day__c": "2026-01-05", "Seen__c": "2026-01-05T06:00:00+02:00"},
    ]
    for fields in leads:
        org.insert("Lead", Company="C", **fields)
        clock.advance(1)
    return org


def names(org: SalesforceOrg, where: str, rest: str = "ORDER BY LastName") -> list[str]:
    return [row["LastName"] for row in org.query(f"SELECT LastName FROM Lead WHERE {where} {rest}")]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("LastName = 'ADA'", ["Ada"]),
        ("City = 'ROME'", ["Ada", "Cher"]),
        ("City != 'rome'", ["Bob", "Dee"]),
        ("City <> 'rome'", ["Bob", "Dee"]),
        ("City = null", ["Dee"]),
        ("City = ''", ["Dee"]),
        ("City != NULL", ["Ada", "Bob", "Cher"]),
        ("NOT City = 'rome'", ["Bob", "Dee"]),
        ("City IN ('rome', 'Paris')", ["Ada", "Cher"]),
        ("City NOT IN ('rome', 'Paris')", ["Bob", "Dee"]),
        ("LastName LIKE '%e%'", ["Cher", "Dee"]),
        ("LastName LIKE '_o_'", ["Bob"]),
        (r"City LIKE '50\% O\'Hare\_'", ["Bob"]),
        (r"City LIKE '_0\%%'", ["Bob"]),
        (r"City LIKE '50\_%'", []),
        ("LastName > 'bob'", ["Cher", "Dee"]),
        ("LastName <= 'BOB'", ["Ada", "Bob"]),
        ("Score__c > 2", ["Ada", "Bob"]),
        ("Score__c < 2.5", ["Dee"]),
        ("Score__c = -3", ["Dee"]),
        ("Score__c IN (10, 2.5)", ["Ada", "Bob"]),
        ("Score__c = 1e1", ["Ada"]),
        ("HasOptedOutOfEmail = TRUE", ["Cher"]),
        ("HasOptedOutOfEmail = false", ["Ada", "Bob", "Dee"]),
        ("HasOptedOutOfEmail != true", ["Ada", "Bob", "Dee"]),
        ("Topics__c INCLUDES ('a')", ["Bob"]),
        ("Topics__c INCLUDES ('a;b', 'c')", ["Bob"]),
        ("Topics__c INCLUDES ('a;b')", []),
        ("Topics__c EXCLUDES ('b')", ["Ada", "Bob", "Cher", "Dee"]),
        ("Seen__c = 2026-01-05T04:00:00Z", ["Dee"]),
        ("Seen__c < 2026-01-05T05:00:00+01:00", ["Cher"]),
        ("Seen__c >= 2026-01-05T04:00:00.000+0000", ["Dee"]),
        ("Seen__c = TODAY", ["Dee"]),
        ("Seen__c = yesterday", ["Cher"]),
        ("Seen__c = LAST_N_DAYS:2", ["Cher", "Dee"]),
        ("Seen__c > YESTERDAY", ["Dee"]),
        ("Seen__c <= YESTERDAY", ["Cher"]),
        ("Seen__c < TODAY", ["Cher"]),
        ("Seen__c >= YESTERDAY", ["Cher", "Dee"]),
        ("Day__c = TODAY", ["Dee"]),
        ("Day__c IN (YESTERDAY, TODAY)", ["Dee"]),
        ("Day__c = NEXT_N_DAYS:3", []),
        ("Day__c >= 2026-01-05", ["Dee"]),
        ("Owner.Name = 'inbound'", ["Ada"]),
        ("Owner.Type = 'Queue'", ["Ada"]),
        ("Owner.Email = 'ADMIN@sandbox.example'", ["Bob", "Cher", "Dee"]),
        ("CreatedBy.Name LIKE 'ada%'", ["Ada", "Bob", "Cher", "Dee"]),
        ("(LastName = 'Ada' OR LastName = 'Bob') AND Score__c > 5", ["Ada"]),
        ("LastName = 'Ada' OR (LastName = 'Bob' AND Score__c > 5)", ["Ada"]),
        ("NOT (LastName = 'Ada' OR City = null) AND Score__c != null", ["Bob"]),
        ("Lead.LastName = 'ada'", ["Ada"]),
        ("lastname = 'ada' and COMPANY = 'c'", ["Ada"]),
    ],
)
def test_conditions_find_what_salesforce_would(where: str, found: list[str]) -> None:
    assert names(org_with_leads(), where) == found


@pytest.mark.parametrize(
    ("rest", "found"),
    [
        ("ORDER BY Score__c", ["Cher", "Dee", "Bob", "Ada"]),
        ("ORDER BY Score__c DESC", ["Cher", "Ada", "Bob", "Dee"]),
        ("ORDER BY Score__c ASC NULLS LAST", ["Dee", "Bob", "Ada", "Cher"]),
        ("ORDER BY Score__c DESC NULLS LAST", ["Ada", "Bob", "Dee", "Cher"]),
        ("ORDER BY City NULLS LAST, LastName DESC", ["Bob", "Cher", "Ada", "Dee"]),
        ("ORDER BY SystemModstamp DESC", ["Dee", "Cher", "Bob", "Ada"]),
        ("ORDER BY SystemModstamp, Id LIMIT 2", ["Ada", "Bob"]),
        ("ORDER BY SystemModstamp, Id LIMIT 2 OFFSET 1", ["Bob", "Cher"]),
        ("ORDER BY LastName LIMIT 10 OFFSET 3", ["Dee"]),
        ("ORDER BY Owner.Name, LastName", ["Bob", "Cher", "Dee", "Ada"]),
        ("ORDER BY LastName LIMIT 0", []),
    ],
)
def test_order_limit_and_offset(rest: str, found: list[str]) -> None:
    assert names(org_with_leads(), "Company = 'C'", rest) == found


def test_a_keyset_of_stamp_and_id_goes_on_where_a_page_ended() -> None:
    org = org_with_leads()
    clock = org.clock
    assert isinstance(clock, ManualClock)
    same_second = [org.insert("Lead", LastName=f"S{number}", Company="C") for number in range(3)]
    stamp = org.get("Lead", same_second[0])["SystemModstamp"].replace("000+0000", "000Z")
    where = f"SystemModstamp > {stamp} OR (SystemModstamp = {stamp} AND Id > '{same_second[0]}')"
    assert names(org, where, "ORDER BY SystemModstamp, Id") == ["S1", "S2"]


def test_ids_compare_as_15_or_18_characters() -> None:
    org = org_with_leads()
    row_id = org.rows("Lead")[1]["Id"]
    assert names(org, f"Id = '{row_id}'") == ["Bob"]
    assert names(org, f"Id = '{row_id[:15]}'") == ["Bob"]
    assert names(org, f"Id IN ('{row_id.upper()}')") == ["Bob"]
    assert len(names(org, f"OwnerId = '{org.admin_id[:15]}'")) == 3


def test_rows_carry_their_attributes_and_the_fields_in_the_order_selected() -> None:
    org = org_with_leads()
    (row,) = org.query("SELECT Owner.Name, Email, Id, Owner.Type FROM Lead WHERE LastName = 'Ada'")
    base = "/services/data/v62.0/sobjects"
    assert list(row) == ["attributes", "Owner", "Email", "Id"]
    assert row["attributes"] == {"type": "Lead", "url": f"{base}/Lead/{row['Id']}"}
    queue = org.rows("Group")[0]["Id"]
    assert row["Owner"] == {
        "attributes": {"type": "Name", "url": f"{base}/Group/{queue}"},
        "Name": "Inbound",
        "Type": "Queue",
    }


def test_a_parent_of_one_kind_is_of_its_own_type_and_a_missing_parent_is_null() -> None:
    org = org_with_leads()
    account = org.insert("Account", Name="Engines")
    org.insert("Contact", LastName="Byron", AccountId=account)
    org.insert("Contact", LastName="Alone")
    alone, byron = org.query("SELECT Account.Name, LastName FROM Contact ORDER BY LastName")
    assert alone["Account"] is None
    assert byron["Account"]["attributes"]["type"] == "Account"
    assert byron["Account"]["Name"] == "Engines"


@pytest.fixture
def client() -> Iterator[Client]:
    with Client() as client:
        yield client


def test_counts(client: Client) -> None:
    client.lead(Email="a@x.example")
    client.lead()
    assert client.soql("SELECT COUNT() FROM Lead").json() == {"totalSize": 2, "done": True, "records": []}
    aggregate = client.soql("select count(Id) people, count(Email) from Lead").json()
    assert aggregate == {
        "totalSize": 1,
        "done": True,
        "records": [{"attributes": {"type": "AggregateResult"}, "people": 2, "expr0": 1}],
    }


@pytest.fixture(scope="module")
def untouched() -> Iterator[Client]:
    """An org that no test changes."""
    with Client() as client:
        yield client


@pytest.mark.parametrize(
    ("query", "code", "says"),
    [
        ("SELECT * FROM Lead", "MALFORMED_QUERY", "unexpected token: '*'"),
        ("SELECT Id FROM Lead WHERE Id IN ()", "MALFORMED_QUERY", "unexpected token: ')'"),
        ("SELECT Id FROM Lead WHERE City IS NULL", "MALFORMED_QUERY", "unexpected token: 'IS'"),
        (
            "SELECT Id FROM Lead WHERE City = 'a' AND City = 'b' OR City = 'c'",
            "MALFORMED_QUERY",
            "unexpected token: 'OR'",
        ),
        ('SELECT Id FROM Lead WHERE City = "a"', "MALFORMED_QUERY", "unexpected token"),
        (r"SELECT Id FROM Lead WHERE City = 'a\d'", "MALFORMED_QUERY", "Illegal character sequence"),
        (r"SELECT Id FROM Lead WHERE City = 'a\%'", "MALFORMED_QUERY", "Illegal character sequence"),
        ("SELECT Id FROM Lead WHERE City = Rome", "MALFORMED_QUERY", "unexpected token: 'Rome'"),
        ("SELECT Id FROM Lead WHERE", "MALFORMED_QUERY", "<EOF>"),
        ("SELECT Id FROM Lead LIMIT 1 WHERE Id = null", "MALFORMED_QUERY", "unexpected token: 'WHERE'"),
        ("SELECT Id FROM Lead LIMIT 1.5", "MALFORMED_QUERY", "unexpected token: '1.5'"),
        ("SELECT Id, (SELECT Id FROM Tasks) FROM Lead", "MALFORMED_QUERY", "unexpected token: '('"),
        ("SELECT Id FROM Lead WHERE Id IN (SELECT Id FROM Lead)", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Status FROM Lead GROUP BY Status", "MALFORMED_QUERY", "unexpected token: 'GROUP'"),
        ("SELECT MAX(SystemModstamp) FROM Lead", "MALFORMED_QUERY", "unexpected token: 'MAX'"),
        ("SELECT COUNT(), Id FROM Lead", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Account.Owner.Name FROM Contact", "MALFORMED_QUERY", "one level"),
        ("SELECT Id FROM Lead LIMIT 5 OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "2000"),
        ("SELECT Id FROM Robot", "INVALID_TYPE", "sObject type 'Robot' is not supported."),
        ("SELECT Nope FROM Lead", "INVALID_FIELD", "No such column 'Nope' on entity 'Lead'."),
        ("SELECT Id FROM Lead WHERE Nope__c = 1", "INVALID_FIELD", "No such column 'Nope__c'"),
        ("SELECT Id FROM Lead ORDER BY Nope", "INVALID_FIELD", "No such column 'Nope'"),
        ("SELECT Nobody.Name FROM Lead", "INVALID_FIELD", "Didn't understand relationship 'Nobody'"),
        ("SELECT Owner.City FROM Lead", "INVALID_FIELD", "No such column 'City' on entity 'Name'."),
        ("SELECT Id, id FROM Lead", "INVALID_FIELD", "duplicate field selected: Id"),
        ("SELECT Id FROM Lead WHERE Description = 'a'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM Lead ORDER BY Description", "INVALID_FIELD", "can not be sorted"),
        ("SELECT Id FROM Lead WHERE IsConverted = 'true'", "INVALID_FIELD", "must be of type boolean"),
        ("SELECT Id FROM Lead WHERE City = 5", "INVALID_FIELD", "must be of type string"),
        (
            "SELECT Id FROM Lead WHERE CreatedDate > '2026-01-01T00:00:00Z'",
            "INVALID_FIELD",
            "must be of type dateTime and should not be enclosed in quotes",
        ),
        ("SELECT Id FROM Lead WHERE CreatedDate > 2026-01-01", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Lead WHERE Id = 'x'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: x"),
        ("SELECT Id FROM Lead WHERE IsConverted > true", "INVALID_QUERY_FILTER_OPERATOR", "operator"),
        ("SELECT Id FROM Lead WHERE NumberOfEmployees LIKE '1%'", "INVALID_QUERY_FILTER_OPERATOR", "like"),
    ],
)
def test_what_is_not_understood_is_refused(untouched: Client, query: str, code: str, says: str) -> None:
    answer = untouched.soql(query)
    (error,) = answer.json()
    assert (answer.status_code, error["errorCode"]) == (400, code)
    assert says in error["message"]
    assert set(error) == {"message", "errorCode"}


def test_a_refusal_points_at_the_place(untouched: Client) -> None:
    (error,) = untouched.soql("SELECT Id,Foo FROM Lead").json()
    assert error["message"].startswith(
        "\nSELECT Id,Foo FROM Lead\n          ^\nERROR at Row:1:Column:11\nNo such column 'Foo'"
    )


def test_a_deeply_nested_condition_is_too_complicated_and_no_crash(untouched: Client) -> None:
    answer = untouched.soql("SELECT Id FROM Lead WHERE " + "NOT " * 3_000 + "City = null")
    assert answer.json()[0]["errorCode"] == "QUERY_TOO_COMPLICATED"


def test_a_statement_over_the_limit_is_refused(untouched: Client) -> None:
    url = "/services/data/v62.0/query/?q=SELECT Id FROM Lead WHERE City = '" + "x" * 100_000 + "'"
    request = {"method": "GET", "url": url, "referenceId": "long"}
    answer = untouched.call("POST", "composite", {"compositeRequest": [request]})
    (part,) = answer.json()["compositeResponse"]
    assert part["httpStatusCode"] == 400
    assert part["body"][0]["errorCode"] == "MALFORMED_QUERY"


_LITERALS = st.sampled_from(
    [
        ("City", "string", "rome"),
        ("City", "null", "null"),
        ("Email", "string", "ADA@x.example"),
        ("Email", "string", "nobody@x.example"),
        ("Score__c", "number", "2.5"),
        ("SystemModstamp", "datetime", "2026-01-05T08:00:01Z"),
        ("SystemModstamp", "datetime", "2026-01-05T08:00:02Z"),
        ("SystemModstamp", "days", "LAST_N_DAYS:1"),
        ("SystemModstamp", "word", "TODAY"),
        ("SystemModstamp", "null", "null"),
    ]
)
_OPERATORS = st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "in", "not in"])
_COMPARISONS = st.builds(
    lambda literal, operator: Comparison(
        Name(literal[0], 0), operator, (Literal(literal[1], literal[2], 0),)
    ),
    _LITERALS,
    _OPERATORS,
)
_CONDITIONS = st.recursive(
    _COMPARISONS,
    lambda inner: st.one_of(
        st.builds(lambda part: Junction("not", (part,)), inner),
        st.builds(
            lambda kind, parts: Junction(kind, tuple(parts)),
            st.sampled_from(["and", "or"]),
            st.lists(inner, min_size=2, max_size=3),
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(condition=_CONDITIONS)
def test_indexes_never_lose_a_row_that_passes(condition: Condition) -> None:
    org = _SHARED
    compiled = compile_filter(org, org.objects["Lead"], condition, "")
    table = org.tables["Lead"]
    passing = {row_id for row_id, row in table.rows.items() if compiled.test(row)}
    within = {row["Id"] for row in table.order.between(compiled.low, compiled.high, table.rows)}
    assert passing <= within
    if compiled.lookups is not None:
        looked_up = {
            row_id
            for field, values in compiled.lookups
            for value in values
            for row_id in table.postings[field].of(value)
        }
        assert passing <= looked_up


_SHARED = org_with_leads()


def test_a_condition_that_is_no_condition_is_refused_as_a_rule() -> None:
    org = org_with_leads()
    with pytest.raises(Refusal, match="MALFORMED_QUERY"):
        org.add_validation_rule(ValidationRule("Lead", "broken", "City =", "no"))


def test_pages_by_id_show_every_row_once_whatever_became_of_the_others() -> None:
    clock = ManualClock(START_MS)
    org = SalesforceOrg(clock)
    ids = [org.insert("Lead", LastName=f"No {number}", Company="Acme") for number in range(30)]
    org.delete("Lead", ids[3])
    org.delete("Lead", ids[4])
    org.purge("Lead", ids[4])
    org.delete("Lead", ids[5])
    org.undelete("Lead", ids[5])
    org.faults.visibility_lag_seconds = 60
    org.update("Lead", ids[6], LastName="Late")
    expected = [each for number, each in enumerate(ids) if number not in (3, 4)]

    pages: list[str] = []
    after = ""
    while found := org.query(f"SELECT Id FROM Lead {after}ORDER BY Id LIMIT 7"):
        pages += [row["Id"] for row in found]
        after = f"WHERE Id > '{pages[-1]}' "

    assert pages == expected
    shown = org.query(f"SELECT Id FROM Lead WHERE LastName != 'No 9' AND Id >= '{ids[7]}' ORDER BY Id DESC")
    assert [row["Id"] for row in shown] == [each for each in ids[:6:-1] if each != ids[9]]
    either = org.query(f"SELECT Id FROM Lead WHERE Id > '{ids[27]}' OR LastName = 'No 1' ORDER BY Id")
    assert [row["Id"] for row in either] == [ids[1], *ids[28:]]
