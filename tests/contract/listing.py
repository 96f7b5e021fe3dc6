"""The contract, part: listings, by which a sweep proves that nothing was missed."""

from __future__ import annotations

from connector.platforms.protocol import Listed, Platform, id_order
from tests.contract.worlds import ContractMeter, World


def all_listed(there: Platform, name: str, *fields: str) -> list[Listed]:
    """Every page of the listing, one after another."""
    found: list[Listed] = []
    after: str | None = None
    while True:
        page = there.listed(name, fields, after)
        found.extend(page.records)
        after = page.after
        if after is None:
            return found


class ListingContract:
    """Listings of ids, versions and values."""

    def test_lists_every_record_once_by_id_with_the_version_and_values_that_reads_show(
        self, world: World, there: Platform
    ) -> None:
        names = world.names
        made = world.create(world.person("one"), world.person("two"), world.person("three"))
        listed = all_listed(there, names.person, names.email, names.last)
        ids = [each.record_id for each in listed if not each.deleted]
        assert set(made) <= set(ids)
        assert [each.record_id for each in listed] == sorted(
            (each.record_id for each in listed), key=id_order
        )
        assert len(set(ids)) == len(ids)
        found = {each.record_id: (each.stamp_ms, each.fields) for each in listed}
        for shown in there.read(names.person, made, [names.email, names.last]).found:
            assert shown.fields.keys() == {names.email, names.last}
            assert found[shown.record_id] == (shown.stamp_ms, shown.fields)

    def test_a_removed_record_is_not_listed_as_standing(self, world: World, there: Platform) -> None:
        (record_id,) = world.create(world.person("removed"))
        world.remove(record_id)
        standing = {each.record_id for each in all_listed(there, world.names.person) if not each.deleted}
        assert record_id not in standing

    def test_a_removed_record_is_told_by_the_changes_or_by_the_archive(
        self, world: World, there: Platform, meter: ContractMeter
    ) -> None:
        (record_id,) = world.create(world.person("archived"))
        world.remove(record_id)
        before = meter.total
        archived = there.archived(world.names.person)
        calls = meter.total - before
        assert (record_id in {each.record_id for each in archived.records}) is (calls > 0)
        assert all(each.deleted for each in archived.records)
