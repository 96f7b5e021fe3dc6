"""The contract, part: what goes wrong on the way, and what the caller may conclude from it."""

from __future__ import annotations

from typing import Any

import pytest

from connector.lane import Lane
from connector.platforms.errors import RetryLater
from connector.platforms.protocol import Platform, Watch
from tests.contract.steps import create, update, written
from tests.contract.worlds import ContractMeter, World


class TroubleContract:
    """What goes wrong on the way, and what the caller may conclude from it."""

    def test_a_rate_limit_is_retry_later_and_nothing_was_applied(self, world: World, there: Platform) -> None:
        (record_id,) = world.create(world.person("limited"))
        world.faults(quota_exhausted=True)
        (result,) = there.write([update(world, record_id, **{world.names.phone: "1"})])
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
            (result,) = there.write([update(world, record_id, **{names.phone: "1"})])
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
            update(world, world.names.unknown_id, **{world.names.phone: str(at)}) for at in range(3)
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
        first = create(world, "lost", **{names.key: f"ll-lost-{world.run}"})
        there.count([names.person])
        world.faults(lose_answer={"count": 1})
        (result,) = there.write([first])
        assert isinstance(result.outcome, RetryLater)
        assert result.outcome.applied_unknown
        (again,) = written(there.write([first]))
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
        (result,) = there.write([update(world, record_id, **{world.names.phone: "1"})])
        assert isinstance(result.outcome, RetryLater)
        assert result.outcome.applied_unknown
        assert "in time" in result.outcome.reason

    @pytest.mark.live_only
    def test_a_platform_that_cannot_be_reached_got_nothing(self, world: World, meter: ContractMeter) -> None:
        world.url = "http://127.0.0.1:9"
        (result,) = world.connect(meter).write(
            [update(world, world.names.unknown_id, **{world.names.phone: "1"})]
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
        (made,) = written(there.write([create(world, "metered", **{names.key: f"ll-m-{world.run}"})]))
        there.read(names.person, [made.record_id], [names.email])
        list(there.changes([Watch(names.person, (names.email,), world.began_ms)]))
        assert meter.total == world.requests_got() - before

    def test_a_spent_budget_sends_nothing(self, world: World) -> None:
        class Spent(ContractMeter):
            def admit(self, lane: Lane, kind: Any) -> None:
                raise RetryLater("the share of the day's calls is used up", 900)

        before = world.requests_got()
        there = world.connect(Spent(world.clock))
        (result,) = there.write([update(world, world.names.unknown_id, **{world.names.phone: "1"})])
        assert isinstance(result.outcome, RetryLater)
        assert not result.outcome.applied_unknown
        assert world.requests_got() == before
