"""The contract, part: who we are on the platform, and what its metadata says."""

from __future__ import annotations

import pytest

from connector.platforms.errors import Refused, RetryLater, WrongAccount
from connector.platforms.protocol import Platform
from tests.contract.worlds import ContractMeter, World


class AccountContract:
    """Who we are on the platform, and what its metadata says."""

    def test_proves_the_account_it_talks_to(
        self, world: World, there: Platform, meter: ContractMeter
    ) -> None:
        account = there.prove_identity()
        assert account.account_id == (world.account_id or account.account_id)
        assert account.account_id
        assert account.name
        assert account.time_zone
        assert meter.total <= 2

    def test_stops_at_the_wrong_account(self, world: World, meter: ContractMeter) -> None:
        there = world.connect(meter, **world.wrong_account)
        with pytest.raises(WrongAccount) as caught:
            there.prove_identity()
        (variable, value) = next(iter(world.wrong_account.items()))
        assert variable in str(caught.value)
        assert value in str(caught.value)

    def test_a_refused_login_is_a_sentence_that_names_the_setting(
        self, world: World, meter: ContractMeter
    ) -> None:
        world.faults(fail_next={"count": 9, "status": 401})
        with pytest.raises(Refused, match="LEADLOOP_"):
            world.connect(meter).prove_identity()

    def test_an_expired_login_is_renewed_once_and_the_call_succeeds(
        self, world: World, meter: ContractMeter
    ) -> None:
        there = world.connect(meter, login="yes")
        (record_id,) = world.create(world.person("renewed"))
        there.prove_identity()
        before = meter.total
        world.faults(expire_tokens=True)
        reading = there.read(world.names.person, [record_id], [world.names.email])
        assert [each.record_id for each in reading.found] == [record_id]
        # the refused call, the login, the call again
        assert meter.total - before == 3

    def test_a_login_that_stays_refused_is_left_alone(self, world: World, meter: ContractMeter) -> None:
        there = world.connect(meter, login="yes")
        there.prove_identity()
        world.faults(fail_next={"count": 99, "status": 401, "match": "/"})
        with pytest.raises((RetryLater, Refused)):
            there.count([world.names.person])
        calls = meter.total
        with pytest.raises(RetryLater) as caught:
            there.count([world.names.person])
        assert meter.total == calls
        assert caught.value.after_seconds > 60

    # metadata

    def test_describes_fields_and_leaves_unknown_objects_out(self, world: World, there: Platform) -> None:
        names = world.names
        described = there.describe([names.person, names.other, "Nonsuch"])
        assert set(described.objects) == {names.person, names.other}
        fields = described.objects[names.person]
        assert fields[names.key].unique
        assert fields[names.key].createable
        assert fields[names.key].updateable
        assert fields[names.email].name == names.email
        assert any(field.options for field in fields.values())
        assert any(not field.updateable for field in fields.values())

    def test_lists_owners_with_their_addresses(self, world: World, there: Platform) -> None:
        owner_id = world.add_owner("Reed Rep", "reed@contract.example")
        owners = {owner.native_id: owner for owner in there.owners()}
        assert owners[owner_id].email == "reed@contract.example"
        assert owners[owner_id].name == "Reed Rep"
        assert owners[owner_id].kind == "person"
        assert owners[owner_id].active

    def test_counts_live_records(self, world: World, there: Platform) -> None:
        before = there.count([world.names.person])[world.names.person]
        gone, _ = world.create(world.person("one"), world.person("two"))
        world.settle()
        assert there.count([world.names.person])[world.names.person] == before + 2
        world.remove(gone)
        world.settle()
        assert there.count([world.names.person])[world.names.person] == before + 1

    def test_a_hidden_field_is_not_described(self, world: World, there: Platform) -> None:
        world.faults(hidden_fields=[[world.names.person, world.names.phone]])
        assert world.names.phone not in there.describe([world.names.person]).objects[world.names.person]
