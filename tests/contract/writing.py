"""The contract, part: creates and updates: every input gets its own, true result."""

from __future__ import annotations

import pytest

from connector.observation import Raw
from connector.platforms.errors import Missing, Refused, RetryLater
from connector.platforms.protocol import Platform, RecordWrite, Written
from tests.contract.steps import create, update, written
from tests.contract.worlds import ContractMeter, World


class WritingContract:
    """Creates and updates: every input gets its own, true result."""

    def test_creates_a_record_that_then_reads_the_same(self, world: World, there: Platform) -> None:
        names = world.names
        values: dict[str, Raw] = {names.key: f"ll-new-{world.run}", names.number: 42, names.phone: None}
        write = create(world, "new", **values)
        (made,) = written(there.write([write]))
        assert made.created
        (shown,) = there.read(names.person, [made.record_id], [*write.fields]).found
        assert shown.fields == {**write.fields, names.number: shown.fields[names.number]}
        assert float(str(shown.fields[names.number])) == 42

    def test_a_repeated_create_finds_the_first_record(self, world: World, there: Platform) -> None:
        names = world.names
        key = {names.key: f"ll-twice-{world.run}"}
        (first,) = written(there.write([create(world, "twice", **key)]))
        (again,) = written(there.write([create(world, "twice", **key, **{names.first: "Again"})]))
        assert again.record_id == first.record_id
        assert (first.created, again.created) == (True, False)
        world.settle()
        found = there.find(names.person, names.email, [world.email("twice")], [names.first])
        assert [(each.record_id, each.fields) for each in found] == [
            (first.record_id, {names.first: "Again"})
        ]

    def test_one_create_given_twice_in_a_call_makes_one_record(self, world: World, there: Platform) -> None:
        key = {world.names.key: f"ll-same-{world.run}"}
        results = there.write([create(world, "same", "a", **key), create(world, "same", "b", **key)])
        first, second = written(results)
        assert first.record_id == second.record_id

    def test_an_update_changes_only_what_it_names(self, world: World, there: Platform) -> None:
        names = world.names
        (record_id,) = world.create(world.person("kept", **{names.phone: "+15550100"}))
        written(there.write([update(world, record_id, **{names.first: "Changed"})]))
        (shown,) = there.read(names.person, [record_id], [names.first, names.phone, names.email]).found
        assert shown.fields == {
            names.first: "Changed",
            names.phone: "+15550100",
            names.email: world.email("kept"),
        }

    def test_none_clears_a_field(self, world: World, there: Platform) -> None:
        names = world.names
        (record_id,) = world.create(world.person("cleared", **{names.phone: "+15550100"}))
        written(there.write([update(world, record_id, **{names.phone: None, names.first: None})]))
        (shown,) = there.read(names.person, [record_id], [names.phone, names.first]).found
        assert shown.fields == {names.phone: None, names.first: None}

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param('O\'Brien \\ "x"', id="quotes"),
            pytest.param("<b>Bold</b> & co", id="html"),
            pytest.param("Zoë 🚀", id="emoji"),
            pytest.param("שלום עולם", id="rtl"),
        ],
    )
    def test_any_text_survives(self, world: World, there: Platform, text: str) -> None:
        (record_id,) = world.create(world.person("text"))
        written(there.write([update(world, record_id, **{world.names.last: text})]))
        (shown,) = there.read(world.names.person, [record_id], [world.names.last]).found
        assert shown.fields == {world.names.last: text}

    def test_a_very_long_name_is_kept_whole_or_refused_by_name(self, world: World, there: Platform) -> None:
        (record_id,) = world.create(world.person("long"))
        long = "Wolfeschlegelstein" * 17
        (result,) = there.write([update(world, record_id, **{world.names.last: long})])
        (shown,) = there.read(world.names.person, [record_id], [world.names.last]).found
        if isinstance(result.outcome, Written):
            assert shown.fields == {world.names.last: long}
        else:
            assert isinstance(result.outcome, Refused)
            assert result.outcome.fields == (world.names.last,)
            assert long not in result.outcome.reason
            assert shown.fields == {world.names.last: "Nescio"}

    def test_a_refused_value_names_its_field_and_hides_the_value(self, world: World, there: Platform) -> None:
        (record_id,) = world.create(world.person("refused"))
        (result,) = there.write([update(world, record_id, **{world.names.email: "not an address"})])
        assert isinstance(result.outcome, Refused)
        assert result.outcome.fields == (world.names.email,)
        assert result.outcome.code
        assert "not an address" not in str(result.outcome)

    def test_an_unknown_field_is_named(self, world: World, there: Platform) -> None:
        (record_id,) = world.create(world.person("unknown"))
        (result,) = there.write([update(world, record_id, nonsuch__c="x")])
        assert isinstance(result.outcome, Refused)
        assert result.outcome.fields == ("nonsuch__c",)

    def test_one_bad_record_does_not_fail_its_batch(self, world: World, there: Platform) -> None:
        names = world.names
        ids = world.create(*(world.person(f"batch{at}") for at in range(5)))
        values: list[Raw] = ["1", "2", "3", "4", "5"]
        writes = [
            update(world, record_id, f"w{at}", **{names.phone: value})
            for at, (record_id, value) in enumerate(zip(ids, values, strict=True))
        ]
        writes[2] = update(world, ids[2], "w2", **{names.email: "not an address", names.phone: "3"})
        writes[3] = update(world, names.unknown_id, "w3", **{names.phone: "4"})
        results = there.write(writes)
        assert [result.token for result in results] == [f"w{at}" for at in range(5)]
        assert [type(result.outcome) for result in results] == [Written, Written, Refused, Missing, Written]
        shown = {each.record_id: each.fields for each in there.read(names.person, ids, [names.phone]).found}
        assert [shown[record_id][names.phone] for record_id in ids] == ["1", "2", None, None, "5"]

    def test_one_bad_create_does_not_fail_its_batch(self, world: World, there: Platform) -> None:
        names = world.names
        world.create(world.person("holder"))
        creates = [
            create(world, f"made{at}", f"c{at}", **{names.key: f"ll-made{at}-{world.run}"}) for at in range(3)
        ]
        creates[1] = create(world, "made1", "c1", **{names.key: "ll-x", names.email: "not an address"})
        results = there.write(creates)
        assert [type(result.outcome) for result in results] == [Written, Refused, Written]

    def test_a_batch_that_is_refused_whole_is_searched_for_the_bad_record(
        self, world: World, there: Platform
    ) -> None:
        names = world.names
        ids = world.create(*(world.person(f"whole{at}") for at in range(4)))
        world.faults(fail_next={"count": 1, "status": 400, "body": world.refused_batch})
        writes = [update(world, record_id, **{names.phone: "7"}) for record_id in ids]
        results = there.write(writes)
        assert [type(result.outcome) for result in results] == [Written] * 4

    def test_a_missing_record_is_missing(self, world: World, there: Platform) -> None:
        (record_id,) = world.create(world.person("gone"))
        world.remove(record_id)
        results = there.write(
            [
                update(world, record_id, **{world.names.phone: "1"}),
                update(world, world.names.unknown_id, **{world.names.phone: "1"}),
            ]
        )
        assert [type(result.outcome) for result in results] == [Missing, Missing]

    def test_a_record_merged_away_is_never_reported_as_written(self, world: World, there: Platform) -> None:
        survivor, loser = world.create(world.person("winner"), world.person("away"))
        world.merge(survivor, loser)
        (result,) = there.write([update(world, loser, **{world.names.phone: "1"})])
        unclear = isinstance(result.outcome, RetryLater) and result.outcome.applied_unknown
        assert unclear or isinstance(result.outcome, Missing)

    def test_two_writes_to_one_record_in_a_call_both_happen_in_order(
        self, world: World, there: Platform
    ) -> None:
        names = world.names
        (record_id,) = world.create(world.person("double"))
        results = there.write(
            [
                update(world, record_id, "first", **{names.phone: "1", names.first: "One"}),
                update(world, record_id, "second", **{names.phone: "2"}),
            ]
        )
        assert [result.token for result in results] == ["first", "second"]
        written(results)
        (shown,) = there.read(names.person, [record_id], [names.phone, names.first]).found
        assert shown.fields == {names.phone: "2", names.first: "One"}

    def test_a_bad_id_or_name_is_refused_without_a_request(
        self, world: World, there: Platform, meter: ContractMeter
    ) -> None:
        results = there.write(
            [
                update(world, "//evil.example/x", **{world.names.phone: "1"}),
                update(world, world.names.unknown_id, **{"a b; drop": "1"}),
                RecordWrite("t", "../x", world.names.unknown_id, {world.names.phone: "1"}),
            ]
        )
        assert [type(result.outcome) for result in results] == [Refused] * 3
        assert meter.total == 0

    def test_large_batches_are_cut_to_the_platforms_size(
        self, world: World, there: Platform, meter: ContractMeter
    ) -> None:
        world.small_pages()  # skips where hundreds of records are not to be made
        size = there.batching.write
        names = world.names
        ids = world.create(*({names.last: "B", names.email: world.email(f"b{at}"), **names.required}
                             for at in range(size + 1)))  # fmt: skip
        before = meter.calls.get("write", 0)
        written(there.write([update(world, each, **{names.phone: "1"}) for each in ids]))
        assert meter.calls["write"] - before == 2
