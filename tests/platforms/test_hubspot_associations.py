"""What HubSpot's associations API may answer, and what follows for the records that were asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest

from connector.lane import Lane
from connector.platforms.errors import Refused, RetryLater
from connector.platforms.hubspot.answers import Answer
from connector.platforms.hubspot.associations import Associations, listed_refs
from connector.platforms.hubspot.transport import Transport

NOBODY = {
    "status": "error",
    "category": "OBJECT_NOT_FOUND",
    "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
    "context": {"fromObjectId": ["2"]},
}


class _Wire:
    """Answers one call after another, and keeps what was asked."""

    def __init__(self, *bodies: Any, status: int = 207) -> None:
        self._bodies = list(bodies)
        self._status = status
        self.asked: list[list[Mapping[str, str]]] = []

    def associations(self, _origin: str, _target: str, body: Mapping[str, Any], _lane: Lane) -> Answer:
        self.asked.append(body["inputs"])
        return Answer(self._status, self._bodies.pop(0) if self._bodies else {"results": []})


def read(wire: _Wire, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    return Associations(cast("Transport", wire)).read("deals", "contacts", ids, Lane.UPDATE)


def result(record_id: str, *contacts: object, after: str | None = None) -> dict[str, Any]:
    paging = {} if after is None else {"paging": {"next": {"after": after}}}
    return {"from": {"id": record_id}, "to": [{"toObjectId": each} for each in contacts], **paging}


def test_ids_are_compared_as_text_and_a_record_without_any_has_none() -> None:
    wire = _Wire({"results": [result("1", 551, "90")], "errors": [NOBODY]})
    assert read(wire, ["1", "2"]) == {"1": ("90", "551"), "2": ()}
    assert len(wire.asked) == 1


def test_a_thousand_are_asked_about_at_once_and_nobody_in_no_call() -> None:
    ids = [str(number) for number in range(1, 1_201)]
    wire = _Wire({"results": [result(each) for each in ids[:1_000]]}, {"results": [result(ids[-1])]})
    read(wire, ids)
    assert [len(asked) for asked in wire.asked[:2]] == [1_000, 200]
    nobody = _Wire()
    assert (read(nobody, []), nobody.asked) == ({}, [])


def test_who_has_more_associations_than_a_page_is_read_to_the_end() -> None:
    wire = _Wire({"results": [result("1", "5", after="7")]}, {"results": [result("1", "8")]})
    assert read(wire, ["1"]) == {"1": ("5", "8")}
    assert wire.asked == [[{"id": "1"}], [{"id": "1", "after": "7"}]]


def test_a_record_that_is_left_out_is_asked_for_once_more_before_it_has_none() -> None:
    wire = _Wire({"results": [result("1", "5")]}, {"results": [result("3", "6")]}, {"results": []})
    assert read(wire, ["1", "2", "3"]) == {"1": ("5",), "2": (), "3": ("6",)}
    assert [[each["id"] for each in asked] for asked in wire.asked] == [["1", "2", "3"], ["2", "3"]]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"category": "INTERNAL_ERROR", "context": {"fromObjectId": ["1"]}}, RetryLater),
        ({"category": "MISSING_SCOPES"}, Refused),
    ],
)
def test_any_other_error_takes_nobody_off_a_deal(error: Mapping[str, Any], expected: type) -> None:
    with pytest.raises(expected):
        read(_Wire({"results": [], "errors": [error]}), ["1"])


def test_a_list_that_shows_only_some_of_them_says_nothing() -> None:
    shown = {"contacts": {"results": [{"id": "9", "type": "a"}, {"id": "9", "type": "b"}, {"id": "10"}]}}
    assert listed_refs("deals", {"associations": shown}) == {"contacts": ("9", "10")}
    assert listed_refs("deals", {}) == {}
    shown["contacts"]["paging"] = {"next": {}}  # type: ignore[assignment]  # as HubSpot sends it
    assert listed_refs("deals", {"associations": shown}) is None
    assert listed_refs("contacts", {"associations": shown}) is None
