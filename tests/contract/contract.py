"""The contract: what every platform adapter does, whatever the platform.

A platform's tests are a subclass that names its worlds. Each test asserts what the platform then shows, or
what the adapter answers; never which method was called.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from connector.clock import ManualClock
from connector.lane import Lane
from connector.observation import Observation, Raw
from connector.platforms.errors import Missing, Refused, RetryLater, WrongAccount
from connector.platforms.protocol import Platform, RecordWrite, Watch, WriteResult, Written
from tests.contract.worlds import ContractMeter, World


class PlatformContract:
    """Subclass it as `Test…`, with the attributes below."""

    platform: str
    sandbox: Callable[[ManualClock], contextlib.AbstractContextManager[str]]
    sandbox_world: Callable[..., World]
    real_world: Callable[..., World]
    replayed_world: Callable[..., World]

    @pytest.fixture
    def meter(self, world: World) -> ContractMeter:
        return ContractMeter(world.clock)

    @pytest.fixture
    def there(self, world: World, meter: ContractMeter) -> Platform:
        """The adapter, connected."""
        return world.connect(meter)

    # who we are

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

    # changes

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
        seen = [each for each in _changes(there, world, since) if each.record_id in (first, second)]
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
            each.stamp_ms for each in _changes(there, world, world.began_ms) if each.record_id == later
        }
        again = {each.record_id for each in _changes(there, world, stamp)}
        assert later in again
        assert early not in again

    def test_a_merge_shows_the_loser_and_where_it_went(self, world: World, there: Platform) -> None:
        survivor, loser = world.create(world.person("survivor"), world.person("loser"))
        world.settle()
        since = world.clock.now_ms()
        merged = world.merge(survivor, loser)
        world.settle()
        seen = {each.record_id: each for each in _changes(there, world, since)}
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

    # reading and finding

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
        (made,) = _written(there.write([_create(world, "keyed", **{names.key: key})]))
        found = there.find(names.person, names.key, [key], [names.email])
        assert [each.record_id for each in found] == [made.record_id]

    # writing

    def test_creates_a_record_that_then_reads_the_same(self, world: World, there: Platform) -> None:
        names = world.names
        write = _create(
            world, "new", **{names.key: f"ll-new-{world.run}", names.number: 42, names.phone: None}
        )
        (made,) = _written(there.write([write]))
        assert made.created
        (shown,) = there.read(names.person, [made.record_id], [*write.fields]).found
        assert shown.fields == {**write.fields, names.number: shown.fields[names.number]}
        assert float(str(shown.fields[names.number])) == 42

    def test_a_repeated_create_finds_the_first_record(self, world: World, there: Platform) -> None:
        names = world.names
        key = {names.key: f"ll-twice-{world.run}"}
        (first,) = _written(there.write([_create(world, "twice", **key)]))
        (again,) = _written(there.write([_create(world, "twice", **key, **{names.first: "Again"})]))
        assert again.record_id == first.record_id
        assert (first.created, again.created) == (True, False)
        world.settle()
        found = there.find(names.person, names.email, [world.email("twice")], [names.first])
        assert [(each.record_id, each.fields) for each in found] == [
            (first.record_id, {names.first: "Again"})
        ]

    def test_one_create_given_twice_in_a_call_makes_one_record(self, world: World, there: Platform) -> None:
        key = {world.names.key: f"ll-same-{world.run}"}
        results = there.write([_create(world, "same", "a", **key), _create(world, "same", "b", **key)])
        first, second = _written(results)
        assert first.record_id == second.record_id

    def test_an_update_changes_only_what_it_names(self, world: World, there: Platform) -> None:
        names = world.names
        (record_id,) = world.create(world.person("kept", **{names.phone: "+15550100"}))
        _written(there.write([_update(world, record_id, **{names.first: "Changed"})]))
        (shown,) = there.read(names.person, [record_id], [names.first, names.phone, names.email]).found
        assert shown.fields == {
            names.first: "Changed",
            names.phone: "+15550100",
            names.email: world.email("kept"),
        }

    def test_none_clears_a_field(self, world: World, there: Platform) -> None:
        names = world.names
        (record_id,) = world.create(world.person("cleared", **{names.phone: "+15550100"}))
        _written(there.write([_update(world, record_id, **{names.phone: None, names.first: None})]))
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
        _written(there.write([_update(world, record_id, **{world.names.last: text})]))
        (shown,) = there.read(world.names.person, [record_id], [world.names.last]).found
        assert shown.fields == {world.names.last: text}

    def test_a_very_long_name_is_kept_whole_or_refused_by_name(self, world: World, there: Platform) -> None:
        (record_id,) = world.create(world.person("long"))
        long = "Wolfeschlegelstein" * 17
        (result,) = there.write([_update(world, record_id, **{world.names.last: long})])
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
        (result,) = there.write([_update(world, record_id, **{world.names.email: "not an address"})])
        assert isinstance(result.outcome, Refused)
        assert result.outcome.fields == (world.names.email,)
        assert result.outcome.code
        assert "not an address" not in str(result.outcome)

    def test_an_unknown_field_is_named(self, world: World, there: Platform) -> None:
        (record_id,) = world.create(world.person("unknown"))
        (result,) = there.write([_update(world, record_id, nonsuch__c="x")])
        assert isinstance(result.outcome, Refused)
        assert result.outcome.fields == ("nonsuch__c",)

    def test_one_bad_record_does_not_fail_its_batch(self, world: World, there: Platform) -> None:
        names = world.names
        ids = world.create(*(world.person(f"batch{at}") for at in range(5)))
        values: list[Raw] = ["1", "2", "3", "4", "5"]
        writes = [
            _update(world, record_id, f"w{at}", **{names.phone: value})
            for at, (record_id, value) in enumerate(zip(ids, values, strict=True))
        ]
        writes[2] = _update(world, ids[2], "w2", **{names.email: "not an address", names.phone: "3"})
        writes[3] = _update(world, names.unknown_id, "w3", **{names.phone: "4"})
        results = there.write(writes)
        assert [result.token for result in results] == [f"w{at}" for at in range(5)]
        assert [type(result.outcome) for result in results] == [Written, Written, Refused, Missing, Written]
        shown = {each.record_id: each.fields for each in there.read(names.person, ids, [names.phone]).found}
        assert [shown[record_id][names.phone] for record_id in ids] == ["1", "2", None, None, "5"]

    def test_one_bad_create_does_not_fail_its_batch(self, world: World, there: Platform) -> None:
        names = world.names
        world.create(world.person("holder"))
        creates = [
            _create(world, f"made{at}", f"c{at}", **{names.key: f"ll-made{at}-{world.run}"})
            for at in range(3)
        ]
        creates[1] = _create(world, "made1", "c1", **{names.key: "ll-x", names.email: "not an address"})
        results = there.write(creates)
        assert [type(result.outcome) for result in results] == [Written, Refused, Written]

    def test_a_batch_that_is_refused_whole_is_searched_for_the_bad_record(
        self, world: World, there: Platform
    ) -> None:
        names = world.names
        ids = world.create(*(world.person(f"whole{at}") for at in range(4)))
        world.faults(fail_next={"count": 1, "status": 400, "body": world.refused_batch})
        writes = [_update(world, record_id, **{names.phone: "7"}) for record_id in ids]
        results = there.write(writes)
        assert [type(result.outcome) for result in results] == [Written] * 4

    def test_a_missing_record_is_missing(self, world: World, there: Platform) -> None:
        (record_id,) = world.create(world.person("gone"))
        world.remove(record_id)
        results = there.write(
            [
                _update(world, record_id, **{world.names.phone: "1"}),
                _update(world, world.names.unknown_id, **{world.names.phone: "1"}),
            ]
        )
        assert [type(result.outcome) for result in results] == [Missing, Missing]

    def test_a_record_merged_away_is_never_reported_as_written(self, world: World, there: Platform) -> None:
        survivor, loser = world.create(world.person("winner"), world.person("away"))
        world.merge(survivor, loser)
        (result,) = there.write([_update(world, loser, **{world.names.phone: "1"})])
        unclear = isinstance(result.outcome, RetryLater) and result.outcome.applied_unknown
        assert unclear or isinstance(result.outcome, Missing)

    def test_two_writes_to_one_record_in_a_call_both_happen_in_order(
        self, world: World, there: Platform
    ) -> None:
        names = world.names
        (record_id,) = world.create(world.person("double"))
        results = there.write(
            [
                _update(world, record_id, "first", **{names.phone: "1", names.first: "One"}),
                _update(world, record_id, "second", **{names.phone: "2"}),
            ]
        )
        assert [result.token for result in results] == ["first", "second"]
        _written(results)
        (shown,) = there.read(names.person, [record_id], [names.phone, names.first]).found
        assert shown.fields == {names.phone: "2", names.first: "One"}

    def test_a_bad_id_or_name_is_refused_without_a_request(
        self, world: World, there: Platform, meter: ContractMeter
    ) -> None:
        results = there.write(
            [
                _update(world, "//evil.example/x", **{world.names.phone: "1"}),
                _update(world, world.names.unknown_id, **{"a b; drop": "1"}),
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
        _written(there.write([_update(world, each, **{names.phone: "1"}) for each in ids]))
        assert meter.calls["write"] - before == 2

    # what goes wrong

    def test_a_rate_limit_is_retry_later_and_nothing_was_applied(self, world: World, there: Platform) -> None:
        (record_id,) = world.create(world.person("limited"))
        world.faults(quota_exhausted=True)
        (result,) = there.write([_update(world, record_id, **{world.names.phone: "1"})])
        assert isinstance(result.outcome, RetryLater)
        assert not result.outcome.applied_unknown
        assert result.outcome.after_seconds >= 60
        with pytest.raises(RetryLater):
            list(there.changes([Watch(world.names.person, (), world.began_ms)]))
        world.faults(quota_exhausted=False)
        (shown,) = there.read(world.names.person, [record_id], [world.names.phone]).found
        assert shown.fields == {world.names.phone: None}

    def test_an_outage_page_is_retry_later_and_unknown_for_writes(
        self, world: World, there: Platform
    ) -> None:
        names = world.names
        (record_id,) = world.create(world.person("outage"))
        page = "<html><title>Down for maintenance</title></html>"
        for status in (503, 200):
            world.faults(
                fail_next={
                    "count": 1,
                    "status": status,
                    "body": page,
                    "headers": {"content-type": "text/html"},
                }
            )
            (result,) = there.write([_update(world, record_id, **{names.phone: "1"})])
            assert isinstance(result.outcome, RetryLater)
            assert result.outcome.applied_unknown
            world.faults(
                fail_next={
                    "count": 1,
                    "status": status,
                    "body": page,
                    "headers": {"content-type": "text/html"},
                }
            )
            with pytest.raises(RetryLater) as caught:
                there.read(names.person, [record_id], [names.phone])
            assert not caught.value.applied_unknown

    def test_a_redirect_is_not_followed(self, world: World, there: Platform, meter: ContractMeter) -> None:
        world.faults(
            fail_next={"count": 1, "status": 302, "headers": {"location": "https://evil.example/login"}}
        )
        with pytest.raises(RetryLater):
            there.count([world.names.person])
        assert meter.total == 1

    def test_an_outage_ends_the_call_without_trying_every_batch(
        self, world: World, there: Platform, meter: ContractMeter
    ) -> None:
        world.faults(fail_next={"count": 9, "status": 503})
        writes = [
            _update(world, world.names.unknown_id, **{world.names.phone: str(at)}) for at in range(3)
        ]  # one record, so three batches
        outcomes = [result.outcome for result in there.write(writes)]
        assert all(isinstance(outcome, RetryLater) for outcome in outcomes)
        assert [isinstance(each, RetryLater) and each.applied_unknown for each in outcomes] == [
            True,
            False,
            False,
        ]
        assert meter.calls["write"] == 1

    @pytest.mark.live_only
    def test_a_lost_answer_is_unknown_and_the_repeat_makes_no_second_record(
        self, world: World, there: Platform
    ) -> None:
        names = world.names
        create = _create(world, "lost", **{names.key: f"ll-lost-{world.run}"})
        there.count([names.person])
        world.faults(lose_answer={"count": 1})
        (result,) = there.write([create])
        assert isinstance(result.outcome, RetryLater)
        assert result.outcome.applied_unknown
        (again,) = _written(there.write([create]))
        assert not again.created
        world.settle()
        found = there.find(names.person, names.email, [world.email("lost")], [names.email])
        assert [each.record_id for each in found] == [again.record_id]

    @pytest.mark.live_only
    def test_an_answer_that_comes_too_late_is_unknown(self, world: World, meter: ContractMeter) -> None:
        prefix = next(iter(world.wrong_account)).rpartition("__")[0]
        there = world.connect(meter, **{f"{prefix}__READ_TIMEOUT_SECONDS": "0.2"})
        (record_id,) = world.create(world.person("late"))
        there.count([world.names.person])
        world.faults(delay={"seconds": 1, "count": 1})
        (result,) = there.write([_update(world, record_id, **{world.names.phone: "1"})])
        assert isinstance(result.outcome, RetryLater)
        assert result.outcome.applied_unknown
        assert "in time" in result.outcome.reason

    @pytest.mark.live_only
    def test_a_platform_that_cannot_be_reached_got_nothing(self, world: World, meter: ContractMeter) -> None:
        world.url = "http://127.0.0.1:9"
        (result,) = world.connect(meter).write(
            [_update(world, world.names.unknown_id, **{world.names.phone: "1"})]
        )
        assert isinstance(result.outcome, RetryLater)
        assert not result.outcome.applied_unknown

    def test_the_meter_is_asked_before_every_request(
        self, world: World, there: Platform, meter: ContractMeter
    ) -> None:
        names = world.names
        before = world.requests_got()
        there.prove_identity()
        there.describe([names.person])
        there.owners()
        (made,) = _written(there.write([_create(world, "metered", **{names.key: f"ll-m-{world.run}"})]))
        there.read(names.person, [made.record_id], [names.email])
        list(there.changes([Watch(names.person, (names.email,), world.began_ms)]))
        assert meter.total == world.requests_got() - before

    def test_a_spent_budget_sends_nothing(self, world: World) -> None:
        class Spent(ContractMeter):
            def admit(self, lane: Lane, kind: Any) -> None:
                raise RetryLater("the share of the day's calls is used up", 900)

        before = world.requests_got()
        there = world.connect(Spent(world.clock))
        (result,) = there.write([_update(world, world.names.unknown_id, **{world.names.phone: "1"})])
        assert isinstance(result.outcome, RetryLater)
        assert not result.outcome.applied_unknown
        assert world.requests_got() == before


def _changes(there: Platform, world: World, since_ms: int) -> Iterator[Observation]:
    names = world.names
    for page in there.changes([Watch(names.person, (names.first, names.email, names.phone), since_ms)]):
        yield from page.observations


def _create(world: World, name: str, token: str = "new", **values: Raw) -> RecordWrite:
    return RecordWrite(token, world.names.person, None, world.person(name, **values), world.names.key)


def _update(world: World, record_id: str, token: str = "edit", **values: Raw) -> RecordWrite:
    return RecordWrite(token, world.names.person, record_id, values)


def _written(results: Any) -> list[Written]:
    outcomes = []
    for result in results:
        assert isinstance(result, WriteResult)
        assert isinstance(result.outcome, Written), result
        outcomes.append(result.outcome)
    return outcomes
