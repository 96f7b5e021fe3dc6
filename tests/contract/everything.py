"""The contract, part: reading all there is, in pages that another process can go on from."""

from __future__ import annotations

import pytest

from connector.platforms.errors import Refused
from connector.platforms.protocol import Platform
from tests.contract.steps import all_of, bulk_pages, seen_changes
from tests.contract.worlds import ContractMeter, World


class EverythingContract:
    """Reading all there is: everybody once, with the values that changes show, from any page on."""

    def test_everything_shows_each_record_as_changes_do(self, world: World, there: Platform) -> None:
        world.create(world.person("one"), world.person("two", **{world.names.phone: "1"}))
        world.settle()

        found = {each.record_id: each for each in all_of(there, world)}

        changed = {each.record_id: each for each in seen_changes(there, world, world.began_ms)}
        assert set(changed) <= set(found)
        for record_id, each in changed.items():
            assert found[record_id]._replace(read_started_ms=each.read_started_ms) == each

    def test_a_removed_record_is_no_part_of_everything(self, world: World, there: Platform) -> None:
        kept, removed = world.create(world.person("kept"), world.person("removed"))
        world.remove(removed)
        world.settle()

        found = [each.record_id for each in all_of(there, world)]

        assert kept in found
        assert removed not in found

    def test_reading_everything_goes_on_from_any_page_in_another_process(
        self, world: World, meter: ContractMeter
    ) -> None:
        page = world.small_lists()
        made = world.create(*(world.person(f"listed{at}") for at in range(2 * page + page // 2)))
        world.settle()
        first = world.connect(meter)
        before = [each for each in bulk_pages(first, world) if each.observations]
        assert [len(each.observations) for each in before] == [page, page, page // 2]
        whole = [each.record_id for part in before for each in part.observations]
        assert sorted(whole) == sorted(made)

        for at in range(2):
            rest = all_of(world.connect(meter), world, before[at].resume)
            assert [each.record_id for each in rest] == whole[(at + 1) * page :]

    def test_everything_since_a_moment_leaves_out_what_is_older(self, world: World, there: Platform) -> None:
        (early,) = world.create(world.person("early"))
        world.settle(100)
        (later,) = world.create(world.person("later"))
        world.settle()
        (stamp,) = {
            each.stamp_ms for each in seen_changes(there, world, world.began_ms) if each.record_id == later
        }

        found = {each.record_id for each in all_of(there, world, since_ms=stamp)}

        assert later in found
        assert early not in found

    def test_what_a_record_shows_was_read_after_it_says(self, world: World, there: Platform) -> None:
        (record_id,) = world.create(world.person("old"))
        world.settle()
        began_ms = world.clock.now_ms()

        pages = bulk_pages(there, world)
        page = next(each for each in pages if each.wait_seconds or each.observations)
        world.edit(record_id, **{world.names.first: "Edited"})
        rest = [*page.observations, *(each for more in pages for each in more.observations)]

        (seen,) = (each for each in rest if each.record_id == record_id)
        assert seen.read_started_ms == began_ms, "an edit since then is not held against what was read"

    def test_everything_of_an_object_that_is_not_there_is_refused(self, there: Platform) -> None:
        with pytest.raises(Refused):
            list(there.everything("Nonsuch", ("x",)))
