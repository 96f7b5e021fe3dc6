"""The contract, part: reading by id and finding by value: nothing absent is ever blank."""

from __future__ import annotations

from connector.observation import Observation
from connector.platforms.errors import Refused
from connector.platforms.protocol import Platform
from tests.contract.steps import create, written
from tests.contract.worlds import ContractMeter, World


class ReadingContract:
    """Reading by id and finding by value: nothing absent is ever blank."""

    def test_reads_by_id_and_says_which_are_missing(self, world: World, there: Platform) -> None:
        names = world.names
        (record_id,) = world.create(world.person("read"))
        reading = there.read(names.person, [record_id, names.unknown_id], [names.email, names.phone])
        assert [each.fields for each in reading.found] == [
            {names.email: world.email("read"), names.phone: None}
        ]
        assert reading.found[0].stamp_ms > 0
        assert list(reading.missing) == [names.unknown_id]

    def test_a_removed_record_is_missing_or_shown_as_deleted(self, world: World, there: Platform) -> None:
        (record_id,) = world.create(world.person("removed"))
        world.remove(record_id)
        reading = there.read(world.names.person, [record_id], [world.names.email])
        assert [each.deleted for each in reading.found] == [True] * (1 - len(reading.missing))
        assert list(reading.missing) in ([], [record_id])

    def test_a_bad_id_is_missing_and_reaches_no_url(
        self, world: World, there: Platform, meter: ContractMeter
    ) -> None:
        bad = ["//evil.example/x", "", "1 OR 1=1", "../../x"]
        reading = there.read(world.names.person, bad, [world.names.email])
        assert list(reading.missing) == bad
        assert meter.total == 0

    def test_a_field_that_is_not_there_never_reads_as_blank(self, world: World, there: Platform) -> None:
        (record_id,) = world.create(world.person("partial"))
        wanted = [world.names.email, "nonsuch__c"]
        shown: list[Observation] = []
        refused: list[str] = []
        try:
            shown.extend(there.read(world.names.person, [record_id], wanted).found)
        except Refused as fault:
            refused.extend(fault.fields)
        assert refused or [set(each.fields) for each in shown] == [{world.names.email}]
        assert refused in ([], ["nonsuch__c"])

    def test_finds_by_address_without_regard_to_case(self, world: World, there: Platform) -> None:
        names = world.names
        (record_id,) = world.create(world.person("sought"))
        world.settle()
        values = [world.email("sought").upper(), world.email("o'nobody\\"), ""]
        found = there.find(names.person, names.email, values, [names.email])
        assert [(each.record_id, each.fields) for each in found] == [
            (record_id, {names.email: world.email("sought")})
        ]
        assert there.find(names.person, names.email, [world.email("nobody")], [names.email]) == []

    def test_finds_by_the_unique_key_at_once(self, world: World, there: Platform) -> None:
        names = world.names
        key = f"ll-find-{world.run}"
        (made,) = written(there.write([create(world, "keyed", **{names.key: key})]))
        found = there.find(names.person, names.key, [key], [names.email])
        assert [each.record_id for each in found] == [made.record_id]

    def test_a_history_tells_the_newest_value_first_or_nothing(self, world: World, there: Platform) -> None:
        names = world.names
        began_ms = world.began_ms
        (record_id,) = world.create(world.person("history"))
        for value in ("Anna", "Annie"):
            world.clock.advance(5)
            world.edit(record_id, **{names.first: value})
        found = there.history(names.person, [record_id, names.unknown_id], [names.first])
        told = found.get((record_id, names.first), ())
        assert [past.value for past in told] in ([], ["Annie", "Anna", "Nomen"])
        assert [past.at_ms for past in told] == sorted((past.at_ms for past in told), reverse=True)
        assert all(past.at_ms > began_ms for past in told)
        assert set(found) <= {(record_id, names.first)}
