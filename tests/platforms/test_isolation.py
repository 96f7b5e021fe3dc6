"""One bad record never fails its batch, and finding it takes a bounded number of calls."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from connector.platforms.errors import Refused, RetryLater
from connector.platforms.isolation import CALLS_FOR_ONE_BATCH, BatchRefused, Outcome, isolate
from connector.platforms.protocol import RecordWrite, Written


def _writes(count: int, bad: set[int], field: str = "email") -> list[RecordWrite]:
    return [
        RecordWrite(str(at), "contacts", str(at), {field: "bad"} if at in bad else {"phone": "1"})
        for at in range(count)
    ]


class _Platform:
    """Refuses any batch that holds a record with the field; names the code it is given."""

    def __init__(self, code: str = "INVALID_EMAIL", fields: tuple[str, ...] = ()) -> None:
        self.calls = 0
        self.refusal = Refused("no", code, fields)

    def send(self, writes: Sequence[RecordWrite]) -> Sequence[Outcome] | BatchRefused:
        self.calls += 1
        if any("email" in write.fields for write in writes):
            return BatchRefused(self.refusal)
        return [Written(write.record_id or "", 0) for write in writes]


@given(st.integers(1, 200), st.data())
def test_a_single_bad_record_is_found_and_all_others_are_written(count: int, data: st.DataObject) -> None:
    bad = data.draw(st.integers(0, count - 1))
    platform = _Platform()
    outcomes = isolate(_writes(count, {bad}), platform.send, ())
    assert [type(outcome) for outcome in outcomes] == [
        Refused if at == bad else Written for at in range(count)
    ]
    assert platform.calls <= CALLS_FOR_ONE_BATCH


@given(st.sets(st.integers(0, 99)))
def test_any_number_of_bad_records_ends_within_the_bound_and_nothing_is_lost(bad: set[int]) -> None:
    platform = _Platform()
    outcomes = isolate(_writes(100, bad), platform.send, ())
    assert platform.calls <= CALLS_FOR_ONE_BATCH
    assert len(outcomes) == 100
    for at, outcome in enumerate(outcomes):
        if isinstance(outcome, RetryLater):
            assert not outcome.applied_unknown
        else:
            assert isinstance(outcome, Refused if at in bad else Written)


def test_an_unusable_field_condemns_its_records_without_a_search() -> None:
    platform = _Platform("PROPERTY_DOESNT_EXIST", ("email",))
    outcomes = isolate(_writes(100, set(range(50))), platform.send, {"PROPERTY_DOESNT_EXIST"})
    assert [type(outcome) for outcome in outcomes] == [Refused] * 50 + [Written] * 50
    assert platform.calls == 2


def test_a_bad_value_of_a_named_field_still_needs_the_search() -> None:
    platform = _Platform("INVALID_EMAIL", ("email",))
    outcomes = isolate(_writes(4, {1}), platform.send, {"PROPERTY_DOESNT_EXIST"})
    assert [type(outcome) for outcome in outcomes] == [Written, Refused, Written, Written]
