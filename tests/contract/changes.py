"""The contract, part: finding what changed: everything, once, in order, deletions and merges too."""

from __future__ import annotations

import pytest

from connector.platforms.errors import Refused
from connector.platforms.protocol import Platform, Watch
from tests.contract.steps import seen_changes
from tests.contract.worlds import ContractMeter, World


class ChangesContract:
    """Finding what changed: everything, once, in order, deletions and merges too."""

    def test_nothing_changed_is_one_empty_last_page(
        self, world: World, there: Platform, meter: ContractMeter
    ) -> None:
        names = world.names
        world.settle()
        there.count([names.person])  # so that a login is not counted below
        before = meter.total
        since = world.clock.now_ms()
        pages = list(
            there.changes([Watch(names.person, (names.email,), since), Watch(names.other, (), since)])
        )
        assert [(page.object, list(page.observations), page.last) for page in pages] == [
            (names.person, [], True),
            (names.other, [], True),
        ]
        assert meter.total - before <= 2

    def test_shows_what_was_created_and_edited_in_order(self, world: World, there: Platform) -> None:
        names = world.names
        since = world.began_ms
        first, second = world.create(world.person("ann"), world.person("bob"))
        world.settle(10)
        world.edit(first, **{names.first: "Edited"})
        world.settle()
        seen = [each for each in seen_changes(there, world, since) if each.record_id in (first, second)]
        assert [each.record_id for each in seen] == [second, first]
        assert seen[1].fields == {names.first: "Edited", names.email: world.email("ann"), names.phone: None}
        assert [each.stamp_ms for each in seen] == sorted(each.stamp_ms for each in seen)
        assert all(each.side == there.side and not each.deleted for each in seen)
        assert all(each.read_started_ms <= world.clock.now_ms() for each in seen)

    def test_pages_bring_every_record_once(self, world: World, there: Platform) -> None:
        page = world.small_pages()
        since = world.clock.now_ms()
        made = []
        for batch in range(5):
            made += world.create(*({world.names.email: world.email(f"p{batch}-{at}"),
                                    world.names.last: "P", **world.names.required}
                                   for at in range(page // 4)))  # fmt: skip
            world.settle(1)
        world.settle()
        pages = list(there.changes([Watch(world.names.person, (world.names.email,), since)]))
        assert len(pages) == 2
        assert [page.last for page in pages] == [False, True]
        seen = [each.record_id for page in pages for each in page.observations]
        assert sorted(seen) == sorted(made)
        last = pages[-1].observations[-1]
        assert pages[-1].reached is not None
        assert (pages[-1].reached.stamp_ms, pages[-1].reached.record_id) == (last.stamp_ms, last.record_id)

    def test_reading_goes_on_from_where_it_ended(self, world: World, there: Platform) -> None:
        (early,) = world.create(world.person("early"))
        world.settle(100)
        (later,) = world.create(world.person("later"))
        world.settle()
        (stamp,) = {
            each.stamp_ms for each in seen_changes(there, world, world.began_ms) if each.record_id == later
        }
        again = {each.record_id for each in seen_changes(there, world, stamp)}
        assert later in again
        assert early not in again

    def test_a_merge_shows_the_loser_and_where_it_went(self, world: World, there: Platform) -> None:
        survivor, loser = world.create(world.person("survivor"), world.person("loser"))
        world.settle()
        since = world.clock.now_ms()
        merged = world.merge(survivor, loser)
        world.settle()
        seen = {each.record_id: each for each in seen_changes(there, world, since)}
        assert seen[loser].deleted
        assert seen[loser].merged_into == merged
        assert not seen[merged].deleted

    def test_an_object_that_is_refused_does_not_hide_the_others(self, world: World, there: Platform) -> None:
        names = world.names
        (record_id,) = world.create(world.person("shown"))
        world.settle()
        pages = there.changes(
            [Watch("Nonsuch", ("x",), world.began_ms), Watch(names.person, (names.email,), world.began_ms)]
        )
        assert record_id in [each.record_id for each in next(pages).observations]
        with pytest.raises(Refused, match="Nonsuch"):
            next(pages)
